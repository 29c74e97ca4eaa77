"""How fast the whole chain records without loss: simulated camera, ring, recorder, disk, beside other writers.

Prints one JSON line: the highest lossless rate of `dfme-capture` (several runs), the disk's own O_DIRECT limit, and
what acquire-zarr and plain buffered writing take, all in the same run, on the same disk, with frames of 1024x768.

    python benchmarks/capture_throughput.py --folder /data/tmp
    python benchmarks/capture_throughput.py --rates 500 --seconds 60      # CPU per frame at a steady rate
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import peers

SEARCH_STEP_FPS = 100
SEARCH_TO_FPS = 4000


@dataclass(frozen=True)
class Recorded:
    """One run of `dfme-capture`."""

    asked_fps: float
    fps: float
    frames: int
    lossless: bool
    mb_s: float
    cpu_ms_per_frame: float
    """Camera and recorder process together; the simulated camera's own work is part of it."""
    lost: dict[str, int]
    reason: str


def record(fps: float, seconds: float, folder: Path) -> Recorded:
    """Record at `fps` for `seconds` and throw the recording away."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="dfme-bench-") as out:
        command = [sys.executable, "-P", "-m", "capture.cli", "--fps", f"{fps:g}", "--duration", f"{seconds:g}"]
        done = subprocess.run(
            [*command, "--frame-bank", "test", "--no-tui", "--no-live", "--json", "--out", out],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            return Recorded(fps, 0.0, 0, False, 0.0, 0.0, {}, said[-1] if said else "failed")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    cpu = result["cpu_ms_per_frame"]
    return Recorded(
        asked_fps=fps,
        fps=result["fps"],
        frames=result["frames"],
        lossless=not any(result["lost"].values()) and abs(result["fps"] - fps) < 0.01 * fps,
        mb_s=result["write_mb_s"],
        cpu_ms_per_frame=round(cpu["camera"] + cpu["recorder"], 4),
        lost=result["lost"],
        reason="",
    )


def highest_lossless(seconds: float, folder: Path, limit_fps: float) -> tuple[Recorded | None, list[Recorded]]:
    """The highest rate that is recorded without loss for `seconds`, searched downwards from the disk's own limit.

    A short run proves nothing: the ring takes up two seconds of what the disk cannot.
    """
    tried: list[Recorded] = []
    fps = min(limit_fps // SEARCH_STEP_FPS * SEARCH_STEP_FPS, SEARCH_TO_FPS)
    while fps > 0:
        tried.append(record(fps, seconds, folder))
        found = tried[-1]
        print(f"  {fps:6.0f} fps: {'lossless' if found.lossless else found.reason or found.lost}", file=sys.stderr)
        if found.lossless:
            return found, tried
        fps -= SEARCH_STEP_FPS
    return None, tried


def others(seconds: float, runs: int, folder: Path) -> dict[str, Any]:
    """The disk's limit, acquire-zarr and plain buffered writing, medians of `runs`, with the same frames."""
    frames = peers.page_aligned_frames(256, 768, 1024)
    makers = {"plain buffered": peers.Buffered, "acquire-zarr": peers.AcquireZarr}
    limit = peers.median([peers.disk_limit(frames, seconds, folder) for _ in range(runs)])
    measured = {
        name: asdict(peers.median([peers.measure(make(), frames, seconds, folder) for _ in range(runs)]))
        for name, make in makers.items()
    }
    return {"disk_limit": asdict(limit), **measured}


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the disk to be measured")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the run that counts")
    parser.add_argument("--runs", type=int, default=3, help="runs per writer, and per rate with --rates")
    parser.add_argument("--rates", type=float, nargs="*", help="record at these rates instead of searching")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    line: dict[str, Any] = {"benchmark": "capture_throughput", "disk_free_gb": shutil.disk_usage(folder).free / 1e9}
    line |= others(min(arguments.seconds, 5.0), arguments.runs, folder)
    if arguments.rates:
        line["ours"] = [steady(rate, arguments.seconds, arguments.runs, folder) for rate in arguments.rates]
    else:
        best, tried = highest_lossless(arguments.seconds, folder, line["disk_limit"]["fps"])
        line["ours"] = asdict(best) if best else None
        line["tried"] = [[run.asked_fps, run.frames, run.lossless] for run in tried]
        if best:
            line["share_of_disk_limit"] = round(best.fps / line["disk_limit"]["fps"], 3)
    print(json.dumps(line))


def steady(rate: float, seconds: float, runs: int, folder: Path) -> dict[str, Any]:
    """Several runs at one rate: are all lossless, and what does a frame cost."""
    results = [record(rate, seconds, folder) for _ in range(runs)]
    return {
        "asked_fps": rate,
        "runs": runs,
        "lossless_runs": sum(result.lossless for result in results),
        "frames": [result.frames for result in results],
        "cpu_ms_per_frame": statistics.median(result.cpu_ms_per_frame for result in results),
    }


if __name__ == "__main__":
    main()
