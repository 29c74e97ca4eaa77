"""A simulated participant ready to perform: face, camera and temperament, all from one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from expression.synthetic.appearance import render_neutral
from expression.synthetic.background import Temperament
from expression.synthetic.head import build_head
from expression.synthetic.identity import sample_identity
from expression.synthetic.renderer import Renderer
from expression.synthetic.state import FaceTrack

_TEMPERAMENT = 0x7E3


def temperament_of(identity_seed: int) -> Temperament:
    """How much the participant moves; cheap, where `Participant.of` takes seconds."""
    return Temperament.sampled(np.random.default_rng([identity_seed, _TEMPERAMENT]))


@dataclass(frozen=True)
class Participant:
    """One simulated participant."""

    identity_seed: int
    temperament: Temperament
    renderer: Renderer

    @classmethod
    def of(cls, identity_seed: int) -> Self:
        """The participant of this number; builds head and skin, which takes seconds."""
        appearance = render_neutral(build_head(sample_identity(identity_seed)))
        return cls(identity_seed, temperament_of(identity_seed), Renderer(appearance))

    def render(self, track: FaceTrack, frame: int, out: npt.NDArray[np.uint8], take: int = 0) -> None:
        """Draws one frame.

        Any frame may be drawn at any time: it costs the same and has the same bytes whichever were drawn before, so the
        sixteen frames that a network sees cost sixteen frames, not a clip. Not for several threads at once.

        Args:
            track: What the face does.
            frame: Which frame of it.
            out: uint8 (768, 1024), filled.
            take: Which recording of the participant this is: another one has other noise.
        """
        self.renderer.render(track, frame, out, take)
