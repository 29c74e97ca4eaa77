"""A feed that tests fill by hand, and figures as a real run gives them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

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

START_NS = 50_000_000_000_000
TENTH_NS = 100_000_000


def face(step: int) -> npt.NDArray[np.uint8]:
    """A drawn face of 768 x 1024 pixels, every `step`-th of them."""
    y, x = np.mgrid[0:768:step, 0:1024:step].astype(np.float32)
    image = 40 + 30 * x / 1024

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> npt.NDArray[np.bool_]:
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    image[ellipse(512, 400, 230, 320)] = 190
    for cx in (430, 594):
        image[ellipse(cx, 340, 46, 20)] = 60
    image[ellipse(512, 450, 26, 60)] = 160
    image[ellipse(512, 580, 90, 22)] = 90
    return image.astype(np.uint8)


class ScriptedFeed:
    """What a test says arrives; what the operator does is kept."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.sent: list[Command] = []
        self.frame: Callable[[int], npt.NDArray[np.uint8] | None] = face
        self._queue: asyncio.Queue[Message] = asyncio.Queue()

    def clock_ns(self) -> int:
        return self.now_ns

    def say(self, *messages: Message) -> None:
        for message in messages:
            self._queue.put_nowait(message)

    def report(self, statistics: CaptureStatistics) -> None:
        self.say(CaptureReport(statistics))

    async def taken(self) -> None:
        """Wait until the monitor has dealt with everything said so far."""
        await asyncio.wait_for(self._queue.join(), 10)

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            message = await self._queue.get()
            yield message
            self._queue.task_done()

    def picture(self, step: int) -> npt.NDArray[np.uint8] | None:
        return self.frame(step)

    async def send(self, command: Command) -> None:
        self.sent.append(command)


@pytest.fixture
def feed() -> ScriptedFeed:
    return ScriptedFeed()


@pytest.fixture
def app(feed: ScriptedFeed) -> MonitorApp:
    return MonitorApp(feed, clock=WallClock(0, UTC), now_ns=feed.clock_ns)


@pytest.fixture
def preview() -> CaptureStatistics:
    """The camera runs and nothing is recorded."""
    return CaptureStatistics(
        host_ns=START_NS,
        session="pilot",
        frame_bytes=786_432,
        camera=CameraStatistics(
            state=CameraState.PREVIEW,
            camera="dfme Simulated Camera SIM-0001",
            simulated=True,
            rate_asked_fps=500.0,
            rate_measured_fps=500.0,
            ring_slots=512,
            ring_used=1,
            ring_used_max=1,
            clock_source="latch",
            clock_residual_ns=1_240.0,
        ),
        recorder=RecorderStatistics(
            state=RecorderState.IDLE, disk_free_bytes=1_700_000_000_000, disk_total_bytes=2_000_000_000_000
        ),
        live=LiveStatistics(running=True, frames_analysed=812, frames_skipped=12_690, spotted=3),
    )


@pytest.fixture
def recording(preview: CaptureStatistics) -> CaptureStatistics:
    """A healthy trial, twelve seconds in."""
    replace = msgspec.structs.replace
    return replace(
        preview,
        trial="trial-001",
        trial_elapsed_s=12.34,
        trial_limit_s=60.0,
        camera=replace(
            preview.camera,
            state=CameraState.RECORDING,
            frames=6_170,
            ring_used=9,
            ring_used_max=14,
        ),
        recorder=replace(
            preview.recorder,
            state=RecorderState.RECORDING,
            frames=6_162,
            bytes=6_162 * 786_432,
            queued=8,
            write_mb_s=393.2,
        ),
    )


@pytest.fixture
def reading_out(recording: CaptureStatistics) -> CaptureStatistics:
    """A trial in which three expressions were read out; the pictures are a wedge of greys and its reverse."""
    replace = msgspec.structs.replace
    wedge = bytes(8 * (row + column) // 2 for row in range(32) for column in range(32))
    named = (("surprise", 0.62), ("fear", 0.21), ("happiness", 0.08))
    newest = LiveSpot(START_NS - 2 * 10**9, "micro", "surprise", named, 342.0, 143.2, 32, wedge, wedge[::-1])
    spots = (
        newest,
        replace(newest, host_ns=START_NS - 6 * 10**9, emotion="not sure", probabilities=(("disgust", 0.31),)),
        replace(newest, host_ns=START_NS - 9 * 10**9, kind="macro", emotion="happiness"),
    )
    live = replace(
        recording.live,
        frames_analysed=6_160,
        frames_skipped=0,
        state="watching",
        model="simulated-i3d",
        engine="openvino",
        simulated=True,
        recent=spots,
    )
    return replace(recording, live=live)


@pytest.fixture
def changed() -> Callable[..., CaptureStatistics]:
    """`changed(statistics, camera={...}, recorder={...}, trial="…")`: the same figures but for these."""

    def change(
        statistics: CaptureStatistics,
        camera: dict[str, Any] | None = None,
        recorder: dict[str, Any] | None = None,
        live: dict[str, Any] | None = None,
        **own: Any,
    ) -> CaptureStatistics:
        replace = msgspec.structs.replace
        return replace(
            statistics,
            camera=replace(statistics.camera, **camera or {}),
            recorder=replace(statistics.recorder, **recorder or {}),
            live=replace(statistics.live, **live or {}),
            **own,
        )

    return change


@pytest.fixture
def minute() -> Callable[[CaptureStatistics], list[CaptureStatistics]]:
    """Half a minute of reports that lead up to the one given: rates second by second, processor time passing."""

    def reports(last: CaptureStatistics) -> list[CaptureStatistics]:
        replace = msgspec.structs.replace
        found = []
        for second in range(30, -1, -1):
            wobble = (0.0, 0.4, -0.3, 0.1, -0.2)[second % 5]
            camera = replace(
                last.camera,
                rate_measured_fps=last.camera.rate_measured_fps + (wobble if second else 0.0),
                cpu_s=0.12 * (30 - second),
            )
            recorder = replace(last.recorder, cpu_s=0.071 * (30 - second))
            found.append(replace(last, host_ns=last.host_ns - second * 10**9, camera=camera, recorder=recorder))
        return found

    return reports


@pytest.fixture
def events() -> list[Event]:
    return [
        Event(START_NS, "info", "camera", "features set and read back: 1024 x 768, Mono8, 500 fps"),
        Event(START_NS + 3 * 10**9, "info", "supervisor", "trial-001 began"),
        Event(START_NS + 9 * 10**9, "warning", "recorder", "the disk took 212 ms for one write"),
    ]
