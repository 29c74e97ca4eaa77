"""The live readout: what the service sees now, the last expressions, and how the newest looked at onset and apex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from capture.monitor import figures
from capture.monitor.figures import WallClock
from capture.monitor.painted import Painted
from capture.monitor.palette import styles_for
from capture.monitor.picture import Grey, half_blocks
from capture.monitor.spans import BLANK, Role, Row, Span, width_of
from capture.statistics import LiveSpot, LiveStatistics

READOUT_HEIGHT: Final = 9
READOUT_NEEDS: Final = (110, 34)
"""Columns and lines of a terminal from which there is room for it."""
PICTURE_CELLS: Final = 16
"""Columns of each picture; half as many lines."""
_BAR: Final = 16
_NAME: Final = 9
_WATCHES: Final = frozenset({"watching", "movement"})


def sees_a_face(live: LiveStatistics) -> bool:
    """Whether expressions can be read just now."""
    return live.state in _WATCHES


def last_words(live: LiveStatistics) -> Row:
    """In a few cells: what is wrong with the face, or the last expression."""
    if live.state and not sees_a_face(live):
        return (Span(" "), Span(figures.clip(live.state, 16), Role.WARN))
    if not live.recent:
        return ()
    spot = live.recent[0]
    return (
        Span(" "),
        Span(figures.clip(named(spot), 9), Role.STRONG),
        Span(f" {figures.clip(chance(spot), 6)}", Role.DIM),
    )


def named(spot: LiveSpot) -> str:
    """The emotion, or what is known in its place."""
    return spot.emotion or "unnamed"


def chance(spot: LiveSpot) -> str:
    """Probability of the likeliest emotion; empty where nothing was recognised."""
    return f"{spot.probabilities[0][1]:.0%}" if spot.probabilities else ""


def readout_rows(live: LiveStatistics, clock: WallClock, width: int) -> list[Row]:
    """`READOUT_HEIGHT` lines of `width` cells: the title over the whole width, then what stands beside the pictures."""
    state = live.state if sees_a_face(live) else f"▲ {live.state}"
    role = Role.STRONG if sees_a_face(live) else Role.WARN
    model = f"{live.model} on {live.engine}" if live.model else "no model"
    simulated: Row = (Span(" simulated faces ", Role.TAG),) if live.simulated else ()
    head: Row = (Span(" Readout ", Role.DIM), Span(figures.clip(state, 16), role), Span(f"  {model} ", Role.DIM))
    rest = max(0, width - width_of(head) - width_of(simulated) - 1)
    rows: list[Row] = [(*head, Span("─" * rest, Role.DIM), *simulated)]
    if live.recent:
        rows += _newest(live.recent[0], clock)
        rows += [_earlier(spot, clock) for spot in live.recent[1:]]
    else:
        rows.append((Span("no expression yet", Role.DIM),))
    rows += [BLANK] * READOUT_HEIGHT
    return rows[:READOUT_HEIGHT]


def _newest(spot: LiveSpot, clock: WallClock) -> list[Row]:
    rows: list[Row] = [
        (
            Span(named(spot), Role.STRONG),
            Span(f"  {spot.kind}, {spot.length_ms:.0f} ms, {clock.time_of_day(spot.host_ns)}", Role.DIM),
        )
    ]
    for name, share in spot.probabilities[:3]:
        full = round(min(1.0, max(0.0, share)) * _BAR)
        rows.append(
            (
                Span(f"{figures.clip(name, _NAME):<{_NAME}} ", Role.DIM),
                Span("█" * full, Role.OK),
                Span("·" * (_BAR - full), Role.DIM),
                Span(f"{share:5.0%}"),
            )
        )
    rows.append((Span(f"read out {spot.latency_ms:.0f} ms after its end", Role.DIM),))
    return rows


def _earlier(spot: LiveSpot, clock: WallClock) -> Row:
    said = f" {chance(spot)}" if spot.probabilities else ""
    return (
        Span(f"{clock.time_of_day(spot.host_ns)}  ", Role.DIM),
        Span(f"{figures.clip(named(spot), _NAME):<{_NAME}}{said}"),
        Span(f"  {spot.kind}", Role.DIM),
    )


def picture_of(pixels: bytes, side_px: int) -> Grey | None:
    """A picture as it came; None where there is none, or it has another size than it says."""
    if side_px <= 0 or len(pixels) != side_px * side_px:
        return None
    return np.frombuffer(pixels, np.uint8).reshape(side_px, side_px)


class Readout(Painted):
    """Draws the readout; lines that did not change are left alone."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name Textual gives it
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._pictures: tuple[Grey, Grey] | None = None
        self._spot: LiveSpot | None = None

    def show(self, live: LiveStatistics, clock: WallClock) -> None:
        """Draw these figures."""
        spot = live.recent[0] if live.recent else None
        rows = readout_rows(live, clock, self.size.width)
        if spot != self._spot:
            self._spot = spot
            onset, apex = (
                (picture_of(spot.onset_picture, spot.side_px), picture_of(spot.apex_picture, spot.side_px))
                if spot is not None
                else (None, None)
            )
            self._pictures = None if onset is None or apex is None else (onset, apex)
            self._rows = rows
            self.repaint()
            return
        before, self._rows = self._rows, rows
        self.repaint(y for y in range(len(rows)) if y >= len(before) or rows[y] != before[y])

    def paint_line(self, y: int) -> Strip:
        """Line `y`: the title, or a line of both pictures and the text beside them."""
        styles = styles_for(dark=self.dark)
        row = self._rows[y] if y < len(self._rows) else ()
        segments = [Segment(span.text, styles[span.role]) for span in row]
        if y > 0:
            lead = [Segment(" ", styles[Role.TEXT])]
            for picture in self._pictures or ():
                lead += [*half_blocks(picture, y - 1, PICTURE_CELLS), Segment(" ", styles[Role.TEXT])]
            segments = lead + segments
        return Strip(segments).adjust_cell_length(self.size.width, styles[Role.TEXT]).simplify()
