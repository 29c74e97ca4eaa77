"""A virtual screen whose frame buffer is a file, so that a test can see what is really shown, and when."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from elicitation.placeholder import read_counter


class VirtualScreen:
    """An X server without a screen whose frame buffer is a file."""

    def __init__(self, folder: Path, width_px: int = 1280, height_px: int = 720) -> None:
        self._folder = folder
        read_end, write_end = os.pipe()
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(write_end),
                "-screen",
                "0",
                f"{width_px}x{height_px}x24",
                "-fbdir",
                str(folder),
                "-nolisten",
                "tcp",
            ],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if not number:
            self._server.wait()
            raise RuntimeError("Xvfb did not start")
        self.display = f":{number}"
        self.environment = {
            **os.environ,
            "DISPLAY": self.display,
            "SDL_AUDIODRIVER": "dummy",
            "SDL_VIDEODRIVER": "x11",
        }
        self.pixels = _map_frame_buffer(folder / "Xvfb_screen0")

    def close(self) -> None:
        self._server.terminate()
        self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _map_frame_buffer(path: Path) -> np.ndarray:
    """The pixels of an X window dump that the server keeps up to date, uint8 (height, width, 4)."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    header = struct.unpack_from(">25I", data, 0)
    header_bytes, width, height, line_bytes, colours = header[0], header[4], header[5], header[12], header[19]
    start = header_bytes + colours * 12
    flat = np.frombuffer(data, np.uint8, line_bytes * height, start)
    return flat.reshape(height, line_bytes // 4, 4)[:, :width]


class Spy(threading.Thread):
    """Polls the counter's blocks and notes when each number was first complete."""

    def __init__(self, pixels: np.ndarray, poll_s: float = 0.0002) -> None:
        super().__init__(daemon=True)
        self._pixels = pixels
        self._poll_s = poll_s
        self._ended = threading.Event()
        self.seen: list[tuple[int, int]] = []
        """Frame number and host_ns of its first sight."""

    def run(self) -> None:
        last = -1
        while not self._ended.is_set():
            number = read_counter(self._pixels[:, :, 0])
            now_ns = time.monotonic_ns()
            if number >= 0 and number != last:
                self.seen.append((number, now_ns))
                last = number
            time.sleep(self._poll_s)

    def stop(self) -> None:
        self._ended.set()
        self.join()


@pytest.fixture(scope="module")
def virtual_screen(tmp_path_factory):
    """One X server for a file of tests; they are skipped where there is none."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (apt: xvfb)")
    screen = VirtualScreen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.close()


@pytest.fixture
def spy(virtual_screen):
    """Watches the screen during a test."""
    spy = Spy(virtual_screen.pixels)
    spy.start()
    yield spy
    spy.stop()
