"""A small study: two short stand-ins, a protocol that needs no hands, a participant who agreed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from capture.participants import Registry
from capture.session import Session
from elicitation.placeholder import make_placeholder
from tests.waiting import wait_for

SECONDS = 2.0
RATE_FPS = 30
MANIFEST = "stim_id\ttarget_emotion\tduration_s\na\tfear\t2\nb\tdisgust\t2\n"
PROTOCOL = """
name = "short"
stimuli = "stimuli.tsv"
stimulus_folder = "videos"
margin_s = 0.3
{top}
[draw]
count = {count}
[screen]
browser = ""
[[before]]
kind = "instruction"
seconds = 0.2
text = "Welcome."
[[before]]
kind = "baseline"
seconds = 0.3
text = "Please relax."
[[each]]
kind = "stimulus"
[[each]]
kind = "rest"
seconds = {rest}
text = "Please rest."
{each}
[penalty]
text = "Please answer."
questions = [{{ text = "How many steps?", answers = ["0", "1"] }}]
"""
CAPTURE = [sys.executable, "-P", "-m", "capture.cli", "--no-tui", "--no-live", "--fps", "200"]


class Study:
    """A folder with everything a session needs, and the operator's hands."""

    def __init__(self, folder: Path, videos: Path, screen: dict[str, str]) -> None:
        self.folder = folder
        self.videos = videos
        self.environment = screen
        self.out = folder / "study"
        self.protocol = folder / "short.toml"
        (folder / "stimuli.tsv").write_text(MANIFEST)
        self.write_protocol()
        registry = Registry(self.out)
        registry.add("P07")
        registry.consent("P07", form="form-v1", form_text="I agree.", items={"recording": True}, publish_images=False)

    def write_protocol(self, *, rest: float = 0.2, top: str = "", each: str = "", count: int = 2) -> None:
        self.protocol.write_text(PROTOCOL.format(rest=rest, top=top, each=each, count=count))

    def command(self, *arguments: object) -> list[str]:
        given = ["--elicit", self.protocol, "--stimuli", self.videos, "--out", self.out, *arguments]
        if "--participant" not in arguments:
            given += ["--participant", "P07"]
        return [*CAPTURE, *map(str, given)]

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def sessions(self) -> list[Path]:
        return sorted(path.parent for path in self.out.glob("*/session.json"))

    def session(self) -> Session:
        (path,) = self.sessions
        return Session.open(path)

    def state(self) -> list[dict]:
        lines = [line for path in self.sessions for line in (path / "log/elicitation.jsonl").read_text().splitlines()]
        return [json.loads(line) for line in lines]

    def frames_shown(self) -> int:
        """Lines that the player has written in the newest trial."""
        files = sorted(path for session in self.sessions for path in session.glob("log/flips/*.jsonl"))
        return len(files[-1].read_text().splitlines()) if files else 0

    @staticmethod
    def descendant(pid: int, module: str) -> psutil.Process:
        (found,) = (p for p in psutil.Process(pid).children(recursive=True) if module in p.cmdline())
        return found

    wait_for = staticmethod(wait_for)


@pytest.fixture(scope="session")
def videos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name in ("a", "b"):
        make_placeholder(folder / f"{name}.mp4", title=name, duration_s=SECONDS, width_px=640, height_px=360)
    return folder


@pytest.fixture
def study(tmp_path, videos, virtual_screen, simulator) -> Study:
    assert simulator.is_file()
    return Study(tmp_path, videos, virtual_screen.environment)
