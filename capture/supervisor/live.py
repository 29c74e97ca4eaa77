"""The supervisor's side of the live readout: its process, what it says, and that nothing else depends on it."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from capture.messages import Failed, Hello, LiveReport, Message, Quit, SessionOpened, TrialEnded, TrialStarted
from capture.processes.common import LiveTask
from capture.statistics import LiveStatistics
from capture.supervisor.children import Child
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal
from capture.supervisor.request import CaptureRequest

PROCESS: Final = "live"
_MODULE: Final = "realtime"
_RESTARTS: Final = 5
"""A service that dies more often than this in one session will not get better."""
_COMES_UP_S: Final = 8.0
"""How long the first trial waits for it: frames that come before it does are missed."""
_FINISHES_S: Final = 5.0
"""How long it may take to read out the last expression."""


class Live:
    """Starts the service, tells it of trials, adds up what it and its predecessors counted.

    Recording never waits for it, but for some seconds before the first trial; when it dies, it is started anew.
    """

    def __init__(self, request: CaptureRequest, hub: Hub, journal: Journal) -> None:
        self._request = request
        self._hub = hub
        self._journal = journal
        self.wanted = request.live and find_spec(_MODULE) is not None
        self.statistics = LiveStatistics()
        self._before = LiveStatistics()
        """What predecessors counted."""
        self._restarts = 0
        self._started_s = 0.0
        self._up = False
        self._alive = False
        self._session: Path | None = None
        self._trial: TrialStarted | None = None
        self._ended: TrialEnded | None = None
        self._quit_s: float | None = None

    def start(self, runtime: Path, ring_fd: int) -> Child:
        """Start the service; it says `hello` when it can take frames."""
        request = self._request
        self._started_s, self._up, self._alive = time.monotonic(), False, True
        task = LiveTask(
            hub=self._hub.endpoint,
            ring_fd=ring_fd,
            rate_fps=request.settings.rate_fps,
            model=str(request.live_model.absolute()) if request.live_model is not None else "",
            publish=request.live_publish,
            resume_at=self.statistics.position if self._restarts else None,
            lsl=request.lsl,
        )
        return Child.worker(PROCESS, _MODULE, task, runtime, [ring_fd])

    def coming_up(self) -> bool:
        """Whether the first trial should still wait for it."""
        return self._alive and not self._up and time.monotonic() - self._started_s < _COMES_UP_S

    def takes(self, message: Message) -> bool:
        """Whether a message is from the service; then it is dealt with."""
        match message:
            case LiveReport(statistics):
                self._add_up(statistics)
            case Hello(process) if process == PROCESS:
                self._greet()
            case Failed(process, text) if process == PROCESS:
                # Whether it is started anew is decided when it is gone.
                self._journal.note("warning", f"live readout: {text}")
            case _:
                return False
        return True

    def _greet(self) -> None:
        """It is up: tell it where things are."""
        self._up = True
        if self._session is not None:
            self.begin(self._session)
        for message in (self._trial, self._ended):
            if message is not None:
                self._hub.tell(PROCESS, message)

    def begin(self, session: Path) -> None:
        """The session is open."""
        self._session = session
        if self._request.live and not self.wanted:
            self._journal.note("info", "recording without live readout: that part is not installed")
        self._hub.tell(PROCESS, SessionOpened(str(session.absolute())))

    def follow(self, message: TrialStarted | TrialEnded) -> None:
        """A trial has begun or ended."""
        if isinstance(message, TrialStarted):
            self._trial, self._ended = message, None
        else:
            self._ended = message
        self._hub.tell(PROCESS, message)

    def _add_up(self, statistics: LiveStatistics) -> None:
        before = self._before
        self.statistics = msgspec.structs.replace(
            statistics,
            frames_analysed=before.frames_analysed + statistics.frames_analysed,
            frames_skipped=before.frames_skipped + statistics.frames_skipped,
            spotted=before.spotted + statistics.spotted,
            recent=(*statistics.recent, *before.recent)[: max(len(statistics.recent), len(before.recent))],
        )

    def successor(self, child: Child, runtime: Path, ring_fd: int, *, ending: bool) -> dict[str, Child]:
        """Its process is gone: one that is started anew, by its name, unless the end is near or it keeps dying."""
        self._alive = False
        self._before = msgspec.structs.replace(self.statistics, running=False, state="")
        self.statistics = self._before
        if ending:
            return {}
        self._restarts += 1
        again = self._restarts <= _RESTARTS
        what = "started anew" if again else "it stays off; recording goes on"
        self._journal.note("warning", f"{child.last_words()}; {what}")
        return {PROCESS: self.start(runtime, ring_fd)} if again else {}

    def finishing(self) -> bool:
        """Whether the last expressions are still being read out; the first call asks it to come to an end."""
        if not self._alive:
            return False
        if self._quit_s is None:
            self._quit_s = time.monotonic()
            self._hub.tell(PROCESS, Quit())
        return time.monotonic() - self._quit_s < _FINISHES_S

    def result(self) -> dict[str, Any]:
        """What came of it, as `--json` prints it."""
        figures = self.statistics
        return {
            "frames_analysed": figures.frames_analysed,
            "frames_skipped": figures.frames_skipped,
            "spotted": figures.spotted,
            "binning": figures.binning,
            "latency_ms": figures.latency_ms,
            "model": figures.model or None,
            "engine": figures.engine or None,
            "restarts": self._restarts,
        }
