"""Answers are in the file as soon as they are given, and what was changed stays beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.session.self_report import SELF_REPORT_FILE, EarlierGrade, read_self_report
from elicitation.web.answer_book import AnswerBook, Moment, UnknownMark
from elicitation.web.messages import Question, Show

SCALE = Show(page="scale", step=4, trial="trial-001", stim_id="13f")
REPORT = Show(page="self_report", step=5, trial="trial-001", stim_id="13f")
FORM = Show(page="questionnaire", step=9, questions=(Question("How many pens?"),))


def moment(frame: int) -> Moment:
    return Moment("recordings/trial-001.zarr", frame, 1_000_000 * frame, frame / 500)


def test_a_grade_replaces_the_one_before(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path)

    first = book.grade(SCALE, "fear", 4, 10)
    second = book.grade(SCALE, "fear", 2, 20)

    assert (first.item, first.value, first.revision, first.step) == ("fear", 4, 0, 4)
    assert (second.value, second.revision) == (2, 1)
    (grade,) = read_self_report(tmp_path).of_trial("trial-001").grades
    assert (grade.emotion, grade.grade, grade.of, grade.given_ns) == ("fear", 2, 5, 20)
    assert grade.revised == (EarlierGrade(4, 10),)
    assert read_self_report(tmp_path).of_trial("trial-001").stim_id == "13f"


def test_a_mark_keeps_frame_and_times_through_change_and_removal(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path)

    given = book.add_mark(REPORT, moment(412), "disgust", 3, 10)
    assert (given.mark, given.frame, given.frame_host_ns, given.stimulus_time_s) == (1, 412, 412_000_000, 0.824)

    changed = book.change_mark(REPORT, 1, moment(400), "anger", 5, 20)
    assert (changed.revision, changed.frame, changed.item, changed.value) == (1, 400, "anger", 5)
    (mark,) = read_self_report(tmp_path).of_trial("trial-001").marks
    assert (mark.frame, mark.emotion, mark.intensity) == (400, "anger", 5)
    assert [(one.frame, one.emotion, one.intensity, one.given_ns) for one in mark.revised] == [(412, "disgust", 3, 10)]

    gone = book.remove_mark(REPORT, 1, 30)
    assert gone.value is None
    report = read_self_report(tmp_path).of_trial("trial-001")
    assert report.marks == ()
    assert [(one.number, one.removed_ns) for one in report.removed] == [(1, 30)]
    assert book.add_mark(REPORT, moment(7), "fear", 1, 40).mark == 2


def test_a_mark_that_is_sent_twice_counts_once(tmp_path: Path) -> None:
    AnswerBook(tmp_path).add_mark(REPORT, moment(5), "fear", 2, 10, key="k")

    again = AnswerBook(tmp_path).add_mark(REPORT, moment(5), "fear", 2, 11, key="k")

    assert again.mark == 1
    assert len(read_self_report(tmp_path).of_trial("trial-001").marks) == 1


def test_what_is_not_there_cannot_be_changed(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path)

    with pytest.raises(UnknownMark, match="trial-001 has no mark 3"):
        book.change_mark(REPORT, 3, moment(5), "fear", 2, 10)
    with pytest.raises(UnknownMark, match="no mark 1"):
        book.remove_mark(REPORT, 1, 10)
    assert not (tmp_path / SELF_REPORT_FILE).exists()


def test_another_run_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path)
    book.grade(SCALE, "fear", 4, 10)
    book.add_mark(REPORT, moment(9), "fear", 2, 11)
    book.answer(FORM, "How many pens?", "3", 12)

    again = AnswerBook(tmp_path)

    assert again.grades("trial-001") == {"fear": 4}
    assert [mark.frame for mark in again.marks("trial-001")] == [9]
    assert again.answers(9) == {"How many pens?": "3"}
    assert again.answer(FORM, "How many pens?", "5", 13).revision == 1


def test_an_answer_that_cannot_be_written_does_not_count(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path)
    book.grade(SCALE, "fear", 4, 10)
    # A folder in the place of the file that is written first.
    (tmp_path / f"{SELF_REPORT_FILE}.partial").mkdir()

    with pytest.raises(OSError, match=r"self_report"):
        book.grade(SCALE, "anger", 1, 20)

    assert book.grades("trial-001") == {"fear": 4}
    assert AnswerBook(tmp_path).grades("trial-001") == {"fear": 4}
