"""The supervisor's loop: starts camera, recorder and monitor, passes orders and reports on, ends everything cleanly."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import msgspec

from capture.errors import BadInput, CaptureError, MessageRefused, ProcessDied
from capture.messages import (
    CameraReport,
    CaptureReport,
    Command,
    ElicitationEnded,
    ElicitationReport,
    Event,
    Failed,
    Finished,
    Hello,
    Message,
    Planned,
    Quit,
    RecorderReport,
    StartTrial,
    StopTrial,
    TrialEnded,
    TrialRefused,
    TrialStarted,
    TrialWanted,
)
from capture.monitor.plain import PlainProgress
from capture.ring import RingReader, RingWriter
from capture.session import Session
from capture.statistics import CameraStatistics, CaptureStatistics, RecorderStatistics
from capture.stills import save_newest
from capture.supervisor.children import Child
from capture.supervisor.disk_watch import DiskWatch
from capture.supervisor.elicitation import PROCESS as ELICITATION
from capture.supervisor.elicitation import Elicitation
from capture.supervisor.ending import end_children
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.live import PROCESS as LIVE
from capture.supervisor.live import Live
from capture.supervisor.recorders import Recorders, start_camera, start_monitor
from capture.supervisor.request import CaptureRequest, CaptureResult
from capture.supervisor.startup import wait_until_up
from capture.supervisor.trials import TrialBook

_POLL_MS = 50
_REPORT_S = 0.1


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
        self._disk = DiskWatch(request.shard_bytes, request.geometry.stride)

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
        self._elicitation = Elicitation(self._request, self._hub)
        self._recorders = Recorders(self._request, self._hub.endpoint, self._ring.fd, self._runtime)
        self._live = Live(self._request, self._hub, self._journal)
        self._old_signals = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._request.remote is not None and "recorder" in self._children and self._session is not None:
            # The sender copies the session's small files to the storage machine: it goes when those are complete.
            others = [name for name in self._children if name != "recorder"]
            end_children(self._children, others, self._hub, self._journal, self._runtime)
        end_children(self._children, list(self._children), self._hub, self._journal, self._runtime)
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
        self._session, notes = self._elicitation.open_session()
        self._journal.session = self._session
        book = self._book = TrialBook(self._session)
        if request.monitor:
            self._children["monitor"] = start_monitor(self._hub.endpoint, self._ring.fd)
        else:
            self._journal.plain = PlainProgress(sys.stderr)
        for level, text in (*(("info", note) for note in request.settings.notes), *notes):
            self._journal.note(level, text)
        self._live.begin(self._session.path)
        self._elicitation.begin()
        if not self._elicitation.wanted:
            self._start_trial()
        while not (self._stopping and not book.running):
            self._turn()
        while self._failure is None and self._live.finishing():
            self._turn()
        if self._failure is not None:
            raise self._failure
        return CaptureResult.of(self._session.path, book.results, self._live.result(), self._elicitation.result())

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
            live=self._live.statistics,
            elicitation=self._elicitation.statistics,
        )

    def _start_workers(self) -> None:
        fd = self._ring.fd
        if self._elicitation.wanted:
            # What is wrong with protocol, stimuli or the participant's screen shows before anything else starts.
            self._children[ELICITATION] = self._elicitation.start(self._runtime)
            wait_until_up(self._hub, {ELICITATION}, self._first_turn)
        self._children["recorder"] = self._recorders.start()
        if self._request.remote is not None:
            # Who has no storage machine need not wait for a camera.
            wait_until_up(self._hub, {"recorder"}, self._first_turn)
        frames = self._recorders.frames
        self._children["camera"] = start_camera(self._request, self._hub.endpoint, frames, fd, self._runtime)
        if self._live.wanted:
            self._children[LIVE] = self._live.start(self._runtime, fd)
        wait_until_up(self._hub, {"camera", "recorder"}, self._first_turn)
        while self._live.coming_up():
            self._first_turn()

    def _first_turn(self) -> None:
        """A turn before there is anything to record."""
        self._turn()
        if self._failure is not None:
            raise self._failure
        if self._interrupted:
            raise CaptureError("interrupted before the camera was ready; nothing was recorded")

    def _start_trial(self, wanted: TrialWanted | None = None) -> None:
        book, session, request = self._book, self._session, self._request
        if book is None or session is None or book.running or self._stopping:
            self._hub.tell(ELICITATION, TrialRefused("another trial runs, or the end is near"))
            return
        try:
            request.check_room(self._recorder.disk_free_bytes)
        except CaptureError as error:
            self._journal.note("error", str(error))
            self._hub.tell(ELICITATION, TrialRefused(str(error)))
            if not request.monitor and wanted is None:
                raise
            return
        name, path = book.begin(wanted.kind, wanted.stimulus) if wanted is not None else book.begin()
        self._journal.trial = name
        self._disk.begin_trial()
        start = StartTrial(name, str(path), session.path.name, request.max_frames, request.max_seconds)
        self._hub.tell("camera", start)

    def _stop_trial(self, reason: str) -> None:
        if self._book is not None and self._book.running:
            self._hub.tell("camera", StopTrial(reason))

    def _end(self, reason: str) -> None:
        """End the trial that runs, and everything once it is on disk."""
        self._stopping = True
        self._hub.tell(ELICITATION, Quit())
        self._stop_trial(reason)

    def _turn(self) -> None:
        """One turn of the loop: messages, children, disk, reports."""
        for message in self._hub.received(_POLL_MS):
            if isinstance(message, MessageRefused):
                self._journal.note("error", str(message))
            elif not self._live.takes(message):
                self._handle(message)
        for command in self._elicitation.typed():
            self._obey(command)
        if self._interrupted and not self._stopping:
            self._end("signal")
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
                self._elicitation.camera_reported(statistics)
            case RecorderReport(statistics):
                self._recorder = statistics
            case Hello(process):
                if process == "monitor":
                    self._journal.tell_monitor_the_past()
                elif process == ELICITATION:
                    self._elicitation.begin()
                elif process == "recorder":
                    self._speak_for_camera()
            case Event():
                self._journal.log(message)
            case Failed(process, text, exit_code):
                self._fail(process, BadInput(text) if exit_code == BadInput.exit_code else CaptureError(text))
            case Command():
                self._obey(message)
            case TrialStarted() | TrialEnded() | Finished():
                self._keep_book(message)
            case TrialWanted() | StopTrial() | Planned() | ElicitationReport() | ElicitationEnded():
                self._serve_elicitation(message)
            case _:
                self._journal.note("warning", f"a {type(message).__name__} is not for the supervisor")

    def _serve_elicitation(
        self, message: TrialWanted | StopTrial | Planned | ElicitationReport | ElicitationEnded
    ) -> None:
        match message:
            case TrialWanted():
                self._start_trial(message)
            case StopTrial(reason):
                self._stop_trial(reason)
            case _:
                self._elicitation.take(message)
                # With the monitor the operator looks at it first, and quits.
                if self._elicitation.over and not self._request.monitor:
                    self._stopping = True

    def _keep_book(self, message: TrialStarted | TrialEnded | Finished) -> None:
        book = self._book
        if book is None:
            return
        if not isinstance(message, Finished):
            self._hub.tell("monitor", message)
            self._elicitation.follow(message)
            self._live.follow(message)
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
        self._hub.tell(ELICITATION, result.as_finished())
        alone = not self._request.monitor and not self._elicitation.wanted
        if self._request.bounded or alone or self._interrupted:
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
                self._end("operator")
            case _:
                self._hub.tell(ELICITATION, command)

    def _still(self) -> None:
        path = save_newest(self._session.path / "stills", self._picture) if self._session is not None else None
        if path is None:
            self._journal.note("warning", "no picture yet")
        else:
            self._journal.note("info", f"still {path.name}", "still")

    def _watch_children(self) -> None:
        for name, child in list(self._children.items()):
            if child.running:
                continue
            del self._children[name]
            self._hub.forget(name)
            if name == "monitor":
                self._lose_monitor(child)
            elif name == LIVE:
                self._children |= self._live.successor(child, self._runtime, self._ring.fd, ending=self._stopping)
            elif name == ELICITATION and (self._stopping or self._elicitation.over):
                pass
            elif name == ELICITATION and self._elicitation.may_restart():
                self._stop_trial("protocol")
                self._children[name] = self._elicitation.start(self._runtime)
                self._journal.note("warning", f"{child.last_words()}; the session goes on at the next trial")
            elif name == "recorder" and self._may_restart_recorder():
                self._children[name] = self._recorders.start()
                self._journal.note("warning", f"{child.last_words()}; started anew, the ring holds what was not saved")
            elif not self._stopping or (self._book is not None and self._book.running):
                self._fail(name, ProcessDied(child.last_words()))

    def _may_restart_recorder(self) -> bool:
        closing = self._book is not None and bool(self._book.instead_of_camera)
        return (self._failure is None or closing) and self._recorders.may_start_anew

    def _speak_for_camera(self) -> None:
        """Tell the recorder, one that was started anew as well, of a trial whose camera process has died."""
        for message in self._book.instead_of_camera if self._book is not None else ():
            self._hub.tell("recorder", message)

    def _lose_monitor(self, child: Child) -> None:
        """The monitor is only a view: the trial goes on with progress lines."""
        child.tidy_up()
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
            self._keep_book(TrialEnded(book.name, end, book.elapsed_s, self._camera.rate_measured_fps))
            self._speak_for_camera()

    def _watch_disk(self) -> None:
        if self._book is None or not self._book.running:
            return
        verdict = self._disk.verdict(self._recorder)
        if verdict:
            self._journal.note("error", verdict)
        if verdict is not None:
            self._stop_trial("disk")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
