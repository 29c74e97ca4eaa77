"""Keeps with a session where its recordings went: needed when a participant withdraws, long after."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from capture.recording.files import read_document, write_whole

NOTE_FILE: Final = "log/storage.json"
_MOST_BYTES: Final = 1 << 16


class StorageNote(msgspec.Struct, frozen=True):
    """A storage machine, as it introduced itself."""

    host: str
    address: str
    folder: str
    """Where sessions go there."""


def write_storage_note(session: Path, note: StorageNote) -> None:
    """Keep the note in a session's folder; a session that cannot be written says so elsewhere."""
    if read_storage_note(session) != note:
        with contextlib.suppress(OSError):
            write_whole(session / NOTE_FILE, msgspec.json.encode(note) + b"\n")


def read_storage_note(session: Path) -> StorageNote | None:
    """Where the recordings of a session went; None where nothing is known of that."""
    try:
        return msgspec.json.decode(read_document(session / NOTE_FILE, _MOST_BYTES), type=StorageNote)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
