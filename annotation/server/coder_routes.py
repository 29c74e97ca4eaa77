"""A coder's own work: the list, one item with its frames and timeline, and answers. Nothing of anybody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annotation.api_models import (
    MOST_FRAMES,
    CoderUnits,
    CrossCheckAnswer,
    FrameQuery,
    Item,
    ItemSummary,
    KeyFrameMarks,
    NewAnswer,
    RoundKind,
    StoredAnswer,
    Timeline,
    UnitsAnswer,
    WorkList,
)
from annotation.outcomes import ClipState, last_answers, parse_answer
from annotation.rounds import check_answer, is_done, store_answer
from annotation.server.access import Shared, User
from annotation.server.context import Context
from annotation.server.pictures import Shown, face_of, picture, timeline
from annotation.store.schema import AnswerRow, AssignmentRow, ClipRow, RecordingRow, RoundRow
from annotation.users import LoggedIn
from expression import Emotion

router = APIRouter(tags=["coding"])
ItemId = Annotated[int, Path(ge=1, le=2**31 - 1)]
FrameNumber = Annotated[int, Path(ge=0, le=MOST_FRAMES)]


@dataclass(frozen=True)
class _Work:
    """An assignment with what it points at."""

    assignment: AssignmentRow
    round: RoundRow
    recording: RecordingRow
    clip: ClipRow | None

    @property
    def kind(self) -> RoundKind:
        return RoundKind(self.round.kind)

    @property
    def frames(self) -> tuple[int, int]:
        """First and last frame of the clip, or of the recording."""
        return (self.clip.first_frame, self.clip.last_frame) if self.clip else (0, self.recording.frames - 1)

    def shown(self, context: Context) -> Shown:
        """The frames that may be seen."""
        first, last = self.frames
        around = round(context.study.context_s * self.recording.rate_fps) if self.clip else 0
        return Shown(self.recording, max(0, first - around), min(self.recording.frames - 1, last + around))


def _own(session: Session, user: LoggedIn, item: int) -> _Work:
    """The item; 403 where it is not the user's own, whether there is one or not."""
    found = session.execute(
        select(AssignmentRow, RoundRow, RecordingRow, ClipRow)
        .join(RoundRow, RoundRow.id == AssignmentRow.round_id)
        .join(RecordingRow, RecordingRow.id == AssignmentRow.recording_id)
        .outerjoin(ClipRow, ClipRow.id == AssignmentRow.clip_id)
        .where(AssignmentRow.id == item, AssignmentRow.user_id == user.id)
    ).first()
    if found is None:
        raise HTTPException(403, f"item {item} is not assigned to you")
    return _Work(*found)


@router.get("/work")
def work(user: User, context: Shared) -> WorkList:
    """Everything that is assigned to the one who asks."""
    with context.database.read() as session:
        mine = select(AssignmentRow.round_id).where(AssignmentRow.user_id == user.id)
        rounds = {row.id: row for row in session.scalars(select(RoundRow).where(RoundRow.id.in_(mine)))}
        rows = last_answers(session, rounds, user=user.id)
        items = [
            ItemSummary(
                item=assignment.id,
                kind=RoundKind(rounds[assignment.round_id].kind),
                round=assignment.round_id,
                position=assignment.position,
                done=is_done(RoundKind(rounds[assignment.round_id].kind), given),
                open=rounds[assignment.round_id].closed is None,
            )
            for assignment, given, _ in rows
        ]
    items.sort(key=lambda item: (not item.open, item.round, item.position))
    open_items = [item for item in items if item.open]
    return WorkList(items=items, done=sum(item.done for item in open_items), total=len(open_items))


@router.get("/items/{item}")
def one(user: User, context: Shared, item: ItemId) -> Item:
    """One piece of work, with the own answer and what earlier rounds settled."""
    with context.database.read() as session:
        mine = _own(session, user, item)
        last = session.scalar(
            select(AnswerRow).where(AnswerRow.assignment_id == item).order_by(AnswerRow.version.desc()).limit(1)
        )
        of_all = session.scalar(
            select(func.count())
            .select_from(AssignmentRow)
            .where(AssignmentRow.round_id == mine.round.id, AssignmentRow.user_id == user.id)
        )
        needs_state = mine.kind in (RoundKind.UNITS, RoundKind.CROSSCHECK, RoundKind.EMOTION) and mine.clip
        state = context.outcomes.state(session, mine.clip.id) if needs_state and mine.clip else ClipState()
    return _item(context, mine, last, state, of_all or 0)


def _item(context: Context, mine: _Work, last: AnswerRow | None, state: ClipState, of_all: int) -> Item:
    recording, kind, shown = mine.recording, mine.kind, mine.shown(context)
    first, last_frame = mine.frames
    marks = state.marks
    emotion_round = kind is RoundKind.EMOTION
    what = "recording" if kind is RoundKind.SELECTION else "clip"
    return Item(
        item=mine.assignment.id,
        kind=kind,
        round=mine.round.id,
        position=mine.assignment.position,
        done=is_done(kind, last),
        open=mine.round.closed is None,
        label=f"{what} {mine.assignment.position} of {of_all}",
        rate_fps=recording.rate_fps,
        width_px=recording.width_px,
        height_px=recording.height_px,
        first_frame=first,
        last_frame=last_frame,
        shown_first=shown.first_frame,
        shown_last=shown.last_frame,
        face=face_of(context, recording, first),
        answer=_stored(last) if last else None,
        key_frames=KeyFrameMarks(onset=marks.onset, apex=marks.apex, offset=marks.offset) if marks else None,
        units=state.units.units if emotion_round and state.units else None,
        coder_units=_coder_units(state) if kind is RoundKind.CROSSCHECK else None,
        stimulus=recording.stimulus if emotion_round or kind is RoundKind.SELECTION else None,
        stimulus_emotion=Emotion(recording.stimulus_emotion) if emotion_round and recording.stimulus_emotion else None,
    )


def _coder_units(state: ClipState) -> list[CoderUnits]:
    return [
        CoderUnits(coder=given.coder, units=given.answer.units, note=given.answer.note)
        for given in state.unit_answers
        if isinstance(given.answer, UnitsAnswer | CrossCheckAnswer)
    ]


def _stored(row: AnswerRow) -> StoredAnswer:
    return StoredAnswer(
        answer=parse_answer(row.answer), version=row.version, given=row.given, frame_shown=row.frame_shown
    )


@router.get("/items/{item}/timeline")
def item_timeline(user: User, context: Shared, item: ItemId) -> Timeline:
    """The layers that this kind of round may see."""
    with context.database.read() as session:
        mine = _own(session, user, item)
    told = mine.kind in (RoundKind.SELECTION, RoundKind.EMOTION)
    return timeline(
        context,
        mine.shown(context),
        stimulus=told,
        self_reports=told,
        candidates=mine.kind is RoundKind.SELECTION,
    )


@router.get("/items/{item}/frames/{frame}.jpg", response_class=Response)
def item_frame(
    user: User, context: Shared, item: ItemId, frame: FrameNumber, query: Annotated[FrameQuery, Query()]
) -> Response:
    """A frame of the recording, by its number."""
    with context.database.read() as session:
        mine = _own(session, user, item)
    return picture(context, mine.shown(context), frame, query)


@router.post("/items/{item}/answer")
def answer(user: User, context: Shared, item: ItemId, sent: NewAnswer) -> StoredAnswer:
    """Add a version of the own answer; it is on disk when this returns."""
    with context.database.read() as session:
        mine = _own(session, user, item)
        check_answer(session, mine.assignment, sent.answer)
    with context.database.write() as session:
        row = store_answer(session, mine.assignment, sent)
    return _stored(row)


@router.get("/items/{item}/answers")
def answers(user: User, context: Shared, item: ItemId) -> list[StoredAnswer]:
    """All versions of the own answer, the oldest first."""
    with context.database.read() as session:
        _own(session, user, item)
        rows = session.scalars(select(AnswerRow).where(AnswerRow.assignment_id == item).order_by(AnswerRow.version))
        return [_stored(row) for row in rows]
