"""Takes the small files of a session to the storage machine: the record at once, the rest when nothing is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import zmq

from capture.processes.common import HubLink
from capture.remote.connection import Connection
from capture.remote.session_copy import FolderCopy, identity
from capture.remote.storage_note import StorageNote, write_storage_note
from capture.remote.wire import Bye, SessionOpen, Stored, printable
from capture.session import SESSION_FILE

_LOOK_EVERY_S = 2.0
_GRACE_S = 8.0
"""Longest silence while the last files are copied."""
_POLL_MS = 20


class Courier:
    """Carries what changed in the folder of the present session.

    Args:
        storage: Where to.
        hub: Told of files that cannot be stored.
    """

    def __init__(self, storage: Connection, hub: HubLink) -> None:
        self._storage = storage
        self._hub = hub
        self._copy: FolderCopy | None = None
        self._looked_at = 0.0

    @property
    def session(self) -> str:
        """Name of the session."""
        return self._copy.folder.name if self._copy is not None else ""

    def open(self, folder: Path) -> None:
        """Trials and files from now on are of the session in `folder`."""
        if self._copy is None or self._copy.folder != folder:
            self._copy = FolderCopy(folder)

    def announce(self) -> None:
        """Tell the storage machine of the session; on a new link, before everything else."""
        if self._copy is None:
            return
        self._copy.again()
        if (welcome := self._storage.welcome) is not None:
            host, folder = printable(welcome.host, 60), printable(welcome.folder, 4096)
            write_storage_note(self._copy.folder, StorageNote(host, str(self._storage), folder))
        record = (self._copy.folder / SESSION_FILE).read_bytes()
        self._storage.say(SessionOpen(self.session, record, identity(self._copy.folder)))

    def look(self, *, now: bool = False) -> None:
        """Send files that changed, if it is time for a look, or `now`."""
        copy = self._copy
        if copy is None or copy.busy or self._storage.welcome is None:
            return
        if now or time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            piece = copy.begin()
            if piece is not None:
                self._storage.say(piece)

    def stored(self, message: Stored) -> None:
        """A piece was stored, or could not be."""
        if self._copy is None:
            return
        if message.error:
            self._hub.event("warning", f"{self._storage} cannot store {message.name}: {printable(message.error)}")
        piece = self._copy.stored(message)
        if piece is not None:
            self._storage.say(piece)

    def say_goodbye(self, take_answers: Callable[[], None], hurried: Callable[[], bool]) -> None:
        """Carry what has changed since the last look, and say goodbye.

        Args:
            take_answers: Handles what the storage machine says, this class's `stored` included.
            hurried: Whether there is no time left for files.
        """
        copy = self._copy
        if copy is not None and not hurried():
            # What is on its way may be older than the files are now.
            self._wait(copy, take_answers, hurried)
            self.look(now=True)
            self._wait(copy, take_answers, hurried)
            if self._storage.welcome is None or copy.busy:
                self._hub.event(
                    "warning",
                    f"{self._storage} has not got the last of {copy.folder}: copy session.json and events.tsv by hand",
                )
        if self._storage.welcome is not None:
            self._storage.say(Bye())

    def _wait(self, copy: FolderCopy, take_answers: Callable[[], None], hurried: Callable[[], bool]) -> None:
        while copy.busy and self._storage.welcome is not None and not hurried():
            if time.monotonic() - self._storage.heard > _GRACE_S:
                return
            self._storage.link.socket.poll(_POLL_MS, zmq.POLLIN)
            take_answers()
