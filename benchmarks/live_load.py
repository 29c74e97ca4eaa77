"""Whether the readout keeps up with 500 frames a second while everything else runs, and whether it grows.

    python -m benchmarks.live_load --folder /data [--seconds 300] [--fps 500]

Runs the real command in a terminal of its own, with the monitor, the recorder and the readout, before the simulated
participant. Finished shards are taken off the disk meanwhile, so that some ten gigabytes serve. Prints one JSON line,
and exits with 1 where a frame was lost, fewer than 95 % were looked at, or the 99th percentile of the time from the end
of an expression to its readout is 400 ms or more.

- `offset_to_readout_ms`: of every expression of the trial, and its median in the first and the last third: a queue that
  grows would show there.
- `cpu_ms_per_frame`: processor time of each process by the frames of the trial.
- `live_mb`: the readout's own memory at the first quarter and at the end, and the slope between.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.soak import give_back
from capture.recording.layout import shard_path
from capture.recording.reader import Recording
from capture.simulator.person import SECONDS, PersonOnCamera
from tests.e2e.resources import family, held

ROWS, COLUMNS = 45, 150
KEPT = 1 << 16
LOOK_S = 1.0
LEAST_SHARE, MOST_MS = 0.95, 400.0


class Terminal:
    """A terminal that somebody looks at; the end of what was written to it is kept."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._end = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nobody has it open any more
            while part := os.read(self._master, KEPT):
                self._end = (self._end + part)[-KEPT:]

    def close(self) -> str:
        """What was written last."""
        os.close(self.slave)
        self._reader.join(timeout=10)
        return self._end.decode(errors="replace")


class Watch:
    """Memory and processor time of each process, and the disk kept free."""

    def __init__(self, out: Path, supervisor: int) -> None:
        self._out = out
        self._supervisor = supervisor
        self._emptied = 0
        self.live_mb: list[tuple[float, float]] = []
        self.cpu_s: dict[str, float] = {}
        self._begun = time.monotonic()

    def look(self) -> None:
        """Once a second."""
        with contextlib.suppress(psutil.Error, OSError, KeyError):  # a process may end while we look
            processes = family(self._supervisor)
            for child in processes["supervisor"].children():
                if "realtime" in child.cmdline():
                    processes["live"] = child
            for name, process in processes.items():
                found = held(process)
                self.cpu_s[name] = found.cpu_s
                if name == "live":
                    self.live_mb.append((time.monotonic() - self._begun, found.private_mb))
        self._free()

    def _free(self) -> None:
        for path in self._out.glob("*/recordings/*.zarr"):
            shards = [int(entry.name) for entry in (path / "frames" / "c").iterdir()]
            # The one that is written to and the one that is prepared stay.
            while self._emptied < max(shards, default=0) - 1:
                give_back(shard_path(path, self._emptied), Recording.open(path).geometry.data_start)
                self._emptied += 1


def render_person() -> None:
    """Have the simulated participant drawn first: until all is there, a moment of it is played to and fro."""
    path = PersonOnCamera().path
    subprocess.run([sys.executable, "-P", "-m", "capture.simulator.person_renderer", path, str(SECONDS)], check=True)


def run(folder: Path, seconds: float, fps: int) -> dict[str, Any]:
    """Record for so long with everything on."""
    out = Path(tempfile.mkdtemp(prefix="dfme-load-", dir=folder))
    # Stopped from here: a duration would ask for a disk that has room for all of it.
    command = [sys.executable, "-P", "-m", "capture.cli", "--fps", str(fps), "--json"]
    terminal = Terminal()
    pause = threading.Event()
    process = subprocess.Popen(
        [*command, "--out", str(out)],
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "DFME_SIMULATOR_PICTURE": "person"},
    )
    try:
        watch = Watch(out, process.pid)
        stop_at = None
        while process.poll() is None:
            watch.look()
            pause.wait(LOOK_S)
            if stop_at is None and any(out.glob("*/recordings/*.zarr")):
                stop_at = time.monotonic() + seconds
            if stop_at is not None and time.monotonic() > stop_at:
                process.send_signal(signal.SIGINT)
                stop_at = float("inf")
        said = terminal.close()
        result = _result(said)
        rows = [json.loads(row) for path in out.glob("*/live.jsonl") for row in path.read_text().splitlines()]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        shutil.rmtree(out, ignore_errors=True)
    return _line(result, rows, watch)


def _result(said: str) -> dict[str, Any]:
    """The JSON object behind what the monitor has drawn."""
    for row in reversed(said.splitlines()):
        with contextlib.suppress(ValueError):
            result = dict(json.loads(row[row.index("{") :]))
            if "error" in result:
                raise SystemExit(f"dfme-capture: {result['error']}")
            return result
    raise SystemExit(f"dfme-capture said nothing that can be read: {said[-500:]!r}")


def _line(result: dict[str, Any], rows: list[dict[str, Any]], watch: Watch) -> dict[str, Any]:
    frames = result["frames"]
    live = result["live"]
    share = live["frames_analysed"] / max(frames, 1)
    latency = np.array([row["latency_ms"] for row in rows])
    third = max(1, len(latency) // 3)
    p99 = float(np.percentile(latency, 99)) if len(latency) else None
    lost = sum(result["lost"].values())
    return {
        "benchmark": "live_load",
        "ok": lost == 0 and share >= LEAST_SHARE and p99 is not None and p99 < MOST_MS,
        "seconds": result["seconds"],
        "frames": frames,
        "fps": result["fps"],
        "lost": result["lost"],
        "analysed_share": round(share, 4),
        "skipped": live["frames_skipped"],
        "restarts": live["restarts"],
        "expressions": len(rows),
        "offset_to_readout_ms": {
            "p50": _rounded(np.median(latency)),
            "p99": round(p99, 1),
            "most": _rounded(latency.max()),
            "first_third_p50": _rounded(np.median(latency[:third])),
            "last_third_p50": _rounded(np.median(latency[-third:])),
            "recognition_p50": _rounded(np.median([row["recognised_ms"] for row in rows])),
        }
        if p99 is not None
        else None,
        "cpu_ms_per_frame": {name: round(1e3 * used / max(frames, 1), 4) for name, used in watch.cpu_s.items()},
        "live_mb": _memory(watch.live_mb),
        "model": live["model"],
        "engine": live["engine"],
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _memory(samples: list[tuple[float, float]]) -> dict[str, float | None]:
    later = samples[len(samples) // 4 :]
    # Over less the slope means nothing: what was kept of the last seconds fills up at first.
    if len(later) < 40:
        return {"quarter": None, "end": None, "growth_mb_per_hour": None}
    slope, _ = np.polyfit([at / 3600 for at, _ in later], [held_mb for _, held_mb in later], 1)
    quarter, end = (float(np.median([mb for _, mb in part])) for part in (later[:5], later[-5:]))
    return {"quarter": quarter, "end": end, "growth_mb_per_hour": round(float(slope), 1)}


def _rounded(value: Any) -> float:
    return round(float(value), 1)


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the disk to be used")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--fps", type=int, default=500)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DFME_SIMULATOR_SERIALS", f"LOAD{os.getpid()}")
    render_person()
    line = run(arguments.folder, arguments.seconds, arguments.fps)
    print(json.dumps(line))
    return 0 if line["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
