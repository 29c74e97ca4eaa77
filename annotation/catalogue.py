"""Finds the recordings of a study: those of sessions, and arrays or picture folders that came from elsewhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as DatabaseSession

from annotation.store.schema import RecordingRow
from annotation.study import WORK_FOLDER, Study
from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.participants import Registry
from capture.recording.files import read_document
from capture.recording.frame_pictures import FramePictures
from capture.session import SESSION_FILE, Session
from capture.session.events import EventLog
from expression import BadInput as UnknownLabel
from expression import Emotion, parse_emotion

_NUMBERED: Final = re.compile(r"(?:.*?)\d+\.(?:png|jpe?g|bmp)", re.IGNORECASE)
_DEEPEST: Final = 4
_DATASET_FILE: Final = "dataset.json"
"""Of `dfme-train synthesize`: says the rate."""


@dataclass(frozen=True)
class Found:
    """A recording as it lies on disk."""

    path: str
    """Relative to the study's folder, with slashes."""
    session: str
    """Empty for what came from elsewhere."""
    trial: str
    participant: str | None
    frames: int
    rate_fps: float
    width_px: int
    height_px: int
    stimulus: str | None = None
    stimulus_emotion: Emotion | None = None


@dataclass(frozen=True)
class Scan:
    """What was found, and a line for each recording that cannot be coded."""

    recordings: tuple[Found, ...]
    problems: tuple[str, ...]


def scan(root: Path, study: Study) -> Scan:
    """Look for recordings in a folder of sessions, or in one session; those of participants who withdrew are left out.

    Raises:
        BadInput: The folder is not there.
        RecordingInvalid: The registry of participants is damaged.
    """
    checked(root)
    registry = Registry.around(root)
    withdrawn = {one.pseudonym for one in registry.participants().values() if one.withdrawn} if registry else set()
    found: list[Found] = []
    problems: list[str] = []
    for folder in _folders(root):
        try:
            if (folder / SESSION_FILE).is_file():
                _of_session(root, folder, study, found, problems)
            else:
                found.append(_of_elsewhere(root, folder, study))
        except CaptureError as error:
            problems.append(str(error))
    gone = {one.participant for one in found} & withdrawn
    problems += [f"{name} withdrew: their recordings are not coded" for name in sorted(map(str, gone))]
    return Scan(tuple(one for one in found if one.participant not in gone), tuple(problems))


def checked(root: Path) -> None:
    """Refuse what is not a folder.

    Raises:
        BadInput: It is none.
    """
    if not root.is_dir():
        raise BadInput(f"{root} is not a folder: give the folder in which the sessions are")


def enter(session: DatabaseSession, scanned: Scan) -> int:
    """Bring the table of recordings up to date; returns how many are new. What is gone is marked as missing."""
    known = {row.path: row for row in session.scalars(select(RecordingRow))}
    new = 0
    for one in scanned.recordings:
        row = known.pop(one.path, None)
        if row is None:
            row = RecordingRow(path=one.path)
            session.add(row)
            new += 1
        row.session, row.trial, row.participant = one.session, one.trial, one.participant
        row.frames, row.rate_fps = one.frames, one.rate_fps
        row.width_px, row.height_px = one.width_px, one.height_px
        row.stimulus = one.stimulus
        row.stimulus_emotion = one.stimulus_emotion.value if one.stimulus_emotion else None
        row.missing = False
    for gone in known.values():
        gone.missing = True
    session.flush()
    return new


def _folders(root: Path) -> Iterator[Path]:
    """Sessions, arrays and folders of pictures, in the order of their names; nothing inside of one."""
    for folder, names, files in os.walk(root, followlinks=False):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        names.sort()
        if SESSION_FILE in files or "zarr.json" in files or sum(map(bool, map(_NUMBERED.fullmatch, files))) > 1:
            names.clear()
            yield here
            continue
        names[:] = [name for name in names if not name.startswith(".") and name != WORK_FOLDER and depth < _DEEPEST]


def _of_session(root: Path, folder: Path, study: Study, found: list[Found], problems: list[str]) -> None:
    session = Session.open(folder)
    targets = _targets(session)
    for trial in session.trials:
        try:
            recording = session.recording(trial.name)
        except RecordingInvalid as error:
            problems.append(str(error))
            continue
        rate = nominal_rate(recording.rate_fps) or study.default_rate_fps
        if rate is None or not len(recording):
            problems.append(f"{recording.path} has no frames or no rate: it cannot be coded")
            continue
        shown = targets.get(trial.name, {})
        # What the operator started by hand has no stimulus in `session.json`; the log tells what was shown in it.
        stimulus = trial.stimulus or (next(iter(shown)) if len(shown) == 1 else None)
        emotion = study.stimuli.get(stimulus) if stimulus else None
        found.append(
            Found(
                path=(folder / trial.recording).relative_to(root).as_posix(),
                session=folder.absolute().name,
                trial=trial.name,
                participant=session.record.participant,
                frames=len(recording),
                rate_fps=rate,
                width_px=recording.width_px,
                height_px=recording.height_px,
                stimulus=stimulus,
                stimulus_emotion=emotion or shown.get(stimulus or ""),
            )
        )


def _targets(session: Session) -> dict[str, dict[str, Emotion | None]]:
    """By trial, the stimuli that the event log names, and the emotions that they are meant to evoke."""
    found: dict[str, dict[str, Emotion | None]] = {}
    try:
        rows = EventLog(session.path).rows()
    except CaptureError:
        return {}
    for row in rows:
        if row["trial_type"] == "stimulus":
            try:
                emotion = parse_emotion(row["target_emotion"])
            except UnknownLabel:
                emotion = None
            found.setdefault(row["trial"], {})[row["stim_id"]] = emotion
    return found


def _of_elsewhere(root: Path, folder: Path, study: Study) -> Found:
    pictures = FramePictures(folder)
    rate = nominal_rate(pictures.rate_fps) or _dataset_rate(root, folder) or study.default_rate_fps
    if rate is None:
        raise BadInput(f"{folder} does not say its rate: set default_rate_fps in annotation.toml")
    name = folder.name.removesuffix(".zarr")
    return Found(
        path=folder.relative_to(root).as_posix(),
        session="",
        trial=name,
        # `sub0001_03` is the third clip of sub0001; without an underscore the folder may be of anybody.
        participant=name.rsplit("_", 1)[0] if "_" in name else None,
        frames=pictures.count,
        rate_fps=rate,
        width_px=pictures.width_px,
        height_px=pictures.height_px,
    )


def nominal_rate(rate_fps: float) -> float:
    """The rate that was meant where a camera rounded it: 499.98 is 500, since rules count in whole frames."""
    whole = round(rate_fps)
    return float(whole) if whole and abs(rate_fps - whole) < 0.001 * whole else rate_fps


def _dataset_rate(root: Path, folder: Path) -> float | None:
    for parent in folder.parents:
        try:
            content = json.loads(read_document(parent / _DATASET_FILE, 1 << 20))
        except (OSError, ValueError):
            content = None
        rate = content.get("rate_fps") if isinstance(content, dict) else None
        if isinstance(rate, int | float) and rate > 0:
            return float(rate)
        if parent == root:
            break
    return None
