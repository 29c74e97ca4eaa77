"""What closed rounds say of their clips: every coder's last answer, and what they settle together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final, Literal, cast

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from annotation.api_models import (
    Answer,
    CrossCheckAnswer,
    EmotionAnswer,
    KeyFrameAnswer,
    RoundKind,
    SelectionAnswer,
    UnitsAnswer,
)
from annotation.rules import (
    Settlement,
    key_frames_of,
    settle_crosscheck,
    settle_emotion,
    settle_keyframes,
    settle_units,
)
from annotation.store.schema import AnswerRow, AssignmentRow, ClipRow, DecisionRow, RoundRow, UserRow
from expression import Emotion, KeyFrames

_answers: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)
_KEPT: Final = 200
"""Rounds whose outcomes are kept at hand."""


@dataclass(frozen=True)
class Given:
    """One coder's last answer."""

    coder: str
    answer: Answer
    version: int
    repeat: bool


@dataclass(frozen=True)
class Outcome:
    """What a closed round says of a clip."""

    clip_id: int
    answers: tuple[Given, ...]
    answer: Answer | None
    """What counts; None: the lead must decide."""
    by: Literal["coders", "lead", "nobody"]
    reason: str

    @property
    def first_answers(self) -> tuple[Given, ...]:
        """Those that count: without hidden repeats."""
        return tuple(given for given in self.answers if not given.repeat)


@dataclass(frozen=True)
class ClipState:
    """Where a clip stands after all closed rounds."""

    key_frames: KeyFrameAnswer | None = None
    units: UnitsAnswer | None = None
    emotion: EmotionAnswer | None = None
    unit_answers: tuple[Given, ...] = ()
    """What the coders marked in the units round."""
    units_open: bool = False
    """A units round closed without settling it, and nobody decided since."""

    @property
    def marks(self) -> KeyFrames | None:
        """The settled key-frames, where there is an expression."""
        return key_frames_of(self.key_frames) if self.key_frames and self.key_frames.expression else None

    @property
    def label(self) -> Emotion | None:
        """The settled emotion."""
        return self.emotion.emotion if self.emotion else None


def parse_answer(text: str) -> Answer:
    """An answer as the database keeps it."""
    return _answers.validate_json(text)


def write_answer(answer: Answer) -> str:
    """An answer as the database keeps it."""
    return answer.model_dump_json()


def last_answers(
    session: Session, rounds: Iterable[int], *, user: int | None = None
) -> list[tuple[AssignmentRow, AnswerRow | None, str]]:
    """Every assignment of some rounds (of one user), with its last answer and the coder's name."""
    wanted: ColumnElement[bool] = AssignmentRow.round_id.in_(list(rounds))
    if user is not None:
        wanted = wanted & (AssignmentRow.user_id == user)
    newest = (
        select(AnswerRow.assignment_id, func.max(AnswerRow.version).label("version"))
        .join(AssignmentRow, AssignmentRow.id == AnswerRow.assignment_id)
        .where(wanted)
        .group_by(AnswerRow.assignment_id)
        .subquery()
    )
    answer = aliased(AnswerRow)
    rows = session.execute(
        select(AssignmentRow, answer, UserRow.name)
        .join(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(newest, newest.c.assignment_id == AssignmentRow.id)
        .outerjoin(answer, (answer.assignment_id == newest.c.assignment_id) & (answer.version == newest.c.version))
        .where(wanted)
        .order_by(AssignmentRow.id)
    )
    return [(assignment, given, name) for assignment, given, name in rows]


@dataclass
class Outcomes:
    """Outcomes of closed rounds, computed from the raw rows, and anew when rows were added or taken away since."""

    _kept: dict[tuple[object, ...], dict[int, Outcome]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of_round(self, session: Session, row: RoundRow) -> Mapping[int, Outcome]:
        """By clip, what a closed round says.

        Raises:
            ValueError: The round is open: its answers are nobody's business yet.
        """
        if row.closed is None:
            raise ValueError(f"round {row.id} is open")
        # A withdrawal takes rows away, also from another process; numbers may be given anew behind it.
        decisions = select(func.max(DecisionRow.id), func.count()).where(DecisionRow.round_id == row.id)
        dealt = select(func.count()).select_from(AssignmentRow).where(AssignmentRow.round_id == row.id)
        key = (row.id, row.opened, *session.execute(decisions).one(), session.scalar(dealt))
        with self._lock:
            known = self._kept.get(key)
        if known is None:
            known = _outcomes(session, row)
            with self._lock:
                for old in [old for old in self._kept if old[0] == row.id]:
                    del self._kept[old]
                while len(self._kept) >= _KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = known
        return known

    def settled(self, session: Session, row: RoundRow) -> Mapping[int, Outcome]:
        """As `of_round`, but nothing waits any more for a decision that was taken elsewhere.

        These are clips that the lead has cut anew, and clips of a units round that were settled in the cross-check.
        """
        found = self.of_round(session, row)
        cut_anew = set(session.scalars(select(ClipRow.id).where(ClipRow.retired.is_not(None))))
        found = {
            clip: replace(outcome, by="lead") if outcome.by == "nobody" and clip in cut_anew else outcome
            for clip, outcome in found.items()
        }
        if row.kind != RoundKind.UNITS or all(outcome.answer is not None for outcome in found.values()):
            return found
        states = self.states(session)
        later = {clip: states[clip].units for clip, outcome in found.items() if outcome.answer is None}
        return {
            clip: replace(outcome, answer=units, by="coders", reason=f"{outcome.reason}; settled in the cross-check")
            if (units := later.get(clip)) is not None
            else outcome
            for clip, outcome in found.items()
        }

    def states(self, session: Session) -> dict[int, ClipState]:
        """Where every clip stands; clips that no closed round held are not in it."""
        found: dict[RoundKind, dict[int, Outcome]] = {kind: {} for kind in RoundKind}
        closed = select(RoundRow).where(RoundRow.closed.is_not(None)).order_by(RoundRow.id)
        for row in session.scalars(closed):
            if row.kind != RoundKind.SELECTION:
                found[RoundKind(row.kind)].update(self.of_round(session, row))
        clips = set().union(*found.values())
        return {clip: _state(*(found[kind].get(clip) for kind in RoundKind)) for clip in clips}

    def state(self, session: Session, clip: int) -> ClipState:
        """Where one clip stands."""
        of_clip = select(AssignmentRow.round_id).where(AssignmentRow.clip_id == clip)
        decided = select(DecisionRow.round_id).where(DecisionRow.clip_id == clip)
        rows = session.scalars(
            select(RoundRow)
            .where(RoundRow.closed.is_not(None), RoundRow.id.in_(of_clip.union(decided)))
            .order_by(RoundRow.id)
        )
        found: dict[str, Outcome | None] = {row.kind: self.of_round(session, row).get(clip) for row in rows}
        return _state(*(found.get(kind) for kind in RoundKind))


def _state(
    _selection: Outcome | None,
    key_frames: Outcome | None,
    units: Outcome | None,
    crosscheck: Outcome | None,
    emotion: Outcome | None,
) -> ClipState:
    settled = next((one.answer for one in (crosscheck, units) if one is not None and one.answer is not None), None)
    return ClipState(
        key_frames=cast(KeyFrameAnswer, key_frames.answer) if key_frames and key_frames.answer else None,
        units=cast(UnitsAnswer, settled) if settled else None,
        emotion=cast(EmotionAnswer, emotion.answer) if emotion and emotion.answer else None,
        unit_answers=units.first_answers if units else (),
        units_open=units is not None and settled is None,
    )


def _outcomes(session: Session, row: RoundRow) -> dict[int, Outcome]:
    answers: dict[int, list[Given]] = defaultdict(list)
    for assignment, given, coder in last_answers(session, [row.id]):
        if assignment.clip_id is None:
            continue
        of_clip = answers[assignment.clip_id]
        if given is not None:
            of_clip.append(Given(coder, parse_answer(given.answer), given.version, assignment.repeat_of is not None))
    decisions = {
        decision.clip_id: decision
        for decision in session.scalars(
            select(DecisionRow).where(DecisionRow.round_id == row.id).order_by(DecisionRow.id)
        )
    }
    outcomes = {}
    for clip in sorted({*answers, *decisions}):
        given_here = tuple(answers.get(clip, ()))
        if (decision := decisions.get(clip)) is not None:
            why = f"{decision.by}: {decision.reason}"
            outcomes[clip] = Outcome(clip, given_here, parse_answer(decision.answer), "lead", why)
            continue
        settlement = settle(RoundKind(row.kind), [given.answer for given in given_here if not given.repeat], row.coders)
        by: Literal["coders", "nobody"] = "coders" if settlement.answer is not None else "nobody"
        outcomes[clip] = Outcome(clip, given_here, settlement.answer, by, settlement.reason)
    return outcomes


def settle(kind: RoundKind, answers: list[Answer], coders: int) -> Settlement[Answer]:
    """What coders together say, by the rule of the kind of round."""
    match kind:
        case RoundKind.KEYFRAMES:
            marks = settle_keyframes([a for a in answers if isinstance(a, KeyFrameAnswer)], coders)
            return Settlement(marks.answer, marks.reason)
        case RoundKind.UNITS:
            units = settle_units([a for a in answers if isinstance(a, UnitsAnswer)], coders)
            return Settlement(units.answer, units.reason)
        case RoundKind.CROSSCHECK:
            checked = settle_crosscheck([a for a in answers if isinstance(a, CrossCheckAnswer)], coders)
            return Settlement(checked.answer, checked.reason)
        case RoundKind.EMOTION:
            labels = settle_emotion([a for a in answers if isinstance(a, EmotionAnswer)], coders)
            return Settlement(labels.answer, labels.reason)
        case RoundKind.SELECTION:
            return Settlement(next((a for a in answers if isinstance(a, SelectionAnswer)), None), "as selected")
