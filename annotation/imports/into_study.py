"""Enters imported labels into a study: clips with decisions, in rounds that count as closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from annotation.api_models import Answer, EmotionAnswer, Fragment, KeyFrameAnswer, RoundKind, UnitsAnswer
from annotation.coded import CodedSample
from annotation.outcomes import write_answer
from annotation.rounds import add_clip
from annotation.store.schema import ClipRow, DecisionRow, RecordingRow, RoundRow, now
from capture.version import software
from expression import KeyFrames

_CONTEXT_S: Final = 0.2
"""Around the key-frames of an import, whose clips nobody cut."""
_NUMBER: Final = re.compile(r"(?:.*?)(\d+)\.(?:png|jpe?g|bmp)", re.IGNORECASE)


@dataclass(frozen=True)
class Entered:
    """What became of an import."""

    clips: int
    known: int
    """Were there from an earlier import of the same file."""
    unmatched: tuple[str, ...]
    """Samples without a recording in the study, or whose frames lie outside of it."""


def enter_samples(session: Session, root: Path, samples: Sequence[CodedSample], file: str) -> Entered:
    """Enter samples into a study; those of recordings that it does not have are listed and left out.

    Args:
        session: A writing transaction.
        root: Folder of the sessions.
        samples: From `read_labels`.
        file: Name of the file that they are from.
    """
    recordings = session.scalars(select(RecordingRow).where(RecordingRow.missing.is_(False))).all()
    find = _finder(recordings)
    rounds = {kind: _round(session, kind, file) for kind in (RoundKind.KEYFRAMES, RoundKind.UNITS, RoundKind.EMOTION)}
    there = {
        (clip.recording_id, clip.first_frame, clip.last_frame)
        for clip in session.scalars(select(ClipRow).where(ClipRow.origin == "import", ClipRow.made_by == file))
    }
    firsts: dict[int, int] = {}
    entered = known = 0
    unmatched: list[str] = []
    for sample in samples:
        recording = find(sample)
        if recording is None:
            unmatched.append(f"{sample.subject}, {sample.name}: no such recording")
            continue
        first = firsts.setdefault(recording.id, _first_number(root / recording.path))
        if sample.key_frames.onset < first or sample.key_frames.offset - first >= recording.frames:
            unmatched.append(f"{sample.subject}, {sample.name}: its frames are beyond the recording's")
            continue
        marks = sample.key_frames.shifted(-first)
        around = round(_CONTEXT_S * recording.rate_fps)
        fragment = Fragment(
            first_frame=max(0, marks.onset - around), last_frame=min(recording.frames - 1, marks.offset + around)
        )
        if (recording.id, fragment.first_frame, fragment.last_frame) in there:
            known += 1
            continue
        clip = add_clip(session, recording.id, fragment, origin="import", by=file)
        session.flush()
        for kind, answer in _answers(sample, marks):
            _decide(session, rounds[kind], clip, answer, file)
        entered += 1
    for row in rounds.values():
        row.closed = now()
    session.flush()
    if not entered:
        for row in rounds.values():
            session.delete(row)
    return Entered(entered, known, tuple(unmatched))


def _finder(recordings: Sequence[RecordingRow]) -> Callable[[CodedSample], RecordingRow | None]:
    names: dict[str, list[RecordingRow]] = {}
    for row in recordings:
        path = Path(row.path)
        keys = {row.trial, f"{row.session}/{row.trial}", path.name, path.stem, "/".join(path.parts[-2:])}
        for key in keys:
            names.setdefault(key.casefold(), []).append(row)

    def find(sample: CodedSample) -> RecordingRow | None:
        subject = sample.subject.casefold()
        for name in (sample.name, f"{sample.subject}/{sample.name}", f"sub{sample.subject}/{sample.name}"):
            found = names.get(name.casefold(), [])
            own = [row for row in found if (row.participant or "").casefold() == subject]
            if len(own or found) == 1:
                return (own or found)[0]
        return None

    return find


def _first_number(path: Path) -> int:
    """Number of a picture folder's first frame: sheets count by the names, and we from 0."""
    if (path / "zarr.json").is_file():
        return 0
    numbers = [int(match[1]) for entry in path.iterdir() if (match := _NUMBER.fullmatch(entry.name))]
    return min(numbers, default=0)


def _answers(sample: CodedSample, marks: KeyFrames) -> list[tuple[RoundKind, Answer]]:
    frames = KeyFrameAnswer(expression=True, onset=marks.onset, apex=marks.peak, offset=marks.offset)
    answers: list[tuple[RoundKind, Answer]] = [(RoundKind.KEYFRAMES, frames)]
    if sample.units:
        answers.append((RoundKind.UNITS, UnitsAnswer(units=[str(unit) for unit in sample.units])))
    if sample.emotion is not None:
        answers.append((RoundKind.EMOTION, EmotionAnswer(emotion=sample.emotion)))
    return answers


def _round(session: Session, kind: RoundKind, file: str) -> RoundRow:
    row = RoundRow(kind=kind.value, coders=0, seed=0, opened_by=f"import of {file}", opened=now(), closed=None)
    session.add(row)
    session.flush()
    return row


def _decide(session: Session, row: RoundRow, clip: ClipRow, answer: Answer, file: str) -> None:
    session.add(
        DecisionRow(
            round_id=row.id,
            clip_id=clip.id,
            by="import",
            answer=write_answer(answer),
            reason=f"from {file}",
            given=now(),
            software=software(),
        )
    )
