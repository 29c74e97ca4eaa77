"""How the monitor looks in every state it can be in, at the smallest terminal and a common one, dark and light."""

from __future__ import annotations

import msgspec
import pytest

from capture.messages import End, Event, TrialEnded
from capture.statistics import CameraState, CaptureStatistics, ElicitationStatistics, LossLedger, RecorderState

SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((120, 40), id="120x40")]
THEMES = ["dark", "light"]


@pytest.fixture(params=SIZES)
def size(request):
    return request.param


@pytest.fixture(params=THEMES)
def theme(request):
    return request.param


@pytest.fixture
def looks_right(snap_compare, app, feed, size, theme, minute):
    """Feed the monitor, press keys, and compare the screen with the one that was approved."""

    def compare(statistics: CaptureStatistics | None, *more, keys: tuple[str, ...] = ()) -> bool:
        async def fill(pilot) -> None:
            if theme == "light":
                await pilot.press("t")
            for report in minute(statistics) if statistics else ():
                feed.report(report)
            feed.say(*more)
            await feed.taken()
            await pilot.press(*keys)
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=fill)

    return compare


def test_starting(looks_right):
    assert looks_right(None)


def test_preview_after_a_trial(looks_right, preview, events):
    ended = TrialEnded(
        trial="trial-001",
        end=End("s", 30_000, LossLedger(), {}, {}, {}, "duration"),
        seconds=60.0,
        fps=500.0,
    )
    assert looks_right(preview, ended, *events)


def test_recording_healthy(looks_right, recording, events):
    assert looks_right(recording, *events)


def test_recording_with_expressions_read_out(looks_right, reading_out, events):
    assert looks_right(reading_out, *events)


def test_recording_without_a_face(looks_right, reading_out, events, changed):
    assert looks_right(changed(reading_out, live={"state": "no face", "recent": ()}), *events)


def test_recording_with_losses_and_a_full_ring(looks_right, recording, events, changed):
    losing = changed(
        recording,
        camera={
            "ring_used": 436,
            "ring_used_max": 470,
            "losses": LossLedger(camera=12, incomplete=3, ring=207),
            "rate_measured_fps": 471.3,
            "simulated": False,
            "camera": "Mikrotron EoSens 3CXP 0012-ABCD",
        },
        recorder={
            "queued": 431,
            "write_mb_s": 211.0,
            "lost_disk": 1,
            "disk_free_bytes": 40_000_000_000,
            "direct_io": False,
        },
        live={"running": False},
    )
    assert looks_right(losing, *events)


def test_camera_lost(looks_right, recording, events, changed):
    lost = changed(
        recording,
        camera={"state": CameraState.LOST, "rate_measured_fps": 0.0},
        recorder={"state": RecorderState.IDLE, "write_mb_s": 0.0},
    )
    assert looks_right(lost, *events)


def test_camera_lost_and_waited_for(looks_right, recording, events, changed):
    away = {"state": CameraState.LOST, "rate_measured_fps": 0.0, "lost_s": 3.24, "patience_s": 30.0}
    lost = msgspec.structs.replace(changed(recording, camera=away), trial_open=True)
    told = Event(
        lost.host_ns, "error", "camera", "camera lost: it stopped answering; it is waited for up to 30 s", "camera_lost"
    )
    assert looks_right(lost, *events, told)


def test_quit_question(looks_right, recording, events):
    assert looks_right(recording, *events, keys=("q",))


def test_help(looks_right, recording, events):
    assert looks_right(recording, *events, keys=("question_mark",))


def test_a_participants_session(looks_right, recording, events):
    session = ElicitationStatistics(
        protocol="dfme",
        phase="stimulus",
        step=12,
        steps=44,
        stimulus="09f",
        stimulus_number=3,
        stimuli=10,
        left_s=101.5,
        pausing=True,
    )
    assert looks_right(msgspec.structs.replace(recording, elicitation=session, trial_limit_s=None), *events)
