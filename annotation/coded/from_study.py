"""The expressions that a study's rounds have settled."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from annotation.coded.sample import CodedSample
from annotation.outcomes import Outcomes
from annotation.store.schema import ClipRow, RecordingRow
from expression import parse_units


def study_samples(session: Session, outcomes: Outcomes) -> list[CodedSample]:
    """Every clip with settled key-frames that hold an expression, by participant and place in the recording.

    Units and emotion are there as far as they are settled. Clips that were cut anew, and those of recordings that are
    gone, are left out.
    """
    states = outcomes.states(session)
    rows = session.execute(
        select(ClipRow, RecordingRow)
        .join(RecordingRow, RecordingRow.id == ClipRow.recording_id)
        .where(ClipRow.retired.is_(None), RecordingRow.missing.is_(False))
    )
    samples = []
    for clip, recording in rows:
        state = states.get(clip.id)
        if state is None or state.marks is None:
            continue
        samples.append(
            CodedSample(
                subject=subject_of(recording),
                name=f"{recording.session}/{recording.trial}" if recording.session else recording.trial,
                key_frames=state.marks,
                rate_fps=recording.rate_fps,
                emotion=state.label,
                units=parse_units("+".join(state.units.units)) if state.units else (),
                clip_id=clip.id,
                recording=recording.path,
                clip_frames=(clip.first_frame, clip.last_frame),
                resolution=(recording.width_px, recording.height_px),
            )
        )
    return sorted(samples, key=lambda one: (one.subject, one.recording, one.key_frames.onset))


def subject_of(recording: RecordingRow) -> str:
    """The participant's pseudonym; where nobody entered one, every session is somebody of their own."""
    return recording.participant or f"session-{recording.session or recording.trial}"
