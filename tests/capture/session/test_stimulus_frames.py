"""Stimulus time and camera frames: one clock, asked in both directions, and rows that survive being written."""

from __future__ import annotations

import shutil

import pytest

from capture.elicited import Elicited
from capture.errors import BadInput, RecordingInvalid
from capture.session import Session
from capture.session.events import COLUMNS, EventLog
from capture.session.stimulus_frames import StimulusFrame, StimulusPlace, read_stimulus_frames, write_stimulus_frames
from capture.statistics import LossLedger

FIRST_NS = 5_000_000_000 + 100 * 2_000_000
"""When the first frame of the recording was taken; one follows every 2 ms."""
SHOWN_NS = FIRST_NS + 10_000_000
FRAME_NS = 20_000_000


def row(frame: int, **changed: object) -> StimulusFrame:
    time_ns = SHOWN_NS + frame * FRAME_NS
    values = {
        "stim_id": "02sa",
        "trial": "trial-001",
        "stim_frame": frame,
        "pts_s": frame * 0.02,
        "due_ns": time_ns - 1_000_000,
        "host_ns": time_ns,
        "source": "swap return",
        "late": False,
        "dropped": False,
    }
    return StimulusFrame(**{**values, **changed})


@pytest.fixture
def session(tmp_path, make_recording):
    """A trial of forty frames in which three frames of a stimulus were shown, and the second was left out."""
    session = Session.create(tmp_path / "sessions", "P07")
    path = session.begin_trial("trial-001", kind="stimulus", stimulus="02sa")
    shutil.move(make_recording("one.zarr", first_id=100), path)
    session.end_trial("trial-001", seconds=0.08, frames=40, fps=500.0, lost=LossLedger(), reason="operator")
    rows = [row(0), row(1, host_ns=0, dropped=True), row(2), row(3)]
    write_stimulus_frames(session.path / "stimulus_frames.parquet", rows)
    return Session.open(session.path)


def test_rows_are_read_as_they_were_written(session):
    rows = read_stimulus_frames(session.path / "stimulus_frames.parquet")
    assert [one.stim_frame for one in rows] == [0, 1, 2, 3]
    assert rows[2] == row(2)
    assert rows[1].dropped


def test_a_moment_of_a_stimulus_is_a_frame_of_the_recording_and_back(session):
    for frame in (0, 2, 3):
        place = session.frame_at("02sa", frame * 0.02)
        taken_ns = session.time_of(place.trial, place.frame)
        assert abs(taken_ns - (SHOWN_NS + frame * FRAME_NS)) <= 1_000_000
        assert session.stimulus_at(place.trial, place.frame + 1).stim_frame == frame


def test_between_frames_the_time_runs_on_and_over_one_that_was_left_out_too(session):
    place = session.frame_at("02sa", 0.03)
    assert place.frame == pytest.approx((10_000_000 + 1.5 * FRAME_NS) / 2_000_000, abs=1)
    back = session.stimulus_at("trial-001", place.frame)
    assert back == StimulusPlace("02sa", 0, pytest.approx(0.03, abs=0.0011))


def test_the_last_frame_lasts_as_long_as_the_others(session):
    assert session.frame_at("02sa", 0.06).frame == 35
    with pytest.raises(BadInput, match=r"not at 0\.1 s"):
        session.frame_at("02sa", 0.1)
    with pytest.raises(BadInput, match="no stimulus was on the screen"):
        session.stimulus_at("trial-001", 0)


def test_what_was_not_shown_is_named_with_what_was(session):
    with pytest.raises(BadInput, match="it showed 02sa"):
        session.frame_at("09f", 0.0)


def test_a_session_without_stimuli_says_so(tmp_path):
    empty = Session.create(tmp_path)
    with pytest.raises(BadInput, match="no stimulus was shown"):
        empty.frame_at("02sa", 0.0)


def test_a_damaged_file_is_named(session):
    (session.path / "stimulus_frames.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(RecordingInvalid, match=r"stimulus_frames\.parquet is damaged"):
        Session.open(session.path).frame_at("02sa", 0.0)


def test_trials_know_what_was_shown_in_them(session):
    assert (session.trial("trial-001").kind, session.trial("trial-001").stimulus) == ("stimulus", "02sa")


def test_answers_have_columns_of_their_own_in_the_event_log(session):
    answer = Elicited("02sa", "02sa.mp4", "sadness", response_time_s=1.5, value="disgust", intensity=4, stim_frame=2)
    session.log_event(SHOWN_NS, "info", "elicitation", "marked", trial="trial-001", elicited=answer)
    (event,) = EventLog(session.path).rows()
    assert (event["onset"], event["sample"]) == ("0.010000", "5")
    assert [event[name] for name in COLUMNS[-7:]] == ["02sa", "02sa.mp4", "sadness", "1.500000", "disgust", "4", "2"]


def test_a_log_of_an_earlier_version_gets_the_new_columns(session):
    log = session.path / "events.tsv"
    log.write_text("\t".join(COLUMNS[:-7]) + "\n" + "\t".join(["n/a"] * len(COLUMNS[:-7])) + "\n")
    Session.open(session.path).log_event(SHOWN_NS, "info", "elicitation", "marked", elicited=Elicited(value="fear"))
    first, second = EventLog(session.path).rows()
    assert first["value"] == "n/a"
    assert second["value"] == "fear"
