"""Incidents become lines: the first at once, then one a second, the rest when the trial ends; no frame left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.camera.clock_watch import ClockStep
from capture.camera.ptp import PtpReading
from capture.messages import Event
from capture.processes.incidents import Incidents
from capture.statistics import Gap

SECOND_NS = 1_000_000_000


@pytest.fixture
def said() -> list[Event]:
    return []


@pytest.fixture
def incidents(said) -> Incidents:
    return Incidents(said.append)


def test_the_first_loss_is_told_at_once_with_ids_and_time(incidents, said):
    incidents.lost("camera", [(12, 14)], 5 * SECOND_NS)
    (event,) = said
    assert (event.kind, event.level, event.host_ns) == ("lost_camera", "warning", 5 * SECOND_NS)
    assert (event.frames, event.frame_ids) == (3, ((12, 14),))
    assert event.text == "3 frames lost in the camera or on its link (id 12-14)"


def test_losses_that_go_on_are_one_line_a_second(incidents, said):
    for i in range(250):
        now_ns = 5 * SECOND_NS + i * 10_000_000
        incidents.lost("ring", [(i, i)], now_ns)
        incidents.due(now_ns)
    incidents.flush()
    assert 3 <= len(said) <= 5
    assert sum(event.frames for event in said) == 250
    assert {event.kind for event in said} == {"lost_ring"}


def test_causes_do_not_wait_for_each_other(incidents, said):
    incidents.lost("camera", [(1, 1)], SECOND_NS)
    incidents.lost("incomplete", [(3, 3)], SECOND_NS)
    assert [event.kind for event in said] == ["lost_camera", "lost_incomplete"]


@given(st.lists(st.tuples(st.sampled_from(["camera", "incomplete", "ring"]), st.integers(0, SECOND_NS)), max_size=80))
def test_every_frame_is_told_once_whatever_comes_when(losses):
    said: list[Event] = []
    incidents = Incidents(said.append)
    now_ns, count = SECOND_NS, {"camera": 0, "incomplete": 0, "ring": 0}
    for number, (cause, later_ns) in enumerate(losses):
        now_ns += later_ns
        incidents.lost(cause, [(number * 10, number * 10 + 1)], now_ns)
        incidents.due(now_ns)
        count[cause] += 2
    incidents.flush()
    for cause, frames in count.items():
        assert sum(event.frames for event in said if event.kind == f"lost_{cause}") == frames


def test_a_flood_of_ids_is_cut_in_the_line_and_the_count_is_not(incidents, said):
    incidents.lost("camera", [(1, 1)], SECOND_NS)
    for i in range(500):
        incidents.lost("camera", [(10 * i, 10 * i)], SECOND_NS + i)
    incidents.flush()
    assert said[-1].frames == 500
    assert len(said[-1].frame_ids) == 20
    assert "…" in said[-1].text


def test_a_gap_says_how_long_and_how_many(incidents, said):
    incidents.came_back(Gap(SECOND_NS, 4_200_000_000, 1599, 3_200_000_000, 500.0))
    (event,) = said
    assert event.text == "camera back after 3.2 s, about 1,599 frames not taken"
    assert (event.kind, event.host_ns, event.duration_s) == ("camera_back", 4_200_000_000, 3.2)


def test_counters_that_end_and_counters_that_are_reset_are_told_apart(incidents, said):
    incidents.ids_fell(65_535, 1, wrapped=True, host_ns=1)
    incidents.ids_fell(700, 0, wrapped=False, host_ns=2)
    assert [event.level for event in said] == ["info", "warning"]
    assert "start over: 1 follows 65,535" in said[0].text
    assert "was reset" in said[1].text


def test_a_step_of_the_clock_and_its_reset_are_told_apart(incidents, said):
    incidents.clock_step(ClockStep(7, 20_000_000, 10**12, reset=False))
    incidents.clock_step(ClockStep(8, -(10**12), 400_000_000, reset=True))
    assert "stepped by +20.000 ms" in said[0].text
    assert "was reset" in said[1].text
    assert [event.host_ns for event in said] == [7, 8]


def test_ptp_that_is_lost_is_a_warning_and_found_again_is_not(incidents, said):
    good, bad = PtpReading(1, "Slave", "Locked", 120), PtpReading(2, "Listening", "Unknown", -5_000)
    incidents.ptp(good, bad)
    incidents.ptp(bad, PtpReading(3, "Slave", None, None))
    assert [event.level for event in said] == ["warning", "info"]
    assert "Slave, servo Locked became Listening, servo Unknown, -5.0 µs off its master" in said[0].text
