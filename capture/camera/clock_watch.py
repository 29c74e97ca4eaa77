"""Watches a camera's clock during a trial: a bracket each second, or arrivals where there is no latch; lines for both.

A step of the device clock shows in two ways. A bracket lies off the line by more than its width and the drift explain;
and a frame's device time moves otherwise than its arrival, upon which a bracket is taken at once. The frame at which
the clock stepped is looked for among the latest frames.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Protocol

import numpy as np

from capture.clock import (
    MAX_SEGMENTS,
    STEP_NS,
    ClockSegment,
    LatchBracket,
    PiecewiseClock,
    fit_arrival_pieces,
    fit_bracket_pieces,
)
from capture.errors import CameraLost

_BRACKETS_AT_BOTH_ENDS = 4
"""Brackets kept when a trial begins and ends, so that its line is anchored at both ends."""
_READINGS = 4
"""Readings of which the narrowest bracket is kept: the first finds cold caches and takes some 60 µs, the third 4."""
_MAX_BRACKETS = 20_000
_MAX_ARRIVALS = 20_000
_MAX_LANDMARKS = 4_000
_RECENT_FRAMES = 4096
"""Frames among which a step is looked for: two seconds at 2,000 frames a second."""
_LOCATE_AFTER_NS = 200_000_000
"""Frames arrive later than the clock steps; a step is looked for when those of this time have come, too."""
_LOOK_APART_NS = 50_000_000
"""Least time between brackets that frames give rise to, so that a host in trouble is not kept from its frames."""
_DRIFT_UNKNOWN = 2e-3
"""Wider than any camera's crystal is off."""
_DRIFT_WANDERS = 100e-6
"""How far the rates may wander: a crystal with its temperature, and the host's clock while NTP pulls it."""
_SLACK_NS = 10_000
_REFERENCES = 5
_FRAME_BRACKET_NS = 5_000_000
"""Width of the bracket that an arrival stands for where the camera was gone before its clock could be read."""
_TOLD_APART_NS = 500_000_000
"""A refit moves a step found among arrivals a little; within this it is the same one."""
_FRESH_AFTER_RESET_NS = 1_000_000_000
_MAX_LATENESS_NS = 2_000_000_000
_LATENESS_FRAMES = 1_000
"""Frames of which the least delayed one tells how late the last one was: few enough that drift does not count."""
_MIN_SPAN_NS = 500_000_000


class LatchingCamera(Protocol):
    """A camera whose clock can be read."""

    def latch(self) -> LatchBracket | None:
        """One bracket around a reading of the device clock; None where the camera has no latch."""


@dataclass(frozen=True)
class ClockStep:
    """The device clock stepped, or was reset."""

    host_ns: int
    """Arrival of the first frame behind it."""
    step_ns: int
    """Device time after it less device time without it."""
    device_ns: int
    """What the device clock showed soon after."""
    reset: bool
    """True where it began anew at zero, as after a loss of power."""


@dataclass
class _Piece:
    """Brackets between two steps, and the arrival of the first frame behind the earlier one, once it is known."""

    brackets: list[LatchBracket]
    from_host_ns: int | None = None
    told: bool = False


class ClockWatch:
    """Collects what the clock lines of one trial go through, and fits them."""

    def __init__(self, camera: LatchingCamera) -> None:
        self.begin(camera)

    def begin(self, camera: LatchingCamera) -> None:
        """A trial begins: forget the last one."""
        self._camera = camera
        self._pieces: list[_Piece] = []
        self._arrivals: list[tuple[int, int]] = []
        self._landmarks: list[tuple[int, int]] = []
        self._recent: deque[tuple[int, int]] = deque(maxlen=_RECENT_FRAMES)
        self._offset_ns: int | None = None
        self._jitter_ns = 0
        self._looked_ns = 0
        self._drift = 0.0, _DRIFT_UNKNOWN
        self._every = 1
        self._seen = 0
        self._clock: PiecewiseClock | None = None
        self._told: list[int] = []
        self._asked = False
        self._reconnected_ns = 0

    def reconnected(self, camera: LatchingCamera) -> None:
        """The camera was away and is opened anew; its clock may have been reset meanwhile, or have run on."""
        self._camera = camera
        self._reconnected_ns = self._recent[-1][1] if self._recent else 0
        if self._recent and not self._pieces and not self._asked and self._read() is not None:
            # Gone before its clock was read once: the least delayed frame has to stand for a reading.
            device_ns, host_ns = min(self._recent, key=lambda frame: frame[1] - frame[0])
            self._pieces.append(_Piece([LatchBracket(host_ns - _FRAME_BRACKET_NS, device_ns, host_ns)], 0))

    def lateness_ns(self) -> int:
        """How much later than the least delayed of the latest frames the last one arrived."""
        stepped_ns = (self._pieces[-1].from_host_ns or 0) - 1 if self._pieces else 0
        since_ns = max(self._reconnected_ns, stepped_ns)
        fresh = [host_ns - device_ns for device_ns, host_ns in self._recent if host_ns > since_ns]
        late_ns = fresh[-1] - min(fresh[-_LATENESS_FRAMES:]) if fresh else 0
        # Producers hold half a second of frames or so; more than this is a step that was not seen yet.
        return late_ns if late_ns < _MAX_LATENESS_NS else 0

    def new_steps(self, *, ended: bool = False) -> list[ClockStep]:
        """Steps that were found and placed since the last call; with `ended` those of the trial's last moments, too."""
        steps = []
        for before, after in zip(self._pieces, self._pieces[1:], strict=False):
            if after.told or after.from_host_ns is None:
                continue
            after.told = True
            last, first = before.brackets[-1], after.brackets[0]
            steps.append(_step(after.from_host_ns, last.offset_ns - first.offset_ns, first.device_ns, last.middle_ns))
        if self._pieces or self._clock is None or not self._recent:
            return steps
        settled_ns = self._recent[-1][1] - 2 * _LOCATE_AFTER_NS
        for one, two in pairwise(self._clock.segments):
            at_ns = two.from_host_ns
            if not (ended or at_ns < settled_ns) or any(abs(at_ns - told) < _TOLD_APART_NS for told in self._told):
                continue
            self._told.append(at_ns)
            device_ns = two.fit.device_ns
            step_ns = int(one.fit.to_host(device_ns)) - int(two.fit.to_host(device_ns))
            steps.append(_step(at_ns, step_ns, device_ns, one.fit.host_ns))
        return steps

    def look(self) -> None:
        """Take a bracket and refit; called once a second, the first time when frames have begun to arrive."""
        self._asked = True
        self._take(1 if self._pieces else _BRACKETS_AT_BOTH_ENDS)
        if self._recent:
            self._locate_steps(self._recent[-1][1] - _LOCATE_AFTER_NS)
        self._refit()

    def arrival(self, device_ns: int, host_ns: int) -> None:
        """Note when a frame arrived; its device time tells steps, and is the clock where the camera has no latch."""
        if not device_ns:
            return
        offset_ns = host_ns - device_ns
        if self._offset_ns is None:
            self._offset_ns = offset_ns
        jump_ns = abs(offset_ns - self._offset_ns)
        self._offset_ns = offset_ns
        if jump_ns > STEP_NS + 4 * self._jitter_ns:
            self._jumped(device_ns, host_ns)
        self._jitter_ns += (min(jump_ns, STEP_NS) - self._jitter_ns) >> 4
        self._recent.append((device_ns, host_ns))
        if self._pieces:
            return
        self._seen += 1
        if self._seen % self._every:
            return
        self._arrivals.append((device_ns, host_ns))
        if len(self._arrivals) >= _MAX_ARRIVALS:
            self._arrivals = self._arrivals[::2]
            self._every *= 2

    def finish(self) -> dict[str, Any]:
        """The lines over the whole trial with the raw pairs, as they go into the recording's attributes."""
        self._take(_BRACKETS_AT_BOTH_ENDS)
        self._locate_steps(None)
        self._refit()
        if self._clock is None:
            return {"source": "none"}
        pairs = [[b.host_before_ns, b.device_ns, b.host_after_ns] for piece in self._pieces for b in piece.brackets]
        return {**self._clock.as_attributes(), "pairs": pairs}

    @property
    def source(self) -> str:
        """`latch`, `arrival`, or nothing before the first fit."""
        return self._clock.summary.source if self._clock else ""

    @property
    def residual_ns(self) -> float | None:
        """RMS distance of the points from their lines; None before the first fit."""
        return self._clock.summary.residual_ns if self._clock else None

    def _jumped(self, device_ns: int, host_ns: int) -> None:
        """A frame's device time moved otherwise than its arrival: a step, or a host that was late."""
        if self._pieces:
            if host_ns - self._looked_ns >= _LOOK_APART_NS:
                self._looked_ns = host_ns
                self._take(1)
        elif self._recent and len(self._landmarks) < _MAX_LANDMARKS:
            # Both sides of the jump are kept however much the arrivals are thinned out.
            self._landmarks += [self._recent[-1], (device_ns, host_ns)]

    def _read(self) -> LatchBracket | None:
        """The narrowest of a few readings; None where the camera has no latch or is gone."""
        try:
            readings = [bracket for _ in range(_READINGS) if (bracket := self._camera.latch()) is not None]
        except CameraLost:
            return None
        return min(readings, key=lambda bracket: bracket.round_trip_ns) if readings else None

    def _take(self, count: int) -> None:
        for _ in range(count):
            bracket = self._read()
            if bracket is None:
                return
            self._add(bracket)

    def _add(self, bracket: LatchBracket) -> None:
        """Put a bracket where it belongs: to the line so far or, when a second one agrees with it, behind a step."""
        if not self._pieces:
            self._pieces.append(_Piece([bracket], 0))
            return
        brackets = self._pieces[-1].brackets
        self._learn_drift(brackets)
        reference = min(brackets[-_REFERENCES:], key=lambda b: self._tolerance_ns(b, bracket))
        if not self._agree(reference, bracket) and len(self._pieces) < MAX_SEGMENTS:
            again = self._read()
            if again is None:
                return
            if not self._agree(reference, again):
                self._pieces.append(_Piece([bracket, again] if self._agree(bracket, again) else [again]))
                return
            bracket = again
        if len(brackets) >= _MAX_BRACKETS:
            del brackets[1::2]
        brackets.append(bracket)

    def _agree(self, earlier: LatchBracket, later: LatchBracket) -> bool:
        """Whether a clock that did not step can have been read twice so."""
        drift, _ = self._drift
        moved_ns = later.offset_ns - earlier.offset_ns - drift * (later.middle_ns - earlier.middle_ns)
        return abs(moved_ns) <= self._tolerance_ns(earlier, later)

    def _tolerance_ns(self, earlier: LatchBracket, later: LatchBracket) -> float:
        """What two readings can differ by without a step: their widths, and what is not known of the drift."""
        _, uncertainty = self._drift
        elapsed_ns = later.middle_ns - earlier.middle_ns
        widths_ns = (earlier.round_trip_ns + later.round_trip_ns) / 2
        return widths_ns + (uncertainty + _DRIFT_WANDERS) * elapsed_ns + _SLACK_NS

    def _learn_drift(self, brackets: list[LatchBracket]) -> None:
        """How fast host and device part, and within what; a step does not change it."""
        for first, last in product(brackets[:_REFERENCES], brackets[-_REFERENCES:]):
            span_ns = last.middle_ns - first.middle_ns
            if span_ns >= _MIN_SPAN_NS:
                uncertainty = (first.round_trip_ns + last.round_trip_ns) / 2 / span_ns
                if uncertainty <= self._drift[1]:
                    self._drift = (last.offset_ns - first.offset_ns) / span_ns, uncertainty

    def _locate_steps(self, seen_before_ns: int | None) -> None:
        """Find the first frame behind each step seen before that host time; None: behind each."""
        for before, after in zip(self._pieces, self._pieces[1:], strict=False):
            if after.from_host_ns is not None:
                continue
            if seen_before_ns is None or after.brackets[0].host_after_ns <= seen_before_ns:
                after.from_host_ns = max(self._first_frame(before, after), before.from_host_ns or 0)

    def _first_frame(self, before: _Piece, after: _Piece) -> int:
        """Arrival of the first frame whose device time is told by the stepped clock."""
        last, first = before.brackets[-1], after.brackets[0]
        device, host = np.array(self._recent, dtype=np.int64).reshape(-1, 2).T
        # What had arrived when the old clock was read last, was taken by it.
        begin = int(np.searchsorted(host, last.host_before_ns))
        if begin == len(host):
            return first.host_after_ns
        offset = host - device
        delay = [offset - b.offset_ns - np.rint(self._drift[0] * (host - b.middle_ns)) for b in (last, first)]
        typical = np.median(delay[0][max(0, begin - 100) : begin]) if begin else 0.0
        # Each frame should be late as frames were before; the split that comes nearest to that for all is the step.
        old, new = (np.abs(d[begin:] - typical) for d in delay)
        cost = np.concatenate([[0.0], np.cumsum(old)]) + np.concatenate([np.cumsum(new[::-1])[::-1], [0.0]])
        frame = begin + int(np.argmin(cost))
        # Jitter blurs that by a frame or so when the step is small; the camera's own regular interval does not.
        step_ns = last.offset_ns - first.offset_ns
        within_ns = (last.round_trip_ns + first.round_trip_ns) / 2 + 5 * _SLACK_NS
        interval = np.diff(device)
        if abs(step_ns) > 2 * within_ns and len(interval):
            off_by = np.abs(interval - np.median(interval) - step_ns)
            exact = np.flatnonzero(off_by <= within_ns) + 1
            exact = exact[exact >= begin]
            if len(exact) == 1:
                frame = int(exact[0])
        return int(host[frame]) if frame < len(host) else int(host[-1]) + 1

    def _refit(self) -> None:
        if self._pieces:
            fits = fit_bracket_pieces([piece.brackets for piece in self._pieces])
            if fits is not None:
                begins = [piece.from_host_ns or piece.brackets[0].host_before_ns for piece in self._pieces]
                begins[0] = 0
                self._clock = PiecewiseClock(tuple(map(ClockSegment, begins, fits)))
        elif self._arrivals:
            points = sorted({*self._arrivals, *self._landmarks}, key=lambda point: point[1])
            device, host = np.array(points, dtype=np.int64).T
            self._clock = fit_arrival_pieces(device, host)


def _step(host_ns: int, step_ns: int, device_ns: int, known_ns: int) -> ClockStep:
    """A step behind which the clock shows `device_ns`, and before which it was last known at host time `known_ns`."""
    reset = step_ns < 0 and device_ns <= host_ns - known_ns + _FRESH_AFTER_RESET_NS
    return ClockStep(host_ns, step_ns, device_ns, reset)
