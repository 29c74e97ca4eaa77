"""Measures what each stage of the readout takes on this machine: per frame, per look for the face, per expression."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import zmq

from expression.bundle import Bundle
from expression.clip_input import Clip, clip_input
from expression.face import FaceFinder
from expression.keyframes import KeyFrames
from expression.synthetic.participant import Participant
from expression.synthetic.performance import Performance
from realtime.analysis import Analyser, Found, Stopwatch
from realtime.engines import EngineUnavailable
from realtime.engines.choice import ready
from realtime.engines.variants import Variant
from realtime.publisher import Publisher
from realtime.readout import Readout
from realtime.sources import Block, FrameSource
from realtime.spotting.spot import Spot

_IDENTITY: Final = 5
_SECONDS_EACH: Final = 3.0
"""A rendered person shows one expression in so many seconds."""
_BLOCK: Final = 25
_HEIGHT_PX, _WIDTH_PX = 768, 1024
_CLIPS_KEPT: Final = 8
_READOUTS: Final = 50
_LOOK_S: Final = 2e-4
_STAGES: Final = {
    "read": ("read", "frame"),
    "find face": ("track", "look"),
    "crop": ("crop", "frame"),
    "flow": ("motion", "measured frame"),
    "head and regions": ("head", "measured frame"),
    "new reference": ("new reference", "reference"),
    "spot": ("spot", "measured frame"),
    "frame": ("all of it", "frame"),
    "decide": ("decide", "expression"),
    "clip input": ("clip input", "expression"),
    "readout": ("readout", "expression"),
}
"""Name that is shown, and what it happens once for."""


@dataclass(frozen=True)
class Stage:
    """What one stage takes, in milliseconds."""

    name: str
    per: str
    p50_ms: float
    p99_ms: float
    count: int


@dataclass(frozen=True)
class EngineFigures:
    """How one engine did; without figures where it does not work here."""

    name: str
    reason: str
    works: bool
    ready_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    offset_to_readout_p50_ms: float = 0.0
    offset_to_readout_p99_ms: float = 0.0
    """Decision, clip input, network and readout added up."""


@dataclass(frozen=True)
class BenchFigures:
    """What came of it."""

    rate_fps: float
    frames: int
    frames_s: float
    """Frames that can be looked at in a second."""
    cpu_ms_per_frame: float
    """Processor time for looking at them, of all threads."""
    stages: tuple[Stage, ...]
    expressions: int
    real_clips: bool
    """Whether clips are those of expressions that were found; else of noise."""
    engines: tuple[EngineFigures, ...]


class RenderedSource:
    """A simulated participant who shows micro-expressions, drawn frame by frame.

    Args:
        seconds: How long, at least three.
        rate_fps: Frames a second.
    """

    note: Final = "a simulated participant"

    def __init__(self, seconds: float, rate_fps: float) -> None:
        self._performance = Performance.loop((_IDENTITY,), seconds=seconds, micro=max(1, int(seconds / _SECONDS_EACH)))
        self.rate_fps = rate_fps
        self.count = self._performance.frames(rate_fps)

    def blocks(self) -> Iterator[Block]:
        """See `FrameSource.blocks`."""
        participant, track = Participant.of(_IDENTITY), self._performance.track(self.rate_fps)
        for first in range(0, self.count, _BLOCK):
            numbers = range(first, min(first + _BLOCK, self.count))
            frames = np.empty((len(numbers), _HEIGHT_PX, _WIDTH_PX), np.uint8)
            for frame, number in zip(frames, numbers, strict=True):
                participant.render(track, number, frame)
            yield Block(first, np.array(numbers) / self.rate_fps, frames)


def bench(
    source: FrameSource,
    finder: FaceFinder,
    bundle: Bundle,
    variants: Sequence[Variant],
    *,
    most_frames: int,
    runs: int = 50,
    threads: int = 0,
    progress: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> BenchFigures:
    """Look at frames as the readout does, and run the network on every engine.

    Args:
        source: Frames.
        finder: Finds faces.
        bundle: The model.
        variants: Engines to try.
        most_frames: How many frames are looked at, at most.
        runs: Clips that each engine is given.
        threads: Of the processor for a network; 0 leaves that to the engine.
        progress: Told how far it is, of how much, and with what.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        watch = Stopwatch()
        found, frames, cpu_s = _look(source, finder, bundle, watch, most_frames, progress)
        clips = _clips(found, bundle, watch, runs)
        _read_out(found or [_moved()], watch)
        stages = tuple(_stage(name, watch.stages[name]) for name in _STAGES if watch.stages.get(name))
        engines = []
        for number, variant in enumerate(variants):
            progress(number, len(variants), variant.name)
            engines.append(_run(variant, bundle, clips, stages, runs, threads))
    finally:
        cv2.setNumThreads(before)
    frames_s = frames / (sum(watch.stages["frame"]) / 1e9)
    return BenchFigures(
        rate_fps=source.rate_fps,
        frames=frames,
        frames_s=frames_s,
        cpu_ms_per_frame=1e3 * cpu_s / frames,
        stages=stages,
        expressions=len(found),
        real_clips=any(one.crops is not None for one in found),
        engines=tuple(engines),
    )


def _look(
    source: FrameSource,
    finder: FaceFinder,
    bundle: Bundle,
    watch: Stopwatch,
    most_frames: int,
    progress: Callable[[int, int, str], None],
) -> tuple[list[Found], int, float]:
    """What is found, how many frames were looked at, and their processor time; the stopwatch is told of each stage."""
    analyser = Analyser(source.rate_fps, finder, recipe=bundle.record.recipe, stopwatch=watch)
    total = min(source.count, most_frames)
    found: list[Found] = []
    done = 0
    cpu_s = 0.0
    reads = not isinstance(source, RenderedSource)
    started = time.perf_counter_ns()
    for block in source.blocks():
        if reads:
            each = (time.perf_counter_ns() - started) // len(block.frames)
            watch.stages.setdefault("read", []).extend([each] * len(block.frames))
        cpu_began_s = time.process_time()
        for index, frame in enumerate(block.frames[: total - done]):
            begun = time.perf_counter_ns()
            spots = analyser.push(block.first + index, float(block.times_s[index]), frame)
            watch.add("frame", begun)
            found += [one for one in spots if one.spot.rejected is None]
        cpu_s += time.process_time() - cpu_began_s
        done += min(len(block.frames), total - done)
        progress(done, total, "looking at frames")
        if done >= total:
            break
        started = time.perf_counter_ns()
    for one in found:
        watch.stages.setdefault("decide", []).append(round((one.spot.decided_s - one.spot.offset_s) * 1e9))
    return found, done, cpu_s


def _clips(found: Sequence[Found], bundle: Bundle, watch: Stopwatch, runs: int) -> list[Clip]:
    """What the network is given: clips of the expressions that were found, else of noise."""
    recipe = bundle.record.recipe
    shape = (recipe.frames, recipe.crop_px, recipe.crop_px)
    noise = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    kept = [(one.crops, one.onset_crop) for one in found if one.crops is not None][:_CLIPS_KEPT] or [(noise, None)]
    clips = []
    for number in range(max(len(kept), runs // 2)):
        crops, onset_crop = kept[number % len(kept)]
        begun = time.perf_counter_ns()
        clip = clip_input(recipe, crops, onset_crop)
        watch.add("clip input", begun)
        if number < len(kept):
            clips.append(clip)
    return clips


def _read_out(found: Sequence[Found], watch: Stopwatch) -> None:
    """From the thread that looks, through the one that names, into the file and to those who listen."""
    with tempfile.TemporaryDirectory(prefix="dfme-bench-") as folder, zmq.Context() as context:
        publisher = Publisher(context, f"ipc://{folder}/readout")
        readout = Readout([publisher])
        readout.open_session(Path(folder))
        for number in range(_READOUTS):
            begun = time.perf_counter_ns()
            readout.take(found[number % len(found)], "bench", time.monotonic_ns())
            while readout.busy:
                readout.deliver()
                time.sleep(_LOOK_S)
            watch.add("readout", begun)
        readout.close()
        publisher.close()


def _moved() -> Found:
    """An expression without pictures, where none was found."""
    spot = Spot(onset_s=0.0, apex_s=0.1, offset_s=0.3, regions=(), strength=1.0, movement_px=0.1, decided_s=0.3)
    return Found(KeyFrames(0, 20, 60), "micro", spot)


def _stage(name: str, taken_ns: Sequence[int]) -> Stage:
    shown, per = _STAGES[name]
    p50, p99 = (float(value) / 1e6 for value in np.percentile(taken_ns, (50, 99)))
    return Stage(shown, per, p50, p99, len(taken_ns))


def _run(
    variant: Variant, bundle: Bundle, clips: Sequence[Clip], stages: Sequence[Stage], runs: int, threads: int
) -> EngineFigures:
    begun = time.perf_counter()
    try:
        engine = ready(bundle, lambda: variant.make(bundle, threads))
    except EngineUnavailable as error:
        return EngineFigures(variant.name, str(error), works=False)
    ready_s = time.perf_counter() - begun
    taken = []
    for number in range(runs):
        started = time.perf_counter_ns()
        engine.infer(clips[number % len(clips)])
        taken.append((time.perf_counter_ns() - started) / 1e6)
    p50, p99 = (float(value) for value in np.percentile(taken, (50, 99)))
    rest = [stage for stage in stages if stage.name in ("decide", "clip input", "readout")]
    return EngineFigures(
        variant.name,
        engine.reason,
        works=True,
        ready_s=ready_s,
        p50_ms=p50,
        p99_ms=p99,
        offset_to_readout_p50_ms=p50 + sum(stage.p50_ms for stage in rest),
        offset_to_readout_p99_ms=p99 + sum(stage.p99_ms for stage in rest),
    )
