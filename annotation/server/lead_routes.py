"""What leads do: users, recordings, rounds, results of closed rounds and decisions on them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from annotation.agreement.plots import draw
from annotation.agreement.report import RoundAnswers, report
from annotation.api_models import (
    MOST_FRAMES,
    FrameQuery,
    KeyFrameAnswer,
    KeyFrameMarks,
    NewUser,
    RoundKind,
    RoundState,
    SelectionAnswer,
    Timeline,
    User,
    UserChange,
)
from annotation.lead_models import (
    AgreementReport,
    ClipResult,
    ClipView,
    CoderAnswer,
    CoderProgress,
    Decision,
    NewRound,
    Ready,
    RecordingInfo,
    Round,
    RoundList,
    RoundResults,
    Split,
)
from annotation.outcomes import Outcome, last_answers, parse_answer
from annotation.rounds import close_round, coders_for, decide, is_done, open_round, ready, split
from annotation.rules import key_frames_of
from annotation.server.access import Lead, Shared
from annotation.server.context import Context
from annotation.server.pictures import Shown, face_of, picture, timeline
from annotation.store.erasure import WITHDRAWN
from annotation.store.schema import ClipRow, RecordingRow, RoundRow, UserRow
from annotation.users import add_user, change_user, hash_password, random_password, roles_of

router = APIRouter(tags=["leading"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
FrameNumber = Annotated[int, Path(ge=0, le=MOST_FRAMES)]


def _user(row: UserRow, password: str | None = None) -> User:
    return User(id=row.id, name=row.name, roles=sorted(roles_of(row)), active=row.active, password=password)


@router.get("/users")
def users(_lead: Lead, context: Shared) -> list[User]:
    """Everybody who may or might log in."""
    with context.database.read() as session:
        return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.id))]


@router.post("/users")
def new_user(_lead: Lead, context: Shared, sent: NewUser) -> User:
    """Enter a user; a password that was made here is given back this once."""
    with context.database.write() as session:
        row, password = add_user(session, sent.name, sent.roles, sent.password)
    return _user(row, None if sent.password else password)


@router.patch("/users/{user}")
def user_change(_lead: Lead, context: Shared, user: Number, sent: UserChange) -> User:
    """Change roles, activity, or make a new password."""
    password = random_password() if sent.new_password else None
    hashed = hash_password(password) if password else None
    with context.database.write() as session:
        row = session.get(UserRow, user)
        if row is None:
            raise HTTPException(404, f"there is no user {user}")
        change_user(session, row, roles=sent.roles, active=sent.active, password_hash=hashed)
    return _user(row, password)


@router.get("/recordings")
def recordings(_lead: Lead, context: Shared) -> list[RecordingInfo]:
    """All recordings."""
    with context.database.read() as session:
        clips = Counter(session.scalars(select(ClipRow.recording_id).where(ClipRow.retired.is_(None))))
        return [
            RecordingInfo(
                id=row.id,
                session=row.session,
                trial=row.trial,
                participant=row.participant,
                frames=row.frames,
                rate_fps=row.rate_fps,
                missing=row.missing,
                clips=clips[row.id],
            )
            for row in session.scalars(select(RecordingRow).order_by(RecordingRow.path))
            if not row.path.startswith(WITHDRAWN)
        ]


@router.post("/recordings/scan")
def scan(lead: Lead, context: Shared) -> list[RecordingInfo]:
    """Look for new recordings in the study's folder."""
    context.scan()
    return recordings(lead, context)


def _round_row(session: Session, number: int) -> RoundRow:
    row = session.get(RoundRow, number)
    if row is None:
        raise HTTPException(404, f"there is no round {number}")
    return row


def _closed(session: Session, number: int) -> RoundRow:
    row = _round_row(session, number)
    if row.closed is None:
        raise HTTPException(403, "this round is open: nobody sees its answers before it is closed")
    return row


def _round(context: Context, session: Session, row: RoundRow) -> Round:
    kind = RoundKind(row.kind)
    rows = last_answers(session, [row.id])
    done = Counter(coder for _, given, coder in rows if is_done(kind, given))
    total = Counter(coder for _, _, coder in rows)
    waiting = None
    if row.closed is not None and kind is not RoundKind.SELECTION:
        waiting = sum(outcome.by == "nobody" for outcome in context.outcomes.settled(session, row).values())
    return Round(
        id=row.id,
        kind=kind,
        state=RoundState.OPEN if row.closed is None else RoundState.CLOSED,
        opened=row.opened,
        closed=row.closed,
        clips=len({(assignment.recording_id, assignment.clip_id) for assignment, _, _ in rows}),
        progress=[CoderProgress(coder=coder, done=done[coder], total=total[coder]) for coder in sorted(total)],
        disagreements=waiting,
    )


@router.get("/rounds")
def rounds(_lead: Lead, context: Shared) -> RoundList:
    """All rounds with their progress, and what the next ones could be opened over."""
    with context.database.read() as session:
        rows = session.scalars(select(RoundRow).order_by(RoundRow.id)).all()
        return RoundList(
            rounds=[_round(context, session, row) for row in rows],
            ready=[
                Ready(
                    kind=rule.kind,
                    clips=len(ready(session, context.outcomes, rule.kind)),
                    coders_needed=0 if rule.kind is RoundKind.CROSSCHECK else rule.coders,
                    coders_there=len(coders_for(session, context.study, rule.kind)),
                )
                for rule in context.study.rules
            ],
        )


@router.post("/rounds")
def new_round(lead: Lead, context: Shared, sent: NewRound) -> Round:
    """Open a round over all that is ready for it."""
    with context.database.write() as session:
        row = open_round(session, context.study, context.outcomes, sent.kind, by=lead.name, recordings=sent.recordings)
        return _round(context, session, row)


@router.get("/rounds/{number}")
def one_round(_lead: Lead, context: Shared, number: Number) -> Round:
    """A round and how far it is."""
    with context.database.read() as session:
        return _round(context, session, _round_row(session, number))


@router.post("/rounds/{number}/close")
def close(_lead: Lead, context: Shared, number: Number) -> Round:
    """Close a round for good; its answers can then be seen."""
    with context.database.write() as session:
        row = _round_row(session, number)
        close_round(session, row)
        session.flush()
        return _round(context, session, row)


@router.get("/rounds/{number}/results")
def results(_lead: Lead, context: Shared, number: Number) -> RoundResults:
    """Every clip of a closed round with all answers."""
    with context.database.read() as session:
        row = _closed(session, number)
        if row.kind == RoundKind.SELECTION:
            return RoundResults(round=row.id, kind=RoundKind.SELECTION, clips=_selected(session, row))
        found = context.outcomes.settled(session, row)
        clips = _places(session)
        return RoundResults(
            round=row.id,
            kind=RoundKind(row.kind),
            clips=[_result(outcome, *clips[clip]) for clip, outcome in found.items()],
        )


def _places(session: Session) -> dict[int, tuple[ClipRow, float]]:
    rows = session.execute(select(ClipRow, RecordingRow.rate_fps).join(RecordingRow))
    return {clip.id: (clip, rate) for clip, rate in rows}


def _result(outcome: Outcome, clip: ClipRow, rate_fps: float) -> ClipResult:
    answer = outcome.answer
    micro = None
    if isinstance(answer, KeyFrameAnswer) and answer.expression:
        micro = key_frames_of(answer).is_micro(rate_fps)
    return ClipResult(
        clip=outcome.clip_id,
        recording=clip.recording_id,
        first_frame=clip.first_frame,
        last_frame=clip.last_frame,
        settled=outcome.by != "nobody",
        by=outcome.by,
        reason=outcome.reason if clip.retired is None else f"cut anew; {outcome.reason}",
        answer=answer,
        micro=micro,
        answers=[
            CoderAnswer(coder=given.coder, answer=given.answer, version=given.version, repeat=given.repeat)
            for given in outcome.answers
        ],
    )


def _selected(session: Session, row: RoundRow) -> list[ClipResult]:
    frames = {one.id: one.frames for one in session.scalars(select(RecordingRow))}
    given: dict[int, list[CoderAnswer]] = {}
    for assignment, answer, coder in last_answers(session, [row.id]):
        answers = given.setdefault(assignment.recording_id, [])
        if answer is not None:
            answers.append(
                CoderAnswer(coder=coder, answer=parse_answer(answer.answer), version=answer.version, repeat=False)
            )
    return [
        ClipResult(
            clip=recording,
            recording=recording,
            first_frame=0,
            last_frame=frames[recording] - 1,
            settled=any(isinstance(one.answer, SelectionAnswer) and one.answer.finished for one in answers),
            by="coders" if answers else "nobody",
            reason="",
            answer=answers[0].answer if answers else None,
            answers=answers,
        )
        for recording, answers in given.items()
    ]


@router.get("/rounds/{number}/agreement")
def agreement(_lead: Lead, context: Shared, number: Number) -> AgreementReport:
    """How far the coders of a closed round agree."""
    with context.database.read() as session:
        return report(session, context.outcomes, _closed(session, number), context.study.bootstrap_draws)


@router.get("/rounds/{number}/plots/{name}.svg", response_class=Response)
def plot(_lead: Lead, context: Shared, number: Number, name: Annotated[str, Path(pattern="^[a-z]{1,20}$")]) -> Response:
    """A plot of the agreement."""
    with context.database.read() as session:
        answers = RoundAnswers(session, context.outcomes, _closed(session, number))
    try:
        return Response(draw(answers, name), media_type="image/svg+xml")
    except KeyError:
        raise HTTPException(404, f"there is no plot {name} of a {answers.kind.value} round") from None


@router.post("/rounds/{number}/clips/{clip}/decision")
def decision(lead: Lead, context: Shared, number: Number, clip: Number, sent: Decision) -> ClipResult:
    """Decide where the coders did not agree, or otherwise than they did."""
    with context.database.write() as session:
        row, clip_row = _round_row(session, number), _clip_row(session, clip)
        decide(session, row, clip_row, sent.answer, by=lead.name, reason=sent.reason)
        rate = session.get_one(RecordingRow, clip_row.recording_id).rate_fps
        return _result(context.outcomes.of_round(session, row)[clip], clip_row, rate)


def _clip_row(session: Session, number: int) -> ClipRow:
    row = session.get(ClipRow, number)
    if row is None:
        raise HTTPException(404, f"there is no clip {number}")
    return row


def _shown(context: Context, session: Session, clip: ClipRow) -> Shown:
    recording = session.get_one(RecordingRow, clip.recording_id)
    around = round(context.study.context_s * recording.rate_fps)
    return Shown(recording, max(0, clip.first_frame - around), min(recording.frames - 1, clip.last_frame + around))


@router.post("/clips/{clip}/split")
def split_clip(lead: Lead, context: Shared, clip: Number, sent: Split) -> list[ClipView]:
    """Cut a clip anew; the new ones are ready for a round of their own."""
    with context.database.write() as session:
        rows = split(session, _clip_row(session, clip), sent.fragments, by=lead.name)
        return [_view(context, session, row) for row in rows]


@router.get("/clips/{clip}")
def one_clip(_lead: Lead, context: Shared, clip: Number) -> ClipView:
    """A clip with what is settled of it."""
    with context.database.read() as session:
        return _view(context, session, _clip_row(session, clip))


def _view(context: Context, session: Session, clip: ClipRow) -> ClipView:
    shown = _shown(context, session, clip)
    recording = shown.recording
    state = context.outcomes.state(session, clip.id)
    marks = state.marks
    return ClipView(
        clip=clip.id,
        recording=recording.id,
        session=recording.session,
        trial=recording.trial,
        rate_fps=recording.rate_fps,
        width_px=recording.width_px,
        height_px=recording.height_px,
        first_frame=clip.first_frame,
        last_frame=clip.last_frame,
        shown_first=shown.first_frame,
        shown_last=shown.last_frame,
        face=face_of(context, recording, clip.first_frame),
        key_frames=KeyFrameMarks(onset=marks.onset, apex=marks.apex, offset=marks.offset) if marks else None,
        units=state.units.units if state.units else None,
        emotion=state.label,
    )


@router.get("/clips/{clip}/timeline")
def clip_timeline(_lead: Lead, context: Shared, clip: Number) -> Timeline:
    """All layers of a clip."""
    with context.database.read() as session:
        shown = _shown(context, session, _clip_row(session, clip))
    return timeline(context, shown, stimulus=True, self_reports=True, candidates=True)


@router.get("/clips/{clip}/frames/{frame}.jpg", response_class=Response)
def clip_frame(
    _lead: Lead, context: Shared, clip: Number, frame: FrameNumber, query: Annotated[FrameQuery, Query()]
) -> Response:
    """A frame of a clip's recording."""
    with context.database.read() as session:
        shown = _shown(context, session, _clip_row(session, clip))
    return picture(context, shown, frame, query)
