"""The supervisor behind `dfme-capture`: starts camera, recorder and monitor, runs trials, and keeps their books."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal, Self

import msgspec
import zmq

from capture.children import Child
from capture.errors import BadInput, CaptureError, FolderUnusable, MessageRefused, NoSpace, ProcessDied
from capture.messages import (
    CameraReport,
    CaptureReport,
    Command,
    Event,
    Failed,
    Finished,
    Hello,
    Message,
    Quit,
    RecorderReport,
    StartTrial,
    StopTrial,
    TrialEnded,
    TrialStarted,
    decode,
    encode,
)
from capture.monitor.plain import PlainProgress
from capture.process import CameraTask, RecorderTask, has_input
from capture.recording.layout import ShardGeometry
from capture.ring import RingReader, RingWriter
from capture.session import Session
from capture.settings import HardwareSettings
from capture.statistics import (
    RING_STOP_AT,
    CameraStatistics,
    CaptureStatistics,
    RecorderState,
    RecorderStatistics,
)
from capture.stills import save_still
from capture.trials import TrialBook, TrialResult

_LIVE_MODULE = "realtime"
_POLL_MS = 50
_EVENTS_KEPT = 50
"""Events told to a monitor that comes up after them."""
_REPORT_S = 0.1
_START_TIMEOUT_S = 60.0
"""Some cameras take half a minute to come up."""
_END_GRACE_S = 10.0
_FREE_SHARDS_TO_START = 2
_FREE_SHARDS_TO_GO_ON = 1.2
"""The next shard is allocated ahead; with less than this free the one after it could not be."""


@dataclass(frozen=True)
class CaptureRequest:
    """What the operator asked for."""

    settings: HardwareSettings
    out: Path
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Camera features set after everything else."""
    participant: str | None = None
    max_frames: int | None = None
    max_seconds: float | None = None
    monitor: bool = False
    """Draw the Textual monitor on this terminal; otherwise progress lines on standard error."""
    live: bool = True
    """Read expressions out live, where that part is installed."""
    hardware: str = ""
    """Name of the hardware file, for the session's record."""

    @property
    def bounded(self) -> bool:
        """Whether the first trial ends by itself, and the command with it."""
        return self.max_frames is not None or self.max_seconds is not None


@dataclass(frozen=True)
class CaptureResult:
    """What came of it."""

    session: Path
    trials: tuple[TrialResult, ...]
    live: Mapping[str, int]


class Supervisor:
    """Runs one `dfme-capture`: use as a context manager, then call `run` once.

    Children never wait for the supervisor: it may be slow or stopped without a frame being lost. When it dies, the
    camera process ends the trial and the recorder closes the recording.
    """

    def __init__(self, request: CaptureRequest) -> None:
        self._request = request
        self._settings = request.settings
        self._geometry = ShardGeometry(self._settings.height_px, self._settings.width_px)
        self._children: dict[str, Child] = {}
        self._camera = CameraStatistics()
        self._recorder = RecorderStatistics()
        self._ready: dict[str, bytes] = {}
        """Processes that have said hello, and their addresses on the hub."""
        self._stopping = False
        self._interrupted = False
        self._failure: CaptureError | None = None
        self._session: Session | None = None
        self._plain: PlainProgress | None = None
        self._book: TrialBook | None = None
        self._reported_at = 0.0
        self._disk_stop_sent = False
        self._events: deque[Event] = deque(maxlen=_EVENTS_KEPT)

    def __enter__(self) -> Self:
        _check_folder(self._request.out, self._bytes_needed())
        self._runtime = Path(tempfile.mkdtemp(prefix="dfme-"))
        self._ring = RingWriter.create(
            slots=self._settings.ring_slots, height_px=self._settings.height_px, width_px=self._settings.width_px
        )
        self._picture = RingReader(self._ring.fd)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._hub: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._hub.setsockopt(zmq.LINGER, 500)
        self._endpoint = f"ipc://{self._runtime}/hub"
        self._hub.bind(self._endpoint)
        self._old_signals = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._children):
            self._tell(name, Quit())
        for child in self._children.values():
            child.end(_END_GRACE_S)
        if self._plain is not None:
            self._plain.close()
        if self._session is not None:
            for log in self._runtime.glob("*.log"):
                if log.stat().st_size:
                    shutil.copy(log, self._session.path / "log" / log.name)
        self._hub.close()
        self._context.term()
        for number, handler in self._old_signals.items():
            signal.signal(number, handler)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def run(self) -> CaptureResult:
        """Record until the trial or the operator ends it.

        Raises:
            CaptureError: The camera or the disk failed; what was recorded before is valid.
        """
        self._start_workers()
        session = self._open_session()
        book = self._book = TrialBook(session)
        if self._request.monitor:
            self._start_monitor()
        else:
            self._plain = PlainProgress(sys.stderr)
        for note in self._settings.notes:
            self._note("info", note)
        if self._request.live and find_spec(_LIVE_MODULE) is None:
            self._note("info", "recording without live readout: that part is not installed")
        self._start_trial()
        while not (self._stopping and not book.running):
            self._turn()
        if self._failure is not None:
            raise self._failure
        bad = [trial for trial in book.results if trial.error]
        if bad:
            raise CaptureError(f"{bad[-1].recording}: {bad[-1].error}")
        return CaptureResult(
            session.path, tuple(book.results), {"frames_analysed": 0, "frames_skipped": 0, "spotted": 0}
        )

    def statistics(self) -> CaptureStatistics:
        """The whole as it stands."""
        book = self._book
        return CaptureStatistics(
            host_ns=time.monotonic_ns(),
            session=self._session.path.name if self._session else "",
            trial=book.name if book else "",
            trial_elapsed_s=book.elapsed_s if book else 0.0,
            trial_limit_s=self._limit_s(),
            frame_bytes=self._geometry.frame_bytes,
            # The two report at different moments; a frame on disk has been in the ring for certain.
            camera=msgspec.structs.replace(self._camera, frames=max(self._camera.frames, self._recorder.frames)),
            recorder=self._recorder,
        )

    def _start_workers(self) -> None:
        frames = f"ipc://{self._runtime}/frames"
        fds = (self._ring.fd,)
        camera = CameraTask(
            hub=self._endpoint,
            frames=frames,
            ring_fd=self._ring.fd,
            settings=self._settings.model_dump(mode="json"),
            overrides=dict(self._request.overrides),
            preview=self._request.monitor,
            stop_at_fill=RING_STOP_AT if self._settings.when_ring_full == "stop" else 2.0,
        )
        recorder = RecorderTask(self._endpoint, frames, self._ring.fd, str(self._request.out))
        self._children["camera"] = Child.worker("camera", "capture.camera_process", camera, self._runtime, fds)
        self._children["recorder"] = Child.worker("recorder", "capture.recorder_process", recorder, self._runtime, fds)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not {"camera", "recorder"} <= self._ready.keys():
            self._turn()
            if self._failure is not None:
                raise self._failure
            if self._interrupted:
                raise CaptureError("interrupted before the camera was ready")
            if time.monotonic() > deadline:
                missing = " and ".join(sorted({"camera", "recorder"} - self._ready.keys()))
                raise CaptureError(f"the {missing} process did not come up within {_START_TIMEOUT_S:.0f} s")

    def _open_session(self) -> Session:
        self._session = Session.create(
            self._request.out, participant=self._request.participant, hardware=self._request.hardware
        )
        return self._session

    def _start_monitor(self) -> None:
        self._children["monitor"] = Child.on_terminal(
            "monitor", "capture.monitor", ["--hub", self._endpoint, "--ring-fd", str(self._ring.fd)], (self._ring.fd,)
        )

    def _start_trial(self) -> None:
        book, session = self._book, self._session
        if book is None or session is None or book.running:
            return
        try:
            _check_folder(self._request.out, self._bytes_needed())
        except CaptureError as error:
            self._note("error", str(error))
            self._failure = self._failure or (None if self._request.monitor else error)
            self._stopping |= not self._request.monitor
            return
        name, path = book.begin()
        self._disk_stop_sent = False
        self._tell(
            "camera",
            StartTrial(name, str(path), session.path.name, self._request.max_frames, self._request.max_seconds),
        )

    def _stop_trial(self, reason: str) -> None:
        if self._book is not None and self._book.running:
            self._tell("camera", StopTrial(reason))

    def _turn(self) -> None:
        """One turn of the loop: messages, children, disk, reports."""
        if self._hub.poll(_POLL_MS):
            while has_input(self._hub):
                identity, data = self._hub.recv_multipart(zmq.NOBLOCK)
                self._handle(identity, data)
        if self._interrupted and not self._stopping:
            self._stopping = True
            self._stop_trial("signal")
        self._watch_children()
        self._watch_disk()
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            self._report()

    def _report(self) -> None:
        statistics = self.statistics()
        self._tell("monitor", CaptureReport(statistics))
        if self._plain is not None:
            self._plain.update(statistics)

    def _handle(self, sender: bytes, data: bytes) -> None:
        try:
            message = decode(data)
        except MessageRefused as error:
            self._note("error", str(error))
            return
        match message:
            case CameraReport(statistics):
                self._camera = statistics
            case RecorderReport(statistics):
                self._recorder = statistics
            case Hello(process):
                self._ready[process] = sender
                if process == "monitor":
                    for event in self._events:
                        self._tell("monitor", event)
            case Event():
                self._log(message)
            case Failed(process, text, exit_code):
                self._fail(process, BadInput(text) if exit_code == BadInput.exit_code else CaptureError(text))
            case Command():
                self._obey(message)
            case TrialStarted() | TrialEnded() | Finished():
                self._keep_book(message)
            case _:
                self._note("warning", f"a {type(message).__name__} message is not for the supervisor")

    def _keep_book(self, message: TrialStarted | TrialEnded | Finished) -> None:
        book = self._book
        if book is None:
            return
        if not isinstance(message, Finished):
            self._tell("monitor", message)
        if isinstance(message, TrialStarted):
            book.started(message, (self._camera.cpu_s, self._recorder.cpu_s))
            self._note("info", f"{message.trial} started", "trial")
            return
        if isinstance(message, TrialEnded):
            book.camera_ended(message)
        else:
            book.recorder_finished(message)
        result = book.complete(self.statistics())
        if result is None:
            return
        self._report()
        self._note("error" if result.error else "info", result.summary(), "trial")
        if self._request.bounded or not self._request.monitor or self._interrupted:
            self._stopping = True

    def _obey(self, command: Command) -> None:
        match command.name:
            case "start_trial":
                self._start_trial()
            case "stop_trial":
                self._stop_trial("operator")
            case "marker":
                self._note("info", command.text or "marker", "marker")
            case "still":
                self._still()
            case "quit":
                self._stopping = True
                self._stop_trial("operator")

    def _still(self) -> None:
        session = self._session
        newest = self._picture.newest()
        if session is None or newest is None:
            self._note("warning", "no picture yet")
            return
        meta, pixels = newest
        path = save_still(session.path / "stills", f"frame-{meta.frame_id}-{meta.host_ns}", pixels)
        self._note("info", f"still {path.name}", "still")

    def _watch_children(self) -> None:
        for name, child in list(self._children.items()):
            if child.running:
                continue
            del self._children[name]
            self._ready.pop(name, None)
            if name == "monitor":
                self._lose_monitor(child)
            elif not self._stopping or (self._book is not None and self._book.running):
                self._fail(name, ProcessDied(child.last_words()))

    def _lose_monitor(self, child: Child) -> None:
        """The monitor is only a view: the trial goes on with progress lines."""
        if not self._stopping:
            self._plain = PlainProgress(sys.stderr)
            self._note("warning", f"{child.last_words()}; recording goes on, Ctrl-C stops it")

    def _fail(self, process: str, error: CaptureError) -> None:
        if self._failure is None:
            self._failure = error
            self._note("error", str(error))
        self._stopping = True
        book = self._book
        if book is None or not book.running:
            return
        if process == "camera":
            if not book.camera_is_done:
                end = book.end_for_dead_camera(self._camera, str(error))
                self._keep_book(TrialEnded(book.name, end, book.elapsed_s, self._camera.rate_measured_fps))
                self._tell("recorder", end)
        else:
            self._stop_trial("recorder")
            book.recorder_gone(str(error))
            self._complete_without_recorder()

    def _complete_without_recorder(self) -> None:
        book = self._book
        if book is not None and book.camera_is_done:
            book.complete(self.statistics())

    def _watch_disk(self) -> None:
        """End the trial cleanly while there is room to do so."""
        if self._book is None or not self._book.running or self._disk_stop_sent:
            return
        recorder = self._recorder
        room = self._geometry.shard_bytes(self._geometry.frames_per_shard) * _FREE_SHARDS_TO_GO_ON
        full = recorder.state is RecorderState.RECORDING and recorder.disk_free_bytes < room
        if full:
            self._note("error", f"the disk is full: {recorder.disk_free_bytes / 1e6:.0f} MB left, ending the trial")
        if full or recorder.state is RecorderState.FAILED:
            self._disk_stop_sent = True
            self._stop_trial("disk")

    def _note(self, level: Literal["info", "warning", "error"], text: str, kind: str = "note") -> None:
        self._log(Event(time.monotonic_ns(), level, "supervisor", text), kind)

    def _log(self, event: Event, kind: str = "note") -> None:
        """To the session's event log, and to whoever watches, now or later."""
        self._events.append(event)
        if self._session is not None:
            self._session.log_event(
                event.host_ns,
                event.level,
                event.source,
                event.text,
                trial=self._book.name if self._book else None,
                trial_type=kind,
            )
        self._tell("monitor", event)
        if self._plain is not None:
            self._plain.event(event)

    def _tell(self, process: str, message: Message) -> None:
        """Send to a process that has said hello; others do not hear it."""
        address = self._ready.get(process)
        if address is not None:
            self._hub.send_multipart([address, encode(message)])

    def _limit_s(self) -> float | None:
        if self._request.max_seconds is not None:
            return self._request.max_seconds
        return self._request.max_frames / self._settings.rate_fps if self._request.max_frames else None

    def _bytes_needed(self) -> int:
        """Room that a trial takes: all of it where its length is known, else what it needs to begin."""
        shard = self._geometry.shard_bytes(self._geometry.frames_per_shard)
        limit_s = self._limit_s()
        frames = limit_s * self._settings.rate_fps if limit_s else 0
        return int(frames * self._geometry.stride) + _FREE_SHARDS_TO_START * shard

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True


def _check_folder(out: Path, bytes_needed: int) -> None:
    """Make sure that `out` can be written and has room.

    Raises:
        FolderUnusable: It cannot be made or written.
        NoSpace: There is less room than `bytes_needed`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise FolderUnusable(f"cannot write to {out} ({error.strerror}): choose another folder with --out") from error
    free = shutil.disk_usage(out).free
    if free < bytes_needed:
        raise NoSpace(
            f"{out} has {free / 1e9:.1f} GB left and the recording needs {bytes_needed / 1e9:.1f} GB: "
            "make room, record shorter, or choose another disk with --out"
        )
