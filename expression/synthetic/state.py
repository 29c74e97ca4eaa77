"""What a simulated face does at one moment, and over time: the link between performance and renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.action_units import ActionUnit

UNITS: Final = tuple(ActionUnit)
"""Order of the action units in intensity arrays."""


@dataclass(frozen=True)
class FaceTrack:
    """What a face does in each of N frames.

    Angles are in degrees, seen from the participant: positive yaw turns the head to their left (to the right in the
    picture), positive pitch lifts it, positive roll tilts it to their left shoulder.
    """

    left: npt.NDArray[np.float32]
    """(N, 24) intensity of each unit of `UNITS` on the participant's left half, 0 (absent) to 1 (FACS level E)."""
    right: npt.NDArray[np.float32]
    """(N, 24), the right half. Units without sides have the same value in both."""
    blink: npt.NDArray[np.float32]
    """(N, 2) closure of the left and right upper lid, 0 (open) to 1 (closed)."""
    gaze_deg: npt.NDArray[np.float32]
    """(N, 2) direction of both eyes relative to the head: to the participant's left, and up."""
    head_px: npt.NDArray[np.float32]
    """(N, 2) shift of the whole head in the picture, x to the right and y down, in pixels."""
    head_deg: npt.NDArray[np.float32]
    """(N, 3) yaw, pitch, roll of the head; small (a few degrees)."""
    head_scale: npt.NDArray[np.float32]
    """(N,) size of the head against its neutral distance; 1 is neutral."""
    swallow: npt.NDArray[np.float32]
    """(N,) progress of the larynx and jaw in swallowing, 0 to 1."""
    breath: npt.NDArray[np.float32]
    """(N,) lift of the shoulders with the breath, 0 to 1."""
    light: npt.NDArray[np.float32]
    """(N,) gain of the light (flicker of lamps, drift of exposure); 1 is nominal."""

    @classmethod
    def neutral(cls, frames: int) -> FaceTrack:
        """A face at rest for `frames` frames."""

        def zeros(*shape: int) -> npt.NDArray[np.float32]:
            return np.zeros((frames, *shape), np.float32)

        return cls(
            left=zeros(len(UNITS)),
            right=zeros(len(UNITS)),
            blink=zeros(2),
            gaze_deg=zeros(2),
            head_px=zeros(2),
            head_deg=zeros(3),
            head_scale=np.ones(frames, np.float32),
            swallow=zeros(),
            breath=zeros(),
            light=np.ones(frames, np.float32),
        )

    def __len__(self) -> int:
        return len(self.light)
