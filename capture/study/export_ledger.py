"""Where copies of a participant's data went: `exports.jsonl` in the study's folder, a line for each export."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from capture.errors import FolderUnusable, RecordingInvalid
from capture.participants import Registry
from capture.recording.files import read_document
from capture.session import Session

LEDGER_FILE: Final = "exports.jsonl"
MANIFEST_FILE: Final = "manifest.json"
"""Of an export for use in the lab: says in `sessions` which study it is from."""


class Exported(msgspec.Struct, frozen=True):
    """One export, as it was about to be written."""

    what: str
    """What was made, such as `bids`."""
    time: str
    """UTC, ISO 8601."""
    out: str
    """Folder of the export, absolute."""
    paths: dict[str, list[str]]
    """For each participant what is theirs in it, relative to `out`; what a withdrawal removes."""
    tables: tuple[str, ...] = ()
    """Tables with lines of participants, relative to `out`; a withdrawal removes theirs. See `exported_tables`."""
    names: dict[str, str] = {}
    """What each participant is called in the export."""
    shift_days: dict[str, int] = {}
    """How far each participant's dates were moved; the same in every export."""
    trained: bool = False
    """Whether `out` is a model, or a run of training, that has seen those in `paths`: it is to be trained again."""


class ExportLedger:
    """The ledger of one study. Entries are only ever added."""

    def __init__(self, study: Path) -> None:
        self.path = study / LEDGER_FILE

    def add(self, entry: Exported) -> None:
        """Enter an export; to be called before its first file is written, so that none is ever missing here.

        Raises:
            FolderUnusable: The ledger cannot be written: nothing may be exported then.
        """
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                os.write(fd, msgspec.json.encode(entry) + b"\n")
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise FolderUnusable(f"cannot write {self.path}: {error.strerror}") from error

    def entries(self) -> list[Exported]:
        """Every export, in order; empty where there was none.

        Raises:
            RecordingInvalid: The ledger is damaged; names the line.
        """
        try:
            data = read_document(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RecordingInvalid(f"cannot read {self.path}: {error.strerror}") from error
        entries = []
        for number, line in enumerate(data.split(b"\n")[:-1], start=1):
            try:
                entries.append(msgspec.json.decode(line, type=Exported))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise RecordingInvalid(f"{self.path}, line {number}, is damaged: {error}") from None
        return entries

    def shift_days(self) -> dict[str, int]:
        """How far each participant's dates were moved so far."""
        return {name: days for entry in self.entries() for name, days in entry.shift_days.items()}


def enter_copy(recording: Path, copy: Path, what: str) -> None:
    """Enter a file or folder that is about to be made from a recording of a session, where it lies outside of that.

    Copies of what belongs to no session, or to nobody in particular, are not entered.

    Raises:
        FolderUnusable: The ledger cannot be written: nothing may be made then.
    """
    try:
        session = Session.open(recording)
    except RecordingInvalid:
        return
    participant, place = session.record.participant, copy.absolute()
    if participant is None or place.resolve().is_relative_to(session.path.resolve()):
        return
    ledger = ExportLedger(study_of(session.path))
    ledger.add(Exported(what, now_utc(), str(place.parent), {participant: [place.name]}))


def enter_trained(study: Path, out: Path, subjects: Iterable[str]) -> bool:
    """Enter a model, or a run of training, that is about to see participants of a study; whether it could be entered.

    Training may go on elsewhere than where the study is; the model itself names its subjects as well.
    """
    if not study.is_dir():
        return False
    seen: dict[str, list[str]] = {subject.rpartition("/")[2]: [] for subject in subjects}
    try:
        ExportLedger(study).add(Exported("model", now_utc(), str(out.absolute()), seen, trained=True))
    except FolderUnusable:
        return False
    return True


def study_of(session: Path) -> Path:
    """The study that a session belongs to: where its registry of participants is, else the folder around it."""
    registry = Registry.around(session)
    return registry.path.parent if registry is not None else session.absolute().parent


def now_utc() -> str:
    """The wall clock for an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")
