"""What `session.json` holds: the session, its trials, and how it was elicited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from capture.recording.attributes import Count, MonitorLedger
from capture.statistics import LossLedger


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
