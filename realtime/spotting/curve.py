"""Where a movement begins, peaks and ends, read off its curve between the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_LOW: Final = 0.25
_HIGH: Final = 0.75
_BACK_TO_FOOT: Final = 1.5
"""From the half height to the foot of an edge, in times from a quarter to three quarters of its height: exact for
sin^2, 8 % of the rise late for the least jerk, by which people move from rest to rest."""
_REST_SAMPLES_S: Final = 0.05
_AHEAD_S: Final = 0.1
"""So far beyond the end of a curve its foot may be reckoned."""


@dataclass(frozen=True)
class Edges:
    """Onset, apex and offset as places between samples."""

    onset: float
    apex: float
    offset: float

    @property
    def length(self) -> float:
        """In samples."""
        return self.offset - self.onset


def edges_of(curve: npt.NDArray[np.float64], began: int, rate_hz: float) -> Edges:
    """Onset, apex and offset of the one movement in a curve.

    The feet of both edges are hidden in noise, so they are reckoned from where the curve passes a quarter, a half and
    three quarters of the height.

    Args:
        curve: (N,) neutral is 0; from before the movement until after it.
        began: A sample within it.
        rate_hz: Samples a second.
    """
    rest = max(1, round(_REST_SAMPLES_S * rate_hz))
    apex = began + int(curve[began:].argmax())
    height = float(curve[apex])
    after = float(np.clip(curve[-rest:].min(), -0.3 * height, 0.4 * height))
    before = 0.0
    up = [_crossing(curve, apex, -1, before + share * (height - before)) for share in (_HIGH, 0.5, _LOW)]
    down = [_crossing(curve, apex, 1, after + share * (height - after)) for share in (_HIGH, 0.5, _LOW)]
    onset = up[1] - _BACK_TO_FOOT * (up[0] - up[2])
    offset = down[1] + _BACK_TO_FOOT * (down[2] - down[0])
    top = _summit(curve, apex)
    latest = len(curve) - 1 + _AHEAD_S * rate_hz
    return Edges(min(max(onset, 0.0), top), top, max(min(offset, latest), top))


def _crossing(curve: npt.NDArray[np.float64], apex: int, direction: int, level: float) -> float:
    """Where the curve, from the apex on, first falls below a level; its end where it does not."""
    part = curve[apex::direction]
    below = np.flatnonzero(part <= level)
    if not len(below):
        return float(apex + direction * (len(part) - 1))
    step = int(below[0])
    if step == 0:
        return float(apex)
    high, low = float(part[step - 1]), float(part[step])
    return apex + direction * (step - (low - level) / (low - high))


def _summit(curve: npt.NDArray[np.float64], apex: int) -> float:
    """The middle of what lies within a twentieth of the top: noise decides between samples, not between sides."""
    near = curve >= 0.95 * curve[apex]
    first = last = apex
    while first > 0 and near[first - 1]:
        first -= 1
    while last < len(curve) - 1 and near[last + 1]:
        last += 1
    return (first + last) / 2
