"""Keeps the participant's answers: each one is in `self_report.json` before anybody is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

from msgspec.structs import replace

from capture.session.self_report import (
    EarlierAnswer,
    EarlierGrade,
    EarlierMark,
    Grade,
    Mark,
    QuestionAnswer,
    QuestionnaireReport,
    SelfReport,
    TrialReport,
    read_self_report,
    write_self_report,
)
from elicitation.web.messages import Answer, Show

T = TypeVar("T")


@dataclass(frozen=True)
class Moment:
    """A moment of the participant's recording."""

    recording: str
    frame: int
    host_ns: int
    stimulus_time_s: float | None


class UnknownMark(LookupError):
    """A trial does not have the mark that was to be changed."""


class AnswerBook:
    """The answers of one session, for many threads; what was answered in an earlier run is there again."""

    def __init__(self, session: Path) -> None:
        """Read what was answered before.

        Raises:
            RecordingInvalid: The session's `self_report.json` is damaged.
        """
        self._session = session
        self._lock = Lock()
        self._report = read_self_report(session)

    @property
    def report(self) -> SelfReport:
        """Everything that was answered so far."""
        return self._report

    def marks(self, trial: str) -> tuple[Mark, ...]:
        """The marks of a trial that count, in the order of the recording."""
        return tuple(sorted(self._report.of_trial(trial).marks, key=lambda mark: (mark.frame, mark.number)))

    def grades(self, trial: str) -> dict[str, int]:
        """Emotion to grade, of the scales that were answered about a trial."""
        return {grade.emotion: grade.grade for grade in self._report.of_trial(trial).grades}

    def answers(self, step: int) -> dict[str, str]:
        """Question to answer, of the questionnaire in a step of the session."""
        known = next((one for one in self._report.questionnaires if one.step == step), None)
        return {one.question: one.answer for one in known.answers} if known else {}

    def grade(self, show: Show, emotion: str, grade: int, now_ns: int) -> Answer:
        """Keep a grade, in place of an earlier one of the same emotion.

        Raises:
            OSError: It cannot be written, and does not count.
        """

        def with_grade(report: TrialReport) -> tuple[TrialReport, int]:
            before = next((one for one in report.grades if one.emotion == emotion), None)
            revised = (*before.revised, EarlierGrade(before.grade, before.given_ns)) if before else ()
            given = Grade(emotion=emotion, grade=grade, of=show.grades, given_ns=now_ns, revised=revised)
            return replace(report, grades=_put(report.grades, given, lambda one: one.emotion)), len(revised)

        with self._lock:
            revision = self._change_trial(show, with_grade)
        return _answer(show, now_ns, item=emotion, value=grade, revision=revision)

    def add_mark(self, show: Show, moment: Moment, emotion: str, intensity: int, now_ns: int, key: str = "") -> Answer:
        """Keep a new mark. A mark with the `key` of an earlier one is that one, sent twice, and changes nothing.

        Raises:
            OSError: It cannot be written, and does not count.
        """

        def with_mark(report: TrialReport) -> tuple[TrialReport, Mark]:
            known = (*report.marks, *report.removed)
            same = next((one for one in known if key and one.key == key), None)
            if same is not None:
                return report, same
            new = Mark(
                number=max((one.number for one in known), default=0) + 1,
                trial=show.trial,
                recording=moment.recording,
                frame=moment.frame,
                host_ns=moment.host_ns,
                stimulus_time_s=moment.stimulus_time_s,
                emotion=emotion,
                intensity=intensity,
                given_ns=now_ns,
                key=key,
            )
            return replace(report, marks=(*report.marks, new)), new

        with self._lock:
            return _mark_answer(show, self._change_trial(show, with_mark), now_ns)

    def change_mark(self, show: Show, number: int, moment: Moment, emotion: str, intensity: int, now_ns: int) -> Answer:
        """Replace a mark; what it was stays beside it.

        Raises:
            UnknownMark: The trial has no such mark.
            OSError: It cannot be written; the mark stays as it was.
        """

        def changed(report: TrialReport) -> tuple[TrialReport, Mark]:
            before = _mark(report, number)
            earlier = EarlierMark(
                frame=before.frame, emotion=before.emotion, intensity=before.intensity, given_ns=before.given_ns
            )
            after = replace(
                before,
                recording=moment.recording,
                frame=moment.frame,
                host_ns=moment.host_ns,
                stimulus_time_s=moment.stimulus_time_s,
                emotion=emotion,
                intensity=intensity,
                given_ns=now_ns,
                revised=(*before.revised, earlier),
            )
            return replace(report, marks=_put(report.marks, after, lambda one: one.number)), after

        with self._lock:
            return _mark_answer(show, self._change_trial(show, changed), now_ns)

    def remove_mark(self, show: Show, number: int, now_ns: int) -> Answer:
        """Take a mark away; it stays among the removed ones.

        Raises:
            UnknownMark: The trial has no such mark.
            OSError: It cannot be written; the mark stays.
        """

        def without(report: TrialReport) -> tuple[TrialReport, Mark]:
            gone = replace(_mark(report, number), removed_ns=now_ns)
            left = tuple(one for one in report.marks if one.number != number)
            return replace(report, marks=left, removed=(*report.removed, gone)), gone

        with self._lock:
            return _mark_answer(show, self._change_trial(show, without), now_ns)

    def answer(self, show: Show, question: str, answer: str, now_ns: int) -> Answer:
        """Keep an answer of a questionnaire, in place of an earlier one to the same question.

        Raises:
            OSError: It cannot be written, and does not count.
        """
        with self._lock:
            known = next((one for one in self._report.questionnaires if one.step == show.step), None)
            form = known or QuestionnaireReport(step=show.step, trial=show.trial)
            before = next((one for one in form.answers if one.question == question), None)
            revised = (*before.revised, EarlierAnswer(before.answer, before.given_ns)) if before else ()
            given = QuestionAnswer(question=question, answer=answer, given_ns=now_ns, revised=revised)
            form = replace(form, answers=_put(form.answers, given, lambda one: one.question))
            self._write(replace(self._report, questionnaires=_put(self._report.questionnaires, form, lambda f: f.step)))
        return _answer(show, now_ns, item=question, value=answer, revision=len(revised))

    def _change_trial(self, show: Show, change: Callable[[TrialReport], tuple[TrialReport, T]]) -> T:
        report = self._report.of_trial(show.trial)
        if show.stim_id and not report.stim_id:
            report = replace(report, stim_id=show.stim_id)
        after, result = change(report)
        self._write(replace(self._report, trials=_put(self._report.trials, after, lambda one: one.trial)))
        return result

    def _write(self, report: SelfReport) -> None:
        if report != self._report:
            write_self_report(self._session, report)
            self._report = report


def _put(known: Iterable[T], one: T, key: Callable[[T], object]) -> tuple[T, ...]:
    """`known` with `one` in the place of what has the same key, or at the end."""
    listed = list(known)
    for place, other in enumerate(listed):
        if key(other) == key(one):
            listed[place] = one
            return tuple(listed)
    return (*listed, one)


def _mark(report: TrialReport, number: int) -> Mark:
    mark = next((one for one in report.marks if one.number == number), None)
    if mark is None:
        raise UnknownMark(f"{report.trial} has no mark {number}")
    return mark


def _mark_answer(show: Show, mark: Mark, now_ns: int) -> Answer:
    return Answer(
        page=show.page,
        host_ns=now_ns,
        step=show.step,
        trial=show.trial,
        stim_id=show.stim_id,
        item=mark.emotion,
        value=mark.intensity if mark.removed_ns is None else None,
        mark=mark.number,
        revision=len(mark.revised),
        recording=mark.recording,
        frame=mark.frame,
        frame_host_ns=mark.host_ns,
        stimulus_time_s=mark.stimulus_time_s,
    )


def _answer(show: Show, now_ns: int, *, item: str, value: int | str, revision: int) -> Answer:
    return Answer(
        page=show.page,
        host_ns=now_ns,
        step=show.step,
        trial=show.trial,
        stim_id=show.stim_id,
        item=item,
        value=value,
        revision=revision,
    )
