"""What is looked after during a trial, beside its frames: the camera's clock, its PTP state, and its rate."""

from __future__ import annotations

import time
from typing import Any

from capture.camera import Camera
from capture.camera.clock_watch import ClockWatch
from capture.camera.ptp import PtpWatch
from capture.processes.incidents import Incidents
from capture.processes.rate import RateWatch
from capture.processes.trial import Trial

_SLOW_BEYOND = 0.02
"""Share by which a camera may stay below the rate asked for, unless the hardware file allows more."""


class TrialChecks:
    """Looks at clock, PTP and rate now and then, and tells `Incidents` what it finds.

    Args:
        settings: The hardware settings, as plain values.
        incidents: Where findings go.
        clock: The clock of the camera; this object refits it.
    """

    def __init__(self, settings: dict[str, Any], incidents: Incidents, clock: ClockWatch) -> None:
        self._asked_fps = float(settings["rate_fps"])
        self._tolerance = max(_SLOW_BEYOND, float(settings["rate_tolerance"]))
        # With a trigger the edges set the pace, and the rate asked for is the fastest that may come.
        self._rate_counts = settings["trigger"]["mode"] == "off"
        self._incidents = incidents
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """A trial begins."""
        self._ptp = PtpWatch()
        self._rate = RateWatch(self._asked_fps, self._tolerance)

    def camera_is_back(self) -> None:
        """Frames begin anew after the camera was away."""
        self._rate.restart()

    def each_second(self, camera: Camera, now_ns: int) -> None:
        """Read the clock and, when it is due, the PTP state."""
        self._clock.look()
        for step in self._clock.new_steps():
            self._incidents.clock_step(step)
        change = self._ptp.look(camera, now_ns)
        if change is not None:
            self._incidents.ptp(*change)

    def rate(self, camera: Camera, trial: Trial, now_ns: int) -> None:
        """Compare the rate with the one asked for."""
        if not self._rate_counts:
            return
        verdict = self._rate.observe(now_ns, trial.last_ns, trial.exposed)
        if verdict is None:
            return
        measured = f"{verdict.fps:.1f} of {self._asked_fps:g} frames a second"
        if verdict.slow:
            text = f"camera slower than asked: {measured} over {verdict.seconds:.0f} s; {camera.what_limits()}"
            self._incidents.say("warning", "rate", text, now_ns)
        else:
            text = f"camera back at its rate: {measured}, after {verdict.seconds:.0f} s below it"
            self._incidents.say("info", "rate", text, now_ns)

    def finish(self) -> dict[str, Any]:
        """The clock over the whole trial, for the recording; never raises, so that the end can always be told."""
        try:
            fitted = self._clock.finish()
            for step in self._clock.new_steps(ended=True):
                self._incidents.clock_step(step)
        except Exception as error:  # a fit is worth less than the end message
            self._incidents.clock_without_fit(error, time.monotonic_ns())
            fitted = {"source": "none", "error": f"{type(error).__name__}: {error}"}
        return {**fitted, **self._ptp.as_attributes()}
