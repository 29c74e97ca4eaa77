"""Participants that the tests of movement share: painting one takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from expression.action_units import ActionUnit, Side
from expression.synthetic.appearance import Appearance, render_neutral
from expression.synthetic.head import build_head
from expression.synthetic.identity import sample_identity
from expression.synthetic.renderer import Renderer
from expression.synthetic.state import UNITS, FaceTrack


@dataclass(frozen=True)
class Painted:
    appearance: Appearance
    renderer: Renderer
    """Without sensor noise."""


@pytest.fixture(scope="session", params=[2, 5])
def painted(request) -> Painted:
    """A participant at rest and its noiseless renderer."""
    appearance = render_neutral(build_head(sample_identity(request.param)))
    return Painted(appearance, Renderer(appearance, noise=0))


@pytest.fixture
def acting() -> Callable[..., FaceTrack]:
    """Makes a track of one frame in which units act: `acting({ActionUnit.BROW_LOWERER: 0.5}, Side.LEFT)`."""

    def make(units: dict[ActionUnit | int, float], side: Side = Side.BOTH) -> FaceTrack:
        track = FaceTrack.neutral(1)
        for unit, intensity in units.items():
            for half, name in ((track.left, Side.LEFT), (track.right, Side.RIGHT)):
                if side in (name, Side.BOTH):
                    half[0, UNITS.index(unit)] = intensity
        return track

    return make


@pytest.fixture
def blank() -> np.ndarray:
    return np.empty((768, 1024), np.uint8)
