"""What else is known of a recording, as layers of the timeline: stimulus, self-reports, live spottings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from annotation.api_models import Candidate, SelfReport, StimulusSpan
from capture.errors import BadInput, CaptureError
from capture.recording.files import read_document
from capture.recording.reader import Recording
from capture.session import Session
from capture.session.events import EventLog
from capture.session.self_report import read_self_report
from expression import BadInput as UnknownLabel
from expression import Emotion, parse_emotion

LIVE_FILE: Final = "live.jsonl"
_MOST_CANDIDATES: Final = 20_000


@dataclass(frozen=True)
class Layers:
    """Frame numbers are those of the recording."""

    stimulus: tuple[StimulusSpan, ...] = ()
    self_reports: tuple[SelfReport, ...] = ()
    candidates: tuple[Candidate, ...] = ()


def read_layers(session_folder: Path, trial: str, stimuli: Mapping[str, Emotion] | None = None) -> Layers:
    """The layers of a trial; what is missing or damaged gives an empty layer.

    Args:
        session_folder: Folder of the session.
        trial: The trial.
        stimuli: Emotions of stimuli, which go before what the session says.
    """
    try:
        session = Session.open(session_folder)
        recording = session.recording(trial)
    except CaptureError:
        return Layers()
    rows = _event_rows(session, trial)
    reports = tuple(_marks(session_folder, trial, recording)) or tuple(_told(rows, recording))
    return Layers(
        stimulus=tuple(_spans(rows, recording, stimuli or {})),
        self_reports=tuple(sorted(reports, key=lambda report: report.frame)),
        candidates=tuple(_spotted(session_folder, trial, recording)),
    )


def _event_rows(session: Session, trial: str) -> list[dict[str, str]]:
    try:
        return [row for row in EventLog(session.path).rows() if row["trial"] == trial]
    except CaptureError:
        return []


def _spans(rows: list[dict[str, str]], recording: Recording, stimuli: Mapping[str, Emotion]) -> Iterator[StimulusSpan]:
    for row in rows:
        start, duration = _number(row["host_ns"]), _number(row["duration"])
        if row["trial_type"] != "stimulus" or start is None or duration is None:
            continue
        first = _nearest(recording, int(start))
        last = _nearest(recording, int(start + duration * 1e9))
        name = row["stim_id"]
        yield StimulusSpan(
            first_frame=first, last_frame=last, name=name, emotion=stimuli.get(name) or _emotion(row["target_emotion"])
        )


def _told(rows: list[dict[str, str]], recording: Recording) -> Iterator[SelfReport]:
    """Self-reports out of the event log, one row each."""
    for row in rows:
        time_ns = _number(row["host_ns"])
        if row["trial_type"] == "expression" and time_ns is not None:
            frame = _number(row["sample"])
            yield SelfReport(
                frame=_nearest(recording, int(time_ns)) if frame is None else int(frame),
                emotion=_emotion(row["value"]),
                intensity=_number(row["intensity"]),
            )


def _marks(session_folder: Path, trial: str, recording: Recording) -> Iterator[SelfReport]:
    """Self-reports out of the participant's own file."""
    try:
        report = read_self_report(session_folder).of_trial(trial)
    except CaptureError:
        return
    for mark in report.marks:
        if mark.frame < len(recording):
            yield SelfReport(frame=mark.frame, emotion=_emotion(mark.emotion), intensity=float(mark.intensity))


def _spotted(session_folder: Path, trial: str, recording: Recording) -> Iterator[Candidate]:
    """What the live service said of this trial: by the trial's name, or by the time where it names none."""
    try:
        lines = read_document(session_folder / LIVE_FILE).split(b"\n")
    except OSError:
        return
    for line in lines[:_MOST_CANDIDATES]:
        try:
            said = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        if not isinstance(said, dict) or not _is_of(said, trial, recording):
            continue
        onset, apex, offset = (said.get(name) for name in ("onset", "apex", "offset"))
        if not isinstance(onset, int) or not isinstance(offset, int) or not 0 <= onset <= offset < len(recording):
            continue
        emotion = said.get("emotion")
        chances = said.get("probabilities")
        chance = chances.get(emotion) if isinstance(chances, dict) else None
        yield Candidate(
            onset=onset,
            apex=apex if isinstance(apex, int) else None,
            offset=offset,
            emotion=emotion if isinstance(emotion, str) else None,
            probability=float(chance) if isinstance(chance, int | float) else None,
        )


def _is_of(said: dict[str, Any], trial: str, recording: Recording) -> bool:
    for name in ("trial", "recording"):
        if isinstance(said.get(name), str) and said[name]:
            return Path(said[name]).name.removesuffix(".zarr") == trial
    time_ns = said.get("host_ns")
    if not isinstance(time_ns, int) or not len(recording):
        return True
    # Said some time after the offset; the next trial starts later than that.
    return recording.time_of(0) <= time_ns <= recording.time_of(len(recording) - 1) + 2_000_000_000


def _nearest(recording: Recording, time_ns: int) -> int:
    try:
        return recording.frame_at(time_ns)
    except BadInput:
        return 0 if time_ns < recording.time_of(0) else len(recording) - 1


def _emotion(text: str) -> Emotion | None:
    try:
        return parse_emotion(text)
    except UnknownLabel:
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
