"""Frame ids against the loss ledger: which ids are missing from a recording, and whether each is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from capture.statistics import Gap

KEPT_RANGES = 1000
"""The ledger keeps at most this many ranges a cause; with that many, single ids can no longer be accounted for."""
_WRAPS = (2**16, 2**32)
_SILENCE_NS = 200_000_000
"""No camera is found missing, put away and opened anew in less."""

Range = tuple[int, int]
"""First and last frame id, both included."""


@dataclass(frozen=True)
class IdGaps:
    """What a look along the frame ids of a recording found."""

    missing: tuple[Range, ...]
    """Ids between the first and the last frame that no frame has; split where ids wrap."""
    backward: int
    """Frames whose id does not come after that of the frame before."""
    first_backward: int | None
    """The first such frame."""
    wraps: bool
    """Whether ids started over (16- and 32-bit counters)."""

    @property
    def missing_count(self) -> int:
        """Number of ids that are missing."""
        return sum(last - first + 1 for first, last in self.missing)


def find_gaps(frame_id: npt.NDArray[np.uint64], breaks: Sequence[int] = ()) -> IdGaps:
    """Gaps in frame ids, uint64 (frames,), which may start over at 65,536 or 4,294,967,296.

    GigE Vision's 16-bit ids leave out 0 when they start over; that is no gap.

    Args:
        frame_id: Ids in the order of arrival.
        breaks: First frames after the camera was opened anew: ids on both sides have nothing to do with each other.
    """
    inside = sorted({b for b in breaks if 0 < b < len(frame_id)})
    if not inside:
        return _find_gaps(frame_id)
    begins = [0, *inside]
    parts = [_find_gaps(frame_id[a:b]) for a, b in pairwise([*begins, len(frame_id)])]
    first_backward = [
        begin + part.first_backward
        for begin, part in zip(begins, parts, strict=True)
        if part.first_backward is not None
    ]
    return IdGaps(
        tuple(sorted(r for part in parts for r in part.missing)),
        sum(part.backward for part in parts),
        first_backward[0] if first_backward else None,
        any(part.wraps for part in parts),
    )


def breaks_of(gaps: Iterable[Gap], host_ns: npt.NDArray[np.integer]) -> list[int]:
    """First frames behind the gaps in which the camera was away; arrivals in ns, ascending, (frames,)."""
    arrived = host_ns.astype(np.int64)
    return [int(np.searchsorted(arrived, gap.to_host_ns)) for gap in gaps if gap.returned]


def presumed_breaks(frame_id: npt.NDArray[np.uint64], host_ns: npt.NDArray[np.integer]) -> list[int]:
    """Where a recording without a ledger looks as if the camera had been away: ids fall after a silence."""
    silent = np.diff(host_ns.astype(np.int64)) > _SILENCE_NS
    return (np.flatnonzero((frame_id[1:] <= frame_id[:-1]) & silent) + 1).tolist()


def _find_gaps(frame_id: npt.NDArray[np.uint64]) -> IdGaps:
    if len(frame_id) < 2:
        return IdGaps((), 0, None, wraps=False)
    before, after = frame_id[:-1], frame_id[1:]
    drops = np.flatnonzero(after <= before)
    highest = int(frame_id.max())
    modulus = next((m for m in _WRAPS if highest < m), None)
    missing: list[Range] = []
    backward: list[int] = []
    wraps = False
    for frame in drops.tolist():
        last, next_ = int(before[frame]), int(after[frame])
        # Only a fall from the top quarter into the bottom one is a counter that started over.
        if modulus is None or last < modulus * 3 // 4 or next_ >= modulus // 4:
            backward.append(frame + 1)
            continue
        wraps = True
        if last < modulus - 1:
            missing.append((last + 1, modulus - 1))
        lowest = 0 if modulus != _WRAPS[0] or bool(np.any(frame_id == 0)) else 1
        if next_ > lowest:
            missing.append((lowest, next_ - 1))
    jumps = np.flatnonzero((after > before) & (after - before > 1))
    missing.extend((int(before[frame]) + 1, int(after[frame]) - 1) for frame in jumps.tolist())
    return IdGaps(tuple(sorted(missing)), len(backward), backward[0] if backward else None, wraps)


def count_ids(ranges: Iterable[Range]) -> int:
    """Number of ids in `ranges`."""
    return sum(max(0, last - first + 1) for first, last in ranges)


def within(ranges: Iterable[Range], first: int, last: int) -> list[Range]:
    """The parts of `ranges` between ids `first` and `last`, both included."""
    return [(max(a, first), min(b, last)) for a, b in ranges if a <= last and b >= first]


def surplus(wanted: Sequence[Range], offered: Sequence[Range]) -> list[Range]:
    """Stretches of ids that come more often in `wanted` than in `offered`, ascending.

    Ids that started over may stand in either several times; each occurrence counts.
    """
    steps: dict[int, int] = {}
    for sign, ranges in ((1, wanted), (-1, offered)):
        for first, last in ranges:
            if first <= last:
                steps[first] = steps.get(first, 0) + sign
                steps[last + 1] = steps.get(last + 1, 0) - sign
    depth, start = 0, 0
    found: list[Range] = []
    for place in sorted(steps):
        was, depth = depth, depth + steps[place]
        if was <= 0 < depth:
            start = place
        elif depth <= 0 < was:
            found.append((start, place - 1))
    return found


def describe(ranges: Sequence[Range], limit: int = 3) -> str:
    """A few of the ranges as an operator would write them: `17, 20-31 and 4 more`."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:limit]]
    more = len(ranges) - limit
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
