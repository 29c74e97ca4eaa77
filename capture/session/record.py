"""What `session.json` holds: the session, its trials, and how it was elicited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from capture.errors import RecordingInvalid
from capture.recording.attributes import Count, MonitorLedger, read_json
from capture.recording.reader import Recording
from capture.statistics import LossLedger

SESSION_FORMAT: Final = "1.0"
SESSION_FILE: Final = "session.json"


class TrialEntry(msgspec.Struct, frozen=True):
    """One trial as `session.json` has it; figures are None until the trial has ended."""

    name: str
    recording: str
    """Path of the recording, relative to the session folder."""
    started: str = ""
    """Wall clock, ISO 8601 with zone."""
    seconds: float | None = None
    frames: Count | None = None
    fps: float | None = None
    lost: LossLedger | None = None
    reason: str | None = None
    monitor: MonitorLedger | None = None
    """What the operator's monitor showed last."""
    kind: str = ""
    """What was recorded: `baseline` or `stimulus`; empty for a trial that the operator started."""
    stimulus: str | None = None
    """Stimulus id of what was shown."""


class ElicitationEntry(msgspec.Struct, frozen=True):
    """What the participant was to be shown, and whether all of it was."""

    protocol: str
    protocol_sha256: str
    """Of the protocol's text: a session goes on with the protocol that it was begun with."""
    seed: int
    stimuli: tuple[str, ...] = ()
    """Stimulus ids in the order of presentation."""
    finished: bool = False


class SessionRecord(msgspec.Struct, frozen=True):
    """`session.json`."""

    format: str
    software: str = ""
    created: str = ""
    """Wall clock, ISO 8601 with zone."""
    host: str = ""
    participant: str | None = None
    """Pseudonym; never a name."""
    hardware: str | dict[str, Any] = ""
    trials: tuple[TrialEntry, ...] = ()
    elicitation: ElicitationEntry | None = None


@dataclass(frozen=True)
class FramePlace:
    """A frame of a session."""

    trial: str
    frame: int
    recording: Path


def read_record(folder: Path) -> tuple[SessionRecord, dict[str, Any]]:
    """What `session.json` in `folder` says: typed, and as it stands there, with the keys that others put there.

    Raises:
        RecordingInvalid: It is damaged, of another format, or names a recording outside the folder.
    """
    path = folder / SESSION_FILE
    raw = read_json(path)
    try:
        record = msgspec.convert(raw, SessionRecord)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RecordingInvalid(f"{path} is damaged: {error}") from None
    if record.format.split(".", maxsplit=1)[0] != SESSION_FORMAT.split(".", maxsplit=1)[0]:
        raise RecordingInvalid(
            f"{folder} has format {record.format!r}, this dfme reads {SESSION_FORMAT}: "
            "install the dfme that it was made with"
        )
    for trial in record.trials:
        place = Path(trial.recording)
        if place.is_absolute() or ".." in place.parts or not trial.recording or "\0" in trial.recording:
            raise RecordingInvalid(f"{path} is damaged: trial {trial.name!r} lies outside the session")
    return record, raw


def ended_as_recorded(entry: TrialEntry, recording: Recording) -> TrialEntry:
    """The entry of a trial that nobody ended in `session.json`, with what its recording knows of the end."""
    end, recorder = recording.attributes.ledger.end, recording.attributes.ledger.recorder
    seconds = recording.seconds
    lost = None
    if end is not None and recorder is not None:
        lost = msgspec.structs.replace(end.losses, disk=recorder.lost_disk)
    return msgspec.structs.replace(
        entry,
        seconds=seconds,
        frames=len(recording),
        fps=len(recording) / seconds if seconds > 0 else 0.0,
        lost=lost,
        reason=end.reason if end is not None else "killed",
    )
