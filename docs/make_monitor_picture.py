"""Draws the picture of the monitor with its readout, from the real monitor; see `docs/make_pictures.py`.

The figures are those of a trial at 500 frames a second; the face is a simulated participant's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from capture.messages import CaptureReport, Command, Event, Message
from capture.monitor.app import MonitorApp
from capture.monitor.figures import WallClock
from capture.statistics import (
    CameraState,
    CameraStatistics,
    CaptureStatistics,
    LiveSpot,
    LiveStatistics,
    RecorderState,
    RecorderStatistics,
)
from expression.synthetic.participant import Participant
from expression.synthetic.performance import Performance

FRAME_BYTES = 786_432
RATE_FPS = 500.0
TRIAL_S = 38
SIDE_PX = 32
AT_NS = 51_192_000_000_000  # 14:13:12 on a wall clock that starts with the host's


@dataclass(frozen=True)
class Shown:
    """What the camera sees, and the last expression."""

    now: npt.NDArray[np.uint8]
    """uint8 (768, 1024)."""
    onset: bytes
    apex: bytes
    """The face at `SIDE_PX` pixels a side, grey values line by line."""
    kind: Literal["micro", "macro"]
    emotion: str
    length_ms: float


def simulated() -> Shown:
    """The simulated participant of the coder's pictures, in the middle of its first expression."""
    performance = Performance.loop((2023, 763), seconds=5.0, micro=2)
    track, participant = performance.track(RATE_FPS), Participant.of(5)
    event = next(event for event in performance.events(RATE_FPS) if event.kind == "micro")
    key_frames = event.key_frames

    def at(frame: int) -> npt.NDArray[np.uint8]:
        picture = np.empty((768, 1024), np.uint8)
        participant.render(track, frame, picture)
        return picture

    def small(picture: npt.NDArray[np.uint8]) -> bytes:
        return cv2.resize(picture[130:650, 252:772], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).tobytes()

    onset, apex = at(key_frames.onset), at(key_frames.peak)
    length_ms = (key_frames.offset - key_frames.onset + 1) * 1e3 / RATE_FPS
    return Shown(apex, small(onset), small(apex), "micro", str(event.emotion), length_ms)


def spots(shown: Shown) -> tuple[LiveSpot, ...]:
    """What was read out in this trial; the probabilities are made up, as the model's depend on the release."""
    others = [name for name in ("surprise", "fear", "disgust") if name != shown.emotion]
    likeliest = ((shown.emotion, 0.71), (others[0], 0.14), (others[1], 0.06))
    newest = LiveSpot(
        AT_NS + 36 * 10**9,
        shown.kind,
        shown.emotion,
        likeliest,
        shown.length_ms,
        96.0,
        SIDE_PX,
        shown.onset,
        shown.apex,
    )
    unsure = msgspec.structs.replace(
        newest, host_ns=AT_NS + 21 * 10**9, emotion="not sure", probabilities=((others[0], 0.31),), length_ms=188.0
    )
    smile = msgspec.structs.replace(
        newest, host_ns=AT_NS + 8 * 10**9, kind="macro", emotion="happiness", probabilities=(("happiness", 0.93),)
    )
    return newest, unsure, msgspec.structs.replace(smile, length_ms=912.0)


def report(second: float, recent: tuple[LiveSpot, ...]) -> CaptureStatistics:
    """The figures `second` seconds into the trial."""
    frames = int(second * RATE_FPS)
    queued = 17 + int(second * 5) % 4
    return CaptureStatistics(
        host_ns=AT_NS + int(second * 1e9),
        session="P014",
        trial="trial-003",
        trial_elapsed_s=second,
        trial_limit_s=60.0,
        frame_bytes=FRAME_BYTES,
        camera=CameraStatistics(
            state=CameraState.RECORDING,
            camera="dfme Simulated camera SIM0001",
            simulated=True,
            rate_asked_fps=RATE_FPS,
            rate_measured_fps=RATE_FPS + 0.02 * (int(second) % 3 - 1),
            frames=frames,
            ring_slots=1000,
            ring_used=queued + 1,
            ring_used_max=33,
            clock_source="latch",
            clock_residual_ns=140.0,
            cpu_s=0.16 * second,
        ),
        recorder=RecorderStatistics(
            state=RecorderState.RECORDING,
            frames=frames - queued,
            bytes=(frames - queued) * FRAME_BYTES,
            queued=queued,
            write_mb_s=393.2,
            disk_free_bytes=1_702_000_000_000 - frames * FRAME_BYTES,
            disk_total_bytes=2_000_000_000_000,
            cpu_s=0.051 * second,
        ),
        live=LiveStatistics(
            running=True,
            frames_analysed=frames,
            spotted=len(recent),
            state="watching",
            model="simulated-i3d",
            engine="openvino",
            simulated=True,
            latency_ms=98.0,
            recent=recent,
            cpu_s=0.31 * second,
        ),
    )


def happenings() -> list[Event]:
    """What the event log says by then."""
    lines: list[tuple[int, str, str]] = [
        (-9, "supervisor", "trial-002: 30000 frames in 60.000 s, nothing lost"),
        (0, "supervisor", "trial-003 started"),
        (12, "supervisor", "stimulus on"),
        (31, "supervisor", "still frame-15210-50031000000000.png"),
    ]
    return [Event(AT_NS + second * 10**9, "info", source, text) for second, source, text in lines]


class DrawnFeed:
    """A feed of one trial, told at once."""

    def __init__(self) -> None:
        self._shown = simulated()
        self.told = asyncio.Event()

    async def messages(self) -> AsyncIterator[Message]:
        """Second by second to the moment of the picture."""
        for event in happenings():
            yield event
        for second in range(TRIAL_S + 1):
            yield CaptureReport(report(second + 0.7, spots(self._shown)))
        self.told.set()
        await asyncio.Event().wait()

    def picture(self, step: int) -> npt.NDArray[np.uint8]:
        """The participant, every `step`-th pixel."""
        return self._shown.now[::step, ::step]

    async def send(self, command: Command) -> None:
        """Nobody presses a key here."""


async def draw(out: Path) -> None:
    """Write `monitor.svg` into a folder."""
    feed = DrawnFeed()
    app = MonitorApp(feed, clock=WallClock(0, UTC), now_ns=lambda: AT_NS)
    async with app.run_test(size=(120, 36)) as pilot:
        await feed.told.wait()
        await pilot.pause()
        picture = app.export_screenshot(title="dfme-capture --fps 500")
    path = out / "monitor.svg"
    # The fonts of a picture are those of its reader: none are fetched from elsewhere.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


def main(out: Path) -> None:
    """Write `monitor.svg` into the folder `out`."""
    asyncio.run(draw(out))
