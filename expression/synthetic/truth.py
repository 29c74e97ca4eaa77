"""What is true of a synthetic recording, as files beside it: every event, and every intensity in every frame."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from expression.action_units import ActionUnit, CodedUnit, Side
from expression.emotions import Emotion
from expression.errors import BadInput
from expression.keyframes import KeyFrames
from expression.synthetic.performance import Event, EventKind, Performance
from expression.synthetic.state import UNITS, FaceTrack
from expression.unit_notation import format_units

FORMAT_VERSION: Final = 1
SPOTTING_COLUMNS: Final = ("subject", "file", "onset", "apex", "offset", "kind", "emotion", "AUs")
EXPRESSION_KINDS: Final = ("micro", "macro")
_DIGITS = 4


class UnitTruth(msgspec.Struct, frozen=True):
    """One action unit of an expression."""

    unit: int
    """FACS number."""
    side: str
    """`L`, `R`, or empty for both halves."""
    left: float
    """Intensity at the apex on the participant's left half, 0 to 1 (FACS level E)."""
    right: float

    @property
    def coded(self) -> CodedUnit:
        """The unit as a coder marks it."""
        return CodedUnit(ActionUnit(self.unit), Side(self.side))


class EventTruth(msgspec.Struct, frozen=True):
    """Something that happened; frame numbers count from the recording's first frame, 0."""

    kind: EventKind
    onset: int
    """First frame of the movement."""
    apex: int
    """Frame of the greatest change; for a gaze shift or a new posture, which stay, the last frame."""
    offset: int
    """Last frame of the movement."""
    emotion: str | None = None
    units: tuple[UnitTruth, ...] = ()

    @property
    def key_frames(self) -> KeyFrames:
        """Onset, apex and offset."""
        return KeyFrames(self.onset, self.apex, self.offset)

    @property
    def unit_list(self) -> str:
        """The units as DFME writes them, `L2+4`."""
        return format_units(unit.coded for unit in self.units)


class RecordingTruth(msgspec.Struct, frozen=True):
    """All that is known of one recording."""

    subject: str
    """`sub0001`."""
    name: str
    """`sub0001_01`."""
    identity_seed: int
    """What the face follows from."""
    performance_seed: tuple[int, ...]
    """What the movement follows from."""
    rate_fps: float
    frames: int
    events: tuple[EventTruth, ...]
    """In order of onsets."""
    version: int = FORMAT_VERSION

    @property
    def expressions(self) -> tuple[EventTruth, ...]:
        """Micro- and macro-expressions."""
        return tuple(event for event in self.events if event.kind in EXPRESSION_KINDS)


def event_truths(performance: Performance, rate_fps: float) -> tuple[EventTruth, ...]:
    """The events of a performance in frames of a rate."""
    return tuple(_event(event) for event in performance.events(rate_fps))


def write_truth(folder: Path, truth: RecordingTruth, track: FaceTrack) -> None:
    """Writes `<name>.npz`, every array of the track by its name, and then `<name>.json`; both appear whole."""
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    arrays = {entry.name: getattr(track, entry.name) for entry in fields(FaceTrack)}
    np.savez_compressed(packed, units=np.array([unit.value for unit in UNITS], np.uint8), **arrays)
    write_whole(folder / f"{truth.name}.npz", packed.getvalue())
    write_whole(folder / f"{truth.name}.json", msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")


def read_truth(path: Path) -> RecordingTruth:
    """The truth in a `.json` file.

    Raises:
        BadInput: The file cannot be read, or is not such a file.
    """
    try:
        truth = msgspec.json.decode(path.read_bytes(), type=RecordingTruth)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} is not the truth of a synthetic recording: {error}") from error
    if truth.version != FORMAT_VERSION:
        raise BadInput(f"{path} has version {truth.version}, this reads version {FORMAT_VERSION}: synthesize it again")
    return truth


def read_track(path: Path) -> FaceTrack:
    """The intensities in a `.npz` file.

    Raises:
        BadInput: The file cannot be read, or is not such a file.
    """
    try:
        with np.load(path) as stored:
            return FaceTrack(**{entry.name: stored[entry.name] for entry in fields(FaceTrack)})
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} does not hold the intensities of a synthetic recording: {error}") from error


def write_spotting_table(path: Path, recordings: Iterable[tuple[str, RecordingTruth]]) -> None:
    """Writes a CSV with one row per expression, `SPOTTING_COLUMNS`; frames count from 0.

    Args:
        path: The file; it appears whole.
        recordings: Name of the recording's file, and what is true of it.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(SPOTTING_COLUMNS)
    for file, truth in recordings:
        for event in truth.expressions:
            rows.writerow(
                (truth.subject, file, event.onset, event.apex, event.offset, event.kind, event.emotion, event.unit_list)
            )
    write_whole(path, text.getvalue().encode())


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that is either there with all its content, or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _event(event: Event) -> EventTruth:
    key_frames, emotion = event.key_frames, event.emotion
    return EventTruth(
        kind=event.kind,
        onset=key_frames.onset,
        apex=key_frames.peak,
        offset=key_frames.offset,
        emotion=None if emotion is None else Emotion(emotion).value,
        units=tuple(
            UnitTruth(
                motion.coded.unit.value,
                motion.coded.side.value,
                round(motion.left, _DIGITS),
                round(motion.right, _DIGITS),
            )
            for motion in event.motions
        ),
    )
