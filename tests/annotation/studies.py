"""A study that simulated coders have coded to its end, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from annotation import catalogue
from annotation.api_models import (
    Answer,
    CrossCheckAnswer,
    EmotionAnswer,
    Fragment,
    KeyFrameAnswer,
    NewAnswer,
    Role,
    RoundKind,
    UnitsAnswer,
)
from annotation.outcomes import Outcomes
from annotation.rounds import add_clip, check_answer, close_round, open_round, store_answer
from annotation.store import Database
from annotation.store.schema import AssignmentRow, ClipRow, RecordingRow, RoundRow, UserRow
from annotation.study import Study
from annotation.users import add_user
from expression import Emotion

SHIFTS = {"ana": 0, "ben": 2, "cem": -1}
"""How many frames each coder marks everything late."""


@dataclass(frozen=True)
class Truth:
    """What there is in a clip, relative to the first frame of it."""

    onset: int = 20
    apex: int = 50
    offset: int = 90
    units: tuple[str, ...] = ("AU6", "AU12")
    emotion: Emotion = Emotion.HAPPINESS


CLIPS = {(80, 190): Truth(), (280, 399): Truth(10, 40, 100, ("L-AU12",), Emotion.CONTEMPT)}
"""In each recording."""


def code_study(database: Database, root: Path, study: Study) -> Outcomes:
    """Three coders code all clips of all recordings in four rounds; ben misses AU6 until the cross-check."""
    outcomes = Outcomes()
    with database.write() as session:
        catalogue.enter(session, catalogue.scan(root, study))
        for name in SHIFTS:
            add_user(session, name, [Role.KEYFRAME, Role.AU, Role.EMOTION], "long enough a password")
        for recording in session.scalars(select(RecordingRow.id).order_by(RecordingRow.id)):
            for first, last in CLIPS:
                fragment = Fragment(first_frame=first, last_frame=last)
                add_clip(session, recording, fragment, origin="selection", by="sol")

    def marks(name: str, clip: ClipRow) -> Answer:
        truth, shift = CLIPS[clip.first_frame, clip.last_frame], SHIFTS[name]
        onset, apex, offset = (clip.first_frame + frame + shift for frame in (truth.onset, truth.apex, truth.offset))
        return KeyFrameAnswer(expression=True, onset=onset, apex=apex, offset=offset)

    def units(name: str, clip: ClipRow) -> Answer:
        seen = CLIPS[clip.first_frame, clip.last_frame].units
        return UnitsAnswer(units=[unit for unit in seen if name != "ben" or unit != "AU6"])

    def checked(_name: str, clip: ClipRow) -> Answer:
        return CrossCheckAnswer(units=list(CLIPS[clip.first_frame, clip.last_frame].units))

    def label(name: str, clip: ClipRow) -> Answer:
        truth = CLIPS[clip.first_frame, clip.last_frame].emotion
        return EmotionAnswer(emotion=Emotion.OTHERS if name == "cem" else truth)

    run_round(database, study, outcomes, RoundKind.KEYFRAMES, marks)
    run_round(database, study, outcomes, RoundKind.UNITS, units)
    run_round(database, study, outcomes, RoundKind.CROSSCHECK, checked)
    run_round(database, study, outcomes, RoundKind.EMOTION, label)
    return outcomes


def run_round(
    database: Database, study: Study, outcomes: Outcomes, kind: RoundKind, answer: Callable[[str, ClipRow], Answer]
) -> int:
    """Open, answer all of, and close a round."""
    with database.write() as session:
        row = open_round(session, study, outcomes, kind, by="lena")
        for assignment, name, clip in session.execute(
            select(AssignmentRow, UserRow.name, ClipRow)
            .join(UserRow, UserRow.id == AssignmentRow.user_id)
            .join(ClipRow, ClipRow.id == AssignmentRow.clip_id)
            .where(AssignmentRow.round_id == row.id)
        ).all():
            given = answer(name, clip)
            check_answer(session, assignment, given)
            store_answer(session, assignment, NewAnswer(answer=given, frame_shown=clip.first_frame))
        close_round(session, row)
        return row.id


def rounds_of(database: Database) -> Iterable[RoundRow]:
    """All rounds."""
    with database.read() as session:
        return session.scalars(select(RoundRow).order_by(RoundRow.id)).all()
