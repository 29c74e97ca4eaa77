"""The supervisor's loop: starts the processes, passes their messages on, restarts or ends what dies."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from capture.errors import BadInput, CaptureError, MessageRefused, ProcessDied
from capture.messages import (
    CameraReport,
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
    StopTrial,
    TrialEnded,
    TrialStarted,
    TrialWanted,
)
from capture.monitor.plain import PlainProgress
from capture.ring import RingReader, RingWriter
from capture.session import Session
from capture.statistics import CaptureStatistics
from capture.stills import save_newest
from capture.supervisor.children import Child
from capture.supervisor.elicitation import PROCESS as ELICITATION
from capture.supervisor.elicitation import Elicitation
from capture.supervisor.ending import end_children
from capture.supervisor.figures import Figures
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.live import PROCESS as LIVE
from capture.supervisor.live import Live
from capture.supervisor.recorders import Recorders, start_camera, start_monitor
from capture.supervisor.request import CaptureRequest, CaptureResult
from capture.supervisor.startup import wait_until_up
from capture.supervisor.trial_control import TrialControl

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
        self._interrupted = False
        self._failure: CaptureError | None = None
        self._session: Session | None = None
        self._reported_at = 0.0

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
        shown = (self._request, self._hub, self._journal, self._elicitation, self._live)
        self._figures = Figures(*shown)
        self._trials = TrialControl(*shown, self._figures)
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
        self._trials.open(self._session)
        if request.monitor:
            self._children["monitor"] = start_monitor(self._hub.endpoint, self._ring.fd)
        else:
            self._journal.show(PlainProgress(sys.stderr))
        for level, text in (*(("info", note) for note in request.settings.notes), *notes):
            self._journal.note(level, text)
        self._live.begin(self._session.path)
        self._elicitation.begin()
        if not self._elicitation.wanted:
            self._trials.start()
        while not (self._trials.ending and not self._trials.running):
            self._turn()
        while self._failure is None and self._live.finishing():
            self._turn()
        if self._failure is not None:
            raise self._failure
        return CaptureResult.of(
            self._session.path, self._trials.results, self._live.result(), self._elicitation.result()
        )

    def statistics(self) -> CaptureStatistics:
        """The whole as it stands."""
        return self._figures.statistics()

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

    def _end(self, reason: str) -> None:
        """End the trial that runs, and everything once it is on disk."""
        self._trials.ending = True
        self._hub.tell(ELICITATION, Quit())
        self._trials.stop(reason)

    def _turn(self) -> None:
        """One turn of the loop: messages, children, disk, reports."""
        for message in self._hub.received(_POLL_MS):
            if isinstance(message, MessageRefused):
                self._journal.note("error", str(message))
            elif not self._live.takes(message):
                self._handle(message)
        for command in self._elicitation.typed():
            self._obey(command)
        if self._interrupted and not self._trials.ending:
            self._end("signal")
        self._watch_children()
        self._trials.watch_disk()
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            self._figures.show()

    def _handle(self, message: Message) -> None:
        match message:
            case CameraReport(statistics):
                self._figures.camera = statistics
                self._elicitation.camera_reported(statistics)
            case RecorderReport(statistics):
                self._figures.recorder = statistics
            case Hello(process):
                if process == "monitor":
                    self._journal.tell_monitor_the_past()
                elif process == ELICITATION:
                    self._elicitation.begin()
                elif process == "recorder":
                    self._trials.speak_for_camera()
            case Event():
                self._journal.log(message)
            case Failed(process, text, exit_code):
                self._fail(process, BadInput(text) if exit_code == BadInput.exit_code else CaptureError(text))
            case Command():
                self._obey(message)
            case TrialStarted() | TrialEnded() | Finished():
                self._trials.follow(message)
            case TrialWanted() | StopTrial() | Planned() | ElicitationReport() | ElicitationEnded():
                self._serve_elicitation(message)
            case _:
                self._journal.note("warning", f"a {type(message).__name__} is not for the supervisor")

    def _serve_elicitation(
        self, message: TrialWanted | StopTrial | Planned | ElicitationReport | ElicitationEnded
    ) -> None:
        match message:
            case TrialWanted():
                self._trials.start(message)
            case StopTrial(reason):
                self._trials.stop(reason)
            case _:
                self._elicitation.take(message)
                # With the monitor the operator looks at it first, and quits.
                if self._elicitation.over and not self._request.monitor:
                    self._trials.ending = True

    def _obey(self, command: Command) -> None:
        match command.name:
            case "start_trial":
                self._trials.start()
            case "stop_trial":
                self._trials.stop("operator")
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
                self._children |= self._live.successor(child, self._runtime, self._ring.fd, ending=self._trials.ending)
            elif name == ELICITATION and (self._trials.ending or self._elicitation.over):
                pass
            elif name == ELICITATION and self._elicitation.may_restart():
                self._trials.stop("protocol")
                self._children[name] = self._elicitation.start(self._runtime)
                self._journal.note("warning", f"{child.last_words()}; the session goes on at the next trial")
            elif name == "recorder" and self._may_restart_recorder():
                self._children[name] = self._recorders.start()
                self._journal.note("warning", f"{child.last_words()}; started anew, the ring holds what was not saved")
            elif not self._trials.ending or self._trials.running:
                self._fail(name, ProcessDied(child.last_words()))

    def _may_restart_recorder(self) -> bool:
        return (self._failure is None or self._trials.awaits_recorder) and self._recorders.may_start_anew

    def _lose_monitor(self, child: Child) -> None:
        """The monitor is only a view: the trial goes on with progress lines."""
        child.tidy_up()
        if not self._trials.ending:
            self._journal.plain = PlainProgress(sys.stderr)
            self._journal.note("warning", f"{child.last_words()}; recording goes on, Ctrl-C stops it")

    def _fail(self, process: str, error: CaptureError) -> None:
        """A process cannot go on: end the trial with what there is."""
        if self._failure is None:
            self._failure = error
            self._journal.note("error", str(error))
        self._trials.ending = True
        self._trials.end_without(process, str(error))

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
