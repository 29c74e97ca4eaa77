"""Which process takes the frames: the recorder on this machine's disk, or the sender to the storage machine."""

from __future__ import annotations

from pathlib import Path

import msgspec

from capture.processes.common import RecorderTask
from capture.remote.sender import SenderTask
from capture.supervisor.children import Child
from capture.supervisor.request import CaptureRequest


def start_recorder(request: CaptureRequest, task: RecorderTask, runtime: Path, *, again: bool) -> Child:
    """Start it; `again` after one that died."""
    module = "capture.processes.recorder"
    if request.remote is not None:
        module = "capture.remote.sender"
        task = SenderTask(
            **msgspec.structs.asdict(task),
            remote=str(request.remote),
            keys=str(request.keys.absolute()) if request.keys is not None else "",
            capture=request.capture,
            ring_s=request.settings.ring_slots / request.settings.rate_fps,
            again=again,
        )
    return Child.worker("recorder", module, task, runtime, [task.ring_fd])
