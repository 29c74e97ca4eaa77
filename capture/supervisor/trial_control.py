"""Begins and ends trials, and follows each until camera and recorder have told its end."""

from __future__ import annotations

from capture.errors import CaptureError
from capture.messages import Finished, StartTrial, StopTrial, TrialEnded, TrialRefused, TrialStarted, TrialWanted
from capture.session import Session
from capture.supervisor.disk_watch import DiskWatch
from capture.supervisor.elicitation import PROCESS as ELICITATION
from capture.supervisor.elicitation import Elicitation
from capture.supervisor.figures import Figures
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.live import Live
from capture.supervisor.request import CaptureRequest
from capture.supervisor.trials import TrialBook, TrialResult


class TrialControl:
    """Orders trials from the camera process and keeps the book of them.

    Before `open` there is no session: nothing can be started, and what is asked of a trial is that none runs.
    """

    def __init__(
        self,
        request: CaptureRequest,
        hub: Hub,
        journal: Journal,
        elicitation: Elicitation,
        live: Live,
        figures: Figures,
    ) -> None:
        self._request = request
        self._hub = hub
        self._journal = journal
        self._elicitation = elicitation
        self._live = live
        self._figures = figures
        self._disk = DiskWatch(request.shard_bytes, request.geometry.stride)
        self._session: Session | None = None
        self._book: TrialBook | None = None
        self.ending = False
        """Whether no further trial is to begin."""

    def open(self, session: Session) -> None:
        """Trials go into this session."""
        self._session, self._book = session, TrialBook(session)
        self._figures.begin(session.path, self._book)

    @property
    def running(self) -> bool:
        """Whether a trial was begun and is not complete."""
        return self._book is not None and self._book.running

    @property
    def results(self) -> list[TrialResult]:
        """The trials that are complete, in order."""
        return self._book.results if self._book is not None else []

    @property
    def awaits_recorder(self) -> bool:
        """Whether only the recorder is still needed, since the camera process has died in a trial."""
        return self._book is not None and bool(self._book.instead_of_camera)

    def start(self, wanted: TrialWanted | None = None) -> None:
        """Start a trial: the one that the participant's session wants, or one of the operator's.

        Raises:
            CaptureError: There is no room for it, and nobody who could make some and try again.
        """
        book, session, request = self._book, self._session, self._request
        if book is None or session is None or book.running or self.ending:
            self._hub.tell(ELICITATION, TrialRefused("another trial runs, or the end is near"))
            return
        try:
            request.check_room(self._figures.recorder.disk_free_bytes)
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

    def stop(self, reason: str) -> None:
        """Stop the trial that runs; `reason` is kept with it."""
        if self.running:
            self._hub.tell("camera", StopTrial(reason))

    def follow(self, message: TrialStarted | TrialEnded | Finished) -> None:
        """What camera process and recorder say of the trial that runs."""
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
        self._complete(book)

    def watch_disk(self) -> None:
        """End the trial that runs while the disk has room to close it."""
        if not self.running:
            return
        verdict = self._disk.verdict(self._figures.recorder)
        if verdict:
            self._journal.note("error", verdict)
        if verdict is not None:
            self.stop("disk")

    def end_without(self, process: str, error: str) -> None:
        """A process cannot go on: the trial that runs ends with what there is."""
        book = self._book
        if book is None or not book.running:
            return
        if process == "recorder":
            self.stop("recorder")
            book.recorder_gone(error)
            self._complete(book)
        elif not book.camera_is_done:
            camera = self._figures.camera
            end = book.end_for_dead_camera(camera, error)
            self.follow(TrialEnded(book.name, end, book.elapsed_s, camera.rate_measured_fps))
            self.speak_for_camera()

    def speak_for_camera(self) -> None:
        """Tell the recorder, one that was started anew as well, of a trial whose camera process has died."""
        for message in self._book.instead_of_camera if self._book is not None else ():
            self._hub.tell("recorder", message)

    def _complete(self, book: TrialBook) -> None:
        """Once both sides have spoken."""
        result = book.complete(self._figures.statistics())
        if result is None:
            return
        self._figures.show()
        self._journal.note("error" if result.error else "info", result.summary(), "trial")
        self._hub.tell(ELICITATION, result.as_finished())
        alone = not self._request.monitor and not self._elicitation.wanted
        if self._request.bounded or alone:
            self.ending = True
