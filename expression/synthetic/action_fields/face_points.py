"""The language in which action fields are written: points of the mean face, bumps, ramps and windows over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

EYE: Final = (3.2, 72.88)
"""Centre of the opening of the left eye on the base mesh, cm."""
EYE_HALF: Final = (1.25, 0.5)
"""Half width and half height of that opening, cm."""
MOUTH_Y: Final = 66.1
"""Height of the line where the lips meet, cm."""
MOUTH_HALF: Final = 2.5
"""Distance of the lip corners from the midline, cm."""
BROW_Y: Final = 74.4
"""Height of the brows, cm."""


class Lips(Enum):
    """Which side of the line between the lips a point belongs to: the lips part, so the fields part there too."""

    UPPER = 1
    LOWER = -1


@dataclass(frozen=True)
class FacePoints:
    """Points on the base mesh's face, for fields that are the same on both halves."""

    side: Floats
    """(N,) the distance from the midline with its sign, squeezed to -1…1 within 3 mm: turns outward motion into x."""
    out: Floats
    """(N,) distance from the midline, cm."""
    y: Floats
    """(N,) height, cm."""
    z: Floats
    """(N,) depth, cm, forward."""
    lips: Lips
    """The part whose motion is asked for. Beyond the line between the lips its field is continued smoothly."""

    @classmethod
    def of(cls, points: Floats, lips: Lips) -> FacePoints:
        """Takes (N, 3) positions on the base mesh in cm: x to the participant's left, y up, z forward."""
        x, y, z = (np.ascontiguousarray(points[:, k], np.float32) for k in range(3))
        return cls((x / np.sqrt(x * x + 0.09)).astype(np.float32), np.abs(x), y, z, lips)

    def bump(self, out: float, y: float, across: float, along: float | None = None, turn_deg: float = 0) -> Floats:
        """A smooth hill, 1 at (out, y), gone at 2.6 standard deviations.

        Args:
            out: Distance of its middle from the midline, cm.
            y: Height of its middle, cm.
            across: Standard deviation, horizontally, cm.
            along: The same, vertically; as `across` where not given.
            turn_deg: Turns the hill so that its horizontal axis rises outward by this angle.
        """
        dx, dy = self.out - out, self.y - y
        angle = np.deg2rad(turn_deg)
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / across
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / (along or across)
        return _hill(u * u + v * v) * self.front

    def plateau(self, inner: float, outer: float, fall: float) -> Floats:
        """1 where the distance from the midline lies in inner…outer, falling smoothly within about 2 `fall` beyond."""
        beyond = np.maximum(np.maximum(inner - self.out, self.out - outer), 0) / fall
        return _hill(beyond * beyond)

    def ramp_y(self, none: float, full: float) -> Floats:
        """0 at height `none`, 1 at height `full` (either way up), smooth between."""
        return smooth((self.y - none) / (full - none))

    @property
    def front(self) -> Floats:
        """1 on the face, 0 on ears, neck and the back of the head."""
        return smooth((self.z - 3.0) / 3.5) * smooth((self.y - 60.8) / 1.2)

    @property
    def beside_eye(self) -> Floats:
        """0 in the opening of the eye, which has motions of its own, 1 outside its lids."""
        u = (self.out - EYE[0]) / EYE_HALF[0]
        v = (self.y - EYE[1]) / EYE_HALF[1]
        return smooth((np.sqrt(u * u + v * v) - 1.05) / 0.9)

    @property
    def gape(self) -> Floats:
        """1 at the middle of the lips, 0 at their corners and beyond: the shape of an opening mouth."""
        lens: Floats = np.maximum(1 - (self.out / (0.97 * MOUTH_HALF)) ** 2, 0).astype(np.float32)
        return lens

    def vector(self, outward: Floats | float = 0, up: Floats | float = 0, forward: Floats | float = 0) -> Floats:
        """(N, 3) displacement from its components in cm; outward is away from the midline."""
        shape = self.y.shape
        parts = [np.broadcast_to(part, shape) for part in (self.side * outward, up, forward)]
        return np.stack(parts, axis=-1).astype(np.float32)


Field = Callable[[FacePoints], Floats]
"""Displacement (N, 3) in cm of both halves of the face at full intensity."""


def smooth(value: npt.ArrayLike) -> Floats:
    """0 below 0, 1 above 1, with continuous slope and curvature between (quintic)."""
    t = np.clip(np.asarray(value, np.float32), 0, 1)
    return (t * t * t * (t * (6 * t - 15) + 10)).astype(np.float32)


def _hill(squared: Floats) -> Floats:
    hill = np.exp(-0.5 * squared) * smooth((6.76 - squared) / 4)
    return np.asarray(hill, np.float32)
