"""One clock: the line that maps a camera's device time to CLOCK_MONOTONIC of the recording machine.

With a timestamp latch the line goes through brackets (host time before, device time latched, host time after); the
truth lies within half the round trip. Without one it is the lower envelope of arrival times (Olson 2010, "A passive
solution to the sensor synchronization problem"): the least delayed frames carry the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_MAD_TO_SD = 1.4826
_KEEP_BEST_SHARE = 0.5
"""Share of the latch brackets with the shortest round trips that the line goes through."""
_MIN_BRACKETS = 2


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


@dataclass(frozen=True)
class ClockFit:
    """A line from device time to host time: `host = host_ns + slope * (device - device_ns)`."""

    source: Literal["latch", "arrival"]
    slope: float
    device_ns: int
    host_ns: int
    residual_ns: float
    """RMS distance of the points from the line in nanoseconds, each counted as in the fit."""
    max_ns: float
    """Largest distance of a point used."""
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


def fit_brackets(brackets: Sequence[LatchBracket]) -> ClockFit | None:
    """Robust line through the brackets' middles, or None for fewer than two brackets.

    A bracket counts by the inverse square of its round trip, since the truth lies anywhere inside; the half with the
    shortest is used, and points further than three robust standard deviations from a first line are left out.
    """
    if len(brackets) < _MIN_BRACKETS:
        return None
    round_trips = np.array([b.round_trip_ns for b in brackets], dtype=np.float64)
    device = np.array([b.device_ns for b in brackets], dtype=np.int64)
    middle = np.array([(b.host_before_ns + b.host_after_ns) // 2 for b in brackets], dtype=np.int64)
    keep = round_trips <= np.quantile(round_trips, _KEEP_BEST_SHARE)
    if keep.sum() < _MIN_BRACKETS or np.ptp(device[keep]) == 0:
        keep = np.ones(len(brackets), dtype=bool)
    if np.ptp(device[keep]) == 0:
        return None
    device, middle, round_trips = device[keep], middle[keep], round_trips[keep]
    device_0, host_0 = int(device[0]), int(middle[0])
    x = (device - device_0).astype(np.float64)
    # The difference host - device is small, so its line keeps nanoseconds where the times themselves would not.
    y = (middle - host_0).astype(np.float64) - x
    weight = 1.0 / np.maximum(round_trips, 1.0)
    slope, offset = _robust_line(x, y, weight)
    residual = y - (slope * x + offset)
    return ClockFit(
        source="latch",
        slope=1.0 + slope,
        device_ns=device_0,
        host_ns=host_0 + round(offset),
        residual_ns=float(np.sqrt(np.average(residual**2, weights=weight**2))),
        max_ns=float(np.max(np.abs(residual))),
        uncertainty_ns=float(np.median(round_trips) / 2),
        points=len(x),
    )


def fit_arrivals(device_ns: npt.NDArray[np.integer], host_ns: npt.NDArray[np.integer]) -> ClockFit | None:
    """Line under the arrival times, or None for fewer than two frames; both arrays (frames,) in ns.

    The edge of the lower convex hull over the middle of the recording: no frame can arrive before it was taken.
    """
    if len(device_ns) < _MIN_BRACKETS or np.ptp(device_ns) == 0:
        return None
    device_0, host_0 = int(device_ns[0]), int(host_ns[0])
    x = (device_ns.astype(np.int64) - device_0).astype(np.float64)
    y = (host_ns.astype(np.int64) - host_0).astype(np.float64) - x
    order = np.argsort(x, kind="stable")
    hull = _lower_hull(x[order], y[order])
    middle = (x.min() + x.max()) / 2
    right = next((i for i in range(1, len(hull)) if hull[i][0] >= middle), len(hull) - 1)
    (x0, y0), (x1, y1) = hull[right - 1], hull[right]
    slope = (y1 - y0) / (x1 - x0)
    offset = y0 - slope * x0
    delay = y - (slope * x + offset)
    median = float(np.median(delay))
    return ClockFit(
        source="arrival",
        slope=1.0 + slope,
        device_ns=device_0,
        host_ns=host_0 + round(offset),
        residual_ns=float(np.sqrt(np.mean((delay - median) ** 2))),
        max_ns=float(np.max(delay)),
        uncertainty_ns=median,
        points=len(x),
    )


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
