"""Takes a participant out of a study: finds everything that is kept of them, removes it, leaves a tombstone."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from capture.cache import crops_of, user_cache
from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.participants import Registry
from capture.recording.repair import process_writing
from capture.remote.storage_note import read_storage_note
from capture.session import SESSION_FILE, Session
from capture.session.claim import claim_folder, is_claimed
from capture.study.coding import Coding, withdraw_from_coding
from capture.study.export_ledger import Exported, ExportLedger
from capture.study.exported_tables import remove_lines
from capture.study.trained_on import has_seen, trained_on

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Found:
    """Everything that is kept of a participant, as far as the study tells."""

    participant: str
    sessions: tuple[Path, ...] = ()
    exports: tuple[Path, ...] = ()
    """Folders and files in exports, and other copies that were made outside of the sessions."""
    tables: tuple[tuple[Path, str], ...] = ()
    """Tables of exports, and what the participant is called in them."""
    caches: tuple[Path, ...] = ()
    """Folders of pictures that were cut for training."""
    coding: Coding = field(default_factory=Coding)
    """What annotation keeps."""
    database: str | None = None
    """URL of a database of annotation, beside those that the study knows of."""
    models: tuple[Path, ...] = ()
    """Models and runs that have seen the participant: they must be trained again."""
    elsewhere: tuple[str, ...] = ()
    """What must be removed by hand: recordings on the storage machine, exports that are not there any more."""
    running: tuple[str, ...] = ()
    """What must end before anything can be removed."""
    unreachable: tuple[str, ...] = ()
    """What could not be looked into: without it nobody is erased."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """What is removed."""
        return (*self.sessions, *self.exports, *self.caches)

    @property
    def left(self) -> tuple[str, ...]:
        """What a person has to see to."""
        trained = (f"{model} was trained on {self.participant}: train it again" for model in self.models)
        return (*self.elsewhere, *trained)


@dataclass
class Removal:
    """What was removed."""

    participant: str
    sessions: int = 0
    files: int = 0
    bytes: int = 0
    rows: int = 0
    """In databases of annotation."""
    failed: list[str] = field(default_factory=list)
    """What could not be removed; without any the tombstone is set."""


def find_participant(pseudonym: str, study: Path, models: Sequence[Path] = (), *, database: str | None = None) -> Found:
    """Find everything of a participant.

    Args:
        pseudonym: As in the registry.
        study: Folder of the sessions.
        models: Folders below which models are looked for, besides the study.
        database: URL of a database of annotation, beside those that the study knows of.

    Raises:
        BadInput: Neither the registry nor any session has them.
        RecordingInvalid: One of their sessions, or what the study keeps of exports, is damaged.
    """
    sessions, known = _sessions_of(pseudonym, study), Registry(study).participants().get(pseudonym)
    if not sessions and known is None:
        raise BadInput(f"{study} has no participant {pseudonym!r}, and no session of theirs")
    elsewhere: list[str] = list(known.left_over) if known is not None else []
    for session in sessions:
        elsewhere += _lying_elsewhere(session, pseudonym)
    exports: list[Path] = []
    tables: list[tuple[Path, str]] = []
    seen = list(trained_on(pseudonym, [study, *models]))
    for entry in _still_theirs(ExportLedger(study).entries(), pseudonym):
        if entry.trained:
            seen += [Path(entry.out)] if has_seen(Path(entry.out), pseudonym) else []
        else:
            _find_export(entry, pseudonym, exports, tables, elsewhere)
    coding = Coding()
    unreachable: list[str] = []
    try:
        coding = withdraw_from_coding(study, pseudonym, database, dry_run=True)
        unreachable += coding.problems
    except CaptureError as error:
        unreachable.append(str(error))
    for one in coding.databases:
        elsewhere += [f"{place}: seems to be theirs by its name" for place in one.folders if Path(place).exists()]
        if one.coders:
            who = ", ".join(one.coders)
            elsewhere.append(f"pictures in the browsers of {who} go within seven days, or when the cache is emptied")
    crops = user_cache("crops") / crops_of(pseudonym)
    return Found(
        pseudonym,
        tuple(session.path for session in sessions),
        tuple(dict.fromkeys(exports)),
        tuple(dict.fromkeys(tables)),
        (crops,) if crops.is_dir() else (),
        coding,
        database,
        tuple({place.resolve(): place for place in seen}.values()),
        tuple(dict.fromkeys(elsewhere)),
        tuple(_running(session) for session in sessions if _running(session)),
        tuple(unreachable),
    )


def remove_participant(found: Found, study: Path, progress: Progress = lambda *_: None) -> Removal:
    """Enter the withdrawal, remove what was found, and leave the tombstone once all of it is gone.

    The withdrawal is entered first, so that no session can begin meanwhile, whatever happens to the rest.

    Args:
        found: What `find_participant` found.
        study: Folder of the sessions.
        progress: Told folders done, folders in all, and which.

    Raises:
        CaptureError: One of their sessions is running; nothing was removed.
    """
    if found.running:
        raise CaptureError(f"{found.running[0]}: end that first; nothing was removed")
    registry, pseudonym = Registry(study), found.participant
    known = registry.participants().get(pseudonym)
    if known is None:
        registry.add(pseudonym)
    if known is None or known.withdrawn is None:
        registry.withdraw(pseudonym)
    removal = Removal(pseudonym)
    for number, folder in enumerate(found.folders):
        progress(number, len(found.folders), folder.name)
        _remove(folder, removal, is_session=folder in found.sessions)
    for table, name in found.tables:
        try:
            remove_lines(table, name)
        except RecordingInvalid as error:
            removal.failed.append(str(error))
    if any(one.rows or one.problem for one in found.coding.databases) or found.coding.files or found.unreachable:
        progress(len(found.folders), len(found.folders), "what was coded")
        try:
            coding = withdraw_from_coding(study, pseudonym, found.database, dry_run=False)
            removal.rows = sum(sum(one.rows.values()) for one in coding.databases)
            removal.failed += coding.problems
        except CaptureError as error:
            removal.failed.append(str(error))
    if not removal.failed:
        registry.erased(
            pseudonym,
            sessions=removal.sessions,
            files=removal.files,
            size_bytes=removal.bytes,
            left_over=found.left,
        )
    return removal


def _remove(folder: Path, removal: Removal, *, is_session: bool) -> None:
    files, size = _measured(folder)
    try:
        # Held until it is gone: a session that wants to go on meanwhile is refused.
        claim = claim_folder(folder) if is_session else None
        if is_session and claim is None:
            removal.failed.append(f"{folder} is in use")
            return
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        removal.failed.append(f"{error.filename or folder}: {error.strerror}")
        return
    removal.files += files
    removal.bytes += size
    removal.sessions += is_session


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


def _running(session: Session) -> str:
    """What is under way in a session, or nothing."""
    if is_claimed(session.path):
        return f"the session {session.path} is running"
    for trial in session.trials:
        place = session.path / trial.recording
        if place.exists() and (writer := process_writing(place)) is not None:
            return f"process {writer} is recording {place}"
    return ""


def _lying_elsewhere(session: Session, pseudonym: str) -> list[str]:
    """Recordings of a session that are not in its folder."""
    found = []
    away = 0
    for trial in session.trials:
        place = session.path / trial.recording
        if place.is_symlink():
            found.append(f"{place} leads to {place.resolve()}")
        away += not place.exists() and not place.is_symlink()
    note = read_storage_note(session.path)
    here = str(session.path.absolute().parent)
    if note is not None and (note.host, note.folder) != (socket.gethostname(), here):
        # Also where nothing seems to be away: the small files of the session were copied there.
        found.append(f"on {note.host} ({note.address}): dfme-session withdraw {pseudonym} --study {note.folder}")
    elif note is None and away:
        found.append(
            f"{away} recordings are not here; where they lie, such as on the storage machine: "
            f"dfme-session withdraw {pseudonym} --study FOLDER"
        )
    return found


def _still_theirs(entries: Sequence[Exported], pseudonym: str) -> list[Exported]:
    """Entries with something of a participant, without what was made anew at the same place for others alone."""
    owners: dict[str, set[str]] = {}
    for entry in entries:
        for part in {part for parts in entry.paths.values() for part in parts}:
            owners[f"{entry.out}/{part}"] = {who for who, parts in entry.paths.items() if part in parts}
    found = []
    for entry in entries:
        if pseudonym not in entry.paths:
            continue
        parts = [part for part in entry.paths[pseudonym] if pseudonym in owners[f"{entry.out}/{part}"]]
        if parts or not entry.paths[pseudonym]:
            found.append(msgspec.structs.replace(entry, paths={pseudonym: parts}))
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
    if not out.is_dir():
        elsewhere.append(f"the export {out} of {entry.time} is not there any more: find where it went")
        return
    for part in entry.paths[pseudonym]:
        place = out / part
        if place.exists() and place.resolve().is_relative_to(out.resolve()) and place.resolve() != out.resolve():
            exports.append(place)
    name = entry.names.get(pseudonym)
    for table in entry.tables:
        place = out / table
        if name and place.is_file() and place.resolve().is_relative_to(out.resolve()) and _has_lines(place, name):
            tables.append((place, name))


def _has_lines(table: Path, name: str) -> bool:
    try:
        return remove_lines(table, name, only_count=True) > 0
    except RecordingInvalid:
        # Whoever removes them says what is wrong with it.
        return True


def _measured(folder: Path) -> tuple[int, int]:
    files = size = 0
    if not folder.is_dir() or folder.is_symlink():
        with contextlib.suppress(OSError):
            return 1, os.lstat(folder).st_size
    for place, _, entries in os.walk(folder):
        for name in entries:
            files += 1
            size += os.lstat(Path(place) / name).st_size
    return files, size
