"""The figures of a whole capture as they stand: what each process reported last, shown to whoever watches."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from capture.messages import CaptureReport
from capture.statistics import CameraStatistics, CaptureStatistics, RecorderStatistics
from capture.supervisor.elicitation import Elicitation
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.live import Live
from capture.supervisor.request import CaptureRequest
from capture.supervisor.trials import TrialBook


class Figures:
    """Keeps the last reports, and puts them together for the monitor or the progress lines."""

    def __init__(
        self, request: CaptureRequest, hub: Hub, journal: Journal, elicitation: Elicitation, live: Live
    ) -> None:
        self._request = request
        self._hub = hub
        self._journal = journal
        self._elicitation = elicitation
        self._live = live
        self._session = ""
        self._book: TrialBook | None = None
        self.camera = CameraStatistics()
        self.recorder = RecorderStatistics()

    def begin(self, session: Path, book: TrialBook) -> None:
        """There is a session now, with a book of its trials."""
        self._session, self._book = session.name, book

    def statistics(self) -> CaptureStatistics:
        """The whole as it stands."""
        book = self._book
        return CaptureStatistics(
            host_ns=time.monotonic_ns(),
            session=self._session,
            trial=book.name if book else "",
            trial_elapsed_s=book.elapsed_s if book else 0.0,
            trial_limit_s=self._request.limit_s,
            trial_open=book.running if book else False,
            frame_bytes=self._request.geometry.frame_bytes,
            # The two report at different moments; a frame on disk has been in the ring for certain.
            camera=msgspec.structs.replace(self.camera, frames=max(self.camera.frames, self.recorder.frames)),
            recorder=self.recorder,
            live=self._live.statistics,
            elicitation=self._elicitation.statistics,
        )

    def show(self) -> None:
        """Tell them to the monitor, or to the progress lines where there is none."""
        for level, text in self._request.news() if self._session else ():
            self._journal.note(level, text)
        statistics = self.statistics()
        self._hub.tell("monitor", CaptureReport(statistics))
        if self._journal.plain is not None:
            self._journal.plain.update(statistics)
