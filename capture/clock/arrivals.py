"""The line under arrival times, for cameras without a latch, and the steps of a device clock that they show.

It is the lower envelope of arrivals (Olson 2010, "A passive solution to the sensor synchronization problem"): the least
delayed frames carry the clock.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from capture.clock.lines import MAX_SEGMENTS, MIN_POINTS, OWN_SLOPE_NS, ClockFit, ClockSegment, PiecewiseClock

STEP_NS = 5_000_000
"""What an arrival must be off, beyond the jitter, to look like a step of the device clock."""
_STEP_WINDOW_NS = 1_000_000_000
"""A step is told from a late host by the least delayed frame of the second before and of the second after."""
_MIN_PIECE_FRAMES = 5
"""Arrivals that a piece needs before another step is believed."""


def fit_arrivals(
    device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer], slope: float | None = None
) -> ClockFit | None:
    """Line under the arrival times, or None for fewer than two frames; both arrays (frames,) in ns.

    The edge of the lower convex hull over the middle of the recording: no frame can arrive before it was taken. With
    `slope` given it is the line of that slope under all frames, and one frame is enough.
    """
    if len(device_ns) == 0 or (slope is None and (len(device_ns) < MIN_POINTS or np.ptp(device_ns) == 0)):
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
        long = piece is longest or device_ns[piece.stop - 1] - device_ns[piece.start] >= OWN_SLOPE_NS
        fit = fit_arrivals(device_ns[piece], host_ns[piece], None if long else best.slope)
        if fit is None:
            return None
        segments.append(ClockSegment(int(host_ns[piece.start]) if segments else 0, fit))
    return PiecewiseClock(tuple(segments))


def find_arrival_steps(device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer]) -> list[int]:
    """First frames after the device clock stepped by more than 5 ms and the jitter; arrays (frames,) in ns.

    A host that was late finds the frames of its absence and then catches up; a clock that stepped stays away.
    """
    if len(device_ns) < MIN_POINTS:
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
