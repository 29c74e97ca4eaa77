"""The paper's data set pictures, of any coded data set: class distribution and units per emotion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from annotation.agreement.plots import Format, rendered
from annotation.describe.facts import LEAST_PERCENT, Occurrence
from expression import Emotion

_COLOURS: Final = ("#2f6f9f", "#d9822b", "#5b9a5f", "#8d6cab", "#9aa5ad")
_COLUMNS: Final = 4
_MOST_UNITS: Final = 10
"""Units that an emotion's picture has room for."""


def class_distribution(counts: Mapping[str, Counter[Emotion]], kind: Format = "png") -> bytes:
    """Figure 4: bars per emotion, one for each part, with their numbers."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    labels = list(Emotion)
    width = 0.8 / max(1, len(counts))
    for index, (part, by_emotion) in enumerate(counts.items()):
        places = np.arange(len(labels)) - 0.4 + width * (index + 0.5)
        heights = [by_emotion[label] for label in labels]
        bars = axes.bar(places, heights, width, color=_COLOURS[index % len(_COLOURS)], label=_part(part, by_emotion))
        axes.bar_label(bars, fmt="{:,.0f}", fontsize=7)
    axes.set_xticks(range(len(labels)), [label.value for label in labels])
    axes.set_ylabel("micro-expressions")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if counts:
        axes.legend(frameon=False)
    return rendered(figure, kind)


def unit_bars(percentages: Mapping[Emotion, Sequence[Occurrence]], kind: Format = "png") -> bytes:
    """Table 4 as a picture: for each emotion the units that occur often, in per cent."""
    rows = max(1, -(-len(percentages) // _COLUMNS))
    figure = Figure(figsize=(12, 2.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(percentages) :]:
        axes.set_visible(False)
    for axes, (emotion, found) in zip(grid.flat, percentages.items(), strict=False):
        often = [one for one in found if one.percent >= LEAST_PERCENT][:_MOST_UNITS][::-1]
        bars = axes.barh([one.what for one in often], [one.percent for one in often], color=_COLOURS[0])
        axes.bar_label(bars, fmt="%.1f", fontsize=7, padding=2)
        axes.set_xlim(0, 110)
        axes.set_ylim(len(often) - _MOST_UNITS - 0.5, len(often) - 0.5)
        axes.tick_params(labelsize=8)
        axes.set_title(emotion.value, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("per cent of the emotion's micro-expressions with units", fontsize=9)
    return rendered(figure, kind)


def _part(part: str, counts: Counter[Emotion]) -> str:
    name = f"part {part}" if len(part) == 1 else part
    return f"{name} ({counts.total():,})"
