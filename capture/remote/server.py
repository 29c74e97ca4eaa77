"""The storage machine's server: lets capture machines in that have a key, and serves one after the other."""

from __future__ import annotations

import socket
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import zmq

from capture.errors import CaptureError, FolderUnusable, MessageRefused
from capture.messages import End, Image, RecorderReport, Start
from capture.remote.address import Endpoint
from capture.remote.door import Door
from capture.remote.intake import MOST_WINDOW, Intake, ReceivedTrial
from capture.remote.wire import (
    HEARTBEAT_MS,
    LARGEST_FRAME_BYTES,
    SILENCE_MS,
    Alive,
    Bye,
    FromCapture,
    FromStorage,
    Knock,
    Refused,
    Resume,
    SessionFile,
    SessionOpen,
    Welcome,
    from_capture,
    pack,
    printable,
)
from capture.statistics import RecorderStatistics

_POLL_MS = 20
_SETTLE_AFTER_S = 0.1
_REPORT_S = 0.1
_HANDSHAKE_MS = 5000
_OVERHEAD_BYTES = 4096
"""What encryption and framing add to a part."""
_MOST_AT_ONCE = 64
"""Messages taken before anything else gets its turn."""
_GONE_AFTER_S = 10.0
"""A capture machine without an open trial that is silent for so long has left."""
_PATIENCE_S = 90.0
"""How long, beyond its ring, a trial waits for its capture machine; that one gives up sooner."""
_STOP_GRACE_S = 15.0
_KEPT_TRIALS = 1000
_STOPPED = "dfme-record was stopped on the storage machine"


class Watcher(Protocol):
    """Who is told what the server does."""

    def note(self, level: str, text: str) -> None:
        """Something happened; `text` is one line."""

    def progress(self, trial: Start | None, host: str, statistics: RecorderStatistics) -> None:
        """Ten times a second: the trial that is being received, if any, and the figures of the recorder."""


@dataclass(frozen=True)
class ServerResult:
    """What came of one run of the server."""

    trials: tuple[ReceivedTrial, ...]
    """The last thousand."""
    trials_total: int
    frames: int
    bytes: int
    refused_clients: int
    """Connections that were turned away at the door."""


class _Guest:
    """The capture machine that is served."""

    def __init__(self, address: bytes, knock: Knock, out: Path) -> None:
        self.address = address
        self.capture = knock.capture
        self.host = printable(knock.host, 60) or "?"
        self.ring_s = knock.ring_s
        self.intake = Intake(out, self.host)
        self.heard = time.monotonic()
        self.silent = False


class StorageServer:
    """Listens, and stores what comes, until told to stop.

    Args:
        listen: Where to listen.
        out: Folder that gets the session folders; nothing is written outside it.
        keys_file: The storage machine's key file; None only on loopback addresses.
        watcher: Told what happens.

    Raises:
        FolderUnusable: `out` cannot be made.
        CaptureError: The address cannot be listened on.
    """

    def __init__(self, listen: Endpoint, out: Path, keys_file: Path | None, watcher: Watcher) -> None:
        self._out = out.absolute()
        try:
            self._out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderUnusable(f"cannot make {out} ({error.strerror}): choose another folder with --out") from error
        self._watcher = watcher
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._door = Door(self._context, keys_file, watcher.note)
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.ROUTER_MANDATORY, 1),
            (zmq.RCVHWM, MOST_WINDOW),
            (zmq.SNDHWM, 1000),
            (zmq.LINGER, 1000),
            (zmq.MAXMSGSIZE, LARGEST_FRAME_BYTES + _OVERHEAD_BYTES),
            (zmq.HEARTBEAT_IVL, HEARTBEAT_MS),
            (zmq.HEARTBEAT_TIMEOUT, SILENCE_MS),
            (zmq.HANDSHAKE_IVL, _HANDSHAKE_MS),
            (zmq.IPV6, int(":" in listen.host)),
        ):
            self._socket.setsockopt(option, value)
        self._door.guard(self._socket)
        try:
            self._socket.bind(str(listen))
        except zmq.ZMQError as error:
            self.close()
            raise CaptureError(
                f"cannot listen on {listen} ({str(error).lower()}): give the address of one of this machine's network "
                "interfaces, or tcp://*:PORT for all, and a port that is free"
            ) from error
        self._guest: _Guest | None = None
        self._trials: deque[ReceivedTrial] = deque(maxlen=_KEPT_TRIALS)
        self._total = self._frames = self._bytes = 0
        self._stop_asked: float | None = None
        self._received = self._reported = time.monotonic()

    def run(self) -> ServerResult:
        """Serve until `stop` was called and what is open is closed."""
        poller = zmq.Poller()
        for one in (self._socket, *self._door.sockets):
            poller.register(one, zmq.POLLIN)
        while not self._may_stop():
            ready = dict(poller.poll(_POLL_MS))
            self._door.answer()
            if self._socket in ready:
                self._take()
            self._look_after()
        self._abandon(_STOPPED)
        return ServerResult(tuple(self._trials), self._total, self._frames, self._bytes, self._door.refused)

    def stop(self) -> None:
        """End: the capture machine is told, and an open trial is closed in its order; the second time at once."""
        self._stop_asked = time.monotonic() - (_STOP_GRACE_S if self._stop_asked is not None else 0.0)

    def close(self) -> None:
        """Close the sockets."""
        self._socket.close()
        self._door.close()
        self._context.term()

    def _may_stop(self) -> bool:
        if self._stop_asked is None:
            return False
        guest = self._guest
        return guest is None or guest.silent or time.monotonic() - self._stop_asked >= _STOP_GRACE_S

    def _take(self) -> None:
        """Take what has arrived, frames straight into the ring."""
        for _ in range(_MOST_AT_ONCE):
            try:
                address = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            header = self._socket.recv() if self._more else b""
            try:
                self._take_message(address, from_capture(header))
            except CaptureError as error:
                self._turn_away(address, str(error))
            while self._more:
                self._socket.recv()

    @property
    def _more(self) -> bool:
        """Whether the message that is being read has another part."""
        return bool(self._socket.getsockopt(zmq.RCVMORE))

    def _take_message(self, address: bytes, message: FromCapture) -> None:
        if isinstance(message, Knock):
            self._let_in(address, message)
            return
        guest = self._guest
        if guest is None or guest.address != address:
            # From before the link was cut, or from somebody who was refused.
            return
        self._received = guest.heard = time.monotonic()
        if guest.silent:
            guest.silent = False
            self._watcher.note("info", f"{guest.host} is back")
        if isinstance(message, Image):
            self._take_frame(guest, message)
        else:
            self._take_order(guest, message)

    def _take_frame(self, guest: _Guest, image: Image) -> None:
        place = guest.intake.slot_for(image) if self._more else None
        if place is None:
            return
        size = self._socket.recv_into(place)
        if size != len(place):
            raise MessageRefused(f"frame {image.frame_id} has {size:,} bytes in place of {len(place):,}")
        self._say(guest, guest.intake.arrived(image))

    def _take_order(self, guest: _Guest, message: FromCapture) -> None:
        intake = guest.intake
        match message:
            case Start():
                known = intake.trial
                said = intake.start(message)
                place = next((one.expected for one in said if isinstance(one, Resume)), 0)
                what = f"goes on with frame {place:,}" if place or intake.trial is known else "begins"
                self._watcher.note("info", f"{message.session} {message.trial} from {guest.host} {what}")
                self._say(guest, said)
            case End():
                self._say(guest, intake.end(message))
            case SessionOpen():
                self._say(guest, intake.open_session(message))
            case SessionFile():
                self._say(guest, intake.store(message))
            case Bye():
                intake.settle_session()
                self._leave(guest)
            case Alive():
                pass
        self._book(intake)

    def _let_in(self, address: bytes, knock: Knock) -> None:
        """A capture machine knocks: the one that is served, on a new connection, or another one."""
        guest = self._guest
        if guest is not None and guest.capture == knock.capture:
            guest.address = address
            guest.heard = time.monotonic()
            guest.silent = False
        elif guest is not None and (why := self._busy_with(guest)):
            self._watcher.note("warning", f"{printable(knock.host, 60)} was sent away: {why}")
            self._tell(address, Refused(why))
            return
        elif self._stop_asked is not None:
            self._tell(address, Refused("dfme-record is being stopped"))
            return
        else:
            if guest is not None:
                self._leave(guest)
            guest = self._guest = _Guest(address, knock, self._out)
            self._watcher.note("info", f"{guest.host} has connected")
        self._tell(address, Welcome(socket.gethostname(), str(self._out)))
        self._tell(address, guest.intake.report())

    def _busy_with(self, guest: _Guest) -> str:
        trial = guest.intake.trial
        if trial is not None:
            return f"it is receiving {trial.trial} of {trial.session} from {guest.host}: one capture at a time"
        if time.monotonic() - guest.heard < _GONE_AFTER_S:
            return f"{guest.host} is connected: one capture at a time"
        return ""

    def _look_after(self) -> None:
        """Everything that is due in time."""
        now = time.monotonic()
        guest = self._guest
        if guest is not None and guest.intake.write_due:
            self._say(guest, guest.intake.write())
        if now - self._reported < _REPORT_S:
            return
        self._reported = now
        if guest is None:
            self._watcher.progress(None, "", _disk_of(self._out))
            return
        intake = guest.intake
        if now - self._received >= _SETTLE_AFTER_S:
            self._say(guest, intake.write(settle=True))
        if self._stop_asked is not None and not intake.stopping:
            intake.stopping = _STOPPED
            if intake.trial is None:
                self._tell(guest.address, Refused(_STOPPED))
                self._leave(guest)
                return
            self._watcher.note(
                "info", f"stopping: {intake.trial.trial} is ended and closed first; again to stop at once"
            )
        report = intake.report()
        self._tell(guest.address, report)
        self._watcher.progress(intake.trial, guest.host, report.statistics)
        silent_s = now - guest.heard
        if silent_s > SILENCE_MS / 1000 and not guest.silent:
            guest.silent = True
            waits = f": {intake.trial.trial} waits for it" if intake.trial is not None else ""
            self._watcher.note("warning", f"{guest.host} has not been heard for {silent_s:.0f} s{waits}")
        if intake.trial is not None and silent_s > guest.ring_s + _PATIENCE_S:
            self._abandon(f"{guest.host} was not heard for {silent_s:.0f} s")
        if intake.trial is None and silent_s > _GONE_AFTER_S:
            self._leave(guest)

    def _abandon(self, reason: str) -> None:
        """Close a trial whose end will not come; what was received is kept."""
        guest = self._guest
        if guest is None or guest.intake.trial is None:
            return
        self._watcher.note("error", f"{guest.intake.trial.trial} is closed without its end: {reason}")
        self._say(guest, guest.intake.abandon(reason))
        self._book(guest.intake)

    def _leave(self, guest: _Guest) -> None:
        self._book(guest.intake)
        guest.intake.close()
        self._guest = None
        self._watcher.note("info", f"{guest.host} has left")

    def _turn_away(self, address: bytes, why: str) -> None:
        """A peer with a key that does not keep to the grammar: it is told, and not listened to any more."""
        self._watcher.note("error", f"a capture machine was turned away: {printable(why)}")
        self._tell(address, Refused(printable(why)))
        guest = self._guest
        if guest is not None and guest.address == address:
            self._abandon(why)
            self._leave(guest)

    def _book(self, intake: Intake) -> None:
        for trial in intake.finished:
            self._trials.append(trial)
            self._total += 1
            self._frames += trial.frames
            self._bytes += trial.bytes
            self._watcher.note("error" if trial.error or trial.damaged else "info", _summary(trial))
        intake.finished.clear()

    def _say(self, guest: _Guest, messages: list[FromStorage]) -> None:
        for message in messages:
            if isinstance(message, Refused):
                self._watcher.note("error", f"refused to {guest.host}: {message.reason}")
            self._tell(guest.address, message)

    def _tell(self, address: bytes, message: FromStorage | RecorderReport) -> None:
        try:
            self._socket.send_multipart([address, pack(message)], zmq.NOBLOCK)
        except zmq.ZMQError:
            # Its connection is gone. It knocks again, and is told anew what counts.
            return


def _disk_of(folder: Path) -> RecorderStatistics:
    return Intake(folder, "").statistics()


def _summary(trial: ReceivedTrial) -> str:
    text = f"{trial.recording}: {trial.frames:,} frames, {trial.bytes / 1e9:.2f} GB"
    for count, what in (
        (trial.lost_disk, "lost on the disk"),
        (trial.damaged, "damaged"),
    ):
        if count:
            text += f", {count:,} {what}"
    if trial.resumed:
        text += ", resumed once" if trial.resumed == 1 else f", resumed {trial.resumed:,} times"
    return f"{text}; {trial.error}" if trial.error else text
