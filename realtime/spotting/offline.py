"""What the two classical methods share: they see aligned crops of a whole recording, and say afterwards what moved.

They are there to compare with, not to work with: both need the recording to its end, and both are slower than the
camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion

Crop = npt.NDArray[np.uint8]
SAME_MOVEMENT: Final = 0.3
"""Overlap of two intervals, against the shorter one, from which they are one movement."""


@dataclass(frozen=True)
class Interval:
    """A movement that was found, in samples; both ends inclusive."""

    onset: int
    apex: int
    offset: int
    strength: float
    """Against what was needed; 1 is just enough."""
    height: float = 0.0
    regions: tuple[FaceRegion, ...] = ()


class OfflineMethod(Protocol):
    """Finds movements in the crops of one face, once it has seen them all."""

    @property
    def crop_px(self) -> int:
        """Side of the crops that it takes."""
        ...

    @property
    def steady(self) -> bool:
        """Whether crops should follow the head; else all are cut out alike, and the method takes the head off."""
        ...

    @property
    def most_hz(self) -> float:
        """How many crops a second it needs at most; faster cameras have some left out."""
        ...

    def push(self, crop: Crop) -> None:
        """Take the next crop, (crop_px, crop_px) uint8."""
        ...

    def finish(self, rate_hz: float) -> list[Interval]:
        """What moved in the crops since the last call, in their order; they are forgotten.

        Args:
            rate_hz: Crops a second.
        """
        ...


def peaks_of(curve: npt.NDArray[np.floating], rise: float) -> list[tuple[int, int, int]]:
    """Local maxima that stand out from the valleys on either side.

    Args:
        curve: (N,).
        rise: Height over the higher of both valleys that a peak must have; a valley is the lowest place between a peak
            and the next higher one.

    Returns:
        Left edge, peak and right edge of each: the edges are where the curve has fallen to a third of the height over
        the valley of that side.
    """
    found = []
    values = np.asarray(curve, np.float64)
    inner = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:])) + 1
    for peak in inner:
        sides = []
        for part in (values[peak::-1], values[peak:]):
            higher = np.flatnonzero(part > values[peak])
            until = int(higher[0]) if len(higher) else len(part)
            valley = float(part[:until].min())
            below = np.flatnonzero(part[:until] <= valley + (values[peak] - valley) / 3)
            sides.append((valley, int(below[0])))
        (before, left), (after, right) = sides
        if values[peak] - max(before, after) >= rise:
            found.append((int(peak) - left, int(peak), int(peak) + right))
    return found


def merged(intervals: list[Interval]) -> list[Interval]:
    """Intervals in order; those that overlap are one, with the apex of the strongest and the regions of all."""
    together: list[Interval] = []
    for one in sorted(intervals, key=lambda interval: interval.onset):
        last = together[-1] if together else None
        if last is None or not _same(last, one):
            together.append(one)
            continue
        leader, other = (last, one) if last.strength >= one.strength else (one, last)
        together[-1] = Interval(
            min(last.onset, one.onset),
            leader.apex,
            max(last.offset, one.offset),
            leader.strength,
            leader.height,
            tuple(dict.fromkeys((*leader.regions, *other.regions))),
        )
    return together


def _same(one: Interval, other: Interval) -> bool:
    common = min(one.offset, other.offset) - max(one.onset, other.onset) + 1
    return common >= SAME_MOVEMENT * (1 + min(one.offset - one.onset, other.offset - other.onset))
