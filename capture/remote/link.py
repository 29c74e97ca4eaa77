"""The capture machine's connection to the storage machine: made, watched, made anew, and put into words."""

from __future__ import annotations

from enum import StrEnum

import zmq
from zmq.utils.monitor import recv_monitor_message

from capture.processes.common import has_input
from capture.remote.address import Endpoint
from capture.remote.keys import CaptureKeys
from capture.remote.wire import HEARTBEAT_MS, LARGEST_CONTROL_BYTES, SILENCE_MS

_RECONNECT_MS = 200
_RECONNECT_MAX_MS = 1000
_HANDSHAKE_MS = 5000
_LINGER_MS = 1000


class LinkEvent(StrEnum):
    """What happened to the link."""

    UP = "up"
    """Connected, each side has shown its key."""
    CUT = "cut"
    """It was up, and is not any more."""
    STRANGER = "stranger"
    """The storage machine does not let this key in."""
    MISMATCH = "mismatch"
    """Something answers, and the handshake with it fails."""


class Link:
    """One connection after the other to the same address; each is a fresh socket, so that none inherits a queue.

    Args:
        context: The context to make sockets in.
        endpoint: Where the storage machine listens.
        keys: This machine's keys; None only for loopback addresses.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: Endpoint, keys: CaptureKeys | None) -> None:
        self._context = context
        self.endpoint = endpoint
        self._keys = keys
        self.up = False
        self.socket, self.monitor = self._connect()

    def events(self) -> list[LinkEvent]:
        """What happened since the last call; after `CUT` the sockets are new ones."""
        found: list[LinkEvent] = []
        while has_input(self.monitor):
            event = recv_monitor_message(self.monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.up = True
                found.append(LinkEvent.UP)
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                found.append(LinkEvent.STRANGER)
            elif event in (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL):
                found.append(LinkEvent.MISMATCH)
            elif event == zmq.EVENT_DISCONNECTED:
                if self.up:
                    self.renew()
                    return [*found, LinkEvent.CUT]
                if LinkEvent.STRANGER not in found:
                    found.append(LinkEvent.MISMATCH)
        return found

    def renew(self) -> None:
        """Drop the connection with all that is on its way, and connect anew."""
        self.close(linger_ms=0)
        self.socket, self.monitor = self._connect()

    def trouble(self, happened: LinkEvent | None) -> str:
        """Why there is no connection, in one line; may take two seconds to find out."""
        return f"no answer from {self.endpoint}: {self._reason(happened)}"

    def close(self, linger_ms: int = _LINGER_MS) -> None:
        """Close the sockets, after sending for `linger_ms` at most what is queued."""
        self.up = False
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger_ms)

    def _reason(self, happened: LinkEvent | None) -> str:
        own = self._keys.capture if self._keys is not None else None
        if happened is LinkEvent.STRANGER and own is not None:
            return (
                f"it does not know this machine's key ({own.name}, {own.public}): it belongs into [clients] of its "
                "storage.keys"
            )
        if happened is LinkEvent.MISMATCH:
            if own is None:
                return "something answers there, and wants keys or is not dfme-record: give --keys"
            return (
                "something answers there, and its key is not the one in this machine's key file: are both files of "
                "one `dfme-record keys`, and was dfme-record given --keys?"
            )
        why = self.endpoint.why_closed()
        return why or "something answers there, and it does not greet: is it dfme-record, and not busy?"

    def _connect(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        for option, value in (
            # The credit bounds what is queued.
            (zmq.SNDHWM, 0),
            (zmq.RCVHWM, 1000),
            (zmq.LINGER, 0),
            (zmq.MAXMSGSIZE, LARGEST_CONTROL_BYTES),
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, SILENCE_MS),
            (zmq.HANDSHAKE_IVL, _HANDSHAKE_MS),
            (zmq.RECONNECT_IVL, _RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS),
            (zmq.CONNECT_TIMEOUT, SILENCE_MS),
            (zmq.IPV6, 1),
        ):
            socket.setsockopt(option, value)
        if self._keys is not None:
            socket.setsockopt(zmq.CURVE_SERVERKEY, self._keys.storage.public.encode())
            socket.setsockopt(zmq.CURVE_PUBLICKEY, self._keys.capture.public.encode())
            socket.setsockopt(zmq.CURVE_SECRETKEY, self._keys.capture.secret.encode())
        monitor = socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_DISCONNECTED
        )
        socket.connect(str(self.endpoint))
        return socket, monitor
