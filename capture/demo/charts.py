"""The pictures of the study's page, drawn as SVG: timelines, bars, and tables of who was taken for whom."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

COLOURS: Final = {
    "anger": "#c8553d",
    "contempt": "#8d6a9f",
    "disgust": "#5b8c5a",
    "fear": "#44618c",
    "happiness": "#d9a404",
    "sadness": "#5aa0b8",
    "surprise": "#d6709b",
    "others": "#8a8a8a",
    "not sure": "#c9c9c9",
}
"""Of emotions, on the whole page."""
EMOTIONS: Final = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
OTHERS: Final = "others"
NOT_SURE: Final = "not sure"
MISSED: Final = "missed"
NOTHING: Final = "nothing"
_LANE_PX: Final = 22
_LEFT_PX: Final = 96
_TEXT: Final = "#444"
_QUIET: Final = "#999"


@dataclass(frozen=True)
class Span:
    """Something on a timeline, in seconds of its trial."""

    first_s: float
    last_s: float
    colour: str
    about: str
    """Said where the pointer rests on it."""
    peak_s: float | None = None
    faint: bool = False


def timeline(seconds: float, lanes: Mapping[str, Sequence[Span]], width_px: int) -> str:
    """Lanes of spans over the same seconds.

    Args:
        seconds: Length of the axis.
        lanes: By name, from top to bottom.
        width_px: Of the picture.
    """
    scale = (width_px - _LEFT_PX - 8) / max(seconds, 1e-9)
    height = _LANE_PX * len(lanes) + 20
    bottom = _LANE_PX * len(lanes)
    parts = []
    for second in range(int(seconds) + 1):
        x = _LEFT_PX + second * scale
        parts.append(_line(x, 0, x, bottom, "#f0f0f0"))
        parts.append(_label(x, bottom + 14, f"{second} s", "middle" if second else "start", _QUIET))
    for row, (name, spans) in enumerate(lanes.items()):
        top = row * _LANE_PX
        parts.append(f'<text x="0" y="{top + 15}" font-size="12" fill="{_TEXT}">{html.escape(name)}</text>')
        parts.append(_line(_LEFT_PX, top + _LANE_PX - 2, width_px - 8, top + _LANE_PX - 2, "#eee"))
        parts += [_span(span, top, scale) for span in spans]
    return _svg(width_px, height, parts)


def bars(counts: Mapping[str, Mapping[str, int]], width_px: int) -> str:
    """Counts of each emotion, a group of bars for each, one bar for each row of `counts`; the first rows are paler."""
    names = [*EMOTIONS, OTHERS]
    most = max((count for by in counts.values() for count in by.values()), default=1) or 1
    group, height = (width_px - 20) / len(names), 150
    bar = min(26.0, group / (len(counts) + 1))
    parts = []
    for column, name in enumerate(names):
        centre = 10 + group * (column + 0.5)
        for row, (what, by) in enumerate(counts.items()):
            tall = by.get(name, 0) / most * height
            x = centre + (row - len(counts) / 2) * bar
            opacity = 0.35 + 0.65 * row / max(1, len(counts) - 1)
            parts.append(
                f'<rect x="{x:.1f}" y="{20 + height - tall:.1f}" width="{bar - 2:.1f}" height="{tall:.1f}" '
                f'fill="{COLOURS[name]}" opacity="{opacity:.2f}"><title>{html.escape(what)}: {by.get(name, 0)} '
                f"{name}</title></rect>"
            )
            parts.append(_label(x + bar / 2 - 1, 15 + height - tall, str(by.get(name, 0)), "middle", _TEXT))
        parts.append(_label(centre, height + 38, name, "middle", _TEXT))
    parts.append(_line(10, 20 + height, width_px - 10, 20 + height, "#bbb"))
    return _svg(width_px, height + 46, parts)


def confusion(counts: Mapping[tuple[str, str], int], width_px: int) -> str:
    """What was shown, in rows, by what was said, in columns; the last row is what was read out where nothing was.

    Args:
        counts: By (shown, said), with `MISSED` among what is said and `NOTHING` among what is shown.
        width_px: Of the picture.
    """
    rows, columns = (*EMOTIONS, OTHERS, NOTHING), (*EMOTIONS, NOT_SURE, MISSED)
    left, top, right = 84, 64, 28
    cell_w, cell_h = (width_px - left - right) / len(columns), 26
    most = max(counts.values(), default=1)
    parts = []
    for column, said in enumerate(columns):
        x = left + (column + 0.5) * cell_w
        parts.append(
            f'<text x="{x:.1f}" y="{top - 8}" font-size="12" fill="{_TEXT}" '
            f'transform="rotate(-35 {x:.1f} {top - 8})">{said}</text>'
        )
    for row, shown in enumerate(rows):
        y = top + row * cell_h
        parts.append(_label(left - 8, y + 17, shown, "end", _TEXT))
        for column, said in enumerate(columns):
            count = counts.get((shown, said), 0)
            x = left + column * cell_w
            hit, miss = "#2e7d4f", "#b8860b" if said in EMOTIONS else "#888"
            fill = hit if shown == said else miss
            opacity = 0.06 if not count else 0.25 + 0.75 * count / most
            if shown == NOTHING and said == MISSED:
                continue
            parts.append(
                f'<rect x="{x + 1:.1f}" y="{y + 1}" width="{cell_w - 2:.1f}" height="{cell_h - 2}" rx="3" '
                f'fill="{fill}" opacity="{opacity:.2f}"><title>{shown} shown, {said}: {count}</title></rect>'
            )
            if count:
                strong = "#fff" if opacity > 0.6 else "#222"
                parts.append(_label(x + cell_w / 2, y + 17, str(count), "middle", strong))
    return _svg(width_px, top + cell_h * len(rows) + 4, parts)


def legend(names: Iterable[str] = (*EMOTIONS, OTHERS, NOT_SURE)) -> str:
    """Emotions and their colours, as HTML."""
    marks = (f'<span class="key"><i style="background:{COLOURS[name]}"></i>{name}</span>' for name in names)
    return f'<p class="legend">{"".join(marks)}</p>'


def _span(span: Span, top: float, scale: float) -> str:
    x = _LEFT_PX + span.first_s * scale
    wide = max((span.last_s - span.first_s) * scale, 3.0)
    opacity = 0.35 if span.faint else 0.9
    peak = ""
    if span.peak_s is not None:
        at = _LEFT_PX + span.peak_s * scale
        peak = _line(at, top + 3, at, top + _LANE_PX - 5, "#222")
    return (
        f'<g><title>{html.escape(span.about)}</title><rect x="{x:.1f}" y="{top + 3}" width="{wide:.1f}" '
        f'height="{_LANE_PX - 8}" rx="2" fill="{span.colour}" opacity="{opacity}"/>{peak}</g>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _label(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="12" fill="{colour}">{html.escape(text)}</text>'


def _svg(width_px: float, height_px: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width_px:.0f} {height_px:.0f}" width="{width_px:.0f}" role="img" '
        f'font-family="system-ui, sans-serif">{"".join(parts)}</svg>'
    )
