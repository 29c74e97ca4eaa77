"""Draws the pictures of the participant's pages: instruction, scales, self-report; see `docs/make_pictures.py`.

The simulated camera records a simulated participant; the page is the real one, in a real Chromium.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from elicitation.placeholder import make_placeholder

GRADES = (("happiness", 0), ("surprise", 3), ("disgust", 4), ("fear", 1))
MARKS = ((190, "surprise", 2), (430, "disgust", 4), (520, "fear", 1))
INSTRUCTION = (
    "You will now see a short video. Please keep your face as neutral as you can, whatever you feel. "
    "Look at the screen until the video is over."
)
SCALE = "How strongly did you feel each of these while you watched?"


def record(folder: Path) -> Path:
    """A trial of four seconds."""
    command = [
        sys.executable,
        "-m",
        "capture.cli",
        "--fps",
        "200",
        "--duration",
        "4",
        "--no-tui",
        "--no-live",
        "--json",
    ]
    # A camera of its own: another program may hold the usual one.
    environment = {**os.environ, "DFME_SIMULATOR_SERIALS": f"P{os.getpid()}"}
    done = subprocess.run([*command, "--out", str(folder)], check=True, capture_output=True, text=True, env=environment)
    return Path(json.loads(done.stdout.splitlines()[-1])["recording"])


def keep(page: Page, path: Path) -> None:
    """Write what is on the screen, once it is at rest."""
    page.mouse.move(10, 10)
    page.wait_for_timeout(500)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=88)


def go_to(page: Page, frame: int) -> None:
    """Wait until `frame` is on the canvas."""
    page.evaluate("frame => document.getElementById('page').viewer.seek(frame)", frame)


def main(out: Path, *, program: str | None = None) -> None:
    """Record, show the pages, answer, and write `instruction.jpg`, `scale.jpg` and `self_report.jpg` into `out`."""
    with tempfile.TemporaryDirectory() as name:
        recording = record(Path(name))
        film = make_placeholder(Path(name) / "14d.mp4", title="14d disgust", duration_s=3)
        server = subprocess.Popen(
            [sys.executable, "-m", "elicitation.web", "--session", str(recording.parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("the server has no pipes")
        url = json.loads(server.stdout.readline())["url"]
        order = {
            "order": "show",
            "page": "self_report",
            "trial": recording.stem,
            "stim_id": "14d",
            "text": "Please go through the recording of your face and mark every expression that you remember.",
            "recording": str(recording),
            "stimulus": str(film),
            "in_step": [[100, 0.0], [700, 3.0]],
        }
        orders = server.stdin

        def show(**content: object) -> None:
            orders.write(json.dumps(content) + "\n")
            orders.flush()

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(url)
            show(order="show", page="text", text=INSTRUCTION)
            page.wait_for_selector("main.text button")
            keep(page, out / "instruction.jpg")
            show(order="show", page="scale", trial=recording.stem, stim_id="14d", text=SCALE)
            page.wait_for_selector("main.scale .row")
            for emotion, grade in GRADES:
                page.click(f".row[data-emotion='{emotion}'] .choice[data-value='{grade}']")
            keep(page, out / "scale.jpg")
            show(**order)
            page.wait_for_selector("main.self_report .mark")
            for frame, emotion, intensity in MARKS:
                go_to(page, frame)
                page.click(".mark")
                page.click(f".emotions .choice[data-value='{emotion}']")
                page.click(f".strengths .choice[data-value='{intensity}']")
                page.click(".save")
                page.wait_for_selector(".list")
            go_to(page, MARKS[1][0])
            keep(page, out / "self_report.jpg")
            browser.close()
        server.stdin.close()
        server.wait()
