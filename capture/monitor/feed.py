"""Where the monitor's figures and pictures come from, and where its commands go: the seam, and the real link."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import zmq
import zmq.asyncio

from capture.errors import MessageRefused
from capture.messages import CaptureReport, Command, Event, Hello, Message, decode, encode
from capture.ring import RingReader

_HIGH_WATER = 64
"""Messages kept by the socket on either side; a monitor that lags gets the newest report, not a backlog."""


class MonitorFeed(Protocol):
    """All that the monitor knows of the outside."""

    def messages(self) -> AsyncIterator[Message]:
        """Called once: messages in the order they came; may leave out reports that a newer one replaced."""
        ...

    def picture(self, step: int) -> npt.NDArray[np.uint8] | None:
        """Called a few times a second: every `step`-th pixel of the newest frame, uint8 (height, width), or None."""
        ...

    async def send(self, command: Command) -> None:
        """Called for each command of the operator; returns when the command is on its way."""
        ...


class HubFeed:
    """The link to the supervisor's hub, and the ring for pictures.

    Args:
        endpoint: The hub's ZeroMQ address, `ipc://…`.
        ring_fd: Descriptor of the ring's shared memory; None for a monitor without a picture.
    """

    def __init__(self, endpoint: str, ring_fd: int | None = None) -> None:
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.set_hwm(_HIGH_WATER)
        self._socket.connect(endpoint)
        self._ring = None if ring_fd is None else RingReader(ring_fd)

    async def messages(self) -> AsyncIterator[Message]:
        """Say hello, then yield what the hub sends; of reports that piled up only the last."""
        await self._socket.send(encode(Hello(process="monitor", pid=os.getpid())))
        while True:
            report: CaptureReport | None = None
            waiting = True
            while waiting:
                message = self._decoded(await self._socket.recv())
                if isinstance(message, CaptureReport):
                    report = message
                else:
                    yield message
                waiting = bool(await self._socket.poll(0))
            if report is not None:
                yield report

    def picture(self, step: int) -> npt.NDArray[np.uint8] | None:
        """Every `step`-th pixel of the newest frame in the ring, or None."""
        found = self._ring.newest(step) if self._ring is not None else None
        return None if found is None else found[1]

    async def send(self, command: Command) -> None:
        """Hand `command` to the socket."""
        await self._socket.send(encode(command))

    def close(self) -> None:
        """Let go of socket and ring."""
        self._context.destroy(linger=0)
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    @staticmethod
    def _decoded(data: bytes) -> Message:
        try:
            return decode(data)
        except MessageRefused as refused:
            return Event(host_ns=time.monotonic_ns(), level="error", source="monitor", text=str(refused))
