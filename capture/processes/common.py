"""What our child processes share: a link to the supervisor's hub, a clean end, precedence for a core."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import msgspec
import zmq

from capture.errors import CaptureError, MessageRefused
from capture.messages import (
    CameraReport,
    ElicitationReport,
    Event,
    Failed,
    Hello,
    LiveReport,
    Message,
    RecorderReport,
    decode,
    encode,
)

REPORT_INTERVAL_NS = 100_000_000
"""Processes report ten times a second."""
_PR_SET_PDEATHSIG = 1
_HUB_QUEUE = 200
"""Messages queued for a hub that does not read; nothing on the recording path may block for it."""
_REPLACED_BY_THE_NEXT = (CameraReport, RecorderReport, LiveReport, ElicitationReport)
"""Messages that are dropped when that queue is full."""


class CameraTask(msgspec.Struct, frozen=True):
    """What the supervisor tells the camera process at its start."""

    hub: str
    frames: str
    ring_fd: int
    settings: dict[str, Any]
    overrides: dict[str, Any]
    preview: bool
    """Keep the camera running between trials, for the live picture."""
    stop_at_fill: float
    """Ring fill at which a trial is ended cleanly; above 1 never."""


class RecorderTask(msgspec.Struct, frozen=True):
    """What the supervisor tells the recorder process at its start."""

    hub: str
    frames: str
    ring_fd: int
    folder: str
    """A folder on the disk that will be written to, for its free space."""


class LiveTask(msgspec.Struct, frozen=True):
    """What the supervisor tells the live service at its start."""

    hub: str
    ring_fd: int
    rate_fps: float
    model: str = ""
    """Model bundle; empty for the one that comes along."""
    engine: str = "auto"
    publish: str = ""
    """Endpoint to publish at; empty for the usual one."""
    resume_at: int | None = None
    """Frame of the ring at which a predecessor stopped; None for the first."""
    lsl: bool = False
    """Send expressions to a stream of the Lab Streaming Layer."""


class ElicitationTask(msgspec.Struct, frozen=True):
    """What the supervisor tells the elicitation process at its start."""

    hub: str
    protocol: str
    """Protocol file, or the name of one that comes along."""
    study: str
    """Folder of the study's sessions: what earlier participants saw is read there."""
    participant: str | None
    stimuli: str = ""
    """Folder of the lab's videos; empty for the one that the protocol names."""
    seed: int | None = None
    """Of the draw; None for a random one."""
    session: str = ""
    """Session that goes on; empty for one that begins."""
    lsl: bool = False
    """Send events to a marker stream of the Lab Streaming Layer."""
    storage: str = ""
    """Address of the storage machine that gets the recordings; empty where they stay here."""


class HubLink:
    """One process's connection to the supervisor: sends never block, receives are polled."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, process: str) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.SNDHWM, _HUB_QUEUE)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.socket.connect(endpoint)
        self._process = process
        self._unsent: deque[bytes] = deque()

    def send(self, message: Message) -> None:
        """Send; what the supervisor has not read for a long time is kept, but for reports, which the next one replaces.

        Messages arrive in the order in which they were sent.
        """
        data = encode(message)
        with contextlib.suppress(zmq.Again):
            while self._unsent:
                self.socket.send(self._unsent[0], zmq.NOBLOCK)
                self._unsent.popleft()
            self.socket.send(data, zmq.NOBLOCK)
            return
        if not isinstance(message, _REPLACED_BY_THE_NEXT):
            self._unsent.append(data)

    def event(self, level: Literal["info", "warning", "error"], text: str, kind: str = "note") -> None:
        """Send a line for the operator's event log."""
        self.send(Event(time.monotonic_ns(), level, self._process, text, kind))

    def hello(self, process: Literal["camera", "recorder", "monitor", "live", "elicitation"]) -> None:
        """Say that this process is ready for work."""
        self.send(Hello(process, os.getpid()))

    def received(self) -> Iterator[Message]:
        """All messages that have arrived; one that is not of ours is told to the supervisor, and left out."""
        while has_input(self.socket):
            try:
                message = decode(self.socket.recv(zmq.NOBLOCK))
            except MessageRefused as error:
                self.event("error", str(error))
                continue
            yield message

    def close(self) -> None:
        """Close after sending what is queued, as far as that goes within a second."""
        self.socket.setsockopt(zmq.SNDTIMEO, 1000)
        with contextlib.suppress(zmq.Again):
            while self._unsent:
                self.socket.send(self._unsent.popleft())
        self.socket.close()


def has_input(socket: zmq.Socket[bytes]) -> bool:
    """Whether a message waits; an option read costs a tenth of a receive that raises."""
    return bool(int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)


class StopRequest:
    """Set by SIGTERM, which the kernel also sends when the supervisor dies; SIGINT is the supervisor's business."""

    def __init__(self) -> None:
        self.requested = False
        self.install()

    def install(self) -> None:
        """Take the signals, again where a library took them meanwhile."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the process that started us is gone."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def prefer_this_process(niceness: int) -> None:
    """Take precedence over analysis and desktop where the system lets us."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        # Where sessions share the processor as groups (sched_autogroup), the above counts within our own group only.
        Path("/proc/self/autogroup").write_text(str(niceness))


def quiet_garbage_collector() -> None:
    """No collection pauses in a loop that makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.disable()


def run_process(name: str, main: Callable[[bytes, HubLink, StopRequest], None]) -> None:
    """Run a child process: `argv[1]` names its task file; whatever ends it badly is told to the supervisor.

    Args:
        name: The process's name on the hub.
        main: Called with the task's JSON, the link and the stop request.
    """
    stop = StopRequest()
    die_with_parent()
    task = Path(sys.argv[1]).read_bytes()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    hub = HubLink(context, msgspec.json.decode(task)["hub"], name)
    try:
        main(task, hub, stop)
    except CaptureError as error:
        hub.send(Failed(name, str(error), error.exit_code))
        exit_code = error.exit_code
    except Exception as error:
        traceback.print_exc()
        hub.send(Failed(name, f"{type(error).__name__}: {error}", 1))
        exit_code = 1
    else:
        exit_code = 0
    hub.close()
    context.term()
    sys.stderr.flush()
    # The genicam binding takes the interpreter down with it at times when it is torn down late; nothing is left to do.
    os._exit(exit_code)
