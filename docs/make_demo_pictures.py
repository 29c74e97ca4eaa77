"""Draws the pictures of the tutorial: a pilot study is played, and its page is opened in a real browser."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

PARTS: Final = {"Sessions": "demo_sessions", "Coding and agreement": "demo_agreement", "Readout": "demo_readout"}
"""Beginning of a section's heading, and the file that it goes to."""
WIDTH_PX: Final = 1280
MARGIN_PX: Final = 24


def main(out: Path, *, program: str | None, pilot: Path | None = None) -> None:
    """Play a study, and keep parts of its page.

    Args:
        out: Folder of the pictures.
        program: Chromium.
        pilot: Folder of a study that was played; a new one is played unless given.
    """
    with tempfile.TemporaryDirectory() as folder:
        if pilot is None:
            pilot = Path(folder) / "pilot"
            command = [sys.executable, "-P", "-m", "capture.session_cli", "demo", "--out", str(pilot)]
            subprocess.run(command, check=True)
        _draw(pilot / "index.html", out, program)


def _draw(page_file: Path, out: Path, program: str | None) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": 900})
        page.goto(page_file.absolute().as_uri())
        for heading, name in PARTS.items():
            section = page.locator("section").filter(has=page.locator(f"h2:text('{heading}')")).first
            box = section.bounding_box()
            if box is None:
                raise RuntimeError(f"{page_file} has no part {heading}: was the study played to its end?")
            clip = {**box, "x": box["x"] - MARGIN_PX, "width": box["width"] + 2 * MARGIN_PX}
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
            picture.convert("RGB").save(out / f"{name}.jpg", quality=85, optimize=True)
        browser.close()
