"""The checks beside a trial: whatever happens to the clock's fit, the end of the trial can be told."""

from __future__ import annotations

from capture.camera.clock_watch import ClockWatch
from capture.clock import LatchBracket
from capture.messages import Event
from capture.processes.incidents import Incidents
from capture.processes.trial_checks import TrialChecks
from capture.settings import open_hardware


class Broken:
    """A camera whose latch gives what no clock can be fitted to."""

    def latch(self) -> LatchBracket | None:
        raise ValueError("cannot be")


def test_a_clock_that_cannot_be_fitted_is_marked_and_told():
    said: list[Event] = []
    settings = open_hardware("simulated_500", None).model_dump(mode="json")
    checks = TrialChecks(settings, Incidents(said.append), ClockWatch(Broken()))
    clock = checks.finish()
    assert clock == {"source": "none", "error": "ValueError: cannot be"}
    (event,) = said
    assert (event.level, event.kind) == ("error", "clock")
    assert "could not be fitted (ValueError: cannot be)" in event.text
