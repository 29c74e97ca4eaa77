"""The supervisor's hub: one socket that all child processes report to and are told things from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import zmq

from capture.errors import MessageRefused
from capture.messages import Hello, Message, decode, encode
from capture.processes.common import has_input

_LINGER_MS = 500


class Hub:
    """Messages to and from child processes, addressed by the name each gave in its `hello`.

    Sending never blocks: what a process does not read is dropped once its queue is full.
    """

    def __init__(self, folder: Path) -> None:
        self.endpoint = f"ipc://{folder}/hub"
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        self._socket.bind(self.endpoint)
        self._addresses: dict[str, bytes] = {}

    @property
    def present(self) -> frozenset[str]:
        """Processes that have said hello and were not forgotten."""
        return frozenset(self._addresses)

    def forget(self, process: str) -> None:
        """A process is gone: nothing is sent to it any more."""
        self._addresses.pop(process, None)

    def tell(self, process: str, message: Message) -> None:
        """Send to a process; one that has not said hello does not hear it."""
        address = self._addresses.get(process)
        if address is not None:
            self._socket.send_multipart([address, encode(message)])

    def received(self, timeout_ms: int) -> Iterator[Message | MessageRefused]:
        """All messages that are there, after waiting up to `timeout_ms` for the first; refused ones as errors."""
        if not self._socket.poll(timeout_ms):
            return
        while has_input(self._socket):
            address, *parts = self._socket.recv_multipart(zmq.NOBLOCK)
            if len(parts) != 1:
                yield MessageRefused(f"a message of {len(parts)} parts: the hub takes messages of one")
                continue
            data = parts[0]
            try:
                message = decode(data)
            except MessageRefused as error:
                yield error
                continue
            if isinstance(message, Hello):
                self._addresses[message.process] = address
            yield message

    def close(self) -> None:
        """Close after sending what is queued, for half a second at most."""
        self._socket.close()
        self._context.term()
