"""Draws the pictures of the documentation from the real monitor: `python docs/make_pictures.py`.

The figures are those of a trial at 500 frames a second; the face is drawn here, so that nobody's is shown.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import numpy as np
import numpy.typing as npt

from capture.messages import CaptureReport, Command, Event, Message
from capture.monitor.app import MonitorApp
from capture.monitor.figures import WallClock
from capture.statistics import (
    CameraState,
    CameraStatistics,
    CaptureStatistics,
    RecorderState,
    RecorderStatistics,
)

FRAME_BYTES = 786_432
RATE_FPS = 500.0
TRIAL_S = 38
AT_NS = 51_192_000_000_000  # 14:13:12 on a wall clock that starts with the host's


def drawn_face() -> npt.NDArray[np.uint8]:
    """A shaded face of light and dark, uint8 (768, 1024)."""
    y, x = np.mgrid[0:768, 0:1024].astype(np.float32)
    image = 34 + 26 * np.exp(-(((x - 800) / 420) ** 2) - ((y - 150) / 420) ** 2)

    def blend(cx: float, cy: float, rx: float, ry: float, grey: npt.NDArray[np.float32] | float, soft: float) -> None:
        nonlocal image
        distance = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
        weight = np.clip((1 - distance) / soft + 0.5, 0, 1)
        image = image * (1 - weight) + weight * grey

    shade = 196 - 70 * ((x - 590) / 300) ** 2 - 34 * ((y - 380) / 330) ** 2
    blend(512, 820, 420, 190, 74, 0.15)  # shoulders
    blend(512, 640, 105, 170, shade * 0.62, 0.2)  # neck
    blend(512, 330, 262, 325, 24, 0.08)  # hair
    blend(512, 395, 212, 290, shade, 0.06)  # face
    blend(512, 190, 205, 92, 26, 0.35)  # fringe
    for side in (-1, 1):
        blend(512 + side * 88, 318, 62, 13, 52, 0.7)  # brow
        blend(512 + side * 86, 364, 46, 19, 214, 0.4)  # eye
        blend(512 + side * 86, 364, 18, 18, 30, 0.5)  # iris
        blend(512 + side * 30, 484, 13, 9, 92, 0.8)  # nostril
        blend(512 + side * 128, 470, 62, 60, shade * 1.06, 1.2)  # cheek
    blend(500, 430, 13, 78, 212, 1.2)  # bridge of the nose
    blend(512, 566, 84, 13, 96, 0.6)  # upper lip
    blend(512, 586, 66, 16, 128, 0.6)  # lower lip
    blend(512, 574, 88, 4, 58, 0.8)  # mouth line
    face: npt.NDArray[np.uint8] = np.clip(image, 0, 255).astype(np.uint8)
    return face


def report(second: float) -> CaptureStatistics:
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
        self._face = drawn_face()
        self.told = asyncio.Event()

    async def messages(self) -> AsyncIterator[Message]:
        """Second by second to the moment of the picture."""
        for event in happenings():
            yield event
        for second in range(TRIAL_S + 1):
            yield CaptureReport(report(second + 0.7))
        self.told.set()
        await asyncio.Event().wait()

    def picture(self, step: int) -> npt.NDArray[np.uint8]:
        """The drawn face, every `step`-th pixel."""
        return self._face[::step, ::step]

    async def send(self, command: Command) -> None:
        """Nobody presses a key here."""


async def main() -> None:
    """Write `docs/pictures/monitor.svg`."""
    feed = DrawnFeed()
    app = MonitorApp(feed, clock=WallClock(0, UTC), now_ns=lambda: AT_NS)
    async with app.run_test(size=(100, 30)) as pilot:
        await feed.told.wait()
        await pilot.pause()
        picture = app.export_screenshot(title="dfme-capture --fps 500")
    path = Path(__file__).parent / "pictures" / "monitor.svg"
    path.parent.mkdir(exist_ok=True)
    # The fonts of a picture are those of its reader: none are fetched from elsewhere.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    asyncio.run(main())
