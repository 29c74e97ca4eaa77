"""The talk with the storage machine: knocks on each new link, tells the operator of cuts, and keeps time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import zmq

from capture.errors import CaptureError, MessageRefused
from capture.messages import RecorderReport
from capture.processes.common import HubLink, StopRequest, has_input
from capture.remote.link import Link, LinkEvent
from capture.remote.outbox import Tracker
from capture.remote.wire import (
    ALIVE_S,
    Alive,
    FromCapture,
    FromStorage,
    Knock,
    Refused,
    Welcome,
    from_storage,
    pack,
    printable,
)
from capture.statistics import RecorderStatistics
from capture.version import software

_FIRST_ANSWER_S = 8.0
"""How long to wait for the first answer before the start is given up."""
_POLL_MS = 20
_TRY_ANEW_S = 5.0
"""A link on which nobody lets us in for so long is made anew: ZeroMQ does not try again where a key was refused."""


class Connection:
    """One link after the other to the storage machine, and whether it has let us in on the present one.

    Args:
        link: The first link.
        hub: Told of cuts and returns.
        capture: Unique name of this run of `dfme-capture`.
        ring_s: How long its ring lasts.
    """

    def __init__(self, link: Link, hub: HubLink, capture: str, ring_s: float) -> None:
        self.link = link
        self._hub = hub
        self._knock = Knock(capture, socket.gethostname(), ring_s, software())
        self._spoken = 0.0
        self._linked_at = time.monotonic()
        self._cut_at: float | None = None
        self._told: LinkEvent | None = None
        self.welcome: Welcome | None = None
        """What it said when it let us in on this link; None while there is none."""
        self.heard = time.monotonic()
        """When something came from it last."""

    @property
    def sockets(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        """To be polled; others after each cut."""
        return self.link.socket, self.link.monitor

    def __str__(self) -> str:
        return str(self.link.endpoint)

    def greet(self, stop: StopRequest) -> RecorderStatistics:
        """Wait for the first welcome; returns the figures of the recorder there.

        Raises:
            CaptureError: It does not come, or we are refused; says why.
        """
        deadline = time.monotonic() + _FIRST_ANSWER_S
        happened: LinkEvent | None = None
        while not stop.requested:
            self.link.monitor.poll(_POLL_MS)
            for event in self._watch():
                happened = event if event is not LinkEvent.UP else None
            for message in self._messages():
                if isinstance(message, Refused):
                    raise CaptureError(f"{self} refuses: {printable(message.reason)}")
                if isinstance(message, RecorderReport) and self.welcome is not None:
                    return message.statistics
            if happened in (LinkEvent.STRANGER, LinkEvent.MISMATCH) or time.monotonic() > deadline:
                raise CaptureError(self.link.trouble(happened))
        raise CaptureError("interrupted before the storage machine answered; nothing was recorded")

    def go_on(self) -> None:
        """In place of `greet`, after a sender that died: it answers in its own time."""
        self._cut_at = time.monotonic()

    def received(self) -> Iterator[FromStorage]:
        """All that has arrived; `welcome` is None from a cut on until a `Welcome` is among it."""
        for event in self._watch():
            if event is not LinkEvent.UP and self._cut_at is not None and event not in (LinkEvent.CUT, self._told):
                self._told = event
                self._hub.event("warning", self.link.trouble(event))
        if self.welcome is None and time.monotonic() - self._linked_at > _TRY_ANEW_S:
            self.link.renew()
            self._linked_at = time.monotonic()
        yield from self._messages()

    def say(self, message: FromCapture) -> None:
        """Send a message; one that a cut swallows is said again after the next `Welcome`, by whoever said it."""
        self._spoken = time.monotonic()
        self.link.socket.send(pack(message), zmq.NOBLOCK)

    def send_frame(self, header: bytes, pixels: memoryview) -> Tracker | None:
        """Send a frame from where it lies; the tracker tells when that memory is no longer read."""
        self._spoken = time.monotonic()
        return self.link.socket.send_multipart([header, pixels], copy=False, track=True)

    def keep_alive(self, now: float) -> None:
        """Say that we are there, where nothing else was said for a while."""
        if self.welcome is not None and now - self._spoken >= ALIVE_S:
            self.say(Alive())

    def drop(self) -> None:
        """Let go of the link with all that is queued on it."""
        self.link.renew()
        self._on_cut()

    def close(self) -> None:
        """Close after sending what is queued."""
        self.link.close()

    def _watch(self) -> list[LinkEvent]:
        happened = self.link.events()
        for event in happened:
            if event is LinkEvent.UP:
                self.say(self._knock)
            elif event is LinkEvent.CUT:
                self._on_cut()
        return happened

    def _on_cut(self) -> None:
        if self.welcome is not None:
            self._cut_at = time.monotonic()
            self._hub.event("warning", f"the link to {self} is cut; the ring holds what is not safe there")
        self.welcome = None
        self._linked_at = time.monotonic()

    def _messages(self) -> Iterator[FromStorage]:
        while has_input(self.link.socket):
            self.heard = time.monotonic()
            try:
                message = from_storage(self.link.socket.recv(zmq.NOBLOCK))
            except MessageRefused as error:
                message = Refused(str(error))
            if isinstance(message, Welcome):
                self.welcome = message
                if self._cut_at is not None:
                    away_s = time.monotonic() - self._cut_at
                    self._hub.event("info", f"the link to {self} is back after {away_s:.1f} s")
                self._cut_at = self._told = None
            yield message
