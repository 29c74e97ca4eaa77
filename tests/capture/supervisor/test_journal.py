"""Events: whoever begins to look is told what came before."""

from __future__ import annotations

import io

import pytest

from capture.messages import Event
from capture.monitor.plain import PlainProgress
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal


@pytest.fixture
def journal(tmp_path):
    hub = Hub(tmp_path)
    yield Journal(hub)
    hub.close()


def test_what_came_while_the_processes_were_starting_is_shown_first(journal):
    said = io.StringIO()
    journal.log(Event(1, "warning", "live", "the model stays as it was"))
    journal.show(PlainProgress(said))
    journal.note("info", "trial-001 started")

    before, after = said.getvalue().splitlines()

    assert "WARNING live: the model stays as it was" in before
    assert "trial-001 started" in after
