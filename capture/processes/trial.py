"""One trial as the camera process counts it: frames, ids lost by cause, device time, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from capture.processes.frame_ids import MAX_RANGES, IdRange, IdSeries, LostIds
from capture.statistics import Gap, LossLedger

_CLOCKS_AGREE_NS = 100_000_000
"""Device time that runs away from host time by more than this has stepped."""
_RAN_ON_NS = 20_000_000
"""Device time that moved as host time did, to this and the drift, was not reset while the camera was away."""
_DRIFT = 2e-4
_RATE_KNOWN_AFTER_NS = 1_000_000_000
"""A trial this long tells its rate better than the rate asked for does."""


class TrialListener(Protocol):
    """Told of what goes wrong in a trial, at the frame that shows it; called rarely, and must not block."""

    def lost(self, cause: str, ids: list[IdRange], host_ns: int) -> None:
        """Frames were lost: `camera`, `incomplete` or `ring`."""

    def ids_fell(self, last: int, first: int, *, wrapped: bool, host_ns: int) -> None:
        """The camera's counter of frames fell from `last` to `first`: at its end where `wrapped`, else by a reset."""

    def came_back(self, gap: Gap) -> None:
        """The first frame is there after the camera was away."""


class _Nobody:
    def lost(self, cause: str, ids: list[IdRange], host_ns: int) -> None:
        pass

    def ids_fell(self, last: int, first: int, *, wrapped: bool, host_ns: int) -> None:
        pass

    def came_back(self, gap: Gap) -> None:
        pass


class TrialStatistics(msgspec.Struct, frozen=True):
    """Figures of a trial so far."""

    frames: int
    losses: LossLedger
    last_frame_id: int
    seconds: float
    """From the first frame to the end of the last one."""
    gaps: tuple[Gap, ...] = ()


@dataclass
class Trial:
    """Counts what arrives during a trial. Pure bookkeeping: no camera, no ring, no socket.

    `frame` is called for every complete frame in the order of arrival, before it goes into the ring; `kept` or
    `no_slot` follows. `incomplete` is called for every frame that arrived with missing pixels, `camera_lost` when the
    camera is gone; the next `frame` is then the first one after it has come back. `end` comes last.
    """

    name: str
    series: str
    rate_fps: float
    max_frames: int | None = None
    max_seconds: float | None = None
    began_ns: int = 0
    """Host time at which it was begun."""
    listener: TrialListener = field(default_factory=_Nobody)
    frames: int = 0
    incomplete_ids: LostIds = field(default_factory=LostIds)
    ring: LostIds = field(default_factory=LostIds)
    surplus: int = 0
    """Fetched after the planned end, and so no part of the trial."""
    unfetched: int = 0
    """Delivered by the producer and gone with the camera before they could be fetched; part of a gap."""
    gaps: list[Gap] = field(default_factory=list)
    _ids: IdSeries = field(default_factory=IdSeries)
    _earlier: LostIds = field(default_factory=LostIds)
    """Lost in the camera before it was opened anew."""
    _gap_from_ns: int | None = None
    """Host time from which the camera is away."""
    _gap_late_ns: int = 0
    _gap_rate_fps: float = 0.0
    """What the camera had done until then."""
    _last_seen_id: int | None = None
    _first_ns: int | None = None
    """When the first frame was taken, by the device clock as it is now: moved along when that clock steps."""
    _last_ns: int = 0
    _first_host_ns: int | None = None
    _last_host_ns: int = 0

    def incomplete(self, frame_id: int, host_ns: int = 0) -> None:
        """A frame arrived with missing pixels and was thrown away."""
        self.incomplete_ids.add(frame_id, frame_id)
        self._ids.incomplete(frame_id)
        self.listener.lost("incomplete", [(frame_id, frame_id)], host_ns or self._last_host_ns)

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

    def over_by(self, host_ns: int) -> str | None:
        """Why the trial is over at this host time, whether or not frames come; None while it is not."""
        began_ns = self._first_host_ns or self.began_ns
        if self.max_seconds is not None and host_ns - began_ns >= self.max_seconds * 1e9:
            return "duration"
        return None

    def frame(self, frame_id: int, time_ns: int, host_ns: int | None = None) -> None:
        """Note a complete frame; ids between the last one and this are lost in the camera.

        Args:
            frame_id: The producer's id.
            time_ns: Device time, or host time where the camera has none.
            host_ns: When the frame arrived; tells a step of the device clock.
        """
        ids = self._ids
        last_id = ids.last_id
        if last_id is None or frame_id != last_id + 1:
            self._jump(ids, last_id, frame_id, time_ns, host_ns)
        ids.last_id = frame_id
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
        self.listener.lost("ring", [(frame_id, frame_id)], self._last_host_ns)

    def camera_lost(self, host_ns: int, late_ns: int = 0) -> None:
        """The camera is gone; ids start over when it is back.

        Args:
            host_ns: When that was noticed.
            late_ns: How much later than usual the last frame arrived: a host in trouble works off what has piled up.
        """
        self._earlier.extend(self._ids.lost())
        if self._ids.last_id is not None:
            self._last_seen_id = self._ids.last_id
        self._ids = IdSeries()
        if self._gap_from_ns is None:
            # The device clock may begin anew behind the gap, and the rate be unknown then.
            self._gap_rate_fps = self._known_rate
            self._gap_late_ns = late_ns
            self._gap_from_ns = self._last_host_ns or self.began_ns or host_ns

    def count_unfetched(self, delivered: int | None) -> None:
        """The camera is gone after its producer delivered so many frames since the trial began."""
        if delivered is not None:
            self.unfetched = max(delivered - self.arrived - self.surplus, self.unfetched)

    def not_taken(self, host_ns: int) -> int:
        """Frames that were not taken, about, since the camera went away; 0 while it is there."""
        if self._gap_from_ns is None:
            return 0
        return int(self._away_ns(self._gap_from_ns, host_ns) * self._gap_rate_fps / 1e9)

    def end(self, host_ns: int) -> None:
        """No frame comes any more; a gap that is open ends with the trial."""
        if self._gap_from_ns is not None:
            if self.max_seconds is not None:
                # Whoever waits for the camera may notice late that the planned time is over.
                planned_ns = (self._first_host_ns or self.began_ns) + round(self.max_seconds * 1e9)
                host_ns = max(min(host_ns, planned_ns), self._gap_from_ns)
            self._add_gap(
                Gap(
                    from_host_ns=self._gap_from_ns,
                    to_host_ns=host_ns,
                    frames=self.not_taken(host_ns),
                    length_ns=self._away_ns(self._gap_from_ns, host_ns),
                    rate_fps=self._gap_rate_fps,
                    last_id=self._last_seen_id,
                    returned=False,
                )
            )

    @property
    def any_frame(self) -> bool:
        """Whether a complete frame has come."""
        return self._first_ns is not None

    @property
    def last_ns(self) -> int:
        """When the last frame was taken, by the device clock, or by arrival where the camera has none."""
        return self._last_ns

    @property
    def exposed(self) -> int:
        """Frames that the camera took, as far as ids and arrivals tell: those lost on the way included."""
        return self.arrived + self._earlier.count + self._ids.lost().count

    @property
    def arrived(self) -> int:
        """Frames that were fetched from the producer and count: kept, without a slot, or incomplete."""
        return self.frames + self.ring.count + self.incomplete_ids.count

    def lost_ids(self) -> dict[str, list[IdRange]]:
        """Ranges of lost ids by cause."""
        camera = self._earlier.ranges + self._ids.lost().ranges
        return {
            "camera": camera[:MAX_RANGES],
            "incomplete": self.incomplete_ids.ranges,
            "ring": self.ring.ranges,
        }

    @property
    def fps(self) -> float:
        """Frames a second over the trial, lost ones and those of gaps included; 0 before the second frame."""
        if self._first_ns is None or self._last_ns <= self._first_ns:
            return 0.0
        taken = self.exposed + sum(gap.frames for gap in self.gaps if gap.returned)
        return (taken - 1) * 1e9 / (self._last_ns - self._first_ns)

    def statistics(self) -> TrialStatistics:
        """The figures so far."""
        elapsed = (self._last_ns - self._first_ns) / 1e9 if self._first_ns is not None else 0.0
        camera = self._earlier.count + self._ids.lost().count + sum(gap.frames for gap in self.gaps)
        return TrialStatistics(
            frames=self.frames,
            losses=LossLedger(camera=camera, incomplete=self.incomplete_ids.count, ring=self.ring.count),
            last_frame_id=self._ids.last_id or self._last_seen_id or 0,
            seconds=elapsed + (1 / self.rate_fps if self.frames else 0.0),
            gaps=tuple(self.gaps),
        )

    def _jump(self, ids: IdSeries, last_id: int | None, frame_id: int, time_ns: int, host_ns: int | None) -> None:
        """The first frame of a connection, or one whose id is not the next."""
        skipped = ids.jump(frame_id)
        now_ns = host_ns or self._last_host_ns
        if skipped:
            self.listener.lost("camera", skipped, now_ns)
        elif last_id is not None and frame_id < last_id:
            self.listener.ids_fell(last_id, frame_id, wrapped=ids.wraps(last_id, frame_id), host_ns=now_ns)
        if self._gap_from_ns is not None:
            self._close_gap(self._gap_from_ns, frame_id, time_ns, now_ns)

    def _close_gap(self, from_ns: int, frame_id: int, time_ns: int, host_ns: int) -> None:
        """The camera is back with this frame."""
        elapsed_ns = self._away_ns(from_ns, host_ns)
        ran_on = False
        if self._first_ns is not None:
            device_ns = time_ns - self._last_ns
            ran_on = abs(device_ns - elapsed_ns) <= _RAN_ON_NS + _DRIFT * elapsed_ns
            elapsed_ns = device_ns if ran_on else elapsed_ns
        rate = self._gap_rate_fps
        self._follow_clock(time_ns, host_ns)
        gap = Gap(
            from_host_ns=from_ns,
            to_host_ns=host_ns,
            frames=max(round(elapsed_ns * rate / 1e9) - 1, 0),
            length_ns=elapsed_ns,
            rate_fps=rate,
            clock="device" if ran_on else "host",
            last_id=self._last_seen_id,
            first_id=frame_id,
        )
        self._add_gap(gap)
        self.listener.came_back(gap)

    def _away_ns(self, from_ns: int, host_ns: int) -> int:
        """Time since the last frame should have arrived."""
        return max(host_ns - from_ns + self._gap_late_ns, 0)

    def _add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self._gap_from_ns = None

    @property
    def _known_rate(self) -> float:
        if self._first_ns is None or self._last_ns - self._first_ns < _RATE_KNOWN_AFTER_NS:
            return self.rate_fps
        return self.fps

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
        stepped = time_ns < self._last_ns or (ran_away and leap_ns > 2e9 / self.rate_fps)
        if stepped or (self._gap_from_ns is not None and abs(leap_ns) > _CLOCKS_AGREE_NS):
            self._first_ns = time_ns - elapsed_ns
