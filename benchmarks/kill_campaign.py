"""Kills one process of `dfme-capture`, or all of them, at a random moment of a trial, again and again.

After each kill the recording must open in zarr-python and tensorstore as it is, and its last frame must be younger than
100 ms at the moment of the kill; a killed recorder alone must cost nothing. Prints one JSON line.

    python benchmarks/kill_campaign.py --folder /data/tmp --kills 200
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import tensorstore
import zarr

from capture.recording.reader import Recording

TARGETS = ("recorder", "camera", "supervisor", "tree")
FPS = 500
FRAMES = 1500
LONGEST_S = 60.0


@dataclass(frozen=True)
class Kill:
    """One kill and what it cost."""

    target: str
    after_ms: float
    """From the first frame in the recording to the kill."""
    frames: int
    """Frames that the recording has afterwards."""
    behind_ms: float
    """Age of its last frame at the kill; for a recorder that was started anew, frames lost in milliseconds."""
    opens: bool


def one_kill(target: str, folder: Path, chance: random.Random) -> Kill:
    """Record, kill, and look."""
    out = Path(tempfile.mkdtemp(prefix="dfme-kill-", dir=folder))
    command = [sys.executable, "-P", "-m", "capture.cli", "--fps", str(FPS), "--frames", str(FRAMES)]
    process = subprocess.Popen(
        [*command, "--frame-bank", "test", "--no-tui", "--no-live", "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        path = first_frames(out)
        begun = time.monotonic()
        threading.Event().wait(chance.uniform(0.05, 2.0))
        family = psutil.Process(process.pid).children()
        killed_ns = time.monotonic_ns()
        for victim in victims(target, process.pid, family):
            victim.kill()
        after_ms = (time.monotonic() - begun) * 1e3
        process.wait(LONGEST_S)
        psutil.wait_procs(family, timeout=LONGEST_S)
        recording = Recording.open(path)
        if target == "recorder":
            behind_ms = (FRAMES - len(recording)) * 1e3 / FPS
        else:
            behind_ms = (killed_ns - int(recording.host_ns[-1])) / 1e6
        return Kill(target, round(after_ms, 1), len(recording), round(behind_ms, 2), opens_everywhere(path, recording))
    finally:
        subprocess.run(["rm", "-rf", str(out)], check=True)


def first_frames(out: Path) -> Path:
    """Wait until a recording below `out` has frames."""
    deadline = time.monotonic() + LONGEST_S
    pause = threading.Event()
    while time.monotonic() < deadline:
        for path in out.glob("*/recordings/*.zarr"):
            try:
                if len(Recording.open(path)):
                    return path
            except Exception:  # files are made while we look
                continue
        pause.wait(0.01)
    raise TimeoutError(f"no recording came up below {out}")


def victims(target: str, supervisor: int, family: list[psutil.Process]) -> list[psutil.Process]:
    """The processes to kill, the supervisor first so that it cannot help the others."""
    if target == "supervisor":
        return [psutil.Process(supervisor)]
    if target == "tree":
        return [psutil.Process(supervisor), *family]
    return [child for child in family if f"capture.processes.{target}" in child.cmdline()]


def opens_everywhere(path: Path, recording: Recording) -> bool:
    """Whether zarr-python and tensorstore find the first and the last frame as our reader does."""
    group = zarr.open_group(path, mode="r")
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/frames/"}}
    other = tensorstore.open(store).result()
    return all(
        np.array_equal(group["frames"][i], recording.frame(i))
        and np.array_equal(other[i].read().result(), recording.frame(i))
        for i in (0, len(recording) - 1)
    )


def main() -> None:
    """Kill, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the disk to be used")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DFME_SIMULATOR_SERIALS", f"KILL{os.getpid()}")
    chance = random.Random(arguments.seed)
    kills = []
    for number in range(arguments.kills):
        kills.append(one_kill(TARGETS[number % len(TARGETS)], arguments.folder, chance))
        print(f"  {kills[-1]}", file=sys.stderr)
    line = {"benchmark": "kill_campaign", "kills": len(kills), "all_open": all(kill.opens for kill in kills)}
    for target in TARGETS:
        behind = [kill.behind_ms for kill in kills if kill.target == target]
        if behind:
            line[target] = {"median_ms": statistics.median(behind), "worst_ms": max(behind), "kills": len(behind)}
    line["each"] = [asdict(kill) for kill in kills]
    print(json.dumps(line))


if __name__ == "__main__":
    main()
