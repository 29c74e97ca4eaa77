"""Takes a participant out of a study: finds everything that is kept of them, removes it, leaves a tombstone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.participants import Registry
from capture.recording.repair import process_writing
from capture.session import SESSION_FILE, Session
from capture.study.export_ledger import Exported, ExportLedger
from capture.study.exported_tables import remove_lines

_BUNDLE_FILE: Final = "bundle.json"
Progress = Callable[[int, int, str], None]


class _Bundle(msgspec.Struct):
    """Of a model's `bundle.json`, what matters here."""

    name: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Everything that is kept of a participant, as far as the study's folder and its ledger tell."""

    participant: str
    sessions: tuple[Path, ...] = ()
    exports: tuple[Path, ...] = ()
    """Folders in exports."""
    tables: tuple[tuple[Path, str], ...] = ()
    """Tables of exports, and what the participant is called in them."""
    models: tuple[Path, ...] = ()
    """Models that have seen the participant: they must be trained again."""
    elsewhere: tuple[str, ...] = ()
    """What must be removed by hand: recordings on the storage machine, exports that are not there any more."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """What is removed."""
        return (*self.sessions, *self.exports)


@dataclass
class Removal:
    """What was removed."""

    participant: str
    sessions: int = 0
    files: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)
    """What could not be removed; without any the tombstone is set."""


def find_participant(pseudonym: str, study: Path, models: Sequence[Path] = ()) -> Found:
    """Find everything of a participant.

    Args:
        pseudonym: As in the registry.
        study: Folder of the sessions.
        models: Folders below which models are looked for, besides the study.

    Raises:
        BadInput: Neither the registry nor any session has them.
        CaptureError: One of their sessions is being recorded.
    """
    sessions = _sessions_of(pseudonym, study)
    if not sessions and pseudonym not in Registry(study).participants():
        raise BadInput(f"{study} has no participant {pseudonym!r}, and no session of theirs")
    elsewhere: list[str] = []
    for session in sessions:
        for trial in session.trials:
            place = session.path / trial.recording
            if place.is_symlink():
                elsewhere.append(f"{place} leads to {place.resolve()}")
            elif not place.exists():
                elsewhere.append(f"{session.path.name} {trial.name}: not here; look on the storage machine")
            elif (writer := process_writing(place)) is not None:
                raise CaptureError(f"process {writer} is recording {place}: stop it first")
    exports: list[Path] = []
    tables: list[tuple[Path, str]] = []
    for entry in ExportLedger(study).entries():
        _find_export(entry, pseudonym, exports, tables, elsewhere)
    return Found(
        pseudonym,
        tuple(session.path for session in sessions),
        tuple(dict.fromkeys(exports)),
        tuple(dict.fromkeys(tables)),
        _models_of(pseudonym, [study, *models]),
        tuple(dict.fromkeys(elsewhere)),
    )


def remove_participant(found: Found, study: Path, progress: Progress = lambda *_: None) -> Removal:
    """Enter the withdrawal, remove what was found, and leave the tombstone once all of it is gone.

    The withdrawal is entered first, so that no session can begin meanwhile, whatever happens to the rest.

    Args:
        found: What `find_participant` found.
        study: Folder of the sessions.
        progress: Told folders done, folders in all, and which.
    """
    registry, pseudonym = Registry(study), found.participant
    known = registry.participants().get(pseudonym)
    if known is None:
        registry.add(pseudonym)
    if known is None or known.withdrawn is None:
        registry.withdraw(pseudonym)
    removal = Removal(pseudonym)
    for number, folder in enumerate(found.folders):
        progress(number, len(found.folders), folder.name)
        files, size = _measured(folder)
        try:
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)
        except OSError as error:
            removal.failed.append(f"{error.filename or folder}: {error.strerror}")
            continue
        removal.files += files
        removal.bytes += size
        removal.sessions += folder in found.sessions
    for table, name in found.tables:
        try:
            remove_lines(table, name)
        except RecordingInvalid as error:
            removal.failed.append(str(error))
    if not removal.failed:
        registry.erased(pseudonym, sessions=removal.sessions, files=removal.files, size_bytes=removal.bytes)
    return removal


def _sessions_of(pseudonym: str, study: Path) -> list[Session]:
    found = []
    for file in sorted(study.glob(f"**/{SESSION_FILE}")):
        try:
            session = Session.open(file.parent)
        except RecordingInvalid:
            # A damaged one still says in its name whose it is.
            if file.parent.name.endswith(f"_{pseudonym}"):
                raise
            continue
        if session.record.participant == pseudonym:
            found.append(session)
    return found


def _find_export(
    entry: Exported,
    pseudonym: str,
    exports: list[Path],
    tables: list[tuple[Path, str]],
    elsewhere: list[str],
) -> None:
    """What one export holds of a participant; names that lead out of it are not followed."""
    out = Path(entry.out)
    parts = entry.paths.get(pseudonym)
    if parts is None:
        return
    if not out.is_dir():
        elsewhere.append(f"the export {out} of {entry.time} is not there any more: find where it went")
        return
    for part in parts:
        place = out / part
        if place.is_dir() and place.resolve().is_relative_to(out.resolve()) and place.resolve() != out.resolve():
            exports.append(place)
    name = entry.names.get(pseudonym)
    for table in entry.tables:
        place = out / table
        if name and place.is_file() and place.resolve().is_relative_to(out.resolve()):
            tables.append((place, name))


def _models_of(pseudonym: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    for folder in folders:
        for file in sorted(folder.glob(f"**/{_BUNDLE_FILE}")):
            try:
                bundle = msgspec.json.decode(file.read_bytes(), type=_Bundle)
            except (OSError, msgspec.DecodeError):
                continue
            if pseudonym in bundle.subjects:
                found[file.parent] = None
    return tuple(found)


def _measured(folder: Path) -> tuple[int, int]:
    files = size = 0
    for place, _, entries in os.walk(folder):
        for name in entries:
            files += 1
            size += os.lstat(Path(place) / name).st_size
    return files, size
