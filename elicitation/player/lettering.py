"""Texts as pictures: in a font that has their characters, broken into lines that fit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_TEXT_SHARE: Final = 0.05
"""Height of a letter, as a share of the screen's."""
_MOST_WIDTH: Final = 0.8
_LOOK_UP_S: Final = 10.0


def text_picture(text: str, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """Lines of text in the middle, white on black, uint8 (height, width)."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only texts need it

    size = max(round(height_px * _TEXT_SHARE), 12)
    path = font_for(text)
    font: Any = ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    picture = Image.new("L", (width_px, height_px), 0)
    draw = ImageDraw.Draw(picture)
    lines = list(broken(text, lambda line: draw.textlength(line, font) <= width_px * _MOST_WIDTH))
    step = size * 1.5
    top = (height_px - step * len(lines)) / 2
    for number, line in enumerate(lines):
        draw.text((width_px / 2, top + number * step), line, 230, font, "ma")
    return np.asarray(picture, np.uint8)


def broken(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Lines that fit: broken between words, and within a word that alone does not fit, as in scripts without spaces."""
    for paragraph in text.strip().splitlines():
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}".strip()
            if fits(longer):
                line = longer
                continue
            if line:
                yield line
            line = ""
            for char in word:
                if line and not fits(line + char):
                    yield line
                    line = ""
                line += char
        yield line


def has_font(text: str) -> bool:
    """Whether the letters of `text` can be drawn."""
    return _plain(text) or font_for(text) is not None


@lru_cache(maxsize=64)
def font_for(text: str) -> str | None:
    """File of a font that has every character of `text`; None for the one that comes along, or where there is none."""
    if _plain(text) or shutil.which("fc-list") is None:
        return None
    charset = " ".join(sorted({f"{ord(char):x}" for char in text if not char.isspace()}))
    able = _asked("fc-list", f":charset={charset}", "file").replace(":", "").split("\n")
    files = sorted(line.strip() for line in able if line.strip().endswith((".ttf", ".otf", ".ttc")))
    best = _asked("fc-match", "-f", "%{file}", f"sans:charset={charset}")
    return best if best in files else next(iter(files), None)


def _plain(text: str) -> bool:
    """Whether the font that comes along is enough: it has the Latin letters of western Europe."""
    return all(ord(char) < 0x180 for char in text)


def _asked(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_UP_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
