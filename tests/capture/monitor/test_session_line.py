"""The line about a participant's session: what goes on, how long still, and what comes next."""

from __future__ import annotations

import pytest

from capture.messages import CaptureReport
from capture.monitor.banner import banner
from capture.monitor.session_line import session_words
from capture.statistics import CameraState, CameraStatistics, CaptureStatistics, ElicitationStatistics


@pytest.mark.parametrize(
    ("session", "words"),
    [
        (ElicitationStatistics(phase="starting"), ["starting"]),
        (
            ElicitationStatistics(phase="rest", left_s=12.2, stimulus="02sa", stimulus_number=2, stimuli=10),
            ["rest", "stimulus 2 of 10 (02sa)", "12 s left"],
        ),
        (
            ElicitationStatistics(phase="self_report", waits_for="participant", penalty=True, dropped=3),
            [
                "self-report",
                "until the participant goes on",
                "questionnaire follows",
                "3 stimulus frames dropped",
            ],
        ),
        (
            ElicitationStatistics(phase="stimulus", pausing=True, step=4, steps=44),
            ["stimulus", "pauses after this stimulus", "step 4 of 44"],
        ),
        (
            ElicitationStatistics(phase="paused", pausing=True, waits_for="operator"),
            ["PAUSED", "until the operator goes on"],
        ),
    ],
)
def test_says_where_the_session_is(session, words):
    assert session_words(session) == words


async def test_the_sessions_keys_are_there_only_while_one_runs(app, feed):
    async with app.run_test(size=(120, 40)) as pilot:
        feed.say(CaptureReport(CaptureStatistics(host_ns=feed.now_ns)))
        await feed.taken()
        await pilot.press("p", "n", "L")
        assert feed.sent == []
        running = CaptureStatistics(host_ns=feed.now_ns + 10**9, elicitation=ElicitationStatistics(phase="rest"))
        feed.say(CaptureReport(running))
        await feed.taken()
        await pilot.press("p", "n", "L", "space")
        assert [command.name for command in feed.sent] == ["pause", "next", "penalty"]


@pytest.mark.parametrize(
    ("phase", "hint"),
    [
        ("rest", "the session starts trials"),
        ("paused", "p goes on"),
        ("finished", "the session is complete; q ends it"),
    ],
)
def test_the_banner_says_what_the_operator_can_do(phase, hint):
    waiting = CaptureStatistics(
        host_ns=1,
        camera=CameraStatistics(state=CameraState.PREVIEW),
        elicitation=ElicitationStatistics(phase=phase, protocol="dfme"),
    )
    rows = banner(waiting, width=120).rows
    assert hint in "".join(span.text for span in rows[1])
