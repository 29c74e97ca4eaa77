"""Who may come in: the storage machine's answer to each handshake, by the public keys in its key file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import zmq
import zmq.utils.z85
from zmq.utils.monitor import recv_monitor_message

from capture.errors import BadInput
from capture.processes.common import has_input
from capture.remote.keys import StorageKeys, load_storage_keys

_ZAP = "inproc://zeromq.zap.01"
_SAY_AGAIN_S = 30.0
_MOST_SAID = 256
_MECHANISM = b"CURVE"


class Door:
    """Answers ZeroMQ's authentication requests (ZAP, RFC 27) and tells of those who are sent away.

    The key file is read anew when it changes: a capture machine that is added or taken out needs no restart.

    Args:
        context: The context of the sockets that are guarded.
        keys_file: The storage machine's key file; None lets everybody in who can reach the address.
        note: Told of those who are sent away: level and one line.

    Raises:
        BadInput: The key file cannot be used.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], keys_file: Path | None, note: Callable[[str, str], None]
    ) -> None:
        self._context = context
        self._file = keys_file
        self._note = note
        self._said: dict[str, float] = {}
        self._monitor: zmq.Socket[bytes] | None = None
        self._guarded: zmq.Socket[bytes] | None = None
        self._zap: zmq.Socket[bytes] | None = None
        self._failing = 0
        self.refused = 0
        """Connections that were turned away."""
        self._keys: StorageKeys | None = None
        self._read_at = (0, 0)
        if keys_file is not None:
            self._keys, self._read_at = load_storage_keys(keys_file), _version(keys_file)
            self._zap = context.socket(zmq.REP)
            self._zap.setsockopt(zmq.LINGER, 0)
            self._zap.bind(_ZAP)

    def guard(self, socket: zmq.Socket[bytes]) -> None:
        """Let only those in whose keys are known; call before `bind`."""
        self._guarded = socket
        if self._keys is not None:
            socket.setsockopt(zmq.CURVE_SERVER, 1)
            socket.setsockopt(zmq.CURVE_SECRETKEY, self._keys.storage.secret.encode())
            socket.setsockopt(zmq.CURVE_PUBLICKEY, self._keys.storage.public.encode())
            socket.setsockopt(zmq.ZAP_DOMAIN, b"dfme")
        events = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        self._monitor = socket.get_monitor_socket(events)

    @property
    def sockets(self) -> tuple[zmq.Socket[bytes], ...]:
        """To be polled; `answer` when one has input."""
        return tuple(socket for socket in (self._zap, self._monitor) if socket is not None)

    def answer(self) -> None:
        """Answer all who stand at the door."""
        while self._zap is not None and has_input(self._zap):
            self._answer_one(self._zap, self._zap.recv_multipart(zmq.NOBLOCK))
        while self._monitor is not None and has_input(self._monitor):
            recv_monitor_message(self._monitor)
            if self._failing:
                # The end of a handshake that was answered with a refusal.
                self._failing -= 1
                continue
            self.refused += 1
            keys = "without the right keys" if self._file is not None else "with keys, and there are none here"
            self._say_once("handshake", f"a connection was refused: it came {keys}, or not from dfme-capture")

    def close(self) -> None:
        """Close the door's own sockets; the guarded one must be closed already."""
        if self._monitor is not None:
            self._monitor.close()
        if self._zap is not None:
            self._zap.close()

    def _answer_one(self, zap: zmq.Socket[bytes], request: list[bytes]) -> None:
        version, request_id, _domain, address, _identity, mechanism, *credentials = request
        key = zmq.utils.z85.encode(credentials[0]).decode() if mechanism == _MECHANISM and credentials else ""
        self._read_again()
        name = self._keys.name_of(key) if key and self._keys is not None else None
        if name is None:
            self.refused += 1
            self._failing += 1
            where = address.decode(errors="replace")
            self._say_once(key, f"{where} was refused: its public key {key or '(none)'} is not in {self._file}")
        status, text = (b"200", b"OK") if name is not None else (b"400", b"unknown key")
        zap.send_multipart([version, request_id, status, text, (name or "").encode(), b""])

    def _read_again(self) -> None:
        """Read the key file again if it has changed."""
        if self._file is None or (version := _version(self._file)) == self._read_at:
            return
        self._read_at = version
        try:
            self._keys = load_storage_keys(self._file)
        except BadInput as error:
            self._note("error", f"{error}; the keys read before go on to count")

    def _say_once(self, what: str, text: str) -> None:
        """Say it, unless it was said of the same a moment ago: who is sent away tries again every second."""
        now = time.monotonic()
        if now - self._said.get(what, -_SAY_AGAIN_S) < _SAY_AGAIN_S:
            return
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        self._said[what] = now
        self._note("warning", text)


def _version(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, -1)
    return status.st_mtime_ns, status.st_size
