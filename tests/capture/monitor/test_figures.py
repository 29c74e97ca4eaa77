"""Figures are written in the units of the field, and never wider than the field they stand in."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from capture.monitor import figures
from capture.monitor.figures import History, Level, WallClock
from capture.statistics import CameraState, LossLedger

any_float = st.floats()
any_int = st.integers()


@pytest.mark.parametrize(
    ("written", "as_shown"),
    [
        (figures.count(0), "0"),
        (figures.count(30_000), "30,000"),
        (figures.count(9_999_999), "9,999,999"),
        (figures.count(12_345_678), "12.3M"),
        (figures.few(9_999), "9999"),
        (figures.few(12_345), "12k"),
        (figures.rate(500.0), "500.0"),
        (figures.rate(5_000.0), "5000.0"),
        (figures.percent(0.021), "2.1 %"),
        (figures.percent(1.0), "100.0 %"),
        (figures.size(786_432), "786 kB"),
        (figures.size(1_236_000_000_000), "1.24 TB"),
        (figures.elapsed(12.34), "00:12.3"),
        (figures.elapsed(59.99), "00:59.9"),
        (figures.elapsed(3_723.45), "1:02:03.4"),
        (figures.limit(60.0), "01:00"),
        (figures.limit(0.5), "00:00.5"),
        (figures.time_left(45.9), "45 s"),
        (figures.time_left(571.0), "9 min 31 s"),
        (figures.time_left(15_130.0), "4 h 12 min"),
        (figures.time_left(None), figures.UNKNOWN),
        (figures.residual(840.0), "840 ns"),
        (figures.residual(1_240.0), "1.2 µs"),
        (figures.residual(2_500_000.0), "2.5 ms"),
        (figures.clip("Mikrotron EoSens", 9), "Mikrotro…"),
    ],
)
def test_figures_read_as_an_operator_says_them(written: str, as_shown: str):
    assert written == as_shown


@given(any_int, any_float)
def test_no_figure_is_wider_than_its_field(whole: int, real: float):
    widths = {
        figures.count(whole): 9,
        figures.count(whole, 5): 5,
        figures.few(whole): 4,
        figures.size(whole): 7,
        figures.rate(real): 6,
        figures.percent(real): 7,
        figures.megabytes_per_second(real): 6,
        figures.elapsed(real): 10,
        figures.limit(real): 10,
        figures.time_left(real): 11,
        figures.residual(real): 7,
        WallClock(0, UTC).time_of_day(whole): 8,
    }
    assert {text: len(text) for text, width in widths.items() if len(text) > width} == {}


@given(st.text(), st.integers(1, 60))
def test_a_name_of_any_script_fits_and_stays_on_its_line(text: str, width: int):
    clipped = figures.clip(text, width)
    assert cell_len(clipped) <= width
    assert clipped.isprintable()


@pytest.mark.parametrize(
    ("fill", "level"),
    [(0.0, Level.OK), (0.039, Level.OK), (0.04, Level.WARN), (0.2, Level.WARN), (0.201, Level.BAD), (1.0, Level.BAD)],
)
def test_ring_fill_has_the_thresholds_of_the_statistics(fill: float, level: Level):
    assert figures.ring_level(fill) is level


@pytest.mark.parametrize(
    ("seconds", "level"), [(3_600.0, Level.OK), (599.0, Level.WARN), (119.0, Level.BAD), (0.0, Level.BAD), (None, None)]
)
def test_little_disk_space_is_warned_of_in_time(seconds: float | None, level: Level | None):
    assert figures.disk_level(seconds) is level


def test_every_level_has_its_own_symbol_and_word():
    assert len({level.symbol for level in Level}) == len({level.word for level in Level}) == len(Level)


def test_the_rate_is_judged_only_once_it_is_a_mean_of_the_trial(recording, changed):
    slow = {"rate_measured_fps": 420.0}
    assert figures.rate_level(changed(recording, camera=slow, trial_elapsed_s=0.7)) is None
    assert figures.rate_level(changed(recording, camera=slow, trial_elapsed_s=4.0)) is Level.BAD
    assert figures.rate_level(changed(recording, camera={"rate_measured_fps": 490.0})) is Level.WARN


def test_a_healthy_trial_has_no_findings(recording):
    assert figures.findings(recording) == []


def test_losses_are_found_before_anything_that_merely_warns(recording, changed):
    losing = changed(recording, camera={"ring_used": 60, "losses": LossLedger(ring=13)}, recorder={"lost_disk": 1})
    assert figures.findings(losing) == [(Level.BAD, "14 frames lost"), (Level.WARN, "ring 11.7 % full")]


def test_losses_of_the_last_trial_do_not_alarm_the_preview(recording, changed):
    over = changed(recording, camera={"state": CameraState.PREVIEW, "losses": LossLedger(ring=13)})
    assert figures.findings(over) == []


def test_processor_time_becomes_a_share_of_a_core(recording, minute):
    history = History()
    for report in minute(recording):
        history.observe(report)
    assert history.cpu == pytest.approx((0.12, 0.071))


def test_a_restarted_process_has_no_share_until_it_reported_twice(recording, minute, changed):
    history = History()
    *_, before, last = minute(recording)
    history.observe(before)
    history.observe(changed(last, camera={"cpu_s": 0.0}))
    camera, recorder = history.cpu
    assert camera is None
    assert recorder == pytest.approx(0.071)


def test_the_longest_queue_is_that_of_this_trial(recording, changed):
    history = History()
    history.observe(changed(recording, recorder={"queued": 90}))
    history.observe(recording)
    assert history.queue_max == 90
    history.observe(msgspec.structs.replace(recording, trial="trial-002"))
    assert history.queue_max == recording.recorder.queued


def test_the_rate_is_remembered_once_a_second(recording):
    history = History()
    for tenth in range(31):
        history.observe(msgspec.structs.replace(recording, host_ns=recording.host_ns + tenth * 100_000_000))
    assert history.rates(60) == (500.0,) * 4


def test_the_sparkline_shows_a_dip():
    line = figures.sparkline([500.0, 500.0, 460.0, 400.0, 520.0, float("nan")], asked=500.0)
    assert line == "▆▆▂▁█▁"
