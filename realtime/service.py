"""The live service: looks at the camera's frames while they are recorded, and says what it sees."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from pathlib import Path
from typing import Final

import cv2
import msgspec
import zmq

from capture.errors import CaptureError
from capture.messages import LiveReport, Message, Quit, SessionOpened, TrialEnded, TrialStarted
from capture.processes.common import (
    REPORT_INTERVAL_NS,
    HubLink,
    LiveTask,
    StopRequest,
    quiet_garbage_collector,
    run_process,
)
from capture.ring import RingReader
from capture.statistics import LiveStatistics
from expression.errors import ExpressionError
from expression.face import best_finder
from realtime.analysis import Analyser
from realtime.model_switch import ModelSwitch
from realtime.priority import SPOTTING_NICENESS, give_way
from realtime.publisher import LslOutlet, Publisher
from realtime.readout import Listener, Readout
from realtime.recognition import model_at
from realtime.ring_follower import RingFollower, RingFrame
from realtime.tracking import FaceState

_POLL_MS: Final = 5
"""Waiting for the next frame; at 500 frames a second two or three come meanwhile."""
_BATCH: Final = 20
"""Frames looked at before messages are."""
_STATE_EVERY_NS: Final = 500_000_000
_FINISH_S: Final = 4.0


class LiveService:
    """The loop between ring, hub and readout."""

    def __init__(self, task: LiveTask, hub: HubLink, stop: StopRequest) -> None:
        self._task = task
        self._hub = hub
        self._stop = stop
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._publisher = Publisher(self._context, task.publish)
        self._follower = RingFollower(RingReader(task.ring_fd), task.resume_at)
        self._finder = best_finder()
        self._analyser = Analyser(task.rate_fps, self._finder)
        self._readout = Readout(self._listeners())
        self._switch: ModelSwitch | None = None
        self._model, self._engine, self._simulated, self._bundle = "", "", False, ""
        self._trial = ""
        self._orders: deque[Message] = deque()
        self._quit = False
        self._behind_ms = 0.0
        self._reported_ns = self._stated_ns = 0
        self._skips_told = 0

    def run(self) -> None:
        """Work until told to quit; what was found before is read out first."""
        self._hub.event("info", self._finder.reason)
        self._load(Path(self._task.model) if self._task.model else None)
        self._hub.hello("live")
        while not self._stop.requested:
            self._take_orders()
            busy = self._look()
            self._deliver()
            self._report_if_due()
            if self._quit and not busy:
                break
            if not busy:
                self._hub.socket.poll(_POLL_MS)
        deadline = time.monotonic() + _FINISH_S
        while self._readout.busy and time.monotonic() < deadline:
            time.sleep(_POLL_MS / 1e3)
            self._deliver()
        self._readout.close()
        self._report()
        self._finder.close()
        self._publisher.close()
        self._context.term()

    def _listeners(self) -> list[Listener]:
        listeners: list[Listener] = [self._publisher]
        if self._task.lsl:
            try:
                listeners.append(LslOutlet())
            except (ImportError, RuntimeError) as error:
                self._hub.event("warning", f"no outlet of the Lab Streaming Layer: {error}: ./install.sh --with lsl")
        return listeners

    def _load(self, model: Path | None) -> None:
        """Have a model loaded; expressions are spotted meanwhile."""
        try:
            path = model_at(model)
        except ExpressionError as error:
            self._hub.event("warning", f"{error}; expressions are spotted, and the model stays as it was")
            return
        if path is None:
            self._hub.event("info", "no model: expressions are spotted, not named (--live-model)")
            return
        self._readout.use(path, self._task.engine)

    def _take_orders(self) -> None:
        self._orders.extend(self._hub.received())
        while self._orders:
            # A trial may begin before all frames of the one before were looked at: none of these is passed over unsaid.
            if isinstance(self._orders[0], TrialStarted) and self._follower.finishing:
                break
            self._take(self._orders.popleft())
        if self._switch is not None:
            wish = self._switch.wish()
            if wish is not None:
                self._load(wish)

    def _take(self, message: Message) -> None:
        match message:
            case Quit():
                self._quit = True
            case SessionOpened(path):
                self._readout.open_session(Path(path))
                self._switch = ModelSwitch(Path(path))
            case TrialStarted():
                self._trial = message.trial
                before = self._follower.skipped
                self._follower.begin_trial(
                    message.start.published if message.start is not None else self._follower.position
                )
                self._analyser.restart()
                self._skips_told = before
            case TrialEnded():
                self._follower.end_trial(message.end.frames)
            case _:
                pass

    def _look(self) -> bool:
        """Look at some frames; returns whether there were any."""
        follower = self._follower
        for done in range(_BATCH):
            frame = follower.next()
            if frame is None:
                return done > 0
            if self._quit and not frame.recorded:
                return False
            self._look_at(frame)
        return True

    def _look_at(self, frame: RingFrame) -> None:
        meta = frame.meta
        time_s = meta.device_ns / 1e9 if meta.device_ns else frame.number / self._task.rate_fps
        found = self._analyser.push(frame.number, time_s, frame.pixels)
        intact = self._follower.done(frame)
        self._behind_ms = (time.monotonic_ns() - meta.host_ns) / 1e6
        for one in found if intact else []:
            if one.spot.rejected is None:
                self._readout.take(one, self._trial if frame.recorded else "", meta.host_ns)

    def _deliver(self) -> None:
        for news in self._readout.deliver():
            if news.recogniser is None:
                self._hub.event("warning", news.text)
                if news.gone:
                    self._analyser.recipe = None
                    self._model, self._engine, self._simulated, self._bundle = "", "", False, ""
                continue
            record = news.recogniser.bundle.record
            self._analyser.recipe = record.recipe
            self._model, self._simulated = record.name, record.simulated
            self._engine = news.recogniser.choice.engine.name
            self._bundle = str(news.recogniser.bundle.path.absolute())
            simulated = (
                " (trained on simulated faces: its names say nothing about real ones)" if record.simulated else ""
            )
            self._hub.event("info", f"model {news.text}{simulated}", "live_model")

    def _state(self) -> str:
        face = self._analyser.face
        if face is FaceState.FOUND:
            return "movement" if self._analyser.moving else "watching"
        return face.value

    def _statistics(self) -> LiveStatistics:
        follower, readout = self._follower, self._readout
        latency = readout.latency_ms
        return LiveStatistics(
            running=True,
            frames_analysed=follower.analysed,
            frames_skipped=follower.skipped,
            spotted=readout.spotted,
            state=self._state(),
            model=self._model,
            engine=self._engine,
            simulated=self._simulated,
            behind_ms=round(self._behind_ms, 1),
            latency_ms=None if latency is None else round(latency, 1),
            binning=self._analyser.binning,
            position=follower.position,
            publishes=self._publisher.endpoint,
            recent=tuple(readout.recent),
            cpu_s=time.process_time(),
            bundle=self._bundle,
        )

    def _report_if_due(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._reported_ns >= REPORT_INTERVAL_NS:
            self._report()
        skipped = self._follower.skipped
        if skipped > self._skips_told and now_ns - self._stated_ns >= _STATE_EVERY_NS:
            self._hub.event("warning", f"{skipped - self._skips_told:,} frames were not looked at: too slow")
            self._skips_told = skipped
        if now_ns - self._stated_ns >= _STATE_EVERY_NS:
            self._stated_ns = now_ns
            self._publisher.state(self._statistics())

    def _report(self) -> None:
        self._reported_ns = time.monotonic_ns()
        self._hub.send(LiveReport(self._statistics()))


def main() -> None:
    """Entry point of `python -m realtime TASK`."""

    def work(task: bytes, hub: HubLink, stop: StopRequest) -> None:
        give_way(SPOTTING_NICENESS)
        cv2.setNumThreads(1)
        try:
            service = LiveService(msgspec.json.decode(task, type=LiveTask), hub, stop)
        except (ExpressionError, OSError) as error:
            raise CaptureError(str(error)) from error
        # MediaPipe and OpenVINO take signals for themselves.
        stop.install()
        quiet_garbage_collector()
        with contextlib.suppress(KeyboardInterrupt):
            service.run()

    run_process("live", work)
