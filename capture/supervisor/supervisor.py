"""The supervisor's loop: starts camera, recorder and monitor, passes orders and reports on, ends everything cleanly."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Set as AbstractSet
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import msgspec

from capture.errors import BadInput, CaptureError, MessageRefused, ProcessDied
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
)
from capture.monitor.plain import PlainProgress
from capture.processes.common import CameraTask, RecorderTask
from capture.ring import RingReader, RingWriter
from capture.session import Session
from capture.statistics import RING_STOP_AT, CameraStatistics, CaptureStatistics, RecorderState, RecorderStatistics
from capture.stills import save_still
from capture.supervisor.children import Child
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.recorders import start_recorder
from capture.supervisor.request import CaptureRequest, CaptureResult
from capture.supervisor.trials import TrialBook

_LIVE_MODULE = "realtime"
_POLL_MS = 50
_REPORT_S = 0.1
_START_TIMEOUT_S = 60.0
"""Some cameras take half a minute to come up."""
_END_GRACE_S = 10.0
_FREE_SHARDS_TO_GO_ON = 1.2
"""The next shard is allocated ahead; with less than this free the one after it could not be."""
_NEVER_FULL = 2.0
_RECORDER_RESTARTS = 5
"""A recorder that dies more often than this in one session will not get better."""
_WORKERS = frozenset({"camera", "recorder"})


class Supervisor:
    """Runs one `dfme-capture`: use as a context manager, then call `run` once.

    Children never wait for the supervisor: it may be slow or stopped without a frame being lost. When it dies, the
    camera process ends the trial and the recorder closes the recording.
    """

    def __init__(self, request: CaptureRequest) -> None:
        self._request = request
        self._children: dict[str, Child] = {}
        self._camera = CameraStatistics()
        self._recorder = RecorderStatistics()
        self._stopping = False
        self._interrupted = False
        self._failure: CaptureError | None = None
        self._session: Session | None = None
        self._book: TrialBook | None = None
        self._reported_at = 0.0
        self._disk_stop_sent = False
        self._recorder_restarts = 0

    def __enter__(self) -> Self:
        settings = self._request.settings
        self._request.check_room()
        self._ring = RingWriter.create(
            slots=settings.ring_slots, height_px=settings.height_px, width_px=settings.width_px
        )
        self._picture = RingReader(self._ring.fd)
        self._runtime = Path(tempfile.mkdtemp(prefix="dfme-"))
        self._hub = Hub(self._runtime)
        self._journal = Journal(self._hub)
        self._old_signals = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._request.remote is not None and "recorder" in self._children and self._session is not None:
            # The sender copies the session's small files to the storage machine: it goes when those are complete.
            self._end_children([name for name in self._children if name != "recorder"])
        self._end_children(list(self._children))
        if self._journal.plain is not None:
            self._journal.plain.close()
        self._hub.close()
        for number, handler in self._old_signals.items():
            signal.signal(number, handler)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def run(self) -> CaptureResult:
        """Record until the trial or the operator ends it.

        Raises:
            CaptureError: The camera or the disk failed; what was recorded before is valid.
        """
        request = self._request
        self._start_workers()
        self._session = self._journal.session = Session.create(
            request.out, participant=request.participant, hardware=request.hardware
        )
        book = self._book = TrialBook(self._session)
        if request.monitor:
            self._start_monitor()
        else:
            self._journal.plain = PlainProgress(sys.stderr)
        for note in request.settings.notes:
            self._journal.note("info", note)
        if request.live and find_spec(_LIVE_MODULE) is None:
            self._journal.note("info", "recording without live readout: that part is not installed")
        self._start_trial()
        while not (self._stopping and not book.running):
            self._turn()
        if self._failure is not None:
            raise self._failure
        bad = [trial for trial in book.results if trial.error]
        if bad:
            raise CaptureError(f"{bad[-1].recording}: {bad[-1].error}")
        return CaptureResult(
            self._session.path, tuple(book.results), {"frames_analysed": 0, "frames_skipped": 0, "spotted": 0}
        )

    def statistics(self) -> CaptureStatistics:
        """The whole as it stands."""
        book = self._book
        return CaptureStatistics(
            host_ns=time.monotonic_ns(),
            session=self._session.path.name if self._session else "",
            trial=book.name if book else "",
            trial_elapsed_s=book.elapsed_s if book else 0.0,
            trial_limit_s=self._request.limit_s,
            trial_open=book.running if book else False,
            frame_bytes=self._request.geometry.frame_bytes,
            # The two report at different moments; a frame on disk has been in the ring for certain.
            camera=msgspec.structs.replace(self._camera, frames=max(self._camera.frames, self._recorder.frames)),
            recorder=self._recorder,
        )

    def _end_children(self, names: list[str]) -> None:
        """Tell these to quit, see them end, and keep what they had to say."""
        for name in names:
            self._hub.tell(name, Quit())
            if self._session is None and name == "recorder":
                # Nothing was recorded, and while it still maps a large ring it hears nothing else.
                self._children[name].process.kill()
        for name in names:
            self._children.pop(name).end(_END_GRACE_S)
        for message in self._hub.received(0):
            if isinstance(message, Event):
                self._journal.log(message)
        if self._session is not None:
            for log in self._runtime.glob("*.log"):
                if log.stat().st_size:
                    shutil.copy(log, self._session.log / log.name)

    def _start_workers(self) -> None:
        settings, fd = self._request.settings, self._ring.fd
        frames = f"ipc://{self._runtime}/frames"
        camera = CameraTask(
            hub=self._hub.endpoint,
            frames=frames,
            ring_fd=fd,
            settings=settings.model_dump(mode="json"),
            overrides=dict(self._request.overrides),
            preview=self._request.monitor,
            stop_at_fill=RING_STOP_AT if settings.when_ring_full == "stop" else _NEVER_FULL,
        )
        self._recorder_task = RecorderTask(self._hub.endpoint, frames, fd, str(self._request.out))
        self._start_recorder()
        if self._request.remote is not None:
            # Who has no storage machine need not wait for a camera.
            self._wait_for({"recorder"})
        self._children["camera"] = Child.worker("camera", "capture.processes.camera", camera, self._runtime, [fd])
        self._wait_for(_WORKERS)

    def _wait_for(self, workers: AbstractSet[str]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._hub.present >= workers:
            self._turn()
            if self._failure is not None:
                raise self._failure
            if self._interrupted:
                raise CaptureError("interrupted before the camera was ready; nothing was recorded")
            if time.monotonic() > deadline:
                missing = " and ".join(sorted(workers - self._hub.present))
                raise CaptureError(f"the {missing} process did not come up within {_START_TIMEOUT_S:.0f} s")

    def _start_recorder(self) -> None:
        again = self._recorder_restarts > 0
        self._children["recorder"] = start_recorder(self._request, self._recorder_task, self._runtime, again=again)

    def _start_monitor(self) -> None:
        fd = self._ring.fd
        arguments = ["--hub", self._hub.endpoint, "--ring-fd", str(fd)]
        self._children["monitor"] = Child.on_terminal("monitor", "capture.monitor", arguments, [fd])

    def _start_trial(self) -> None:
        book, session, request = self._book, self._session, self._request
        if book is None or session is None or book.running:
            return
        try:
            request.check_room(self._recorder.disk_free_bytes)
        except CaptureError as error:
            self._journal.note("error", str(error))
            if not request.monitor:
                raise
            return
        name, path = book.begin()
        self._journal.trial = name
        self._disk_stop_sent = False
        start = StartTrial(name, str(path), session.path.name, request.max_frames, request.max_seconds)
        self._hub.tell("camera", start)

    def _stop_trial(self, reason: str) -> None:
        if self._book is not None and self._book.running:
            self._hub.tell("camera", StopTrial(reason))

    def _turn(self) -> None:
        """One turn of the loop: messages, children, disk, reports."""
        for message in self._hub.received(_POLL_MS):
            if isinstance(message, MessageRefused):
                self._journal.note("error", str(message))
            else:
                self._handle(message)
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
        for level, text in self._request.news() if self._session is not None else ():
            self._journal.note(level, text)
        statistics = self.statistics()
        self._hub.tell("monitor", CaptureReport(statistics))
        if self._journal.plain is not None:
            self._journal.plain.update(statistics)

    def _handle(self, message: Message) -> None:
        match message:
            case CameraReport(statistics):
                self._camera = statistics
            case RecorderReport(statistics):
                self._recorder = statistics
            case Hello(process):
                if process == "monitor":
                    self._journal.tell_monitor_the_past()
            case Event():
                self._journal.log(message)
            case Failed(process, text, exit_code):
                self._fail(process, BadInput(text) if exit_code == BadInput.exit_code else CaptureError(text))
            case Command():
                self._obey(message)
            case TrialStarted() | TrialEnded() | Finished():
                self._keep_book(message)
            case _:
                self._journal.note("warning", f"a {type(message).__name__} message is not for the supervisor")

    def _keep_book(self, message: TrialStarted | TrialEnded | Finished) -> None:
        book = self._book
        if book is None:
            return
        if not isinstance(message, Finished):
            self._hub.tell("monitor", message)
        if isinstance(message, TrialStarted):
            book.started(message)
            self._journal.note("info", f"{message.trial} started", "trial")
            return
        if isinstance(message, TrialEnded):
            book.camera_ended(message)
        else:
            book.recorder_finished(message)
        self._complete_trial()

    def _complete_trial(self) -> None:
        result = self._book.complete(self.statistics()) if self._book is not None else None
        if result is None:
            return
        self._report()
        self._journal.note("error" if result.error else "info", result.summary(), "trial")
        if self._request.bounded or not self._request.monitor or self._interrupted:
            self._stopping = True

    def _obey(self, command: Command) -> None:
        match command.name:
            case "start_trial":
                self._start_trial()
            case "stop_trial":
                self._stop_trial("operator")
            case "marker":
                self._journal.note("info", command.text or "marker", "marker", command.host_ns)
            case "still":
                self._still()
            case "quit":
                self._stopping = True
                self._stop_trial("operator")

    def _still(self) -> None:
        session, newest = self._session, self._picture.newest()
        if session is None or newest is None:
            self._journal.note("warning", "no picture yet")
            return
        meta, pixels = newest
        path = save_still(session.path / "stills", f"frame-{meta.frame_id}-{meta.host_ns}", pixels)
        self._journal.note("info", f"still {path.name}", "still")

    def _watch_children(self) -> None:
        for name, child in list(self._children.items()):
            if child.running:
                continue
            del self._children[name]
            self._hub.forget(name)
            if name == "monitor":
                self._lose_monitor(child)
            elif name == "recorder" and self._failure is None and self._recorder_restarts < _RECORDER_RESTARTS:
                self._recorder_restarts += 1
                self._start_recorder()
                self._journal.note(
                    "warning", f"{child.last_words()}; started anew, the ring holds what it had not saved"
                )
            elif not self._stopping or (self._book is not None and self._book.running):
                self._fail(name, ProcessDied(child.last_words()))

    def _lose_monitor(self, child: Child) -> None:
        """The monitor is only a view: the trial goes on with progress lines."""
        if not self._stopping:
            self._journal.plain = PlainProgress(sys.stderr)
            self._journal.note("warning", f"{child.last_words()}; recording goes on, Ctrl-C stops it")

    def _fail(self, process: str, error: CaptureError) -> None:
        """A process cannot go on: end the trial with what there is."""
        if self._failure is None:
            self._failure = error
            self._journal.note("error", str(error))
        self._stopping = True
        book = self._book
        if book is None or not book.running:
            return
        if process == "recorder":
            self._stop_trial("recorder")
            book.recorder_gone(str(error))
            self._complete_trial()
        elif not book.camera_is_done:
            end = book.end_for_dead_camera(self._camera, str(error))
            self._hub.tell("recorder", end)
            self._keep_book(TrialEnded(book.name, end, book.elapsed_s, self._camera.rate_measured_fps))

    def _watch_disk(self) -> None:
        """End the trial cleanly while there is room to do so."""
        if self._book is None or not self._book.running or self._disk_stop_sent:
            return
        recorder = self._recorder
        room = self._request.shard_bytes * _FREE_SHARDS_TO_GO_ON
        known = recorder.state is RecorderState.RECORDING and recorder.disk_total_bytes > 0
        full = known and recorder.disk_free_bytes < room
        if full:
            left = f"{recorder.disk_free_bytes / 1e6:.0f} MB left"
            self._journal.note("error", f"the disk is full ({left}): ending the trial while that can be done cleanly")
        if full or recorder.state is RecorderState.FAILED:
            self._disk_stop_sent = True
            self._stop_trial("disk")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
