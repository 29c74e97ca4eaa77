"""What the camera process says of itself ten times a second, and of a trial at its begin and end."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec

from capture.camera import Camera
from capture.camera.clock_watch import ClockWatch
from capture.messages import CameraReport, End, Start, StartTrial
from capture.processes.connection import Connection
from capture.processes.trial import Trial
from capture.ring import RingWriter
from capture.statistics import CameraState, CameraStatistics


def camera_report(
    *,
    state: CameraState,
    trial: Trial,
    connection: Connection,
    ring: RingWriter,
    clock: ClockWatch,
    rate_asked_fps: float,
    rate_measured_fps: float,
    trial_began_cpu_s: float,
) -> CameraReport:
    """The figures as they stand."""
    description = connection.camera.description
    statistics, now_ns = trial.statistics(), time.monotonic_ns()
    losses = statistics.losses
    memory = ring.statistics()
    cpu_s = time.process_time()
    return CameraReport(
        CameraStatistics(
            state=state,
            camera=f"{description.vendor} {description.model} {description.serial_number}".strip(),
            simulated=description.simulated,
            rate_asked_fps=rate_asked_fps,
            rate_measured_fps=rate_measured_fps,
            frames=statistics.frames,
            # The operator sees what it costs while it goes on; the gap is entered when it ends.
            losses=msgspec.structs.replace(losses, camera=losses.camera + trial.not_taken(now_ns)),
            gaps=statistics.gaps,
            lost_s=connection.lost_s(now_ns),
            patience_s=connection.patience_s,
            last_frame_id=statistics.last_frame_id,
            ring_slots=memory.slots,
            ring_used=memory.used,
            ring_used_max=memory.used_max,
            producer_delivered=connection.producer[0],
            producer_underrun=connection.producer[1],
            clock_source=clock.source,
            clock_residual_ns=clock.residual_ns,
            cpu_s=cpu_s,
            trial_cpu_s=cpu_s - trial_began_cpu_s,
        )
    )


def start_message(trial: Trial, request: StartTrial, camera: Camera, ring: RingWriter) -> Start:
    """What the recorder must know before the first frame."""
    return Start(
        series=trial.series,
        session=request.session,
        trial=trial.name,
        path=request.path,
        height_px=ring.height_px,
        width_px=ring.width_px,
        rate_fps=trial.rate_fps,
        host_ns=time.monotonic_ns(),
        attributes=_described(camera),
        published=ring.published,
    )


def end_message(
    trial: Trial, producer: tuple[int | None, int | None], clock: dict[str, Any], reason: str, host_ns: int
) -> End:
    """What was counted; `producer` are the frames that it delivered and those that it had no buffer for."""
    statistics = trial.statistics()
    return End(
        series=trial.series,
        frames=trial.frames,
        losses=statistics.losses,
        lost_ids=trial.lost_ids(),
        producer={
            "delivered": producer[0],
            "underrun": producer[1],
            "surplus": trial.surplus,
            "unfetched": trial.unfetched,
        },
        clock=clock,
        reason=reason,
        host_ns=host_ns,
        gaps=statistics.gaps,
    )


def _described(camera: Camera) -> dict[str, Any]:
    return {
        "camera": dataclasses.asdict(camera.description),
        "features": {"set": dict(camera.features_set), "read": dict(camera.features_read)},
    }
