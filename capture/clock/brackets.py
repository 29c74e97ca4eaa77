"""The line through latch brackets: host time before, device time latched, host time after.

The truth lies within half the round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from capture.clock.lines import MIN_POINTS, OWN_SLOPE_NS, ClockFit

_MAD_TO_SD = 1.4826
_KEEP_BEST_SHARE = 0.5
"""Share of the latch brackets with the shortest round trips that the line goes through."""


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


def fit_brackets(brackets: Sequence[LatchBracket], slope: float | None = None) -> ClockFit | None:
    """Robust line through the brackets' middles, or None for fewer than two brackets.

    A bracket counts by the inverse square of its round trip, since the truth lies anywhere inside; the half with the
    shortest is used, and points further than three robust standard deviations from a first line are left out.

    Args:
        brackets: Readings of a clock that did not step between them.
        slope: Slope of the line where it is known; one bracket is then enough.
    """
    if len(brackets) < (MIN_POINTS if slope is None else 1):
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
        long = piece[-1].device_ns - piece[0].device_ns >= OWN_SLOPE_NS
        fit = fit_brackets(piece, None if long else common)
        if fit is None:
            return None
        fits.append(fit)
    return fits


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
        if better.sum() < MIN_POINTS or np.ptp(x[better]) == 0 or np.array_equal(better, keep):
            break
        keep = better
    return slope, float(offset)
