"""Reads expressions out: names them in a thread of its own, writes `live.jsonl`, publishes, keeps the last few."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from capture.statistics import LiveSpot
from expression.bundle import Reading
from expression.errors import ExpressionError
from realtime.analysis import Found
from realtime.priority import RECOGNITION_NICENESS, give_way
from realtime.recognition import Recogniser
from realtime.results import LiveExpression, described, line

LIVE_FILE: Final = "live.jsonl"
KEPT: Final = 4
PICTURE_PX: Final = 32
_LATENCIES_KEPT: Final = 2000


class Listener(Protocol):
    """Somebody who is told of expressions."""

    def expression(self, expression: LiveExpression) -> None:
        """Called from the thread that takes results."""
        ...


@dataclass(frozen=True)
class _Job:
    found: Found
    trial: str
    offset_host_ns: int
    apex_host_ns: int


@dataclass(frozen=True)
class ModelNews:
    """A model is ready, could not be had, or is no longer there."""

    recogniser: Recogniser | None
    text: str
    gone: bool = False
    """From now on nothing is named."""


class Readout:
    """Takes what was found, and tells of it once it has a name.

    Args:
        listeners: Told of every expression.
    """

    def __init__(self, listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._jobs: queue.Queue[_Job | Callable[[], None] | None] = queue.Queue()
        self._results: deque[tuple[_Job, LiveExpression]] = deque()
        self._news: deque[ModelNews] = deque()
        self._session: Path | None = None
        self._recogniser: Recogniser | None = None
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self._open_jobs = 0
        self.spotted = 0
        """Expressions of trials."""
        self.recent: deque[LiveSpot] = deque(maxlen=KEPT)
        self._worker = threading.Thread(target=self._work, name="recognition", daemon=True)
        self._worker.start()

    @property
    def busy(self) -> bool:
        """Whether expressions were found that were not told yet."""
        return self._open_jobs > 0

    @property
    def latency_ms(self) -> float | None:
        """99 of 100 expressions were told within so long of their end; None before the first."""
        return float(np.percentile(self._latencies, 99)) if self._latencies else None

    def open_session(self, session: Path) -> None:
        """From now on lines go into this session."""
        self._session = session

    def use(self, path: Path, engine: str) -> None:
        """Load a model; until it is ready the one before goes on."""

        def load() -> None:
            try:
                recogniser = Recogniser.load(path, engine)
            except (ExpressionError, OSError) as error:
                self._news.append(ModelNews(None, f"the model stays as it was: {error}"))
                return
            self._take_over(recogniser)

        self._jobs.put(load)

    def _take_over(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._news.append(ModelNews(recogniser, f"{recogniser.name}: {recogniser.choice.reason}"))

    def take(self, found: Found, trial: str, decided_host_ns: int) -> None:
        """An expression is over.

        Args:
            found: It.
            trial: Trial that it belongs to; empty outside of one.
            decided_host_ns: CLOCK_MONOTONIC of the frame that settled it.
        """

        def host_ns(time_s: float) -> int:
            return decided_host_ns - round((found.spot.decided_s - time_s) * 1e9)

        self._open_jobs += 1
        self._jobs.put(_Job(found, trial, host_ns(found.spot.offset_s), host_ns(found.spot.apex_s)))

    def deliver(self) -> list[ModelNews]:
        """Tell of everything that has a name by now; returns what is new of models."""
        while self._results:
            job, expression = self._results.popleft()
            self._open_jobs -= 1
            if job.trial:
                self.spotted += 1
                self._latencies.append(expression.latency_ms)
                if self._session is not None:
                    with (self._session / LIVE_FILE).open("ab") as file:
                        file.write(line(expression))
            self.recent.appendleft(_shown(job, expression))
            for listener in self._listeners:
                listener.expression(expression)
        news = []
        while self._news:
            news.append(self._news.popleft())
        return news

    def close(self) -> None:
        """End the thread once it has done what it was given."""
        self._jobs.put(None)
        self._worker.join(timeout=2)

    def _work(self) -> None:
        give_way(RECOGNITION_NICENESS)
        while (job := self._jobs.get()) is not None:
            if isinstance(job, _Job):
                self._results.append((job, self._named(job)))
            else:
                job()

    def _named(self, job: _Job) -> LiveExpression:
        recogniser, found = self._recogniser, job.found
        started = time.perf_counter_ns()
        reading = None
        # What was cut out for a model that has gone does not fit the one that has come.
        if recogniser is not None and found.crops is not None and found.recipe == recogniser.bundle.record.recipe:
            reading = self._reading(recogniser, found.crops, found.onset_crop)
        now_ns = time.monotonic_ns()
        return described(
            found,
            reading,
            latency_ms=(now_ns - job.offset_host_ns) / 1e6,
            recognised_ms=(time.perf_counter_ns() - started) / 1e6,
            model=recogniser.name if reading is not None and recogniser is not None else "",
            host_ns=now_ns,
            trial=job.trial,
        )

    def _reading(
        self, recogniser: Recogniser, crops: npt.NDArray[np.uint8], onset_crop: npt.NDArray[np.uint8] | None
    ) -> Reading | None:
        """What the model says; where its engine fails, what it says on another one, or nothing."""
        try:
            return recogniser.read(crops, onset_crop)
        # A card can go, and its libraries raise what they like; the readout of the next expression must not go with it.
        except Exception as error:
            failure = f"{recogniser.choice.engine.name} failed: {str(error) or type(error).__name__}"
        try:
            other = recogniser.elsewhere()
            reading = other.read(crops, onset_crop)
        except Exception as error:
            self._recogniser = None
            self._news.append(ModelNews(None, f"{failure}; expressions are spotted, not named: {error}", gone=True))
            return None
        self._news.append(ModelNews(None, failure))
        self._take_over(other)
        return reading


def _shown(job: _Job, expression: LiveExpression) -> LiveSpot:
    likeliest = sorted(expression.probabilities.items(), key=lambda item: -item[1])
    found = job.found
    pictures = found.onset_crop is not None and found.apex_crop is not None
    return LiveSpot(
        host_ns=job.apex_host_ns,
        kind=expression.kind,
        emotion=expression.emotion,
        probabilities=tuple(likeliest[:3]),
        length_ms=round((found.spot.offset_s - found.spot.onset_s) * 1e3, 1),
        latency_ms=expression.latency_ms,
        side_px=PICTURE_PX if pictures else 0,
        onset_picture=_small(found.onset_crop),
        apex_picture=_small(found.apex_crop),
    )


def _small(crop: npt.NDArray[np.uint8] | None) -> bytes:
    if crop is None:
        return b""
    return cv2.resize(crop, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA).tobytes()
