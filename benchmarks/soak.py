"""Records at 500 frames a second for a long time, and checks every frame, and that no process grows.

One recording runs all the while. Each shard that is finished is read back, every frame against its checksum, its id and
the simulated camera's stamp, and its pixels are then taken off the disk (a hole takes their place), so that any disk
with some ten gigabytes serves. Once a minute memory, descriptors, sockets, threads and processor time of every process
are noted. Prints one JSON line, and exits with 1 where a frame was lost or a process grew.

    python benchmarks/soak.py --folder /data/tmp --minutes 30
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from capture.recording.blocks import checksums
from capture.recording.layout import shard_path
from capture.recording.reader import Recording
from capture.simulator.stamp import read_stamp
from tests.e2e.resources import Held, family, held, most_apart

FPS = 500
GROWTH_MB_PER_HOUR = 8.0
"""What the private memory of a process may grow by, over the half of the time behind the first quarter."""
_KEEP_SIZE_PUNCH_HOLE = 3
_LOOK_S = 0.5
_NOTHING_MB = 1.0
"""Over a few minutes a slope means nothing: what was kept of the last seconds fills up at first."""
_WARM_UP_SHARE = 0.25
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


@dataclass(frozen=True)
class Sample:
    """One process at one moment."""

    minute: float
    held: Held


class Checker:
    """Follows a recording: checks each finished shard, then gives its pixels back to the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frames = 0
        self.problems: list[str] = []
        self._next_shard = 0
        self._last_id: int | None = None

    def finished(self, *, closed: bool = False) -> int:
        """Shards that are whole: all but the one being written and the one prepared behind it."""
        numbers = [int(entry.name) for entry in (self.path / "frames" / "c").iterdir()]
        return max(numbers, default=-1) + (1 if closed else -1)

    @property
    def up_to_date(self) -> bool:
        """Whether every finished shard has been checked."""
        return self._next_shard >= self.finished()

    def work(self, *, closed: bool = False) -> None:
        """Check the next shard that is finished, if there is one; all of them once the recording is `closed`."""
        while self._next_shard < self.finished(closed=closed):
            recording = Recording.open(self.path)
            per_shard = recording.geometry.frames_per_shard
            first = self._next_shard * per_shard
            stop = min(first + per_shard, len(recording))
            for start in range(first, stop, 50):
                self._check(recording, start, min(start + 50, stop))
            self.frames += stop - first
            give_back(shard_path(self.path, self._next_shard), recording.geometry.data_start)
            self._next_shard += 1
            if not closed:
                return

    def _check(self, recording: Recording, start: int, stop: int) -> None:
        pixels = recording.frames(start, stop)
        if not np.array_equal(checksums(pixels), recording.crc32c[start:stop]):
            self.problems.append(f"frames {start} to {stop - 1} have lost their checksum")
        for frame, image in enumerate(pixels, start):
            stamp, frame_id = read_stamp(image), int(recording.frame_id[frame])
            if stamp is None or not stamp.intact or stamp.frame_id != frame_id:
                self.problems.append(f"frame {frame} is not the one that its id says")
            if self._last_id is not None and frame_id != self._last_id + 1:
                self.problems.append(f"{frame_id - self._last_id - 1} ids are missing before frame {frame}")
            self._last_id = frame_id


def give_back(shard: Path, behind: int) -> None:
    """Take the pixels of a finished shard off the disk: a hole takes the place of what lies behind so many bytes."""
    fd = os.open(shard, os.O_RDWR)
    try:
        size = os.fstat(fd).st_size - behind
        if _libc.fallocate(fd, _KEEP_SIZE_PUNCH_HOLE, behind, size) != 0:
            raise OSError(ctypes.get_errno(), "cannot take pixels off the disk", str(shard))
    finally:
        os.close(fd)


def settled(samples: list[Sample]) -> list[Sample]:
    """Those after the warm-up."""
    return [one for one in samples if one.minute >= _WARM_UP_SHARE * samples[-1].minute]


def growth(samples: list[Sample]) -> float:
    """Megabytes an hour that a process's private memory grew by once it had warmed up: slope of a straight line."""
    later = settled(samples)
    if len(later) < 3:
        return 0.0
    slope, _ = np.polyfit([one.minute / 60 for one in later], [one.held.private_mb for one in later], 1)
    return round(float(slope), 3)


def flat(samples: list[Sample]) -> bool:
    """Whether a process holds no more at the end than when it had warmed up."""
    apart = most_apart([one.held.counts for one in settled(samples)])
    # The recorder has the five files of the next shard open, or not yet; a moment's look opens one elsewhere.
    steady = apart.descriptors <= 6 and max(apart.sockets, apart.shared_mappings, apart.threads) <= 1
    memory = [one.held.private_mb for one in settled(samples)]
    return steady and (growth(samples) <= GROWTH_MB_PER_HOUR or max(memory) - min(memory) < _NOTHING_MB)


def soak(folder: Path, minutes: float, every_s: float) -> dict[str, Any]:
    """Record for so long, check every frame, and watch the processes."""
    out = Path(tempfile.mkdtemp(prefix="dfme-soak-", dir=folder))
    command = [sys.executable, "-P", "-m", "capture.cli", "--fps", str(FPS), "--no-tui", "--no-live", "--json"]
    environment = {**os.environ, "DFME_SIMULATOR_PICTURE": "test"}
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    os.nice(10)  # checking must never take a core from recording
    pause = threading.Event()
    samples: dict[str, list[Sample]] = {}
    try:
        checker = Checker(_recording(out))
        begun = time.monotonic()
        sampled = 0.0
        processes = family(process.pid)
        while time.monotonic() - begun < minutes * 60 and process.poll() is None:
            checker.work()
            elapsed = time.monotonic() - begun
            if elapsed - sampled >= every_s:
                sampled = elapsed
                with contextlib.suppress(psutil.Error, OSError, KeyError):  # it may end while we look
                    for name, one in processes.items():
                        samples.setdefault(name, []).append(Sample(round(elapsed / 60, 2), held(one)))
                print(f"  {elapsed / 60:.1f} min: {checker.frames} frames checked", file=sys.stderr)
            if checker.up_to_date:
                pause.wait(_LOOK_S)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
        checker.work(closed=True)
        result = json.loads(said.splitlines()[-1])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        shutil.rmtree(out, ignore_errors=True)
    lost = result.get("lost", {})
    complete = checker.frames == result.get("frames") and not any(lost.values()) and not checker.problems
    return {
        "benchmark": "soak",
        "ok": bool(complete) and all(flat(taken) for taken in samples.values()),
        "minutes": round(result.get("seconds", 0.0) / 60, 3),
        "frames": result.get("frames"),
        "frames_checked": checker.frames,
        "fps": result.get("fps"),
        "lost": lost,
        "problems": checker.problems[:20],
        "error": result.get("error", ""),
        "cpu_ms_per_frame": result.get("cpu_ms_per_frame"),
        "flat": {name: flat(taken) for name, taken in samples.items()},
        "growth_mb_per_hour": {name: growth(taken) for name, taken in samples.items()},
        "per_minute": {name: [asdict(one) for one in taken] for name, taken in samples.items()},
    }


def _recording(out: Path) -> Path:
    deadline = time.monotonic() + 120
    pause = threading.Event()
    while time.monotonic() < deadline:
        for path in out.glob("*/recordings/*.zarr"):
            if (path / "frames" / "c" / "2").exists():
                return path
        pause.wait(0.05)
    raise TimeoutError(f"no recording came up below {out}")


def main() -> int:
    """Soak, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the disk to be used")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two looks at the processes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DFME_SIMULATOR_SERIALS", f"SOAK{os.getpid()}")
    line = soak(arguments.folder, arguments.minutes, arguments.every)
    print(json.dumps(line))
    return 0 if line["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
