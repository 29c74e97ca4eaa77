"""One trial as the camera process counts it: frames, ids lost by cause, device time, and when it is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from capture.statistics import LossLedger

_MAX_RANGES = 1000
"""Ranges of lost ids kept per cause; the counts go on beyond."""
_PLAUSIBLE_GAP = 10_000_000
"""An id that jumps further than this is a counter that was reset, not frames lost."""
_WRAPS = (2**16, 2**32)
"""Where counters of ids start over."""
_MAX_DROPS = 1000
"""Falls of the id kept; a camera whose ids fall more often does not count."""
_CLOCKS_AGREE_NS = 100_000_000
"""Device time that runs away from host time by more than this has stepped."""


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


@dataclass(frozen=True)
class _Drop:
    """The id fell: the counter started over, or was reset. Which of both shows only when more ids are known."""

    last: int
    next: int
    incomplete: frozenset[int]
    """Ids that arrived incomplete before it was seen."""


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
    _drops: list[_Drop] = field(default_factory=list)
    _highest_id: int = 0
    _zero_seen: bool = False
    _last_id: int | None = None
    _first_ns: int | None = None
    """When the first frame was taken, by the device clock as it is now: moved along when that clock steps."""
    _last_ns: int = 0
    _first_host_ns: int | None = None
    _last_host_ns: int = 0

    def incomplete(self, frame_id: int) -> None:
        """A frame arrived with missing pixels and was thrown away."""
        self.incomplete_ids.add(frame_id, frame_id)
        self._incomplete_pending.add(frame_id)
        self._zero_seen = self._zero_seen or frame_id == 0

    def over(self, time_ns: int, host_ns: int | None = None) -> str | None:
        """Why a frame taken at `time_ns` is no longer part of the trial; None while it is.

        Args:
            time_ns: Device time, or host time where the camera has none.
            host_ns: When the frame arrived; tells a step of the device clock.
        """
        self._follow_clock(time_ns, host_ns)
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

    def frame(self, frame_id: int, time_ns: int, host_ns: int | None = None) -> None:
        """Note a complete frame; ids between the last one and this are lost in the camera.

        Args:
            frame_id: The producer's id.
            time_ns: Device time, or host time where the camera has none.
            host_ns: When the frame arrived; tells a step of the device clock.
        """
        last_id = self._last_id
        if last_id is not None and frame_id != last_id + 1:
            if last_id < frame_id <= last_id + _PLAUSIBLE_GAP:
                self._count_gap(last_id + 1, frame_id - 1)
            elif frame_id < last_id and len(self._drops) < _MAX_DROPS:
                self._drops.append(_Drop(last_id, frame_id, frozenset(self._incomplete_pending)))
                self._incomplete_pending.clear()
        self._last_id = frame_id
        if frame_id > self._highest_id:
            self._highest_id = frame_id
        elif frame_id == 0:
            self._zero_seen = True
        self._follow_clock(time_ns, host_ns)
        if self._first_ns is None:
            self._first_ns = time_ns
            self._first_host_ns = host_ns
        self._last_ns = time_ns
        if host_ns is not None:
            self._last_host_ns = host_ns

    def kept(self) -> None:
        """The frame just noted went into the ring."""
        self.frames += 1

    def no_slot(self, frame_id: int) -> None:
        """The frame just noted found the ring full."""
        self.ring.add(frame_id, frame_id)

    def lost_ids(self) -> dict[str, list[tuple[int, int]]]:
        """Ranges of lost ids by cause."""
        return {
            "camera": self._lost_in_camera().ranges,
            "incomplete": self.incomplete_ids.ranges,
            "ring": self.ring.ranges,
        }

    @property
    def fps(self) -> float:
        """Frames a second over the whole trial, lost ones included; 0 before the second frame."""
        taken = self.frames + self.ring.count + self.incomplete_ids.count + self._lost_in_camera().count
        if self._first_ns is None or self._last_ns <= self._first_ns:
            return 0.0
        return (taken - 1) * 1e9 / (self._last_ns - self._first_ns)

    def statistics(self) -> TrialStatistics:
        """The figures so far."""
        elapsed = (self._last_ns - self._first_ns) / 1e9 if self._first_ns is not None else 0.0
        return TrialStatistics(
            frames=self.frames,
            losses=LossLedger(
                camera=self._lost_in_camera().count, incomplete=self.incomplete_ids.count, ring=self.ring.count
            ),
            last_frame_id=self._last_id or 0,
            seconds=elapsed + (1 / self.rate_fps if self.frames else 0.0),
        )

    def _follow_clock(self, time_ns: int, host_ns: int | None) -> None:
        """Where the device clock stepped between the last frame and this, go on from the elapsed host time.

        A host that is late sees device time move less than its own, and never backwards.
        """
        if host_ns is None or self._first_ns is None or self._first_host_ns is None:
            return
        elapsed_ns = host_ns - self._first_host_ns
        leap_ns = (time_ns - self._last_ns) - (host_ns - self._last_host_ns)
        ran_away = time_ns - self._first_ns > elapsed_ns + _CLOCKS_AGREE_NS
        # Frames that waited arrive back to back, which alone is a leap of one frame each.
        if time_ns < self._last_ns or (ran_away and leap_ns > 2e9 / self.rate_fps):
            self._first_ns = time_ns - elapsed_ns

    def _count_gap(self, first: int, last: int) -> None:
        """Count the ids of a gap, less those that arrived incomplete."""
        _add_gap(self.camera, first, last, self._incomplete_pending)
        self._incomplete_pending = {i for i in self._incomplete_pending if i > last}

    def _lost_in_camera(self) -> LostIds:
        """Ids lost in the camera, with those on both sides of where the counter started over.

        The counter's width and whether it leaves out 0, as GigE Vision's 16-bit ids do, show in all ids so far; the
        rule is the one by which a recording is verified (`capture.recording.ledger.find_gaps`).
        """
        modulus = next((m for m in _WRAPS if self._highest_id < m), None)
        if modulus is None or not self._drops:
            return self.camera
        lost = LostIds()
        lost.count, lost.ranges = self.camera.count, list(self.camera.ranges)
        lowest = 1 if modulus == _WRAPS[0] and not self._zero_seen else 0
        for drop in self._drops:
            # Only a fall from the top quarter into the bottom one is a counter that started over.
            if drop.last >= modulus * 3 // 4 and drop.next < modulus // 4:
                _add_gap(lost, drop.last + 1, modulus - 1, drop.incomplete)
                _add_gap(lost, lowest, drop.next - 1, drop.incomplete)
        return lost


def _add_gap(lost: LostIds, first: int, last: int, incomplete: Collection[int]) -> None:
    """Count the ids of a gap, less the `incomplete` ones."""
    start = first
    for known in sorted(i for i in incomplete if first <= i <= last):
        if known > start:
            lost.add(start, known - 1)
        start = known + 1
    if start <= last:
        lost.add(start, last)
