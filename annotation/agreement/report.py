"""The whole report of a closed round, from its raw answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from annotation.agreement.coded import CodedClip, coders_of
from annotation.agreement.emotion_report import emotion_figures, emotion_tables
from annotation.agreement.keyframe_report import keyframe_figures, keyframe_tables
from annotation.agreement.tables import figure, share
from annotation.agreement.unit_report import unit_figures, unit_tables
from annotation.api_models import CrossCheckAnswer, EmotionAnswer, KeyFrameAnswer, RoundKind, UnitsAnswer
from annotation.lead_models import AgreementReport, Figure
from annotation.outcomes import Given, Outcome, Outcomes
from annotation.store.schema import ClipRow, RecordingRow, RoundRow

KindT = TypeVar("KindT")

PLOTS: Final[Mapping[RoundKind, tuple[str, ...]]] = {
    RoundKind.KEYFRAMES: ("spread", "coders"),
    RoundKind.UNITS: ("units",),
    RoundKind.CROSSCHECK: ("units",),
    RoundKind.EMOTION: ("votes", "labels"),
    RoundKind.SELECTION: (),
}
"""What is drawn of each kind of round."""


class RoundAnswers:
    """The coded clips of a closed round, of the kind that it is."""

    def __init__(self, session: Session, outcomes: Outcomes, row: RoundRow) -> None:
        """Read them.

        Raises:
            ValueError: The round is open.
        """
        self.round = row.id
        self.kind = RoundKind(row.kind)
        self.key_frames: list[CodedClip[KeyFrameAnswer]] = []
        self.units: list[CodedClip[UnitsAnswer]] = []
        self.emotions: list[CodedClip[EmotionAnswer]] = []
        if self.kind is RoundKind.SELECTION:
            return
        found = outcomes.of_round(session, row)
        query = select(ClipRow.id, RecordingRow.rate_fps).join(RecordingRow, RecordingRow.id == ClipRow.recording_id)
        rates = {row.id: row.rate_fps for row in session.execute(query)}
        states = outcomes.states(session) if self.kind is not RoundKind.KEYFRAMES else {}
        for clip, outcome in found.items():
            rate = rates[clip]
            first, again = _said(outcome.answers, repeat=False), _said(outcome.answers, repeat=True)
            settled = outcome.answer
            if self.kind is RoundKind.KEYFRAMES:
                marks = settled if isinstance(settled, KeyFrameAnswer) else None
                self.key_frames.append(
                    CodedClip(clip, rate, _only(first, KeyFrameAnswer), _only(again, KeyFrameAnswer), marks)
                )
            elif self.kind is RoundKind.EMOTION:
                state = states.get(clip)
                micro = state.marks.is_micro(rate) if state and state.marks else None
                label = settled if isinstance(settled, EmotionAnswer) and outcome.by == "coders" else None
                self.emotions.append(
                    CodedClip(clip, rate, _only(first, EmotionAnswer), _only(again, EmotionAnswer), label, micro)
                )
            else:
                # What counts may have been settled later, in the cross-check.
                counted = states[clip].units
                self.units.append(CodedClip(clip, rate, _as_units(first), _as_units(again), counted))

    @property
    def clips(self) -> int:
        """How many there are."""
        return len(self.key_frames) + len(self.units) + len(self.emotions)

    @property
    def coders(self) -> list[str]:
        """Who answered."""
        return coders_of(self.key_frames) + coders_of(self.units) + coders_of(self.emotions)


def report(session: Session, outcomes: Outcomes, row: RoundRow, draws: int) -> AgreementReport:
    """How far the coders of a closed round agree.

    Args:
        session: A reading transaction.
        outcomes: Of closed rounds.
        row: The round.
        draws: Of the bootstrap.

    Raises:
        ValueError: The round is open.
    """
    answers = RoundAnswers(session, outcomes, row)
    match answers.kind:
        case RoundKind.KEYFRAMES:
            figures, tables = keyframe_figures(answers.key_frames, draws), keyframe_tables(answers.key_frames)
        case RoundKind.UNITS | RoundKind.CROSSCHECK:
            figures, tables = unit_figures(answers.units), unit_tables(answers.units)
        case RoundKind.EMOTION:
            figures, tables = emotion_figures(answers.emotions, draws), emotion_tables(answers.emotions)
        case RoundKind.SELECTION:
            figures, tables = [], []
    if answers.kind is not RoundKind.SELECTION:
        figures.append(_settled(outcomes.settled(session, row)))
    return AgreementReport(
        round=row.id,
        kind=answers.kind,
        clips=answers.clips,
        coders=answers.coders,
        figures=figures,
        tables=tables,
        plots=list(PLOTS[answers.kind]),
    )


def _settled(found: Mapping[int, Outcome]) -> Figure:
    by = [outcome.by for outcome in found.values()]
    about = f"{by.count('coders')} by the coders, {by.count('lead')} by the lead, {by.count('nobody')} wait"
    decided = share(len(by) - by.count("nobody"), len(by))
    return figure("decided_share", "Clips decided", decided, unit="share", about=about)


def _said(answers: tuple[Given, ...], *, repeat: bool) -> dict[str, object]:
    return {given.coder: given.answer for given in answers if given.repeat is repeat}


def _only(said: dict[str, object], kind: type[KindT]) -> dict[str, KindT]:
    return {coder: answer for coder, answer in said.items() if isinstance(answer, kind)}


def _as_units(said: dict[str, object]) -> dict[str, UnitsAnswer]:
    return {
        coder: UnitsAnswer(units=answer.units)
        for coder, answer in said.items()
        if isinstance(answer, UnitsAnswer | CrossCheckAnswer)
    }
