"""Frame ids as they come from one connection to a camera: which are missing, and where the counter started over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

MAX_RANGES = 1000
"""Ranges of lost ids kept per cause; the counts go on beyond."""
_PLAUSIBLE_GAP = 10_000_000
"""An id that jumps further than this is a counter that was reset, not frames lost."""
_WRAPS = (2**16, 2**32)
"""Where counters of ids start over."""
_MAX_DROPS = 1000
"""Falls of the id kept; a camera whose ids fall more often does not count."""

IdRange = tuple[int, int]
"""First and last id, both included."""


class LostIds:
    """Frame ids lost to one cause: how many, and which, as inclusive ranges."""

    def __init__(self) -> None:
        self.count = 0
        self.ranges: list[IdRange] = []

    def add(self, first: int, last: int) -> None:
        """Count the ids `first` to `last`, both included."""
        self.count += last - first + 1
        if self.ranges and self.ranges[-1][1] == first - 1:
            self.ranges[-1] = (self.ranges[-1][0], last)
        elif len(self.ranges) < MAX_RANGES:
            self.ranges.append((first, last))

    def extend(self, other: LostIds) -> None:
        """Count what another connection to the camera lost; its ids have nothing to do with those so far."""
        self.count += other.count
        self.ranges += other.ranges[: MAX_RANGES - len(self.ranges)]

    def copy(self) -> LostIds:
        """The same, to be added to on its own."""
        twin = LostIds()
        twin.count, twin.ranges = self.count, list(self.ranges)
        return twin


@dataclass(frozen=True)
class _Drop:
    """The id fell: the counter started over, or was reset. Which of both shows only when more ids are known."""

    last: int
    next: int
    incomplete: frozenset[int]
    """Ids that arrived incomplete before it was seen."""


@dataclass
class IdSeries:
    """The ids of one connection, in the order of arrival; a camera that is opened anew begins another series."""

    last_id: int | None = None
    """Of the last complete frame."""
    _skipped: LostIds = field(default_factory=LostIds)
    _incomplete: set[int] = field(default_factory=set)
    _drops: list[_Drop] = field(default_factory=list)
    _highest: int = 0
    _zero_seen: bool = False

    def incomplete(self, frame_id: int) -> None:
        """The frame arrived, though not whole: it leaves no gap."""
        self._incomplete.add(frame_id)
        self._zero_seen = self._zero_seen or frame_id == 0

    def jump(self, frame_id: int) -> list[IdRange]:
        """A frame whose id is not the next one, or the first frame; returns the ids skipped before it, as far as known.

        The caller sets `last_id` afterwards, here as for every frame.
        """
        last = self.last_id
        self._zero_seen = self._zero_seen or frame_id == 0
        if last is None:
            return []
        self._highest = max(self._highest, last)
        if last < frame_id <= last + _PLAUSIBLE_GAP:
            ranges = _less(last + 1, frame_id - 1, self._incomplete)
            for first, end in ranges:
                self._skipped.add(first, end)
            self._incomplete = {i for i in self._incomplete if i >= frame_id}
            return ranges
        if frame_id < last and len(self._drops) < _MAX_DROPS:
            self._drops.append(_Drop(last, frame_id, frozenset(self._incomplete)))
            self._incomplete.clear()
        return []

    def wraps(self, last: int, next_: int) -> bool:
        """Whether a counter that goes on from `last` to `next_` has come to its end and started over."""
        modulus = next((m for m in _WRAPS if max(self._highest, last, next_) < m), None)
        return modulus is not None and _starts_over(last, next_, modulus)

    def lost(self) -> LostIds:
        """Ids lost in the camera, with those on both sides of where the counter started over.

        The counter's width and whether it leaves out 0, as GigE Vision's 16-bit ids do, show in all ids so far; the
        rule is the one by which a recording is verified (`capture.recording.ledger.find_gaps`).
        """
        highest = max(self._highest, self.last_id or 0)
        modulus = next((m for m in _WRAPS if highest < m), None)
        if modulus is None or not self._drops:
            return self._skipped
        lost = self._skipped.copy()
        lowest = 1 if modulus == _WRAPS[0] and not self._zero_seen else 0
        for drop in self._drops:
            if _starts_over(drop.last, drop.next, modulus):
                for first, last in (
                    *_less(drop.last + 1, modulus - 1, drop.incomplete),
                    *_less(lowest, drop.next - 1, drop.incomplete),
                ):
                    lost.add(first, last)
        return lost


def _starts_over(last: int, next_: int, modulus: int) -> bool:
    """Only a fall from the top quarter into the bottom one is a counter that started over."""
    return last >= modulus * 3 // 4 and next_ < modulus // 4


def _less(first: int, last: int, known: Collection[int]) -> list[IdRange]:
    """The ids `first` to `last` without the `known` ones, as ranges."""
    ranges = []
    start = first
    for there in sorted(i for i in known if first <= i <= last):
        if there > start:
            ranges.append((start, there - 1))
        start = there + 1
    if start <= last:
        ranges.append((start, last))
    return ranges
