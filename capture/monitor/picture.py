"""The live picture: a frame in grey half-block characters, two pixels to a terminal cell."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from capture.monitor.painted import Painted
from capture.monitor.palette import theme_for

Grey = npt.NDArray[np.uint8]

LEVELS = 24
"""Grey levels: those of the 256-colour palette, so that the picture looks the same without true colour; fewer levels
also make longer runs of one colour, which is what drawing costs."""
_STEP = 256 / LEVELS
_STAY = 0.5 * _STEP + 3.0
"""How far (in grey values) a cell may drift from its level before it changes: camera noise alone repaints nothing."""
_SAMPLES_PER_CELL = 3


def cell_means(pixels: Grey, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Mean grey value of each of `rows` x `columns` fields of `pixels`; repeats pixels where there are too few.

    Args:
        pixels: uint8 (height, width).
        rows: Fields down, at least 1.
        columns: Fields across, at least 1.

    Returns:
        float32 (rows, columns), 0 to 255.
    """
    means: npt.NDArray[np.float32]
    height, width = pixels.shape
    at_row = np.arange(rows) * height // rows
    at_column = np.arange(columns) * width // columns
    if height < rows or width < columns:
        means = pixels[at_row][:, at_column].astype(np.float32)
        return means
    down: npt.NDArray[np.uint32] = np.add.reduceat(pixels, at_row, axis=0, dtype=np.uint32)
    sums: npt.NDArray[np.uint32] = np.add.reduceat(down, at_column, axis=1)
    heights = np.diff(at_row, append=height)
    widths = np.diff(at_column, append=width)
    means = (sums / np.outer(heights, widths)).astype(np.float32)
    return means


def fitted(width: int, height: int, aspect: float) -> tuple[int, int]:
    """The largest picture, as (columns, pixel rows), for `width` x `height` cells of shape 1:2 and an aspect ratio.

    Pixel rows are even: a cell holds two.
    """
    rows = min(2 * height, round(width / aspect))
    columns = min(width, round(rows * aspect))
    return max(1, columns), max(2, rows // 2 * 2)


@cache
def _styles() -> list[Style]:
    greys = [round(8 + index * 10) for index in range(LEVELS)]
    colours = [Color.from_rgb(grey, grey, grey) for grey in greys]
    return [Style(color=upper, bgcolor=lower) for upper in colours for lower in colours]


@cache
def _ground(*, dark: bool) -> Style:
    return Style(color=Color.from_rgb(128, 128, 128), bgcolor=Color.parse(theme_for(dark=dark).background or "black"))


def half_blocks(pixels: Grey, line: int, columns: int) -> list[Segment]:
    """Line `line` of a square picture that is drawn `columns` cells wide; two rows of its pixels."""
    levels = np.minimum(cell_means(pixels, columns, columns) // _STEP, LEVELS - 1).astype(np.intp)
    keys = levels[2 * line] * LEVELS + levels[2 * line + 1]
    return [Segment("▀", _styles()[key]) for key in keys.tolist()]


class Picture(Painted):
    """Draws frames as large as they fit, keeping their shape; lines that did not change are left alone."""

    step = 8
    """Every how many pixels of the frame are looked at; follows from the widget's size and the frame's."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name Textual gives it
        super().__init__(id=id)
        self._levels: Grey | None = None
        self._segments: dict[tuple[int, int], Segment] = {}

    def show(self, pixels: Grey | None) -> None:
        """Draw `pixels`, uint8 (height, width), every `step`-th of a frame; None leaves what stands there."""
        width, height = self.size
        if pixels is None or pixels.size == 0 or not width or not height:
            return
        columns, rows = fitted(width, height, pixels.shape[1] / pixels.shape[0])
        means = cell_means(pixels, rows, columns)
        self.step = max(1, pixels.shape[1] * self.step // (columns * _SAMPLES_PER_CELL))
        levels = np.minimum(means // _STEP, LEVELS - 1).astype(np.uint8)
        before = self._levels
        if before is None or before.shape != levels.shape:
            self._levels = levels
            self.repaint()
            return
        drifted = np.abs(means - (before + 0.5) * _STEP) > _STAY
        self._levels = np.where(drifted, levels, before)
        lines = np.flatnonzero((self._levels != before).reshape(rows // 2, -1).any(axis=1))
        if lines.size:
            top = (height - rows // 2) // 2
            self.repaint(top + int(line) for line in lines)

    def on_resize(self) -> None:
        """Forget the picture: the next one has another size."""
        self._levels = None
        super().on_resize()

    def paint_line(self, y: int) -> Strip:
        """Line `y`: two rows of pixels, centred."""
        width, height = self.size
        ground = _ground(dark=self.dark)
        levels = self._levels
        if levels is None:
            text = "no picture yet" if y == height // 2 else ""
            return Strip([Segment(text.center(width), ground)], width)
        rows, columns = levels.shape
        line = y - (height - rows // 2) // 2
        if not 0 <= line < rows // 2:
            return Strip.blank(width, ground)
        keys = levels[2 * line].astype(np.intp) * LEVELS + levels[2 * line + 1]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(keys)) + 1))
        lengths = np.diff(starts, append=columns)
        left = (width - columns) // 2
        segments = [Segment(" " * left, ground)] if left else []
        segments += [
            self._segment(key, length) for key, length in zip(keys[starts].tolist(), lengths.tolist(), strict=True)
        ]
        if right := width - columns - left:
            segments.append(Segment(" " * right, ground))
        return Strip(segments, width)

    def _segment(self, key: int, length: int) -> Segment:
        segment = self._segments.get((key, length))
        if segment is None:
            segment = self._segments[key, length] = Segment("▀" * length, _styles()[key])
        return segment
