"""Plots of a round's agreement, as SVG or PNG."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from annotation.agreement.coded import by_coder
from annotation.agreement.emotion_report import LABELS, emotion_counts, vote_matrix
from annotation.agreement.keyframe_report import MARKS, deviations
from annotation.agreement.measures import fleiss_kappa
from annotation.agreement.report import PLOTS, RoundAnswers
from annotation.agreement.unit_report import unit_counts
from expression import ActionUnit

Format = Literal["svg", "png"]
_BLUE: Final = "#2f6f9f"
_GREY: Final = "#9aa5ad"
_ORANGE: Final = "#d9822b"
_WIDEST_FRAMES: Final = 30
_DPI: Final = 150


def draw(answers: RoundAnswers, name: str, kind: Format = "svg") -> bytes:
    """One plot of a round.

    Args:
        answers: Of the round.
        name: One of `PLOTS` of the round's kind.
        kind: File format.

    Raises:
        KeyError: There is no such plot of this kind of round.
    """
    if name not in PLOTS[answers.kind]:
        raise KeyError(name)
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    _DRAWN[name](figure.subplots(), answers)
    return rendered(figure, kind)


def rendered(figure: Figure, kind: Format) -> bytes:
    """A figure as a file's content; the same for the same figure."""
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "dfme"}):
        figure.savefig(content, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else None)
    return content.getvalue()


def _spread(axes: Axes, answers: RoundAnswers) -> None:
    bins = [edge - 0.5 for edge in range(-_WIDEST_FRAMES, _WIDEST_FRAMES + 2)]
    for mark, colour in zip(MARKS, (_BLUE, _ORANGE, _GREY), strict=True):
        off = np.clip(deviations(answers.key_frames, mark)["frames"], -_WIDEST_FRAMES, _WIDEST_FRAMES)
        axes.hist(off, bins=bins, histtype="step", linewidth=1.6, color=colour, label=f"{mark} ({len(off)})")
    axes.set_xlabel(f"frames from the median of the clip (±{_WIDEST_FRAMES} and beyond)")
    axes.set_ylabel("marks")
    axes.set_title("How far marks lie from the median of all")
    axes.legend(frameon=False)


def _coders(axes: Axes, answers: RoundAnswers) -> None:
    names, positions = [], []
    for place, (coder, clips) in enumerate(by_coder(answers.key_frames)):
        off = []
        for clip in clips:
            others = [other.apex for name, other in clip.answers.items() if name != coder and other.apex is not None]
            own = clip.answers[coder].apex
            if own is not None and others:
                off.append(own - float(np.median(others)))
        names.append(coder)
        if off:
            positions.append(place)
            axes.boxplot(off, positions=[place], widths=0.6, showfliers=False, medianprops={"color": _ORANGE})
    axes.axhline(0, color=_GREY, linewidth=0.8)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_ylabel("frames")
    axes.set_title("Apex of each coder against the median of the others")


def _units(axes: Axes, answers: RoundAnswers) -> None:
    found = [(unit, unit_counts(unit, answers.units)) for unit in ActionUnit]
    found = [(unit, counts) for unit, counts in found if counts.both or counts.first or counts.second]
    kappas = [counts.kappa for _, counts in found]
    axes.bar(range(len(found)), np.nan_to_num(kappas), color=_BLUE)
    for place, (_, counts) in enumerate(found):
        height = max(0.0, float(np.nan_to_num(kappas[place])))
        text = f"{counts.both}/{counts.both + counts.first + counts.second}"
        axes.annotate(text, (place, height), ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(len(found)), [unit.code for unit, _ in found], rotation=60)
    axes.set_ylim(min(0, *(k for k in kappas if not np.isnan(k)), 0), 1.1)
    axes.set_ylabel("Cohen's kappa")
    axes.set_title("Agreement on each unit (both marked it / anybody did)")


def _votes(axes: Axes, answers: RoundAnswers) -> None:
    matrix = vote_matrix(answers.emotions)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [label.value for label in LABELS]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xlabel("votes")
    axes.set_ylabel("what more than half said")
    axes.set_title("Votes for each label")


def _labels(axes: Axes, answers: RoundAnswers) -> None:
    counts = emotion_counts(answers.emotions)
    kappas = [fleiss_kappa(np.stack([counts[:, i], counts.sum(1) - counts[:, i]], axis=1)) for i in range(len(LABELS))]
    axes.bar(range(len(LABELS)), np.nan_to_num(kappas), color=_BLUE)
    whole = fleiss_kappa(counts)
    if not np.isnan(whole):
        axes.axhline(whole, color=_ORANGE, linewidth=1.2, label=f"all labels {whole:.2f}")
        axes.legend(frameon=False)
    axes.set_xticks(range(len(LABELS)), [label.value for label in LABELS], rotation=30, ha="right")
    axes.set_ylabel("Fleiss' kappa")
    axes.set_title("Agreement on each label against all others")


_DRAWN: Final[dict[str, Callable[[Axes, RoundAnswers], None]]] = {
    "spread": _spread,
    "coders": _coders,
    "units": _units,
    "votes": _votes,
    "labels": _labels,
}
