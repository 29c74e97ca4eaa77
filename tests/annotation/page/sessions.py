"""Simulated sessions whose expressions are known to the frame, and whose every frame shows its own number.

The number stands in blocks of black and white that survive JPEG and scaling, so that a picture on a canvas can be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from capture.elicited import Elicited
from capture.session import Session
from capture.session.self_report import Mark, SelfReport, TrialReport, write_self_report
from capture.statistics import LossLedger
from expression.keyframes import KeyFrames
from tests.annotation.recordings import Picture, write_recording

RATE_FPS = 500.0
HEIGHT_PX, WIDTH_PX = 192, 256
BLOCK_PX = 16
BITS = 16
"""One row of blocks: as many bits as fit into the width."""
FIRST_NS = 5_000_000_000_000
_ROWS, _COLUMNS = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
_SPOT = np.exp(-(((_ROWS - 120) / 30) ** 2) - ((_COLUMNS - 128) / 40) ** 2)


Draw = Callable[[int, int], Picture]


@dataclass(frozen=True)
class Shown:
    """An expression in a trial: where it is, and what the participant and the live service said of it."""

    truth: KeyFrames
    emotion: str
    intensity: int = 3


def numbered(number: int, brightness: float) -> npt.NDArray[np.uint8]:
    """A frame that shows `number`, with a spot whose brightness is 0 to 1; uint8 (HEIGHT_PX, WIDTH_PX)."""
    frame = np.full((HEIGHT_PX, WIDTH_PX), 90, np.uint8)
    frame += (100 * brightness * _SPOT).astype(np.uint8)
    bits = [number >> bit & 1 for bit in range(BITS)]
    frame[:BLOCK_PX] = np.repeat(np.array(bits, np.uint8) * 255, BLOCK_PX)
    return frame


def read_number(pixels: Sequence[int]) -> int:
    """The number whose blocks have these greys."""
    return sum(1 << bit for bit, grey in enumerate(pixels) if grey > 127)


def brightness_at(frame: int, shown: Sequence[Shown]) -> float:
    """How far the expressions of a trial are at a frame: 0 outside, 1 at the apex."""
    for one in shown:
        truth = one.truth
        if truth.onset <= frame <= truth.offset:
            rising = frame <= truth.peak
            span = truth.peak - truth.onset if rising else truth.offset - truth.peak
            return (frame - truth.onset if rising else truth.offset - frame) / max(1, span)
    return 0.0


def write_session(
    out: Path,
    participant: str,
    trials: Sequence[tuple[int, Sequence[Shown]]],
    *,
    rate_fps: float = RATE_FPS,
    draw: Draw | None = None,
) -> Session:
    """A session with one recording per entry of `trials`: its number of frames, and what it shows.

    `draw(trial, frame)` gives the pictures; without it they are `numbered`.
    """
    session = Session.create(out, participant, hardware="simulated")
    reports = []
    for at, (count, shown) in enumerate(trials):
        name = f"trial-{at + 1:03d}"
        place = session.begin_trial(name)
        first_ns = FIRST_NS + at * 60_000_000_000
        pictures = partial(draw, at) if draw else partial(_numbered, shown)
        write_recording(place, session.path.name, name, pictures, frames=count, rate_fps=rate_fps, first_ns=first_ns)
        lost = LossLedger(camera=0, incomplete=0, ring=0, disk=0)
        session.end_trial(name, seconds=count / rate_fps, frames=count, fps=rate_fps, lost=lost, reason="frames")
        emotion = shown[0].emotion if shown else "happiness"
        session.log_event(
            first_ns,
            "info",
            "elicitation",
            "stimulus",
            trial=name,
            trial_type="stimulus",
            duration_s=count / rate_fps,
            elicited=Elicited(stim_id=f"clip-{at + 1}", target_emotion=emotion),
        )
        with (session.path / "live.jsonl").open("a") as live:
            for one in shown:
                spotted = {"onset": one.truth.onset - 3, "apex": one.truth.peak + 2, "offset": one.truth.offset + 4}
                said = {"trial": name, **spotted, "emotion": one.emotion, "probabilities": {one.emotion: 0.7}}
                live.write(json.dumps(said) + "\n")
        marks = tuple(
            Mark(
                number=i + 1,
                trial=name,
                recording=f"recordings/{place.name}",
                frame=one.truth.peak,
                host_ns=first_ns + round(one.truth.peak / rate_fps * 1e9),
                emotion=one.emotion,
                intensity=one.intensity,
                given_ns=first_ns + 30_000_000_000,
            )
            for i, one in enumerate(shown)
        )
        reports.append(TrialReport(trial=name, stim_id=f"clip-{at + 1}", marks=marks))
    write_self_report(session.path, SelfReport(trials=tuple(reports)))
    return session


def _numbered(shown: Sequence[Shown], frame: int) -> Picture:
    return numbered(frame, brightness_at(frame, shown))
