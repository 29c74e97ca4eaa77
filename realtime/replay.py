"""Runs spotting and recognition over what was recorded, as fast as it goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2

from expression.face import FaceFinder
from realtime.analysis import Analyser, Found, Stopwatch
from realtime.offline_replay import spot_offline
from realtime.recognition import Recogniser
from realtime.results import LiveExpression, described, line
from realtime.sources import FrameSource, read_ahead
from realtime.spotting.offline import OfflineMethod
from realtime.spotting.spot import SpotterSetting


@dataclass(frozen=True)
class ReplaySummary:
    """What came of it."""

    frames: int
    seconds: float
    """That the frames last."""
    took_s: float
    expressions: tuple[LiveExpression, ...]
    rejected: dict[str, int]
    """Movements that were no expressions, by what they were."""
    faceless: int
    """Frames on which no face could be read."""


def replay(
    source: FrameSource,
    finder: FaceFinder,
    recogniser: Recogniser | None,
    *,
    out: BinaryIO | None = None,
    setting: SpotterSetting | None = None,
    method: OfflineMethod | None = None,
    stopwatch: Stopwatch | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ReplaySummary:
    """Spot and name the expressions of a source.

    Args:
        source: The frames.
        finder: Finds faces.
        recogniser: Names emotions; None only spots.
        out: Gets a line of JSON for each expression as soon as it is known.
        setting: What an expression must be.
        method: A classical method in place of the one that is used live.
        stopwatch: Told what each stage takes.
        progress: Told the frames done and their number.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        if method is not None:
            return _replay_offline(source, finder, recogniser, method, out, progress)
        return _replay(source, finder, recogniser, out, setting, stopwatch, progress)
    finally:
        cv2.setNumThreads(before)


def _replay(
    source: FrameSource,
    finder: FaceFinder,
    recogniser: Recogniser | None,
    out: BinaryIO | None,
    setting: SpotterSetting | None,
    stopwatch: Stopwatch | None,
    progress: Callable[[int, int], None],
) -> ReplaySummary:
    recipe = recogniser.bundle.record.recipe if recogniser is not None else None
    analyser = Analyser(source.rate_fps, finder, recipe=recipe, setting=setting, stopwatch=stopwatch)
    expressions: list[LiveExpression] = []
    rejected: Counter[str] = Counter()
    started = time.perf_counter()
    done = faceless = 0
    for block in read_ahead(source):
        for index, frame in enumerate(block.frames):
            for found in analyser.push(block.first + index, float(block.times_s[index]), frame):
                if found.spot.rejected is not None:
                    rejected[found.spot.rejected] += 1
                    continue
                expressions.append(_told(found, recogniser, stopwatch))
                if out is not None:
                    out.write(line(expressions[-1]))
                    out.flush()
            faceless += not analyser.reading
        done += len(block.frames)
        progress(done, max(done, source.count))
    return ReplaySummary(
        done, done / source.rate_fps, time.perf_counter() - started, tuple(expressions), dict(rejected), faceless
    )


def _replay_offline(
    source: FrameSource,
    finder: FaceFinder,
    recogniser: Recogniser | None,
    method: OfflineMethod,
    out: BinaryIO | None,
    progress: Callable[[int, int], None],
) -> ReplaySummary:
    recipe = recogniser.bundle.record.recipe if recogniser is not None else None
    started = time.perf_counter()
    found, done, faceless = spot_offline(source, finder, method, recipe, progress)
    expressions = tuple(_told(one, recogniser, None) for one in found)
    if out is not None:
        out.writelines(map(line, expressions))
    return ReplaySummary(done, done / source.rate_fps, time.perf_counter() - started, expressions, {}, faceless)


def _told(found: Found, recogniser: Recogniser | None, stopwatch: Stopwatch | None) -> LiveExpression:
    waited_ms = max(0.0, (found.spot.decided_s - found.spot.offset_s) * 1e3)
    if recogniser is None or found.crops is None:
        return described(found, None, latency_ms=waited_ms, recognised_ms=0.0, model="")
    started = time.perf_counter_ns()
    reading = recogniser.read(found.crops, found.onset_crop)
    took_ms = (time.perf_counter_ns() - started) / 1e6
    if stopwatch is not None:
        stopwatch.add("recognise", started)
    return described(found, reading, latency_ms=waited_ms + took_ms, recognised_ms=took_ms, model=recogniser.name)


def default_out(path: Path) -> Path:
    """Where the lines go when nothing else is said: beside what was replayed."""
    return path.with_name(f"{path.name.removesuffix('.zarr')}.live.jsonl")
