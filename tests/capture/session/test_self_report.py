"""`self_report.json`: what is written is read, and what is not ours is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.errors import RecordingInvalid
from capture.session.self_report import (
    SELF_REPORT_FILE,
    Grade,
    Mark,
    SelfReport,
    TrialReport,
    read_self_report,
    write_self_report,
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    mark = Mark(
        number=1,
        trial="trial-001",
        recording="recordings/trial-001.zarr",
        frame=412,
        host_ns=5_000_824_000,
        stimulus_time_s=0.5,
        emotion="disgust",
        intensity=3,
        given_ns=9_000_000_000,
    )
    grade = Grade(emotion="fear", grade=2, given_ns=8)
    report = SelfReport(trials=(TrialReport(trial="trial-001", stim_id="13f", grades=(grade,), marks=(mark,)),))

    write_self_report(tmp_path, report)

    assert read_self_report(tmp_path) == report
    assert read_self_report(tmp_path).of_trial("trial-001").marks == (mark,)
    assert [path.name for path in tmp_path.iterdir()] == [SELF_REPORT_FILE]


def test_a_session_without_answers_has_an_empty_report(tmp_path: Path) -> None:
    assert read_self_report(tmp_path) == SelfReport()
    assert read_self_report(tmp_path).of_trial("trial-001").marks == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not a self-report"),
        ('{"format": "2.0"}', "newer dfme"),
        ('{"trials": [{"trial": "t", "marks": [{"frame": -1}]}]}', "not a self-report"),
        ("[" * 100_000, "not a self-report"),
    ],
)
def test_what_is_no_self_report_is_named(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / SELF_REPORT_FILE).write_text(content)

    with pytest.raises(RecordingInvalid, match=why):
        read_self_report(tmp_path)
