"""Pieces of the monitor's lines: text with a role, bars, and large digits."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len
from textual.renderables.digits import DIGITS, DIGITS3X3_BOLD

from capture.monitor.figures import Level, ring_level
from capture.statistics import RING_GREEN_BELOW, RING_RED_ABOVE


class Role(StrEnum):
    """What a piece of text is; the palette gives it a colour."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    TAG = "tag"
    """The notice that the camera is simulated."""


class Span(NamedTuple):
    """A piece of one line."""

    text: str
    role: Role = Role.TEXT


Row = tuple[Span, ...]
BLANK: Row = (Span(""),)
_BAR = 20
_LEVEL_ROLES = (Role.OK, Role.WARN, Role.BAD)


def role_of(level: Level | None) -> Role:
    """The role in which a figure of this level is drawn."""
    return Role.DIM if level is None else _LEVEL_ROLES[level]


def width_of(row: Row) -> int:
    """Cells that the row takes."""
    return sum(cell_len(span.text) for span in row)


def bar(fill: float, most: float, width: int = _BAR) -> Row:
    """A bar of `width` cells for a share of the ring, with the thresholds and the maximum marked.

    The scale is the square root of the share: 4 % stands at a fifth and 20 % at under half of the width, so that the
    small fills that matter can be seen.
    """

    def cell_of(share: float) -> int:
        return min(width - 1, int(min(1.0, max(0.0, share)) ** 0.5 * width))

    eighths = round(min(1.0, max(0.0, fill)) ** 0.5 * width * 8)
    full, part = divmod(eighths, 8)
    colour = role_of(ring_level(fill))
    marks = {cell_of(RING_GREEN_BELOW): Span("┊", Role.WARN), cell_of(RING_RED_ABOVE): Span("┊", Role.BAD)}
    if most > 0:
        marks[cell_of(most)] = Span("│", role_of(ring_level(most)))
    spans = [Span("█" * full, colour)] if full else []
    at = full
    if part and full < width:
        spans.append(Span("▏▎▍▌▋▊▉"[part - 1], colour))
        at += 1
    for cell in sorted(cell for cell in marks if cell >= at):
        spans += [Span("·" * (cell - at), Role.DIM), marks[cell]]
        at = cell + 1
    spans.append(Span("·" * (width - at), Role.DIM))
    return tuple(span for span in spans if span.text)


def big(text: str) -> tuple[str, str, str]:
    """`text` (digits, colons, points) in letters three cells high."""
    lines = ["", "", ""]
    for char in text:
        glyph: Sequence[str]
        if char == ":":
            glyph = (" ", "╏", " ")
        elif char == ".":
            glyph = (" ", " ", "•")
        elif char in DIGITS:
            at = DIGITS.index(char) * 3
            glyph = [part.ljust(3) for part in DIGITS3X3_BOLD[at : at + 3]]
        else:
            glyph = (" ", char, " ")
        lines = [line + part for line, part in zip(lines, glyph, strict=True)]
    return lines[0], lines[1], lines[2]
