"""Runs the real commands and waits for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from capture.recording.reader import Recording
from capture.ring import RingReader
from capture.simulator.stamp import read_stamp
from tests.waiting import wait_for

CAPTURE = [sys.executable, "-P", "-m", "capture.cli"]


class Journey:
    """What a test needs to act as the operator."""

    command = CAPTURE

    @staticmethod
    def run(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """`dfme-capture` to its end."""
        return subprocess.run(
            [*CAPTURE, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
        )

    @staticmethod
    def start(*arguments: object) -> subprocess.Popen[str]:
        """`dfme-capture` without the monitor, still running."""
        return subprocess.Popen(
            [*CAPTURE, "--no-tui", *([] if "--live" in arguments else ["--no-live"]), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    wait_for = staticmethod(partial(wait_for, seconds=40.0))

    @staticmethod
    def child(pid: int, module: str) -> psutil.Process:
        """The child process of `pid` that runs `module`."""
        (found,) = (p for p in psutil.Process(pid).children() if module in p.cmdline())
        return found

    @staticmethod
    def ring(pid: int) -> RingReader:
        """The ring of a running capture; it stays as it is for as long as somebody looks at it."""
        links = [link for link in Path(f"/proc/{pid}/fd").iterdir() if "memfd:dfme-ring" in str(link.readlink())]
        return RingReader(os.open(links[0], os.O_RDONLY))

    @staticmethod
    def recording(out: Path) -> Path:
        """The only recording below `out`."""
        (path,) = out.glob("*/recordings/*.zarr")
        return path

    def second_shard(self, out: Path) -> None:
        """Wait until a recording below `out` is well under way."""
        self.wait_for(lambda: any(out.glob("*/recordings/*.zarr/frames/c/2")))

    @staticmethod
    def assert_every_stamp_matches(path: Path) -> None:
        """Every frame on disk is the one that its id says, to the last pixel."""
        recording = Recording.open(path)
        assert len(recording) > 0
        for i in range(len(recording)):
            stamp = read_stamp(recording.frame(i))
            assert stamp is not None
            assert stamp.intact
            assert stamp.frame_id == recording.frame_id[i]
            assert stamp.device_ns == recording.device_ns[i]


@pytest.fixture
def journey(simulator: Path) -> Journey:
    """The operator's hands; needs the simulated camera."""
    assert simulator.is_file()
    return Journey()
