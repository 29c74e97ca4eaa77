"""What recording on a storage machine costs: two network namespaces, a veth cable, and the real commands on both sides.

Prints one JSON line: frames, losses and processor time per frame of each side at a steady rate, encrypted (CURVE)
across the two namespaces, and as the peer the same without encryption, which is only allowed on a loopback address.

    sudo python benchmarks/remote_recording.py --folder /data/tmp                 # 500 fps for 60 s
    sudo python benchmarks/remote_recording.py --folder /data/tmp --seconds 10
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NEAR, FAR = f"dfme-bc{os.getpid()}", f"dfme-bs{os.getpid()}"
ADDRESS = "tcp://10.201.8.2:5599"
LOOPBACK = "tcp://127.0.0.1:5598"
CAPTURE = [sys.executable, "-P", "-m", "capture.cli", "--no-tui", "--no-live", "--json", "--frame-bank", "test"]
RECORD = [sys.executable, "-P", "-m", "capture.record_cli"]
START_S = 60.0


def ip(*arguments: str) -> None:
    """Run `ip`, or say what it needs."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"network namespaces need root and the program ip: {done.stderr.strip()}")


@contextlib.contextmanager
def two_machines() -> Iterator[None]:
    """Two namespaces with a cable between them."""
    ip("netns", "add", NEAR)
    try:
        ip("netns", "add", FAR)
        ip("link", "add", "dfme0", "netns", NEAR, "type", "veth", "peer", "name", "dfme0", "netns", FAR)
        for name, address in ((NEAR, "10.201.8.1/24"), (FAR, "10.201.8.2/24")):
            ip("-n", name, "addr", "add", address, "dev", "dfme0")
            ip("-n", name, "link", "set", "dfme0", "up", "mtu", "9000")
        yield
    finally:
        for name in (NEAR, FAR):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def measure(fps: float, seconds: float, ring_s: float, folder: Path, *, encrypted: bool) -> dict[str, Any]:
    """One trial; the recording is thrown away."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="dfme-bench-") as name:
        here = Path(name)
        near: list[str] = []
        far: list[str] = []
        keys: list[list[str]] = [[], []]
        address = LOOPBACK
        if encrypted:
            near, far = ["ip", "netns", "exec", NEAR], ["ip", "netns", "exec", FAR]
            subprocess.run([*RECORD, "keys", "--out", str(here / "keys")], check=True, capture_output=True)
            keys = [["--keys", str(here / "keys" / file)] for file in ("capture.keys", "storage.keys")]
            address = ADDRESS
        hardware = here / "camera.toml"
        hardware.write_text(f'name = "Benchmark"\nproducer = "simulator"\nrate_fps = {fps}\nring_seconds = {ring_s}\n')
        log = here / "record.log"
        with log.open("w") as errors:
            record = subprocess.Popen(
                [*far, *RECORD, "--json", "--listen", address, "--out", str(here / "storage"), *keys[1]],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            deadline = time.monotonic() + START_S
            while "listening" not in log.read_text():
                if record.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"dfme-record did not start: {log.read_text().strip()}")
                time.sleep(0.05)
            done = subprocess.run(
                [
                    *(*near, *CAPTURE, "--hw", str(hardware), "--duration", f"{seconds:g}"),
                    *("--out", str(here / "capture"), "--remote", address, *keys[0]),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            record.send_signal(signal.SIGINT)
            told, _ = record.communicate(timeout=60)
        said = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        there = json.loads(told.splitlines()[-1])
        trial = there["trials"][-1] if there["trials"] else {}
        result: dict[str, Any] = {
            "encrypted": encrypted,
            "over": "veth" if encrypted else "loopback",
            "frames": there["frames"],
            "damaged": trial.get("damaged"),
            "resumed": trial.get("resumed"),
            "lossless": done.returncode == 0 and not any(said["lost"].values()),
            "error": said.get("error", "") or trial.get("error", ""),
        }
        if done.returncode == 0:
            verdict = subprocess.run(
                [sys.executable, "-P", "-m", "capture.session_cli", "verify", trial["recording"]],
                capture_output=True,
                check=False,
            )
            cpu = said["cpu_ms_per_frame"]
            result |= {
                "lost": said["lost"],
                "fps": said["fps"],
                "verified": verdict.returncode == 0,
                "cpu_ms_per_frame": {
                    "camera": cpu["camera"],
                    "sender": cpu["recorder"],
                    "storage": trial["cpu_ms_per_frame"],
                },
            }
        return result


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the storage machine's disk")
    parser.add_argument("--fps", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ring-seconds", type=float, default=8.0, help="length of the capture machine's ring")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    line: dict[str, Any] = {
        "benchmark": "remote_recording",
        "asked_fps": arguments.fps,
        "seconds": arguments.seconds,
        "ring_seconds": arguments.ring_seconds,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    asked = (float(arguments.fps), float(arguments.seconds), float(arguments.ring_seconds))
    with two_machines():
        line["ours"] = measure(*asked, arguments.folder, encrypted=True)
    line["peer"] = measure(*asked, arguments.folder, encrypted=False)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
