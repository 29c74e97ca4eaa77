"""Watches a camera's clock during a trial: a bracket each second, or arrivals where there is no latch; one fit."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from capture.clock import ClockFit, LatchBracket, fit_arrivals, fit_brackets
from capture.errors import CameraLost

_BRACKETS_AT_BOTH_ENDS = 4
"""Brackets kept when a trial begins and ends, so that its line is anchored at both ends."""
_READINGS = 4
"""Readings of which the narrowest bracket is kept: the first finds cold caches and takes some 60 µs, the third 4."""
_MAX_BRACKETS = 20_000
_MAX_ARRIVALS = 20_000


class LatchingCamera(Protocol):
    """A camera whose clock can be read."""

    def latch(self) -> LatchBracket | None:
        """One bracket around a reading of the device clock; None where the camera has no latch."""


class ClockWatch:
    """Collects what the clock line of one trial goes through, and fits it."""

    def __init__(self, camera: LatchingCamera) -> None:
        self._camera = camera
        self._brackets: list[LatchBracket] = []
        self._arrivals: list[tuple[int, int]] = []
        self._every = 1
        self._seen = 0
        self._fit: ClockFit | None = None

    def begin(self) -> None:
        """A trial begins: forget the last one."""
        self._brackets.clear()
        self._arrivals.clear()
        self._every = 1
        self._seen = 0
        self._fit = None

    def look(self) -> None:
        """Take a bracket and refit; called once a second, the first time when frames have begun to arrive."""
        self._take(1 if self._brackets else _BRACKETS_AT_BOTH_ENDS)
        self._refit()

    def arrival(self, device_ns: int, host_ns: int) -> None:
        """Note when a frame arrived; used where the camera has timestamps and no latch."""
        self._seen += 1
        if self._brackets or not device_ns or self._seen % self._every:
            return
        self._arrivals.append((device_ns, host_ns))
        if len(self._arrivals) >= _MAX_ARRIVALS:
            self._arrivals = self._arrivals[::2]
            self._every *= 2

    def finish(self) -> dict[str, Any]:
        """The fit over the whole trial with the raw pairs, as it goes into the recording's attributes."""
        self._take(_BRACKETS_AT_BOTH_ENDS)
        self._refit()
        if self._fit is None:
            return {"source": "none"}
        pairs = [[b.host_before_ns, b.device_ns, b.host_after_ns] for b in self._brackets]
        return {**self._fit.as_attributes(), "pairs": pairs}

    @property
    def source(self) -> str:
        """`latch`, `arrival`, or nothing before the first fit."""
        return self._fit.source if self._fit else ""

    @property
    def residual_ns(self) -> float | None:
        """RMS distance of the points from the line; None before the first fit."""
        return self._fit.residual_ns if self._fit else None

    def _take(self, count: int) -> None:
        for _ in range(count):
            try:
                readings = [bracket for _ in range(_READINGS) if (bracket := self._camera.latch()) is not None]
            except CameraLost:
                return
            if not readings:
                return
            if len(self._brackets) >= _MAX_BRACKETS:
                del self._brackets[1::2]
            self._brackets.append(min(readings, key=lambda bracket: bracket.round_trip_ns))

    def _refit(self) -> None:
        if self._brackets:
            self._fit = fit_brackets(self._brackets)
        elif self._arrivals:
            device, host = np.array(self._arrivals, dtype=np.int64).T
            self._fit = fit_arrivals(device, host)
