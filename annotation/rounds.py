"""Rounds: what is ready for them, opening with its deal of work, answering, closing, and the lead's decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from annotation.api_models import Answer, Fragment, KeyFrameAnswer, NewAnswer, RoundKind, SelectionAnswer, UnitsAnswer
from annotation.assignment import Piece, deal
from annotation.outcomes import Outcomes, last_answers, parse_answer, write_answer
from annotation.store.schema import (
    AnswerRow,
    AssignmentRow,
    ClipRow,
    DecisionRow,
    RecordingRow,
    RoundRow,
    UserRow,
    now,
)
from annotation.study import Study
from annotation.users import roles_of
from capture.errors import BadInput, CaptureError
from capture.version import software

_REPEATED = (RoundKind.KEYFRAMES, RoundKind.UNITS, RoundKind.EMOTION)
_SAME_CLIP = 0.5
"""Overlap (intersection over union) from which two selectors mean the same fragment."""
_MOST_SEED = 2**31


class Conflict(CaptureError):
    """Somebody else was faster, or the round is closed: what was sent is not stored."""


@dataclass(frozen=True)
class Target:
    """What is coded as one: a clip or, in selection, a recording."""

    recording_id: int
    clip_id: int | None


def ready(session: Session, outcomes: Outcomes, kind: RoundKind) -> list[Target]:
    """What a round of this kind could be opened over: not coded in this way yet, with all that it builds on settled."""
    if kind is RoundKind.SELECTION:
        dealt = select(AssignmentRow.recording_id).join(RoundRow).where(RoundRow.kind == kind)
        query = select(RecordingRow.id).where(RecordingRow.missing.is_(False), RecordingRow.id.not_in(dealt))
        cut = select(ClipRow.recording_id)
        return [Target(one, None) for one in session.scalars(query.where(RecordingRow.id.not_in(cut)).order_by("id"))]
    done = (
        select(AssignmentRow.clip_id)
        .join(RoundRow, RoundRow.id == AssignmentRow.round_id)
        .where(RoundRow.kind == kind, AssignmentRow.clip_id.is_not(None))
        .union(select(DecisionRow.clip_id).join(RoundRow).where(RoundRow.kind == kind))
    )
    clips = session.scalars(
        select(ClipRow)
        .join(RecordingRow, RecordingRow.id == ClipRow.recording_id)
        .where(ClipRow.retired.is_(None), RecordingRow.missing.is_(False), ClipRow.id.not_in(done))
        .order_by(ClipRow.id)
    ).all()
    if kind is not RoundKind.KEYFRAMES:
        states = outcomes.states(session)
        clips = [
            clip
            for clip in clips
            if (state := states.get(clip.id)) is not None
            and (state.units_open if kind is RoundKind.CROSSCHECK else state.marks is not None)
            and (kind is not RoundKind.EMOTION or state.units is not None)
        ]
    return [Target(clip.recording_id, clip.id) for clip in clips]


def coders_for(session: Session, study: Study, kind: RoundKind) -> list[UserRow]:
    """Active users with the role that the kind of round needs."""
    role = study.rule(kind).role
    users = session.scalars(select(UserRow).where(UserRow.active).order_by(UserRow.id))
    return [user for user in users if role in roles_of(user)]


def open_round(
    session: Session,
    study: Study,
    outcomes: Outcomes,
    kind: RoundKind,
    *,
    by: str,
    recordings: Iterable[int] | None = None,
) -> RoundRow:
    """Open a round over all that is ready for it, and deal the work.

    Args:
        session: A writing transaction.
        study: Numbers of coders, share of repeats, seed.
        outcomes: Of earlier rounds.
        kind: Of the round.
        by: Who opens it.
        recordings: Only of these.

    Raises:
        BadInput: Nothing is ready, or there are too few coders.
    """
    wanted = None if recordings is None else set(recordings)
    targets = [one for one in ready(session, outcomes, kind) if wanted is None or one.recording_id in wanted]
    if not targets:
        raise BadInput(f"nothing is ready for a {kind.value} round: {_WHAT_IS_NEEDED[kind]}")
    rule = study.rule(kind)
    coders = coders_for(session, study, kind)
    if kind is not RoundKind.CROSSCHECK and len(coders) < rule.coders:
        raise BadInput(
            f"a {kind.value} round needs {rule.coders} active users with the role {rule.role.value!r}, there are "
            f"{len(coders)}: enter more, or set coders.{kind.value} in annotation.toml"
        )
    row = RoundRow(kind=kind.value, coders=rule.coders, seed=0, opened_by=by, opened=now(), closed=None)
    session.add(row)
    session.flush()
    row.seed = (study.seed * 1_000_003 + row.id) % _MOST_SEED
    if kind is RoundKind.CROSSCHECK:
        row.coders = _deal_crosscheck(session, row, targets)
        return row
    by_number = dict(enumerate(targets))
    share = study.repeat_share if kind in _REPEATED else 0.0
    dealt = deal(list(by_number), [user.id for user in coders], rule.coders, repeat_share=share, seed=row.seed)
    for user, pieces in dealt.items():
        _enter(session, row.id, user, [(by_number[piece.target], piece) for piece in pieces])
    return row


_WHAT_IS_NEEDED = {
    RoundKind.SELECTION: "all recordings were given out already",
    RoundKind.KEYFRAMES: "it needs clips, from a closed selection round or an import",
    RoundKind.UNITS: "it needs clips with settled key-frames",
    RoundKind.CROSSCHECK: "it needs clips on which the coders of a closed units round differ",
    RoundKind.EMOTION: "it needs clips with settled key-frames and units",
}


def _deal_crosscheck(session: Session, row: RoundRow, targets: Sequence[Target]) -> int:
    """To those who coded the clip in the units round; gives their number."""
    coded: dict[int | None, list[int]] = {}
    query = (
        select(AssignmentRow.clip_id, AssignmentRow.user_id)
        .join(RoundRow, RoundRow.id == AssignmentRow.round_id)
        .where(RoundRow.kind == RoundKind.UNITS, AssignmentRow.repeat_of.is_(None))
    )
    for clip, user in session.execute(query):
        coded.setdefault(clip, []).append(user)
    own: dict[int, list[Target]] = {}
    for target in targets:
        for user in coded.get(target.clip_id, []):
            own.setdefault(user, []).append(target)
    for user, theirs in own.items():
        # The same order for all: they go through it together.
        _enter(session, row.id, user, [(target, Piece(0)) for target in theirs])
    return max((len(coded.get(target.clip_id, [])) for target in targets), default=0)


def _enter(session: Session, round_id: int, user: int, pieces: Sequence[tuple[Target, Piece]]) -> None:
    firsts: dict[Target, AssignmentRow] = {}
    repeats: list[tuple[AssignmentRow, Target]] = []
    for position, (target, piece) in enumerate(pieces, start=1):
        row = AssignmentRow(
            round_id=round_id,
            user_id=user,
            recording_id=target.recording_id,
            clip_id=target.clip_id,
            position=position,
            repeat_of=None,
        )
        session.add(row)
        if piece.repeat:
            repeats.append((row, target))
        else:
            firsts[target] = row
    session.flush()
    for row, target in repeats:
        row.repeat_of = firsts[target].id
    session.flush()


def check_answer(session: Session, assignment: AssignmentRow, answer: Answer) -> None:
    """Refuse an answer that does not fit its piece of work; a reading transaction will do.

    Raises:
        BadInput: It is of another kind than the round, or names frames that the clip does not have.
    """
    kind = session.get_one(RoundRow, assignment.round_id).kind
    if answer.kind != kind:
        raise BadInput(f"a {kind} round takes no {answer.kind} answers")
    recording = session.get_one(RecordingRow, assignment.recording_id)
    check_frames(answer, recording, session.get(ClipRow, assignment.clip_id) if assignment.clip_id else None)


def store_answer(session: Session, assignment: AssignmentRow, sent: NewAnswer) -> AnswerRow:
    """Add a version of an answer that was checked.

    Other writers wait for this one: it does no more than it must.

    Raises:
        Conflict: The round is closed, or the version is not the next one.
    """
    # Held against a round that closes meanwhile; SQLite has one writer anyway.
    row = session.get(RoundRow, assignment.round_id, with_for_update={"read": True}, populate_existing=True)
    if row is None or row.closed is not None:
        raise Conflict("this round is closed: its answers stay as they are")
    last = session.scalar(select(func.max(AnswerRow.version)).where(AnswerRow.assignment_id == assignment.id)) or 0
    if sent.version is not None and sent.version != last + 1:
        raise Conflict(f"version {sent.version} was sent, but {last} is the last one: load the answer anew")
    answer = AnswerRow(
        assignment_id=assignment.id,
        version=last + 1,
        answer=write_answer(sent.answer),
        frame_shown=sent.frame_shown,
        given=now(),
        software=software(),
    )
    session.add(answer)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("another window has just sent an answer: load it anew") from None
    return answer


def check_frames(answer: Answer, recording: RecordingRow, clip: ClipRow | None) -> None:
    """Refuse frame numbers outside the clip, or outside the recording in selection.

    Raises:
        BadInput: Names the first that is outside.
    """
    first, last = (clip.first_frame, clip.last_frame) if clip else (0, recording.frames - 1)
    numbers: list[int] = []
    if isinstance(answer, SelectionAnswer):
        numbers = [number for one in answer.fragments for number in (one.first_frame, one.last_frame)]
    elif isinstance(answer, KeyFrameAnswer):
        numbers = [number for number in (answer.onset, answer.apex, answer.offset) if number is not None]
    for number in numbers:
        if not first <= number <= last:
            raise BadInput(f"frame {number} lies outside: the frames here are {first} to {last}")


def unfinished(session: Session, row: RoundRow) -> int:
    """Pieces of work without an answer; in selection, recordings that were not gone through."""
    rows = last_answers(session, [row.id])
    return sum(not is_done(RoundKind(row.kind), given) for _, given, _ in rows)


def is_done(kind: RoundKind, given: AnswerRow | None) -> bool:
    """Whether a piece of work is finished."""
    if given is None:
        return False
    if kind is not RoundKind.SELECTION:
        return True
    answer = parse_answer(given.answer)
    return isinstance(answer, SelectionAnswer) and answer.finished


def close_round(session: Session, row: RoundRow) -> None:
    """Close a round for good. Fragments of a selection round become clips.

    Raises:
        Conflict: It is closed already.
    """
    session.refresh(row, with_for_update=True)
    if row.closed is not None:
        raise Conflict("this round is closed already")
    row.closed = now()
    if row.kind == RoundKind.SELECTION:
        found: dict[int, list[tuple[str, Fragment]]] = {}
        for assignment, given, coder in last_answers(session, [row.id]):
            answer = parse_answer(given.answer) if given else None
            if isinstance(answer, SelectionAnswer):
                found.setdefault(assignment.recording_id, []).extend((coder, one) for one in answer.fragments)
        for recording, fragments in sorted(found.items()):
            for coder, one in merged(fragments):
                add_clip(session, recording, one, origin="selection", by=coder)
    session.flush()


def merged(fragments: Iterable[tuple[str, Fragment]]) -> list[tuple[str, Fragment]]:
    """Fragments of several selectors: those that two of them mean alike are one, wide enough for both.

    One selector's overlapping fragments stay apart: they were cut so, each around one expression.
    """
    kept: list[tuple[set[str], Fragment]] = []
    for coder, one in fragments:
        for index, (coders, other) in enumerate(kept):
            if coder not in coders and _overlap(one, other) >= _SAME_CLIP:
                notes = "; ".join(note for note in (other.note, one.note) if note)
                wide = Fragment(
                    first_frame=min(one.first_frame, other.first_frame),
                    last_frame=max(one.last_frame, other.last_frame),
                    note=notes[:2000],
                )
                kept[index] = (coders | {coder}, wide)
                break
        else:
            kept.append(({coder}, one))
    ordered = sorted(kept, key=lambda entry: (entry[1].first_frame, entry[1].last_frame))
    return [(", ".join(sorted(coders)), one) for coders, one in ordered]


def _overlap(one: Fragment, other: Fragment) -> float:
    common = min(one.last_frame, other.last_frame) - max(one.first_frame, other.first_frame) + 1
    whole = max(one.last_frame, other.last_frame) - min(one.first_frame, other.first_frame) + 1
    return max(0, common) / whole


def add_clip(session: Session, recording_id: int, fragment: Fragment, *, origin: str, by: str) -> ClipRow:
    """Enter a clip."""
    row = ClipRow(
        recording_id=recording_id,
        first_frame=fragment.first_frame,
        last_frame=fragment.last_frame,
        note=fragment.note,
        origin=origin,
        made_by=by,
        created=now(),
        retired=None,
    )
    session.add(row)
    return row


def decide(session: Session, row: RoundRow, clip: ClipRow, answer: Answer, *, by: str, reason: str) -> DecisionRow:
    """Enter the lead's word on a clip of a closed round; an earlier word stays in the table.

    Raises:
        Conflict: The round is open.
        BadInput: The clip is not of this round, or the answer is of another kind or outside the clip.
    """
    if row.closed is None:
        raise Conflict("this round is open: its coders decide, and nobody sees their answers yet")
    wanted = UnitsAnswer().kind if row.kind == RoundKind.CROSSCHECK else row.kind
    if answer.kind != wanted or answer.kind == SelectionAnswer().kind:
        raise BadInput(f"a decision on a {row.kind} round is a {wanted} answer, not {answer.kind}")
    here = select(AssignmentRow.id).where(AssignmentRow.round_id == row.id, AssignmentRow.clip_id == clip.id)
    decided = select(DecisionRow.id).where(DecisionRow.round_id == row.id, DecisionRow.clip_id == clip.id)
    if session.scalar(here.limit(1)) is None and session.scalar(decided.limit(1)) is None:
        raise BadInput(f"clip {clip.id} was not coded in round {row.id}")
    check_frames(answer, session.get_one(RecordingRow, clip.recording_id), clip)
    decision = DecisionRow(
        round_id=row.id,
        clip_id=clip.id,
        by=by,
        answer=write_answer(answer),
        reason=reason,
        given=now(),
        software=software(),
    )
    session.add(decision)
    session.flush()
    return decision


def split(session: Session, clip: ClipRow, fragments: Iterable[Fragment], *, by: str) -> list[ClipRow]:
    """Cut a clip anew; the old one is retired, and its answers stay.

    Raises:
        Conflict: It was cut anew already.
        BadInput: A fragment lies outside the recording.
    """
    if clip.retired is not None:
        raise Conflict("this clip was cut anew already")
    recording = session.get_one(RecordingRow, clip.recording_id)
    fragments = list(fragments)
    check_frames(SelectionAnswer(fragments=fragments), recording, None)
    clip.retired = now()
    rows = [add_clip(session, clip.recording_id, one, origin="split", by=by) for one in fragments]
    session.flush()
    return rows
