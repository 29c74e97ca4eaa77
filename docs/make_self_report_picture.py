"""Draws the picture of the self-report page: `python docs/make_self_report_picture.py`.

The simulated camera records a simulated participant; the page is the real one, in a real Chromium.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from elicitation.placeholder import make_placeholder

PICTURE = Path(__file__).parent / "pictures" / "self_report.jpg"
MARKS = ((190, "surprise", 2), (430, "disgust", 4), (520, "fear", 1))


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


def go_to(page: Page, frame: int) -> None:
    """Wait until `frame` is on the canvas."""
    page.evaluate("frame => document.getElementById('page').viewer.seek(frame)", frame)


def main() -> None:
    """Record, mark three moments, and take the picture."""
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
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(url)
            page.wait_for_selector("main.self_report .mark")
            for frame, emotion, intensity in MARKS:
                go_to(page, frame)
                page.click(".mark")
                page.click(f".emotions .choice[data-value='{emotion}']")
                page.click(f".strengths .choice[data-value='{intensity}']")
                page.click(".save")
                page.wait_for_selector(".list")
            go_to(page, MARKS[1][0])
            page.mouse.move(10, 10)
            page.wait_for_timeout(500)
            taken = Image.open(io.BytesIO(page.screenshot()))
            browser.close()
        server.stdin.close()
        server.wait()
        taken.convert("RGB").save(PICTURE, quality=88)


if __name__ == "__main__":
    main()
