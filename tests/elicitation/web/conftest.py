"""A recording by the simulated camera, a stimulus, and the server of the participant's pages as a session runs it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from elicitation.placeholder import make_placeholder

FRAMES = 160
RATE_FPS = 200


class Pages:
    """`python -m elicitation.web`, driven by lines of JSON."""

    def __init__(self, session: Path, *, port: int = 0, token: str = "", more: tuple[str, ...] = ()) -> None:
        arguments = [sys.executable, "-P", "-m", "elicitation.web", "--session", session, "--port", port, *more]
        self.process = subprocess.Popen(
            list(map(str, arguments)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "DFME_WEB_TOKEN": token},
        )
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self._said.put(json.loads(line))
        self._said.put(None)

    def heard(self, kind: str) -> dict[str, Any]:
        """The next thing of this kind that the server says; others are passed over."""
        while True:
            said = self._said.get(timeout=60)
            assert said is not None, f"the server ended without saying {kind!r}"
            if said["kind"] == kind:
                return said

    @property
    def url(self) -> str:
        if not hasattr(self, "_url"):
            self._url = self.heard("ready")["url"]
        return self._url

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])

    def order(self, **content: Any) -> None:
        self.process.stdin.write(json.dumps(content).encode() + b"\n")
        self.process.stdin.flush()

    def show(self, page: str, **content: Any) -> None:
        self.order(order="show", page=page, **content)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.process.stdin.close()
        # The listening thread reads to the end before the pipe is closed.
        while self._said.get(timeout=20) is not None:
            pass
        self.process.stdout.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Pages]]:
    """Starts servers for a session; all are ended with the test."""
    started: list[Pages] = []

    def start(session: Path | None = None, **options: Any) -> Pages:
        started.append(Pages(session or tmp_path, **options))
        return started[-1]

    yield start
    for pages in started:
        pages.close()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory, simulator: Path) -> Path:
    """A short trial of the simulated camera whose frames are stamped."""
    folder = tmp_path_factory.mktemp("study")
    command = [sys.executable, "-P", "-m", "capture.cli", "--fps", RATE_FPS, "--frames", FRAMES, "--out", folder]
    done = subprocess.run(
        [*map(str, command), "--no-tui", "--no-live", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout.splitlines()[-1])["recording"])


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stimulus of 60 pictures that have their number in them."""
    path = tmp_path_factory.mktemp("stimuli") / "13f.mp4"
    return make_placeholder(path, title="13f", duration_s=2, rate_fps=Fraction(30), width_px=320, height_px=180)
