"""A widget of text lines that repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from capture.monitor.painted import Painted
from capture.monitor.palette import styles_for
from capture.monitor.spans import Role, Row


class Lines(Painted):
    """Shows rows of spans; `show` compares them with what stands there."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name Textual gives it
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._styles: Mapping[Role, Style] | None = None

    def show(self, rows: Sequence[Row], styles: Mapping[Role, Style] | None = None) -> None:
        """Replace the lines; `styles` are those of the theme unless given."""
        before, self._rows = self._rows, rows
        if styles is not self._styles:
            self._styles = styles
            self.repaint()
            return
        self.repaint(
            y for y in range(max(len(rows), len(before))) if y >= len(rows) or y >= len(before) or rows[y] != before[y]
        )

    def paint_line(self, y: int) -> Strip:
        """Line `y`, filled up to the widget's width."""
        styles = self._styles or styles_for(dark=self.dark)
        segments = [Segment(span.text, styles[span.role]) for span in (self._rows[y] if y < len(self._rows) else ())]
        return Strip(segments).adjust_cell_length(self.size.width, styles[Role.TEXT]).simplify()
