"""One clock: the lines that map a camera's device time to CLOCK_MONOTONIC of the recording machine.

With a timestamp latch the line goes through brackets (host time before, device time latched, host time after); the
truth lies within half the round trip. Without one it is the lower envelope of arrival times (Olson 2010, "A passive
solution to the sensor synchronization problem"): the least delayed frames carry the clock.

Where the device clock steps or is reset, one line ends and another begins. A step moves the clock and not its rate, so
short pieces share one slope (see docs/decisions/0007-clock-in-pieces.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_MAD_TO_SD = 1.4826
_KEEP_BEST_SHARE = 0.5
"""Share of the latch brackets with the shortest round trips that the line goes through."""
_MIN_BRACKETS = 2
_OWN_SLOPE_NS = 10_000_000_000
"""A piece this long tells its own slope; shorter ones take the slope that all pieces have together."""
STEP_NS = 5_000_000
"""What an arrival must be off, beyond the jitter, to look like a step of the device clock."""
_STEP_WINDOW_NS = 1_000_000_000
"""A step is told from a late host by the least delayed frame of the second before and of the second after."""
_MIN_PIECE_FRAMES = 5
"""Arrivals that a piece needs before another step is believed."""
MAX_SEGMENTS = 1000
"""A clock that steps more often than this is no clock; further steps are left in the residual."""


@dataclass(frozen=True)
class LatchBracket:
    """The device clock read once, between two readings of the host clock."""

    host_before_ns: int
    device_ns: int
    host_after_ns: int

    @property
    def round_trip_ns(self) -> int:
        """Width of the bracket; the device was read somewhere inside."""
        return self.host_after_ns - self.host_before_ns

    @property
    def middle_ns(self) -> int:
        """The host time that is off by half the round trip at most."""
        return (self.host_before_ns + self.host_after_ns) // 2

    @property
    def offset_ns(self) -> int:
        """Host time less device time."""
        return self.middle_ns - self.device_ns


@dataclass(frozen=True)
class ClockFit:
    """A line from device time to host time: `host = host_ns + slope * (device - device_ns)`."""

    source: Literal["latch", "arrival"]
    slope: float
    device_ns: int
    host_ns: int
    residual_ns: float
    """RMS distance in ns from the line to where the truth may be: at an arrival, or anywhere inside a bracket."""
    max_ns: float
    """Largest such distance."""
    uncertainty_ns: float
    """Half the median round trip of the brackets used; for arrivals the median delay above the line."""
    points: int

    def to_host(self, device_ns: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Host times (CLOCK_MONOTONIC, ns) of device times (ns), same shape, int64."""
        elapsed = np.asarray(device_ns).astype(np.int64) - self.device_ns
        host: npt.NDArray[np.int64] = self.host_ns + elapsed + np.rint(elapsed * (self.slope - 1.0)).astype(np.int64)
        return host

    @property
    def drift_ppm(self) -> float:
        """How much faster the host clock runs than the device clock, in parts per million."""
        return (self.slope - 1.0) * 1e6

    def as_attributes(self) -> dict[str, Any]:
        """The fit as plain values, as it stands in a recording's attributes."""
        return {
            "source": self.source,
            "slope": self.slope,
            "device_ns": self.device_ns,
            "host_ns": self.host_ns,
            "residual_ns": self.residual_ns,
            "max_ns": self.max_ns,
            "uncertainty_ns": self.uncertainty_ns,
            "drift_ppm": self.drift_ppm,
            "points": self.points,
        }


@dataclass(frozen=True)
class ClockSegment:
    """One line, and the first frame that it holds for."""

    from_host_ns: int
    """Arrival of the first frame taken after the step, as it stands in the recording's `host_ns`."""
    fit: ClockFit


@dataclass(frozen=True)
class PiecewiseClock:
    """Lines from device time to host time, split where the device clock stepped; at least one, in order of arrival."""

    segments: tuple[ClockSegment, ...]

    def to_host(self, device_ns: npt.ArrayLike, arrived_ns: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Host times of frames by their device times and arrivals, all in ns and of one shape (frames,), int64.

        A device time alone is not enough: after a step back the device clock shows the same times once more.
        """
        device = np.asarray(device_ns).astype(np.int64)
        begins = np.array([segment.from_host_ns for segment in self.segments[1:]], dtype=np.int64)
        number = np.searchsorted(begins, np.asarray(arrived_ns).astype(np.int64), side="right")
        host = np.empty_like(device)
        for i in np.unique(number).tolist():
            host[number == i] = self.segments[i].fit.to_host(device[number == i])
        return host

    @property
    def summary(self) -> ClockFit:
        """One line for all: that of the segment with most points, and the figures over the points of all segments."""
        fits = [segment.fit for segment in self.segments]
        counts = [fit.points for fit in fits]
        return replace(
            max(fits, key=lambda fit: fit.points),
            residual_ns=float(np.sqrt(np.average([fit.residual_ns**2 for fit in fits], weights=counts))),
            max_ns=max(fit.max_ns for fit in fits),
            uncertainty_ns=float(np.average([fit.uncertainty_ns for fit in fits], weights=counts)),
            points=sum(counts),
        )

    def as_attributes(self) -> dict[str, Any]:
        """The summary, and the `segments` where there are several, as they stand in a recording's attributes."""
        if len(self.segments) == 1:
            return self.segments[0].fit.as_attributes()
        segments = [{"from_host_ns": s.from_host_ns, **s.fit.as_attributes()} for s in self.segments]
        return {**self.summary.as_attributes(), "segments": segments}


def clock_fit_from_attributes(clock: dict[str, Any]) -> ClockFit | None:
    """The fit stored in a recording's `clock` attributes; None where none was made."""
    if clock.get("source") not in ("latch", "arrival"):
        return None
    return ClockFit(
        source=clock["source"],
        slope=float(clock["slope"]),
        device_ns=int(clock["device_ns"]),
        host_ns=int(clock["host_ns"]),
        residual_ns=float(clock["residual_ns"]),
        max_ns=float(clock["max_ns"]),
        uncertainty_ns=float(clock["uncertainty_ns"]),
        points=int(clock["points"]),
    )


def piecewise_clock_from_attributes(clock: dict[str, Any]) -> PiecewiseClock | None:
    """The lines stored in a recording's `clock` attributes; None where there are none, or one of them is unusable.

    Attributes without `segments` hold one line for all frames.
    """
    stored = clock.get("segments", [{**clock, "from_host_ns": 0}])
    if not isinstance(stored, list) or not 0 < len(stored) <= MAX_SEGMENTS:
        return None
    segments = []
    for entry in stored:
        try:
            fit = clock_fit_from_attributes(entry)
            begin = int(entry["from_host_ns"])
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return None
        if fit is None or not (math.isfinite(fit.slope) and 0.5 < fit.slope < 2.0):
            return None
        if not (abs(fit.device_ns) < 2**63 and abs(fit.host_ns) < 2**63 and 0 <= begin < 2**63):
            return None
        segments.append(ClockSegment(begin, fit))
    if any(later.from_host_ns < earlier.from_host_ns for earlier, later in pairwise(segments)):
        return None
    return PiecewiseClock(tuple(segments))


def fit_brackets(brackets: Sequence[LatchBracket], slope: float | None = None) -> ClockFit | None:
    """Robust line through the brackets' middles, or None for fewer than two brackets.

    A bracket counts by the inverse square of its round trip, since the truth lies anywhere inside; the half with the
    shortest is used, and points further than three robust standard deviations from a first line are left out.

    Args:
        brackets: Readings of a clock that did not step between them.
        slope: Slope of the line where it is known; one bracket is then enough.
    """
    if len(brackets) < (_MIN_BRACKETS if slope is None else 1):
        return None
    device, middle, round_trips = _narrowest(brackets)
    if slope is None and np.ptp(device) == 0:
        return None
    device_0, host_0 = int(device[0]), int(middle[0])
    x = (device - device_0).astype(np.float64)
    # The difference host - device is small, so its line keeps nanoseconds where the times themselves would not.
    y = (middle - host_0).astype(np.float64) - x
    weight = 1.0 / np.maximum(round_trips, 1.0)
    if slope is None:
        tilt, offset = _robust_line(x, y, weight)
    else:
        tilt, offset = slope - 1.0, float(np.average(y - (slope - 1.0) * x, weights=weight**2))
    residual = y - (tilt * x + offset)
    return ClockFit(
        source="latch",
        slope=1.0 + tilt,
        device_ns=device_0,
        host_ns=host_0 + round(offset),
        # Middles can lie on a line much better than they are known; the variance within a bracket belongs to it.
        residual_ns=float(np.sqrt(np.average(residual**2 + round_trips**2 / 12, weights=weight**2))),
        max_ns=float(np.max(np.abs(residual) + round_trips / 2)),
        uncertainty_ns=float(np.median(round_trips) / 2),
        points=len(x),
    )


def fit_bracket_pieces(pieces: Sequence[Sequence[LatchBracket]]) -> list[ClockFit] | None:
    """A line through each piece's brackets, or None for fewer than two brackets in all.

    Args:
        pieces: Brackets, at least one each, split where the device clock stepped.
    """
    if len(pieces) == 1:
        fit = fit_brackets(pieces[0])
        return None if fit is None else [fit]
    common = _common_slope(pieces)
    fits = []
    for piece in pieces:
        long = piece[-1].device_ns - piece[0].device_ns >= _OWN_SLOPE_NS
        fit = fit_brackets(piece, None if long else common)
        if fit is None:
            return None
        fits.append(fit)
    return fits


def fit_arrivals(
    device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer], slope: float | None = None
) -> ClockFit | None:
    """Line under the arrival times, or None for fewer than two frames; both arrays (frames,) in ns.

    The edge of the lower convex hull over the middle of the recording: no frame can arrive before it was taken. With
    `slope` given it is the line of that slope under all frames, and one frame is enough.
    """
    if len(device_ns) == 0 or (slope is None and (len(device_ns) < _MIN_BRACKETS or np.ptp(device_ns) == 0)):
        return None
    device_0, host_0 = int(device_ns[0]), int(host_ns[0])
    x = (device_ns.astype(np.int64) - device_0).astype(np.float64)
    y = (host_ns.astype(np.int64) - host_0).astype(np.float64) - x
    if slope is None:
        order = np.argsort(x, kind="stable")
        hull = _lower_hull(x[order], y[order])
        middle = (x.min() + x.max()) / 2
        right = next((i for i in range(1, len(hull)) if hull[i][0] >= middle), len(hull) - 1)
        (x0, y0), (x1, y1) = hull[right - 1], hull[right]
        tilt = (y1 - y0) / (x1 - x0)
        offset = y0 - tilt * x0
    else:
        tilt = slope - 1.0
        offset = float(np.min(y - tilt * x))
    delay = y - (tilt * x + offset)
    median = float(np.median(delay))
    return ClockFit(
        source="arrival",
        slope=1.0 + tilt,
        device_ns=device_0,
        host_ns=host_0 + round(offset),
        residual_ns=float(np.sqrt(np.mean((delay - median) ** 2))),
        max_ns=float(np.max(delay)),
        uncertainty_ns=median,
        points=len(x),
    )


def fit_arrival_pieces(device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer]) -> PiecewiseClock | None:
    """Lines under the arrival times, split where the device clock stepped; arrays (frames,), ns, as they arrived."""
    starts = [0, *find_arrival_steps(device_ns, host_ns)]
    pieces = [slice(a, b) for a, b in pairwise([*starts, len(device_ns)])]
    longest = max(pieces, key=lambda piece: piece.stop - piece.start)
    best = fit_arrivals(device_ns[longest], host_ns[longest])
    if best is None:
        return None
    segments: list[ClockSegment] = []
    for piece in pieces:
        long = piece is longest or device_ns[piece.stop - 1] - device_ns[piece.start] >= _OWN_SLOPE_NS
        fit = fit_arrivals(device_ns[piece], host_ns[piece], None if long else best.slope)
        if fit is None:
            return None
        segments.append(ClockSegment(int(host_ns[piece.start]) if segments else 0, fit))
    return PiecewiseClock(tuple(segments))


def find_arrival_steps(device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer]) -> list[int]:
    """First frames after the device clock stepped by more than 5 ms and the jitter; arrays (frames,) in ns.

    A host that was late finds the frames of its absence and then catches up; a clock that stepped stays away.
    """
    if len(device_ns) < _MIN_BRACKETS:
        return []
    host = host_ns.astype(np.int64)
    offset = host - device_ns.astype(np.int64)
    jump = np.abs(np.diff(offset))
    threshold = STEP_NS + 4 * float(np.median(jump))
    steps: list[int] = []
    begin = 0
    for frame in (np.flatnonzero(jump > threshold) + 1).tolist():
        if frame - begin < _MIN_PIECE_FRAMES or len(steps) >= MAX_SEGMENTS - 1:
            continue
        # From the last arrival before it: the camera may have been silent or away for longer than a window.
        first = max(begin, int(np.searchsorted(host, host[frame - 1] - _STEP_WINDOW_NS)))
        last = int(np.searchsorted(host, host[frame] + _STEP_WINDOW_NS))
        if abs(int(offset[frame:last].min()) - int(offset[first:frame].min())) > threshold / 2:
            steps.append(frame)
            begin = frame
    return steps


def _narrowest(
    brackets: Sequence[LatchBracket],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Device times, middles and round trips of the half with the shortest round trips, from the whole of the time."""
    round_trips = np.array([b.round_trip_ns for b in brackets], dtype=np.float64)
    device = np.array([b.device_ns for b in brackets], dtype=np.int64)
    middle = np.array([b.middle_ns for b in brackets], dtype=np.int64)
    keep = round_trips <= np.quantile(round_trips, _KEEP_BEST_SHARE)
    # Those can lie close together and tell no slope: the narrowest of the earlier and of the later half are with them.
    late = device > (device.min() + device.max()) // 2
    for half in (late, ~late):
        keep |= half & (round_trips == np.min(round_trips, where=half, initial=np.inf))
    return device[keep], middle[keep], round_trips[keep]


def _common_slope(pieces: Sequence[Sequence[LatchBracket]]) -> float:
    """The slope of all pieces together, each free to lie where it does; 1 where no piece has two times."""
    xs, ys, weights = [], [], []
    for piece in pieces:
        device, middle, round_trips = _narrowest(piece)
        weight = 1.0 / np.maximum(round_trips, 1.0)
        x = (device - device[0]).astype(np.float64)
        y = (middle - middle[0]).astype(np.float64) - x
        xs.append(x - np.average(x, weights=weight**2))
        ys.append(y - np.average(y, weights=weight**2))
        weights.append(weight)
    x = np.concatenate(xs)
    if np.ptp(x) == 0:
        return 1.0
    return 1.0 + _robust_line(x, np.concatenate(ys), np.concatenate(weights))[0]


def _robust_line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and offset: weighted least squares, outliers beyond three robust standard deviations dropped, again."""
    keep = np.ones(len(x), dtype=bool)
    slope, offset = 0.0, float(np.median(y))
    for _ in range(4):
        scale = float(np.ptp(x[keep])) or 1.0
        slope_scaled, offset = np.polyfit(x[keep] / scale, y[keep], 1, w=weight[keep])
        slope = float(slope_scaled) / scale
        residual = np.abs(y - (slope * x + offset))
        spread = _MAD_TO_SD * float(np.median(residual[keep]))
        # What lies within its own bracket is no outlier, however narrow the others are.
        better = residual <= np.maximum(3 * spread, 0.5 / weight)
        if better.sum() < _MIN_BRACKETS or np.ptp(x[better]) == 0 or np.array_equal(better, keep):
            break
        keep = better
    return slope, float(offset)


def _lower_hull(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Lower convex hull of points sorted by x (Andrew's monotone chain); equal x keep the lowest y."""
    hull: list[tuple[float, float]] = []
    for px, py in zip(x.tolist(), y.tolist(), strict=True):
        if hull and hull[-1][0] == px:
            if py >= hull[-1][1]:
                continue
            hull.pop()
        while len(hull) >= 2:
            (ax, ay), (bx, by) = hull[-2], hull[-1]
            if (by - ay) * (px - ax) < (py - ay) * (bx - ax):
                break
            hull.pop()
        hull.append((px, py))
    return hull
