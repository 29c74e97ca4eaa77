"""A widget of text lines that repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from capture.monitor.palette import styles_for
from capture.monitor.rows import Role, Row


class Lines(Widget):
    """Shows rows of spans; `show` compares them with what stands there and marks the differing lines alone.

    The monitor shares two cores with camera and recorder, so drawing has to cost next to nothing: no layout, no markup,
    no animation.
    """

    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name Textual gives it
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._styles: Mapping[Role, Style] | None = None

    @property
    def dark(self) -> bool:
        """Whether the dark theme is on."""
        return self.app.current_theme.dark

    def show(self, rows: Sequence[Row], styles: Mapping[Role, Style] | None = None) -> None:
        """Replace the lines; `styles` are those of the theme unless given."""
        before, self._rows = self._rows, rows
        if styles is not self._styles:
            self._styles = styles
            self.refresh()
            return
        width, height = self.size
        changed = [
            Region(0, y, width, 1)
            for y in range(min(height, max(len(rows), len(before))))
            if (rows[y] if y < len(rows) else None) != (before[y] if y < len(before) else None)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """The strip of line `y`, filled up to the widget's width."""
        styles = self._styles or styles_for(dark=self.dark)
        width = self.size.width
        segments = [Segment(span.text, styles[span.role]) for span in (self._rows[y] if y < len(self._rows) else ())]
        return Strip(segments).adjust_cell_length(width, styles[Role.TEXT]).simplify()
