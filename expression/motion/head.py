"""How the head as a whole has moved in the picture."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class HeadMotion:
    """Movement of the head in the plane of the picture since the reference, about the middle of the crop."""

    shift_px: tuple[float, float]
    """To the right and down."""
    rotation_deg: float
    """Clockwise in the picture."""
    scale: float
    """Size against that in the reference."""

    @classmethod
    def from_similarity(cls, shift: complex, growth: complex) -> HeadMotion:
        """Of the movement shift + growth z of each point z = x + iy."""
        turn = 1 + growth
        return cls((shift.real, shift.imag), math.degrees(cmath.phase(turn)), abs(turn))

    def field(self, size_px: int, step_px: int = 1) -> npt.NDArray[np.float32]:
        """The flow that this movement alone causes.

        Args:
            size_px: Side of the crop.
            step_px: One vector for the middle of each block of so many pixels a side.

        Returns:
            (n, n, 2) float32 in pixels, with n = size_px / step_px.
        """
        positions = (np.arange(0, size_px, step_px) + (step_px - size_px) / 2).astype(np.float32)
        growth = self.scale * cmath.exp(1j * math.radians(self.rotation_deg)) - 1
        field = np.empty((len(positions), len(positions), 2), np.float32)
        field[..., 0] = self.shift_px[0] + growth.real * positions - (growth.imag * positions)[:, None]
        field[..., 1] = self.shift_px[1] + growth.imag * positions + (growth.real * positions)[:, None]
        return field
