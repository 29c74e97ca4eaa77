"""Draws the pictures of the tutorial: `python docs/make_demo_pictures.py PILOT`, which `dfme-session demo` left."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURES: Final = Path(__file__).parent / "pictures"
PARTS: Final = {"Sessions": "demo_sessions", "Coding and agreement": "demo_agreement", "Readout": "demo_readout"}
"""Beginning of a section's heading, and the file that it goes to."""
WIDTH_PX: Final = 1280


def main() -> None:
    """Open the page of a demonstration, and keep its parts."""
    page_file = Path(sys.argv[1]).absolute() / "index.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": 900})
        page.goto(page_file.as_uri())
        for heading, name in PARTS.items():
            section = page.locator("section").filter(has=page.locator(f"h2:text('{heading}')")).first
            picture = Image.open(io.BytesIO(section.screenshot()))
            picture.convert("RGB").save(PICTURES / f"{name}.jpg", quality=85, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
