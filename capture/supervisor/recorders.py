"""Starts the processes around the camera: it, the one that takes its frames, and the monitor that shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from capture.processes.common import CameraTask, RecorderTask
from capture.remote.sender import SenderTask
from capture.statistics import RING_STOP_AT
from capture.supervisor.children import Child
from capture.supervisor.request import CaptureRequest

_NEVER_FULL: Final = 2.0
_RESTARTS: Final = 5
"""A recorder that dies more often than this in one session will not get better."""


def start_camera(request: CaptureRequest, hub: str, frames: str, ring_fd: int, runtime: Path) -> Child:
    """Start the camera process; it says `hello` when the camera is open."""
    settings = request.settings
    task = CameraTask(
        hub=hub,
        frames=frames,
        ring_fd=ring_fd,
        settings=settings.model_dump(mode="json"),
        overrides=dict(request.overrides),
        preview=request.monitor,
        stop_at_fill=RING_STOP_AT if settings.when_ring_full == "stop" else _NEVER_FULL,
    )
    return Child.worker("camera", "capture.processes.camera", task, runtime, [ring_fd])


def start_monitor(hub: str, ring_fd: int) -> Child:
    """Start the monitor on the operator's terminal."""
    return Child.on_terminal("monitor", "capture.monitor", ["--hub", hub, "--ring-fd", str(ring_fd)], [ring_fd])


class Recorders:
    """Starts the process that takes the frames, here or towards the storage machine, and its successors."""

    def __init__(self, request: CaptureRequest, hub: str, ring_fd: int, runtime: Path) -> None:
        self._request = request
        self._runtime = runtime
        self._starts = 0
        self.frames = f"ipc://{runtime}/frames"
        """Where the camera process tells of frames."""
        self._task = RecorderTask(hub, self.frames, ring_fd, str(request.out))

    @property
    def may_start_anew(self) -> bool:
        """Whether one more may take the place of one that died."""
        return self._starts <= _RESTARTS

    def start(self) -> Child:
        """Start one."""
        request, task, module = self._request, self._task, "capture.processes.recorder"
        if request.remote is not None:
            module = "capture.remote.sender"
            task = SenderTask(
                **msgspec.structs.asdict(task),
                remote=str(request.remote),
                keys=str(request.keys.absolute()) if request.keys is not None else "",
                capture=request.capture,
                ring_s=request.settings.ring_slots / request.settings.rate_fps,
                again=self._starts > 0,
            )
        self._starts += 1
        return Child.worker("recorder", module, task, self._runtime, [task.ring_fd])
