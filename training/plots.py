"""The paper's figures 5, 6 and 7 from our results, as PNG or SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from expression.emotions import BASIC_EMOTIONS
from expression.paper import ModelName, Setting
from training.crossval import Result
from training.reproduce import Cell

Format = Literal["png", "svg"]
_METRICS: Final = (("accuracy", "ACC"), ("uf1", "UF1"), ("uar", "UAR"))
_OURS, _OTHER, _PAPER = "#1f5a99", "#e08a1e", "#444444"


def confusion_figure(results: Mapping[Cell, Result | None]) -> Figure | None:
    """Figure 5: confusion matrices of the baselines, in per cent of each true class. None without any."""
    shown = [(cell, result) for cell, result in results.items() if result is not None and cell.setting == "baseline"]
    if not shown:
        return None
    names = [emotion.value for emotion in BASIC_EMOTIONS]
    figure = Figure(figsize=(5.4 * min(2, len(shown)), 4.9 * -(-len(shown) // 2)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(-(-len(shown) // 2), min(2, len(shown)), squeeze=False).ravel()
    for axis, (cell, result) in zip(axes, shown, strict=False):
        table = result.table.astype(float)
        shares = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, vmin=0, vmax=100, cmap="Blues")
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set(title=cell.model, xlabel="said", ylabel="true")
        for row, column in np.ndindex(shares.shape):
            share = shares[row, column]
            colour = "white" if share > 55 else "black"
            axis.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=8, color=colour)
    for axis in axes[len(shown) :]:
        axis.axis("off")
    return figure


def bars_figure(results: Mapping[Cell, Result | None], setting: Setting, labels: tuple[str, str]) -> Figure | None:
    """Figures 6 and 7: the baseline beside one setting, for every model. None where no model has both.

    Args:
        results: Finished cells.
        setting: What is compared with the baseline.
        labels: Names of baseline and setting.
    """
    pairs: list[tuple[ModelName, Result, Result]] = []
    for cell, result in results.items():
        other = results.get(Cell(cell.model, setting))
        if cell.setting == "baseline" and result is not None and other is not None:
            pairs.append((cell.model, result, other))
    if not pairs:
        return None
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, (metric, title) in zip(figure.subplots(1, 3), _METRICS, strict=True):
        places = np.arange(len(pairs))
        for side, (colour, label) in enumerate(zip((_OURS, _OTHER), labels, strict=True)):
            ours = [100 * getattr((other if side else base).mean, metric) for _, base, other in pairs]
            which: Setting = setting if side else "baseline"
            papers = [100 * getattr(Cell(pair[0], which).paper, metric) for pair in pairs]
            left = places + (side - 0.5) * 0.38
            axis.bar(left, ours, 0.36, color=colour, label=label)
            axis.hlines(papers, left - 0.18, left + 0.18, colors=_PAPER, linewidth=2, label="paper" if side else None)
        axis.set_xticks(places, [pair[0] for pair in pairs])
        axis.set(title=title, ylim=(0, None), ylabel="%")
    # Above the axes: within them it would hide bars.
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names), fontsize=9, frameon=False)
    return figure


def figures(results: Mapping[Cell, Result | None]) -> Sequence[tuple[str, str, Figure]]:
    """All that can be drawn: file name without ending, caption, figure."""
    drawn = (
        ("figure5", "Figure 5: confusion of the baselines, in per cent of each true class", confusion_figure(results)),
        (
            "figure6",
            "Figure 6: without and with resampling of classes; the line is the paper's value",
            bars_figure(results, "class-resampling", ("as they come", "resampled")),
        ),
        (
            "figure7",
            "Figure 7: adaptive and uniform key-frames; the line is the paper's value",
            bars_figure(results, "uniform-key-frames", ("adaptive", "uniform")),
        ),
    )
    return [(name, caption, figure) for name, caption, figure in drawn if figure is not None]


def as_bytes(figure: Figure, form: Format) -> bytes:
    """The file of a figure; the same figure gives the same bytes."""
    packed = io.BytesIO()
    figure.savefig(packed, format=form, dpi=110, metadata={"Date": None} if form == "svg" else {"Software": None})
    return packed.getvalue()
