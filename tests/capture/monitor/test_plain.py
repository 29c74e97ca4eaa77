"""Progress lines say what the monitor says, to people and to log files."""

from __future__ import annotations

import io
from datetime import UTC

import msgspec
import pytest

from capture.messages import Event
from capture.monitor.figures import WallClock
from capture.monitor.plain import PlainProgress
from capture.statistics import CameraState, LossLedger


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def pipe():
    return io.StringIO()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def progress(stream, **environment: str) -> PlainProgress:
    return PlainProgress(stream, WallClock(0, UTC), environment)


def later(statistics, tenths: int):
    return msgspec.structs.replace(statistics, host_ns=statistics.host_ns + tenths * 100_000_000)


def test_into_a_file_every_figure_stands_on_one_line(pipe, recording, minute):
    lines = progress(pipe)
    for report in minute(recording):
        lines.update(report)
    assert pipe.getvalue().splitlines()[-1] == (
        "13:53:20 RECORDING trial-001 00:12.3/01:00  lost 0  500.0 of 500.0 fps  6,170 frames, 6,162 on disk  "
        "ring 1.8 % (most 2.7 %)  queue 1.6 %  393.2 MB/s  disk 1 h 12 min left  SIMULATED CAMERA  direct I/O  "
        "clock latch 1.2 µs  cpu 12.0 %+7.1 %  live 812 seen, 12,690 skipped, 3 hits"
    )


def test_one_line_a_second_however_often_reports_come(pipe, recording):
    lines = progress(pipe)
    for tenth in range(31):
        lines.update(later(recording, tenth))
    assert len(pipe.getvalue().splitlines()) == 4


def test_a_loss_and_a_change_of_state_are_said_at_once(pipe, recording, changed):
    lines = progress(pipe)
    lines.update(recording)
    lines.update(later(changed(recording, camera={"losses": LossLedger(ring=3)}), 1))
    lines.update(later(changed(recording, camera={"state": CameraState.LOST, "losses": LossLedger(ring=3)}), 2))
    _, losing, lost = pipe.getvalue().splitlines()
    assert "lost 3 (ring 3) [BAD]" in losing
    assert lost.startswith("13:53:20 camera lost")


def test_on_a_terminal_the_line_is_rewritten_and_never_wraps(terminal, recording):
    lines = progress(terminal)
    lines.update(recording)
    lines.update(later(recording, 10))
    first, second = terminal.getvalue().split("\r\x1b[K")
    for line in (first, second):
        plain = line.replace("\x1b[32m", "").replace("\x1b[0m", "")
        assert len(plain) < 80
        assert plain.startswith("RECORDING trial-001 00:12.3/01:00  lost 0  500.0 of 500.0 fps")


def test_an_event_gets_a_line_of_its_own_between_rewritten_ones(terminal, recording):
    lines = progress(terminal, NO_COLOR="1")
    lines.update(recording)
    lines.event(Event(recording.host_ns, "warning", "recorder", "slow\ndisk"))
    lines.update(later(recording, 10))
    lines.close()
    assert "\r\x1b[K13:53:20 WARNING recorder: slow disk\nRECORDING" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_they_are_not_wanted(terminal, recording, changed, environment):
    lines = progress(terminal, **environment)
    lines.update(changed(recording, camera={"losses": LossLedger(camera=9)}))
    lines.event(Event(recording.host_ns, "error", "camera", "gone"))
    assert "\x1b[3" not in terminal.getvalue()
    assert "\x1b[1" not in terminal.getvalue()
    assert "lost 9 (camera 9) [BAD]" in terminal.getvalue()


def test_colours_on_a_terminal_that_has_them(terminal, recording, changed):
    progress(terminal).update(changed(recording, camera={"losses": LossLedger(camera=9)}))
    assert "\x1b[1;31mlost 9 (camera 9)\x1b[0m" in terminal.getvalue()


def test_a_stream_that_knows_only_ascii_gets_ascii(recording):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    progress(stream).update(recording)
    assert b"clock latch 1.2 ?s" in raw.getvalue()
