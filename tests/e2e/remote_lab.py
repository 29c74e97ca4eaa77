"""A laboratory of two machines: network namespaces, a cable between them, and the operators' commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from capture.recording.reader import Recording
from capture.remote.keys import make_keys

RECORD = [sys.executable, "-P", "-m", "capture.record_cli"]
CAPTURE = [sys.executable, "-P", "-m", "capture.cli", "--no-tui", "--no-live", "--frame-bank", "test"]
NEAR, FAR, PORT = "10.201.7.1", "10.201.7.2", "5599"
ADDRESS = f"tcp://{FAR}:{PORT}"
LONG_LINK = Path(__file__).with_name("long_link.py")


def ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)


class Lab:
    """A capture machine and a storage machine, with keys for both and a cable."""

    def __init__(self, folder: Path) -> None:
        self.out, self.local = folder / "storage", folder / "capture"
        self.log = folder / "record.log"
        self.keys = make_keys(folder / "keys")
        self.near, self.far = f"dfme-c{os.getpid()}", f"dfme-s{os.getpid()}"
        self.started: list[subprocess.Popen[str]] = []
        self.out.mkdir()

    def connect(self) -> None:
        for done in (
            ip("netns", "add", self.near),
            ip("netns", "add", self.far),
            ip("link", "add", "dfme0", "netns", self.near, "type", "veth", "peer", "name", "dfme0", "netns", self.far),
            ip("-n", self.near, "addr", "add", f"{NEAR}/24", "dev", "dfme0"),
            ip("-n", self.far, "addr", "add", f"{FAR}/24", "dev", "dfme0"),
            ip("-n", self.near, "link", "set", "dfme0", "up"),
            ip("-n", self.far, "link", "set", "dfme0", "up"),
        ):
            if done.returncode:
                pytest.skip(f"network namespaces need root and ip: {done.stderr.strip()}")

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        for name in (self.near, self.far):
            ip("netns", "del", name)

    def cable(self, state: str) -> None:
        assert ip("-n", self.near, "link", "set", "dfme0", state).returncode == 0

    def shape(self, *rule: str) -> None:
        """Make the cable slow, or long."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.near, "tc", "qdisc", "add", "dev", "dfme0", "root", *rule],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"this kernel has no {rule[0]}: {done.stderr.strip()}")

    def lengthen(self, delay_ms: int) -> str:
        """Put a long way between the machines, there and back; returns the address at its near end."""
        assert ip("-n", self.near, "link", "set", "lo", "up").returncode == 0
        way = subprocess.Popen(
            ["ip", "netns", "exec", self.near, sys.executable, str(LONG_LINK), NEAR, FAR, PORT, str(delay_ms)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(way)
        assert way.stdout.readline() == "listening\n"
        return f"tcp://{NEAR}:{PORT}"

    def record(self, *options: object) -> subprocess.Popen[str]:
        """The storage machine's operator."""
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", self.far, *RECORD, "--listen", ADDRESS, "--out", str(self.out), "--json"),
                    *("--keys", str(self.keys.storage), *map(str, options)),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.started.append(process)
        return process

    def capture(self, *options: object, keys: Path | None = None, address: str = ADDRESS) -> subprocess.Popen[str]:
        """The capture machine's operator."""
        process = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.near, *CAPTURE, "--json", "--remote", address, "--out", str(self.local)),
                *("--keys", str(keys or self.keys.capture), *map(str, options)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def stop(self, record: subprocess.Popen[str]) -> dict:
        record.send_signal(signal.SIGINT)
        said, _ = record.communicate(timeout=60)
        assert record.returncode == 0, self.log.read_text()
        return json.loads(said.splitlines()[-1])

    @property
    def session(self) -> Path:
        (path,) = self.out.iterdir()
        return path

    @property
    def recording(self) -> Path:
        (path,) = self.session.glob("recordings/*.zarr")
        return path

    def events_here(self) -> str:
        """The event log on the capture machine."""
        (path,) = self.local.glob("*/events.tsv")
        return path.read_text()

    def frames_there(self) -> int:
        """Frames that are safe on the storage machine."""
        return len(Recording.open(self.recording))
