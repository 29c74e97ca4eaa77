"""The small files of a session, from the capture machine's folder into the storage machine's, and nowhere else."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from capture.errors import CaptureError, FolderUnusable, RecordingInvalid
from capture.recording.attributes import read_json
from capture.recording.output import sync_folder
from capture.remote.wire import CHUNK_BYTES, LARGEST_FILE_BYTES, SessionFile, Stored, is_small_file
from capture.session import SESSION_FILE, Session

_MOST_FILES = 10_000


def identity(folder: Path) -> str:
    """What tells `folder` from every other folder on every machine, as long as that is not restarted."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    at = folder.stat()
    return f"{boot}:{at.st_dev}:{at.st_ino}"


def small_files(folder: Path) -> Iterator[str]:
    """Names, relative to the session folder, of the files that are copied: all but recordings and what is half made."""
    candidates = [entry for entry in sorted(folder.iterdir()) if is_small_file(entry.name)]
    for entry in candidates:
        if entry.is_dir() and not entry.is_symlink():
            yield from (
                name for inner in sorted(entry.iterdir()) if _is_copied(inner, name := f"{entry.name}/{inner.name}")
            )
        elif _is_copied(entry, entry.name):
            yield entry.name


def _is_copied(path: Path, name: str) -> bool:
    status = path.lstat()
    return is_small_file(name) and stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_FILE_BYTES


class FolderCopy:
    """The capture machine's side: which files of a session changed, and their pieces, one at a time.

    Stop and wait: the next piece is given when the last was stored, so nothing piles up anywhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sent: dict[str, tuple[int, int]] = {}
        self._queue: list[str] = []
        self._open: tuple[str, bytes, tuple[int, int]] | None = None

    @property
    def busy(self) -> bool:
        """Whether a piece is on its way."""
        return self._open is not None

    def begin(self) -> SessionFile | None:
        """Look for files that changed since they were last stored; the first piece of the first, if any."""
        if self._open is None:
            names = list(small_files(self.folder))[:_MOST_FILES]
            self._queue = [name for name in names if self._sent.get(name) != self._version(name)]
        return self._next_file()

    def again(self) -> None:
        """The connection is a new one: a file that was on its way is sent from its start."""
        self._open = None

    def stored(self, answer: Stored) -> SessionFile | None:
        """The answer to the last piece; returns the next, or None when all is stored."""
        if self._open is None or self._open[0] != answer.name:
            return None
        name, data, version = self._open
        if not answer.error and answer.offset < len(data):
            return self._piece(name, data, answer.offset)
        self._open = None
        self._sent[name] = version
        return self._next_file()

    def _next_file(self) -> SessionFile | None:
        while self._queue:
            name = self._queue.pop(0)
            try:
                version = self._version(name)
                data = (self.folder / name).read_bytes()
            except OSError:
                continue
            self._open = (name, data, version)
            return self._piece(name, data, 0)
        return None

    def _version(self, name: str) -> tuple[int, int]:
        try:
            status = (self.folder / name).stat()
        except OSError:
            return (0, -1)
        return status.st_mtime_ns, status.st_size

    @staticmethod
    def _piece(name: str, data: bytes, offset: int) -> SessionFile:
        return SessionFile(name, len(data), offset, data[offset : offset + CHUNK_BYTES])


class SessionStore:
    """The storage machine's side: one session's folder below `out`; writes there and nowhere else."""

    def __init__(self, out: Path, name: str) -> None:
        self.path = out / name
        self._file: BinaryIO | None = None
        self._name = ""

    def open(self, record: bytes, their_folder: str) -> None:
        """Make the folder with its `session.json`, or find it again.

        Raises:
            CaptureError: The folder is another session's, or is the capture machine's own.
            FolderUnusable: It cannot be made.
        """
        try:
            if self.path.is_dir():
                if identity(self.path) == their_folder:
                    raise CaptureError(f"both machines write into {self.path}: give dfme-record another --out")
                self._check_same(record)
            else:
                self.path.mkdir(parents=True)
                sync_folder(self.path.parent)
            (self.path / "recordings").mkdir(exist_ok=True)
            self._write_whole(SESSION_FILE, record)
        except OSError as error:
            raise FolderUnusable(f"cannot write {self.path}: {error.strerror}") from error
        try:
            Session.open(self.path)
        except RecordingInvalid as error:
            raise CaptureError(f"the session's record cannot be used: {error}") from None

    def store(self, piece: SessionFile) -> Stored:
        """Write one piece of a small file; the file appears under its name when it is whole."""
        try:
            return Stored(piece.name, self._store(piece))
        except OSError as error:
            self._drop()
            return Stored(piece.name, piece.offset, error.strerror or str(error))

    def settle(self) -> None:
        """Give the session's events their places in the recordings, which only this machine has."""
        try:
            Session.open(self.path).settle_events()
        except (CaptureError, OSError):
            # The log is whole as it came; times in it are absolute too.
            return

    def close(self) -> None:
        """Drop what is half there."""
        self._drop()

    def _store(self, piece: SessionFile) -> int:
        if piece.offset == 0:
            self._drop()
            target = self.path / piece.name
            if target.parent != self.path:
                target.parent.mkdir(exist_ok=True)
            self._file = _open_partial(target)
            self._name = piece.name
        if self._file is None or self._name != piece.name or self._file.tell() != piece.offset:
            raise OSError(None, "a piece that does not follow the one before")
        self._file.write(piece.data)
        end = piece.offset + len(piece.data)
        if end == piece.size:
            _finish(self._file, self.path / piece.name)
            self._file = None
        return end

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            partial = self.path / self._name
            partial.with_name(partial.name + ".partial").unlink(missing_ok=True)

    def _check_same(self, record: bytes) -> None:
        """Two capture machines may begin sessions of the same name in the same second."""
        try:
            offered = json.loads(record)
            same = isinstance(offered, dict) and all(
                read_json(self.path / SESSION_FILE).get(key) == offered.get(key) for key in ("created", "host")
            )
        except (ValueError, RecursionError, AttributeError, RecordingInvalid):
            same = False
        if not same:
            raise CaptureError(
                f"{self.path} is another session of that name: begin anew, or give dfme-record another --out"
            )

    def _write_whole(self, name: str, data: bytes) -> None:
        file = _open_partial(self.path / name)
        file.write(data)
        _finish(file, self.path / name)


def _open_partial(target: Path) -> BinaryIO:
    """A new file beside `target`; a link that lies there is not followed."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    return os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o644), "wb")


def _finish(file: BinaryIO, target: Path) -> None:
    with file:
        file.flush()
        os.fsync(file.fileno())
    target.with_name(target.name + ".partial").replace(target)
