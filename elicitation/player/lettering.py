"""Texts as pictures: in a font that has their characters, broken into lines that fit."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_TEXT_SHARE: Final = 0.05
"""Height of a letter, as a share of the screen's."""
_MOST_WIDTH: Final = 0.8
_LOOK_UP_S: Final = 10.0
_FACE: Final = "%{file}|%{index}\\n"


@dataclass(frozen=True, order=True)
class Face:
    """A font: its file, and which of those in the file."""

    file: str
    index: int


def text_picture(text: str, width_px: int, height_px: int, language: str = "") -> npt.NDArray[np.uint8]:
    """Lines of text in the middle, white on black, uint8 (height, width).

    Args:
        text: In any script; each paragraph may be in another one.
        width_px: Of the picture.
        height_px: Of the picture.
        language: Of the text, such as `zh-CN`: Chinese and Japanese write the same character in different ways.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only texts need it

    size = max(round(height_px * _TEXT_SHARE), 12)
    picture = Image.new("L", (width_px, height_px), 0)
    draw = ImageDraw.Draw(picture)
    lines: list[tuple[str, Any]] = []
    for paragraph in text.strip().splitlines():
        face = font_for(paragraph, language)
        font: Any = ImageFont.truetype(face.file, size, face.index) if face else ImageFont.load_default(size)

        def fits(line: str, font: Any = font) -> bool:
            return bool(draw.textlength(line, font) <= width_px * _MOST_WIDTH)

        lines += [(line, font) for line in broken(paragraph, fits)] or [("", font)]
    step = size * 1.5
    top = (height_px - step * len(lines)) / 2
    for number, (line, font) in enumerate(lines):
        # Who draws joins Arabic letters and puts them from right to left: Pillow does, with the library that it brings.
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


def without_font(text: str, language: str = "") -> str:
    """The first paragraph of `text` whose letters no font can draw; empty where all can be drawn."""
    drawn = (p for p in text.strip().splitlines() if not _plain(p) and font_for(p, language) is None)
    return next(drawn, "")


@lru_cache(maxsize=256)
def font_for(text: str, language: str = "") -> Face | None:
    """A font that has every character of `text`; None for the one that comes along, or where there is none."""
    if _plain(text) or shutil.which("fc-list") is None:
        return None
    charset = " ".join(sorted({f"{ord(char):x}" for char in text if not char.isspace() and not _is_control(char)}))
    able = _faces(_asked("fc-list", f":charset={charset}", "-f", _FACE))
    of_language = f":lang={language.lower()}" if language else ""
    best = _faces(_asked("fc-match", "-f", _FACE, f"sans{of_language}:charset={charset}"))
    return next((face for face in best if face in able), next(iter(sorted(able)), None))


def _faces(said: str) -> list[Face]:
    found = []
    for line in said.splitlines():
        file, _, index = line.rpartition("|")
        # The upper half of an index names a variant of a variable font, which is not needed here.
        if file.endswith((".ttf", ".otf", ".ttc")) and index.isdecimal():
            found.append(Face(file, int(index) & 0xFFFF))
    return found


def _is_control(char: str) -> bool:
    """Marks of direction and joining, which fonts need not have."""
    return unicodedata.category(char) == "Cf"


def _plain(text: str) -> bool:
    """Whether the font that comes along is enough: it has the Latin letters of western Europe."""
    return all(ord(char) < 0x180 for char in text)


def _asked(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_UP_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
