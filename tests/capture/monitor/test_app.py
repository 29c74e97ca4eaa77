"""What the operator's keys do, and what the monitor says when nobody talks to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest

from capture.messages import Command, Quit
from capture.monitor.dialogs import Help, MarkerPrompt, QuitQuestion
from capture.monitor.lines import Lines
from capture.statistics import CameraState, LossLedger


def shown(app, name: str) -> str:
    """The text that stands in one of the monitor's parts."""
    part = app.screen_stack[0].query_one(f"#{name}", Lines)
    return "\n".join(part.paint_line(y).text.rstrip() for y in range(part.size.height))


async def until(condition: Callable[[], bool]) -> None:
    """Let the application run until the condition holds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.01)


@pytest.fixture
def driven(app, feed):
    """`async with driven(report) as pilot`: the monitor at 80x24 with this report taken in."""

    class Driven:
        def __init__(self, *reports):
            self.reports = reports

        async def __aenter__(self):
            self.running = app.run_test(size=(80, 24))
            pilot = await self.running.__aenter__()
            for report in self.reports:
                feed.report(report)
            await feed.taken()
            return pilot

        async def __aexit__(self, *error):
            await self.running.__aexit__(*error)

    return Driven


@pytest.mark.parametrize(("key", "name"), [("s", "still"), ("q", "quit"), ("ctrl+c", "quit")])
async def test_a_key_sends_its_command(driven, feed, preview, key, name):
    async with driven(preview) as pilot:
        await pilot.press(key)
        assert feed.sent == [Command(name=name)]


async def test_a_marker_has_the_time_of_its_key(driven, feed, recording):
    async with driven(recording) as pilot:
        await pilot.press("m")
        assert feed.sent == [Command(name="marker", host_ns=feed.now_ns)]


async def test_space_starts_a_trial_in_preview_and_stops_the_one_that_runs(driven, feed, preview, recording):
    async with driven(preview) as pilot:
        await pilot.press("space")
        feed.report(recording)
        await feed.taken()
        await pilot.press("space")
        assert feed.sent == [Command(name="start_trial"), Command(name="stop_trial")]


async def test_a_bounced_space_starts_one_trial(driven, feed, preview):
    async with driven(preview) as pilot:
        await pilot.press("space", "space")
        assert feed.sent == [Command(name="start_trial")]
        feed.now_ns += 2_100_000_000
        await pilot.press("space")
        assert feed.sent == [Command(name="start_trial")] * 2


async def test_space_says_why_nothing_can_start(driven, app, feed, preview, changed):
    async with driven(changed(preview, camera={"state": CameraState.LOST})) as pilot:
        await pilot.press("space")
        assert feed.sent == []
        assert "no trial can start or stop while the camera is lost" in shown(app, "events")


async def test_a_trial_that_waits_for_its_camera_can_be_stopped_and_is_asked_about(driven, feed, recording, changed):
    waiting = msgspec.structs.replace(
        changed(recording, camera={"state": CameraState.LOST, "lost_s": 3.2, "patience_s": 30.0}), trial_open=True
    )
    async with driven(waiting) as pilot:
        await pilot.press("space")
        assert feed.sent == [Command(name="stop_trial")]
        await pilot.press("q")
        assert isinstance(pilot.app.screen, QuitQuestion)


async def test_a_marker_can_carry_text(driven, app, feed, recording):
    async with driven(recording) as pilot:
        await pilot.press("M")
        assert isinstance(app.screen, MarkerPrompt)
        pressed_ns, feed.now_ns = feed.now_ns, feed.now_ns + 1_500_000_000
        await pilot.press(*"qms", "enter")
        assert feed.sent == [Command(name="marker", text="qms", host_ns=pressed_ns)]
        await pilot.press("M", "x", "escape")
        assert len(feed.sent) == 1


async def test_quitting_a_trial_is_asked_about(driven, app, feed, recording):
    async with driven(recording) as pilot:
        await pilot.press("q")
        assert isinstance(app.screen, QuitQuestion)
        assert feed.sent == []
        await pilot.press("n")
        assert feed.sent == []
        await pilot.press("q", "y")
        assert feed.sent == [Command(name="quit")]
        assert "QUITTING" in shown(app, "banner")


@pytest.mark.parametrize("keys", [(), ("q",), ("M", "x"), ("question_mark",)])
async def test_quit_from_the_supervisor_ends_the_monitor_whatever_is_open(driven, app, feed, recording, keys):
    async with driven(recording) as pilot:
        await pilot.press(*keys)
        feed.report(recording)
        feed.say(Quit())
        await until(lambda: not app.is_running or app.return_code is not None)
    assert app.return_code == 0
    assert app.parting == ""


async def test_help_opens_and_closes(driven, app, preview):
    async with driven(preview) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)


async def test_the_theme_changes_between_dark_and_light(driven, app, preview):
    async with driven(preview) as pilot:
        grounds = set()
        for _ in range(2):
            await pilot.press("t")
            figures = app.query_one("#figures", Lines)
            grounds.add(next(iter(figures.paint_line(0))).style.bgcolor.name)
        assert len(grounds) == 2


async def test_silence_is_said_and_taken_back(driven, app, feed, recording):
    async with driven(recording) as pilot:
        feed.now_ns += 3_500_000_000
        await until(lambda: "NO WORD FROM DFME-CAPTURE" in shown(app, "banner"))
        feed.report(msgspec.structs.replace(recording, host_ns=recording.host_ns + 3_500_000_000))
        await feed.taken()
        await pilot.pause()
        assert "RECORDING" in shown(app, "banner")


async def test_a_supervisor_that_is_gone_ends_the_monitor_with_one_line(driven, app, feed, recording):
    async with driven(recording):
        feed.now_ns += 10_500_000_000
        await until(lambda: app.return_code is not None)
    assert app.return_code == 1
    assert app.parting.startswith("monitor: no word from the supervisor for 10 s")
    assert "\n" not in app.parting


async def test_a_loss_is_drawn_at_once(driven, app, feed, recording, changed):
    async with driven(recording):
        losing = changed(recording, camera={"losses": LossLedger(ring=2)}, host_ns=recording.host_ns + 1)
        feed.report(losing)
        await feed.taken()
        assert "2 frames lost" in shown(app, "banner")


async def test_the_last_of_a_burst_of_reports_is_drawn_though_no_other_follows(driven, app, feed, recording, changed):
    async with driven(recording) as pilot:
        await pilot.pause()  # the first layout draws too
        feed.report(changed(recording, camera={"frames": 6_175}, host_ns=recording.host_ns + 1))
        await feed.taken()
        await until(lambda: "6,175 ring" in shown(app, "figures"))


async def test_every_part_has_its_place_on_the_smallest_terminal(driven, app, recording):
    async with driven(recording) as pilot:
        await pilot.pause()
        places = {part.id: tuple(part.region) for part in app.query("#banner, #figures, #caption, #picture, #events")}
        assert places == {
            "banner": (0, 0, 80, 3),
            "figures": (1, 3, 40, 15),
            "caption": (42, 3, 38, 1),
            "picture": (42, 4, 38, 14),
            "events": (0, 18, 80, 5),
        }
