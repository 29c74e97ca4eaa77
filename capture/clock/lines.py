"""Lines from device time to host time, and how a recording's attributes hold them.

Where the device clock steps or is reset, one line ends and another begins. A step moves the clock and not its rate, so
short pieces share one slope (see docs/decisions/0007-clock-in-pieces.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

MIN_POINTS = 2
"""A line needs as many, unless its slope is known."""
OWN_SLOPE_NS = 10_000_000_000
"""A piece this long tells its own slope; shorter ones take the slope that all pieces have together."""
MAX_SEGMENTS = 1000
"""A clock that steps more often than this is no clock; further steps are left in the residual."""


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
    """The fit stored in a recording's `clock` attributes; None where none was made, or it is unusable."""
    if clock.get("source") not in ("latch", "arrival"):
        return None
    try:
        fit = ClockFit(
            source=clock["source"],
            slope=float(clock["slope"]),
            device_ns=int(clock["device_ns"]),
            host_ns=int(clock["host_ns"]),
            residual_ns=float(clock["residual_ns"]),
            max_ns=float(clock["max_ns"]),
            uncertainty_ns=float(clock["uncertainty_ns"]),
            points=int(clock["points"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(fit.slope) and 0.5 < fit.slope < 2.0):
        return None
    return fit if abs(fit.device_ns) < 2**63 and abs(fit.host_ns) < 2**63 else None


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
        if fit is None or not 0 <= begin < 2**63:
            return None
        segments.append(ClockSegment(begin, fit))
    if any(later.from_host_ns < earlier.from_host_ns for earlier, later in pairwise(segments)):
        return None
    return PiecewiseClock(tuple(segments))
