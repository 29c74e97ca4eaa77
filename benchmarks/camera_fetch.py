"""What one frame costs between the GenTL producer and Python: harvesters' fetch beside `Camera.fetch`.

    python -m benchmarks.camera_fetch [--hw simulated_500] [--fps 500] [--frames 2000]

Prints one JSON line: microseconds of processor time per frame in the fetching thread (waiting costs nothing), with id,
device time and pixels looked at and the buffer given back. `harvesters` is `ImageAcquirer.fetch(is_raw=True)` with its
default way of giving a buffer back; `harvesters_no_clear` asks it not to fill the buffer with zeros.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from capture.camera import Camera
from capture.settings import open_hardware

ROUNDS = 5
"""The ways take turns, so that what else runs on the machine hits all of them."""


def _ours(camera: Camera, frames: int) -> None:
    seen = 0
    while seen < frames:
        delivery = camera.fetch()
        if delivery is not None:
            seen += 1
            delivery.requeue()


def _harvesters(*, clear: bool) -> Callable[[Camera, int], None]:
    def run(camera: Camera, frames: int) -> None:
        acquirer: Any = camera._acquirer
        timed = camera.description.has_timestamp
        for _ in range(frames):
            buffer = acquirer.fetch(is_raw=True, timeout=2)
            _ = (buffer.frame_id, buffer.timestamp_ns if timed else 0, buffer.raw_buffer)
            buffer.parent.queue_buffer(buffer, clear)

    return run


WAYS: dict[str, Callable[[Camera, int], None]] = {
    "harvesters": _harvesters(clear=True),
    "harvesters_no_clear": _harvesters(clear=False),
    "camera": _ours,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hw", default="simulated_500")
    parser.add_argument("--fps", type=float, default=None)
    parser.add_argument("--frames", type=int, default=2000)
    asked = parser.parse_args()
    costs_us: dict[str, list[float]] = {name: [] for name in WAYS}
    per_round = max(asked.frames // ROUNDS, 1)
    with Camera.open(open_hardware(asked.hw, asked.fps)) as camera:
        camera._acquirer.timeout_period_on_update_event_data_call = 50
        for _ in range(ROUNDS):
            for name, run in WAYS.items():
                camera.start()
                _ours(camera, 5)
                before_s = time.thread_time()
                run(camera, per_round)
                costs_us[name].append((time.thread_time() - before_s) / per_round * 1e6)
                camera.stop()
        description = camera.description
    print(
        json.dumps(
            {
                "benchmark": "camera_fetch",
                "camera": str(description),
                "payload_bytes": description.payload_bytes,
                "fps": description.rate_resulting_fps,
                "cpu_us_per_frame": {name: round(statistics.median(costs), 1) for name, costs in costs_us.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
