"""One trial as the camera process counts it: frames, ids lost by cause, device time, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from capture.statistics import LossLedger

_MAX_RANGES = 1000
"""Ranges of lost ids kept per cause; the counts go on beyond."""
_PLAUSIBLE_GAP = 10_000_000
"""An id that jumps further than this is a counter that was reset, not frames lost."""


class LostIds:
    """Frame ids lost to one cause: how many, and which, as inclusive ranges."""

    def __init__(self) -> None:
        self.count = 0
        self.ranges: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        """Count the ids `first` to `last`, both included."""
        self.count += last - first + 1
        if self.ranges and self.ranges[-1][1] == first - 1:
            self.ranges[-1] = (self.ranges[-1][0], last)
        elif len(self.ranges) < _MAX_RANGES:
            self.ranges.append((first, last))


class TrialStatistics(msgspec.Struct, frozen=True):
    """Figures of a trial so far."""

    frames: int
    losses: LossLedger
    last_frame_id: int
    seconds: float
    """From the first frame to the end of the last one."""


@dataclass
class Trial:
    """Counts what arrives during a trial. Pure bookkeeping: no camera, no ring, no socket.

    `frame` is called for every complete frame in the order of arrival, before it goes into the ring; `kept` or
    `no_slot` follows. `incomplete` is called for every frame that arrived with missing pixels.
    """

    name: str
    series: str
    rate_fps: float
    max_frames: int | None = None
    max_seconds: float | None = None
    frames: int = 0
    camera: LostIds = field(default_factory=LostIds)
    incomplete_ids: LostIds = field(default_factory=LostIds)
    ring: LostIds = field(default_factory=LostIds)
    surplus: int = 0
    _incomplete_pending: set[int] = field(default_factory=set)
    _last_id: int | None = None
    _first_ns: int | None = None
    _last_ns: int = 0

    def incomplete(self, frame_id: int) -> None:
        """A frame arrived with missing pixels and was thrown away."""
        self.incomplete_ids.add(frame_id, frame_id)
        self._incomplete_pending.add(frame_id)

    def over(self, time_ns: int) -> str | None:
        """Why a frame taken at `time_ns` is no longer part of the trial; None while it is."""
        if self.max_frames is not None and self.frames >= self.max_frames:
            return "frames"
        if (
            self.max_seconds is not None
            and self._first_ns is not None
            # Half a frame earlier, so that jitter in the timestamps cannot add a frame to a whole number of seconds.
            and time_ns - self._first_ns >= self.max_seconds * 1e9 - 0.5e9 / self.rate_fps
        ):
            return "duration"
        return None

    def frame(self, frame_id: int, time_ns: int) -> None:
        """Note a complete frame; ids between the last one and this are lost in the camera.

        Args:
            frame_id: The producer's id.
            time_ns: Device time, or host time where the camera has none.
        """
        if self._last_id is not None and self._last_id + 1 < frame_id <= self._last_id + _PLAUSIBLE_GAP:
            self._count_gap(self._last_id + 1, frame_id - 1)
        self._last_id = frame_id
        if self._first_ns is None:
            self._first_ns = time_ns
        self._last_ns = time_ns

    def kept(self) -> None:
        """The frame just noted went into the ring."""
        self.frames += 1

    def no_slot(self, frame_id: int) -> None:
        """The frame just noted found the ring full."""
        self.ring.add(frame_id, frame_id)

    def lost_ids(self) -> dict[str, list[tuple[int, int]]]:
        """Ranges of lost ids by cause."""
        return {"camera": self.camera.ranges, "incomplete": self.incomplete_ids.ranges, "ring": self.ring.ranges}

    @property
    def fps(self) -> float:
        """Frames a second over the whole trial, lost ones included; 0 before the second frame."""
        taken = self.frames + self.ring.count + self.incomplete_ids.count + self.camera.count
        if self._first_ns is None or self._last_ns <= self._first_ns:
            return 0.0
        return (taken - 1) * 1e9 / (self._last_ns - self._first_ns)

    def statistics(self) -> TrialStatistics:
        """The figures so far."""
        elapsed = (self._last_ns - self._first_ns) / 1e9 if self._first_ns is not None else 0.0
        return TrialStatistics(
            frames=self.frames,
            losses=LossLedger(camera=self.camera.count, incomplete=self.incomplete_ids.count, ring=self.ring.count),
            last_frame_id=self._last_id or 0,
            seconds=elapsed + (1 / self.rate_fps if self.frames else 0.0),
        )

    def _count_gap(self, first: int, last: int) -> None:
        """Count the ids of a gap, less those that arrived incomplete."""
        start = first
        for known in sorted(i for i in self._incomplete_pending if first <= i <= last):
            if known > start:
                self.camera.add(start, known - 1)
            start = known + 1
        if start <= last:
            self.camera.add(start, last)
        self._incomplete_pending = {i for i in self._incomplete_pending if i > last}
