"""A widget that paints whole lines itself and keeps each until it is told that the line changed."""

from __future__ import annotations

from collections.abc import Iterable

from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Painted(Widget):
    """Base of all that changes several times a second.

    The monitor shares two cores with camera and recorder, so drawing has to cost next to nothing: no layout, no markup,
    no borders or padding (give it a margin instead), no animation, and only lines that changed are painted anew.
    """

    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name Textual gives it
        super().__init__(id=id)
        self._kept: dict[int, Strip] = {}

    def paint_line(self, y: int) -> Strip:
        """The strip of line `y`, exactly as wide as the widget; called when the line is shown and not kept.

        Blank here; what is to be seen is the subclass's.
        """
        return Strip.blank(self.size.width)

    def repaint(self, lines: Iterable[int] | None = None) -> None:
        """Paint these lines anew; all of them when None."""
        if lines is None:
            self._kept.clear()
            self.refresh()
            return
        width, height = self.size
        changed = [y for y in lines if 0 <= y < height]
        for y in changed:
            self._kept.pop(y, None)
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    @property
    def dark(self) -> bool:
        """Whether the dark theme is on."""
        return self.app.current_theme.dark

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of the lines in `crop`, cut to its columns."""
        # Our styles are true colours already; the other filters (NO_COLOR) are applied once, when a line is painted.
        strips = [self._kept.get(y) or self._keep(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def notify_style_update(self) -> None:
        """Textual says that the theme or a style changed."""
        self._kept.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        """Every line has another width now."""
        self.repaint()

    def _keep(self, y: int) -> Strip:
        strip = self.paint_line(y)
        for line_filter in self.get_line_filters():
            if not isinstance(line_filter, ANSIToTruecolor):
                strip = strip.apply_filter(line_filter, self.background_colors[1])
        self._kept[y] = strip
        return strip
