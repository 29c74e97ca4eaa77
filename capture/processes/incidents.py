"""What goes wrong in a trial, as lines for the operator and `events.tsv`: the first at once, then one a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from capture.camera.clock_watch import ClockStep
from capture.camera.ptp import PtpReading
from capture.messages import Event
from capture.processes.frame_ids import IdRange
from capture.statistics import Gap

Level = Literal["info", "warning", "error"]

_INTERVAL_NS = 1_000_000_000
_KEPT_RANGES = 20
"""Ranges of ids that go into one line of the log; the recording has them all."""
_SHOWN_RANGES = 3


@dataclass
class _Tally:
    """What happened of one kind since it was last told."""

    frames: int = 0
    times: int = 0
    first_ns: int = 0
    last_ns: int = 0
    ids: list[IdRange] = field(default_factory=list)


@dataclass(frozen=True)
class _Cause:
    kind: str
    level: Level
    words: Callable[[int], str]


def _frames(count: int) -> str:
    return f"{count:,} frame{'' if count == 1 else 's'}"


_CAUSES = {
    "camera": _Cause("lost_camera", "warning", lambda n: f"{_frames(n)} lost in the camera or on its link"),
    "incomplete": _Cause("lost_incomplete", "warning", lambda n: f"{_frames(n)} arrived with pixels missing"),
    "ring": _Cause("lost_ring", "error", lambda n: f"{_frames(n)} found the ring full"),
}


class Incidents:
    """Collects what `Trial` and the clock notice, and sends it on as events.

    The first of a kind is told at once. While it goes on, one line a second says how much; `due` sends it, and `flush`
    what is left when the trial ends.
    """

    def __init__(self, send: Callable[[Event], None], source: str = "camera") -> None:
        self._send = send
        self._source = source
        self._open: dict[str, _Tally] = {}
        self._told_ns: dict[str, int] = {}

    def lost(self, cause: str, ids: list[IdRange], host_ns: int) -> None:
        """Frames were lost: `camera`, `incomplete` or `ring`."""
        tally = self._open.get(cause)
        if tally is None:
            tally = self._open[cause] = _Tally(first_ns=host_ns)
        tally.frames += sum(last - first + 1 for first, last in ids)
        tally.times += 1
        tally.last_ns = host_ns
        for first, last in ids:
            if tally.ids and tally.ids[-1][1] == first - 1:
                tally.ids[-1] = (tally.ids[-1][0], last)
            elif len(tally.ids) <= _KEPT_RANGES:
                tally.ids.append((first, last))
        if host_ns - self._told_ns.get(cause, -_INTERVAL_NS) >= _INTERVAL_NS:
            self._tell(cause, host_ns)

    def ids_fell(self, last: int, first: int, *, wrapped: bool, host_ns: int) -> None:
        """The camera's counter of frames came to its end, or was reset."""
        if wrapped:
            self.say("info", "ids", f"frame ids start over: {first:,} follows {last:,}", host_ns)
        else:
            fell = f"frame ids fell from {last:,} to {first:,}"
            self.say("warning", "ids", f"{fell}: the camera's counter was reset, what was lost is unknown", host_ns)

    def camera_lost(self, why: str, patience_s: float, host_ns: int) -> None:
        """The camera is away and is waited for."""
        remedy = f"check its power and its cables, it is waited for up to {patience_s:g} s"
        self.say("error", "camera_lost", f"camera lost: {why.partition(': check')[0]}; {remedy}", host_ns)

    def came_back(self, gap: Gap) -> None:
        """The first frame is there after the camera was away."""
        text = f"camera back after {gap.seconds:.1f} s, about {_frames(gap.frames)} not taken"
        self._send(
            Event(gap.to_host_ns, "warning", self._source, text, "camera_back", gap.seconds, gap.frames),
        )

    def clock_step(self, step: ClockStep) -> None:
        """The camera's clock stepped or was reset."""
        if step.reset:
            back = f"it went back by {-step.step_ns / 1e9:,.3f} s to {step.device_ns / 1e9:.3f} s"
            text = f"the camera's clock was reset: {back}"
        else:
            text = f"the camera's clock stepped by {step.step_ns / 1e6:+,.3f} ms"
        self.say("warning", "clock", f"{text}; frame times are mapped anew from here", step.host_ns)

    def clock_without_fit(self, error: Exception, host_ns: int) -> None:
        """The clock could not be fitted."""
        why = f"{type(error).__name__}: {error}"
        text = f"the camera's clock could not be fitted ({why}): frames of this trial have arrival times only"
        self.say("error", "clock", text, host_ns)

    def ptp(self, before: PtpReading, now: PtpReading) -> None:
        """State or servo of the camera's PTP clock changed."""
        offset = "" if now.offset_ns is None else f", {now.offset_ns / 1e3:+,.1f} µs off its master"
        level: Level = "info" if now.synchronised else "warning"
        self.say(level, "ptp", f"PTP: {before.words} became {now.words}{offset}", now.host_ns)

    def say(self, level: Level, kind: str, text: str, host_ns: int) -> None:
        """One line, at once."""
        self._send(Event(host_ns, level, self._source, text, kind))

    def due(self, now_ns: int) -> None:
        """Tell what has gone on for a second since it was last told."""
        for cause in list(self._open):
            if now_ns - self._told_ns.get(cause, 0) >= _INTERVAL_NS:
                self._tell(cause, now_ns)

    def flush(self) -> None:
        """Tell all that was not told: the trial ends."""
        for cause in list(self._open):
            self._tell(cause, 0)
        self._told_ns.clear()

    def _tell(self, cause: str, now_ns: int) -> None:
        tally, said = self._open.pop(cause), _CAUSES[cause]
        self._told_ns[cause] = now_ns
        lasted_s = (tally.last_ns - tally.first_ns) / 1e9
        ids = tuple(tally.ids[:_KEPT_RANGES])
        more = len(tally.ids) > len(ids)
        text = f"{said.words(tally.frames)} (id {_ids(ids, more=more)})"
        if tally.times > 1:
            text += f", {tally.times} times within {lasted_s:.1f} s"
        self._send(
            Event(
                tally.first_ns,
                said.level,
                self._source,
                text,
                said.kind,
                lasted_s if tally.times > 1 else None,
                tally.frames,
                ids,
            )
        )


def _ids(ranges: tuple[IdRange, ...], *, more: bool) -> str:
    """A few ranges as an operator would write them."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_SHOWN_RANGES]]
    return ", ".join(shown) + (" …" if more or len(ranges) > len(shown) else "")
