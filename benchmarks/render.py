"""How fast the simulated participants are rendered, on one core.

    python benchmarks/render.py [--seed 2] [--frames 60] [--runs 5]

Prints one JSON line: frames a second at 1024x768 with 0, 2 and 6 action units active, sensor noise included. The head
sways, breathes and looks around in all of them, as in a recording. `fps` is by processor time, which another process on
the machine hardly disturbs, `wall_fps` by the clock; each is the median of the runs, and the three cases take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import cv2
import numpy as np

from expression.synthetic.appearance import render_neutral
from expression.synthetic.head import build_head
from expression.synthetic.identity import sample_identity
from expression.synthetic.renderer import Renderer
from expression.synthetic.state import UNITS, FaceTrack

CASES = {"0": (), "2": (6, 12), "6": (1, 2, 5, 6, 12, 25)}
INTENSITY = 0.25
"""A plain micro-expression."""


def track_of(units: tuple[int, ...], frames: int) -> FaceTrack:
    """Units on both sides that come and go, over a head that is never quite still."""
    track = FaceTrack.neutral(frames)
    phase = np.linspace(0, 2 * np.pi, frames, dtype=np.float32)
    for unit in units:
        number = UNITS.index(unit)
        track.left[:, number] = track.right[:, number] = INTENSITY * (0.6 + 0.4 * np.sin(phase))
    track.head_px[:] = np.stack([2 * np.sin(phase), np.cos(phase)], axis=1)
    track.head_deg[:, 0] = 0.5 * np.sin(phase)
    track.gaze_deg[:, 0] = np.cos(phase)
    track.breath[:] = 0.5 + 0.5 * np.sin(phase)
    return track


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    started = time.process_time()
    renderer = Renderer(render_neutral(build_head(sample_identity(arguments.seed))))
    prepared = time.process_time() - started
    out = np.empty((768, 1024), np.uint8)
    tracks = {name: track_of(units, arguments.frames) for name, units in CASES.items()}
    spent: dict[str, list[float]] = {name: [] for name in tracks}
    passed: dict[str, list[float]] = {name: [] for name in tracks}
    for _ in range(arguments.runs):
        for name, track in tracks.items():
            renderer.render(track, 0, out)
            wall, processor = time.perf_counter(), time.thread_time()
            for frame in range(arguments.frames):
                renderer.render(track, frame, out)
            spent[name].append(time.thread_time() - processor)
            passed[name].append(time.perf_counter() - wall)
    print(
        json.dumps(
            {
                "benchmark": "render",
                "seed": arguments.seed,
                "frames": arguments.frames,
                "runs": arguments.runs,
                "prepare_s": round(prepared, 2),
                "fps": {n: round(arguments.frames / statistics.median(times), 1) for n, times in spent.items()},
                "wall_fps": {n: round(arguments.frames / statistics.median(times), 1) for n, times in passed.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
