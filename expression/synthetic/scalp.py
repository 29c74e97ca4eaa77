"""Where scalp hair grows on the mean head, and how its strands follow the skull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.synthetic.head import Head
from expression.synthetic.identity import Identity
from expression.synthetic.texture import smooth

Floats = npt.NDArray[np.float32]

CENTRE: Final = np.array([0.0, 3.0, -7.5], np.float32)
"""Middle of the skull, in coordinates of the mean head."""
_CELLS: Final = 26


def scalp_weight(identity: Identity, points: Floats) -> Floats:
    """Where scalp hair grows: 1 inside the hair line, 0 outside, on the mean head's (..., 3) surface."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    hair = identity.hair
    azimuth = np.degrees(np.arctan2(np.abs(x), z - CENTRE[2]))
    back = 1.7 * hair.recession
    burn = -1.6 if identity.male > 0.5 else -0.2
    degrees = [0, 14, 28, 40, 50, 58, 64, 69, 75, 81, 100, 112, 135, 180]
    front = [6.2 + 0.3 * back, 6.3 + 0.5 * back, 6.25 + back, 5.4 + 1.3 * back, 3.9 + 0.8 * back, 2.4, 1.1]
    heights = [*front, burn, burn - 0.4, 0.75, 0.3, -4.5, -7.5, -8.0]
    line = np.interp(azimuth, degrees, heights).astype(np.float32)
    line = line + hair.line_cm * smooth(60, 40, azimuth.astype(np.float32))
    phase = identity.seed * 1.7
    line = line + 0.12 * np.sin(x * 2.3 + phase) + 0.08 * np.sin(x * 5.1 + 2 * phase)
    return smooth(-0.28, 0.35, (y - line).astype(np.float32)) * smooth(-9.5, -7.5, y)


@dataclass(frozen=True)
class Skull:
    """The mean skull as a distance by direction, and its displacement to one participant's head."""

    radius: Floats
    shift: Floats

    @classmethod
    def of(cls, head: Head, with_ears: bool) -> Skull:
        """Measured from the skin's vertices."""
        ears = head.subdivision.apply(head.region("ears")) > 0.4
        inside = head.subdivision.apply(head.region("mouth_inside")) > 0.1
        use = ~inside if with_ears else ~ears & ~inside
        use &= head.canonical[:, 1] > -11
        arm = head.canonical[use] - CENTRE
        length = np.linalg.norm(arm, axis=1)
        values = np.concatenate([length[:, None], head.skin.vertices[use] - head.canonical[use]], axis=1)
        cell = np.clip(np.round((arm / length[:, None] + 1) / 2 * (_CELLS - 1)), 0, _CELLS - 1).astype(np.int64)
        key = (cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2]
        grid = np.zeros((_CELLS, _CELLS, _CELLS, 5))
        for column in range(4):
            grid[..., column] = np.bincount(key, values[:, column], minlength=_CELLS**3).reshape(grid.shape[:3])
        grid[..., 4] = np.bincount(key, minlength=_CELLS**3).reshape(grid.shape[:3])
        smoothed = grid
        for _ in range(2):
            smoothed = _spread(smoothed)
        wide = smoothed
        for _ in range(6):
            wide = _spread(wide)
        thin = smoothed[..., 4:] < 1e-3
        chosen = np.where(thin, wide, smoothed)
        mean = chosen[..., :4] / np.maximum(chosen[..., 4:], 1e-9)
        return cls(mean[..., :1].astype(np.float32), mean[..., 1:].astype(np.float32))

    def distance(self, direction: Floats) -> Floats:
        """(N,) distance of the skull's surface from its middle in (N, 3) unit directions."""
        return _look_up(self.radius, direction)[:, 0]

    def to_head(self, points: Floats) -> Floats:
        """Carries (N, 3) points about the mean head to the participant's head."""
        arm = points - CENTRE
        length = np.linalg.norm(arm, axis=1, keepdims=True)
        return (points + _look_up(self.shift, arm / np.maximum(length, 1e-6))).astype(np.float32)


def _spread(grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    for axis in range(3):
        padded = np.pad(grid, [(1, 1) if k == axis else (0, 0) for k in range(4)])
        low = padded.take(np.arange(_CELLS), axis)
        high = padded.take(np.arange(2, _CELLS + 2), axis)
        grid = 0.25 * low + 0.5 * grid + 0.25 * high
    return grid


def _look_up(grid: Floats, direction: Floats) -> Floats:
    place = np.clip((direction + 1) / 2 * (_CELLS - 1), 0, _CELLS - 1.001)
    low = place.astype(np.int64)
    part = (place - low).astype(np.float32)
    flat = grid.reshape(-1, grid.shape[-1])
    total = np.zeros((len(direction), grid.shape[-1]), np.float32)
    for corner in range(8):
        step = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.where(step, part, 1 - part).prod(1)
        cell = low + step
        total += weight[:, None] * flat[(cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2]]
    return total


def roots_of(head: Head, count: int, draw: np.random.Generator) -> Floats:
    """(count, 3) roots of hair on the mean head: even over the area inside the hair line."""
    triangles = head.skin.triangles
    corners = head.canonical[triangles]
    middle = corners.mean(1)
    weight = scalp_weight(head.identity, middle) * (middle[:, 1] > -9)
    ears = head.subdivision.apply(head.region("ears"))
    weight = weight * (ears[triangles].max(1) < 0.3)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    area = area * weight * np.where(middle[:, 2] > -13, 1.0, 0.35)
    total = np.cumsum(area.astype(np.float64))
    chosen = np.searchsorted(total, draw.random(count) * total[-1])
    a, b = np.sqrt(draw.random(count)), draw.random(count)
    weights = np.stack([1 - a, a * (1 - b), a * b], axis=1)
    return np.asarray((weights[:, :, None] * corners[chosen]).sum(1), np.float32)
