"""What stands on the lines, and that it always fits: whatever the figures, at 80 columns."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.messages import End, Event, TrialEnded
from capture.monitor import rows
from capture.monitor.banner import banner
from capture.monitor.figures import History, Level, WallClock
from capture.monitor.spans import bar, big, width_of
from capture.statistics import (
    CameraState,
    CameraStatistics,
    CaptureStatistics,
    LiveStatistics,
    LossLedger,
    RecorderState,
    RecorderStatistics,
)

# What the wire can carry: msgpack integers have 64 bits, floats are any.
number = st.integers(-(2**63), 2**64 - 1)
statistics = st.builds(
    CaptureStatistics,
    host_ns=number,
    trial=st.text(),
    trial_elapsed_s=st.floats(),
    trial_limit_s=st.none() | st.floats(),
    frame_bytes=number,
    camera=st.builds(
        CameraStatistics,
        state=st.sampled_from(CameraState),
        camera=st.text(),
        simulated=st.booleans(),
        rate_asked_fps=st.floats(),
        rate_measured_fps=st.floats(),
        frames=number,
        losses=st.builds(LossLedger, number, number, number),
        ring_slots=number,
        ring_used=number,
        ring_used_max=number,
        clock_source=st.text(),
        clock_residual_ns=st.none() | st.floats(),
        cpu_s=st.floats(),
    ),
    recorder=st.builds(
        RecorderStatistics,
        state=st.sampled_from(RecorderState),
        frames=number,
        lost_disk=number,
        queued=number,
        write_mb_s=st.floats(),
        disk_free_bytes=number,
        disk_total_bytes=number,
        direct_io=st.booleans(),
        cpu_s=st.floats(),
    ),
    live=st.builds(LiveStatistics, st.booleans(), number, number, number),
)
ended = st.builds(
    TrialEnded,
    trial=st.text(),
    end=st.builds(
        End,
        series=st.just("s"),
        frames=number,
        losses=st.builds(LossLedger, number, number, number, number),
        lost_ids=st.just({}),
        producer=st.just({}),
        clock=st.just({}),
        reason=st.just("operator"),
    ),
    seconds=st.floats(),
    fps=st.floats(),
)


def text_of(lines) -> list[str]:
    return ["".join(span.text for span in row).rstrip() for row in lines]


@given(st.lists(statistics, min_size=1, max_size=3))
def test_no_row_of_figures_is_wider_than_its_column(reports):
    history = History()
    for report in reports:
        history.observe(report)
    lines = rows.figure_rows(reports[-1], history)
    assert len(lines) <= rows.FIGURES_HEIGHT
    assert [text for text, row in zip(text_of(lines), lines, strict=True) if width_of(row) > 40] == []


@given(statistics, st.booleans(), st.none() | ended, st.none() | st.floats(3, 1e9))
def test_the_banner_always_fits_eighty_columns(report, leaving, last, silent_s):
    shown = banner(report, width=80, leaving=leaving, last=last, silent_s=silent_s)
    assert [width_of(row) for row in shown.rows] == [80, 80, 80]


@given(
    st.lists(st.builds(Event, number, st.sampled_from(["info", "warning", "error"]), st.text(), st.text()), max_size=4),
    st.integers(60, 120),
    st.integers(0, 6),
)
def test_the_event_log_stays_inside_its_corner(events, width, height):
    lines = rows.event_rows(events, WallClock(0, UTC), width, height)
    assert len(lines) <= height
    assert all(width_of(row) <= width for row in lines)


@given(st.floats(), st.floats(), st.integers(10, 60))
def test_a_bar_is_as_wide_as_asked_for(fill, most, width):
    assert width_of(bar(fill, most, width)) == width


def test_small_fills_can_be_told_apart():
    widths = [text_of([bar(fill, 0.0)])[0].count("█") for fill in (0.0, 0.01, 0.04, 0.2, 1.0)]
    assert widths == [0, 2, 4, 9, 20]


def test_a_healthy_trial_reads_so(recording, minute):
    history = History()
    for report in minute(recording):
        history.observe(report)
    assert text_of(rows.figure_rows(recording, history)) == [
        "Rate    500.0 fps of 500.0 asked       ✓",
        "        ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆",
        "Frames  6,170 ring → 6,162 disk",
        "Lost    camera  incomplete ring   disk",
        "        ✓ 0     ✓ 0        ✓ 0    ✓ 0",
        "Ring    ██▋│┊···┊···········   1.8 %   ✓",
        "        9 held, most 2.7 %",
        "Queue   ██▌·┊···┊···········   1.6 %   ✓",
        "        8 waiting, most 1.6 %",
        "Write   393.2 MB/s direct I/O          ✓",
        "Disk    1 h 12 min left  1.70 TB free  ✓",
        "Clock   latch, residual 1.2 µs",
        "CPU     camera 12.0 %, recorder 7.1 %",
        "Live    812 analysed 12,690 skipped",
        "        3 spotted",
    ]


def test_each_cause_of_loss_stands_under_its_name(recording, changed):
    losing = changed(recording, camera={"losses": LossLedger(1, 22, 333)}, recorder={"lost_disk": 4444})
    lines = text_of(rows.figure_rows(losing, History()))
    assert lines[3:5] == ["Lost    camera  incomplete ring   disk", "        ✗ 1     ✗ 22       ✗ 333  ✗ 4444"]


def test_the_page_cache_is_named_where_there_is_no_direct_io(recording, changed):
    lines = text_of(rows.figure_rows(changed(recording, recorder={"direct_io": False}), History()))
    assert "Write   393.2 MB/s page cache          ▲" in lines


def test_roomy_terminals_get_a_line_between_the_groups(recording):
    assert len(rows.figure_rows(recording, History(), height=24)) == rows.FIGURES_HEIGHT + 4


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_camera_is_called_so_on_the_banner(recording, changed, simulated):
    shown = banner(changed(recording, camera={"simulated": simulated}), width=80)
    assert any("SIMULATED CAMERA" in line for line in text_of(shown.rows)) is simulated


def test_recording_and_losing_differ_in_words_and_in_ground(recording, changed):
    healthy = banner(recording, width=80)
    losing = banner(changed(recording, camera={"losses": LossLedger(camera=1)}), width=80)
    assert (healthy.level, losing.level) == (Level.OK, Level.BAD)
    assert "✓ nothing lost" in text_of(healthy.rows)[0]
    assert "✗ 1 frame lost" in text_of(losing.rows)[0]


def test_after_an_hour_the_big_clock_leaves_the_tenths_out(recording, changed):
    hours = banner(changed(recording, trial_elapsed_s=3_723.4), width=80)
    shown = [line[25:].split("✓")[0].split("SIM")[0].strip() for line in text_of(hours.rows)]
    assert shown == [line.strip() for line in big("1:02:03")]


def test_long_events_are_wrapped_and_not_cut():
    words = " ".join(f"word{number}" for number in range(30))
    lines = text_of(rows.event_rows([Event(0, "error", "camera", words)], WallClock(0, UTC), 80, 10))
    assert len(lines) > 2
    assert " ".join(line[23:].strip() for line in lines) == words
    assert lines[0].startswith(" 00:00:00 ✗ camera")
