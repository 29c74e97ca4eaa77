"""Holds what was said against what was shown: for the study's page; `dfme-live score` gives the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from capture.demo.charts import EMOTIONS, MISSED, NOT_SURE, NOTHING
from capture.demo.truth import Trial, TrueExpression

IOU: Final = 0.5
"""Overlap from which something that was said means something that was shown, as in `dfme-live score`."""


@dataclass(frozen=True)
class Errors:
    """Median absolute differences in frames."""

    onset: float
    apex: float
    offset: float


def agreed(trials: Sequence[Trial], coded: Mapping[str, Sequence[Mapping[str, str]]]) -> Errors | None:
    """How far what coders settled is from the truth; None where nothing was settled.

    Args:
        trials: With their truth.
        coded: Rows of the exported data set, by trial.
    """
    errors = []
    for trial in trials:
        for row in coded.get(trial.label, ()):
            onset, apex, offset = (int(row[f"recording_{mark}"]) for mark in ("onset", "apex", "offset"))
            one = trial.within(onset, offset)
            if one is not None:
                errors.append((abs(onset - one.onset), abs(apex - one.apex), abs(offset - one.offset)))
    return Errors(*(median(column) for column in zip(*errors, strict=True))) if errors else None


def emotion_counts(emotions: Iterable[str]) -> dict[str, int]:
    """How often each occurs."""
    return dict(Counter(emotions))


def confusion_counts(
    trials: Sequence[Trial], said: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[tuple[str, str], int]:
    """Counts by what was shown and what was said of it.

    Args:
        trials: With their truth.
        said: Lines of the readout, by trial.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        lines = list(said.get(trial.label, ()))
        pairs = sorted(
            ((_overlap(one, line), i, j) for i, one in enumerate(trial.truth) for j, line in enumerate(lines)),
            reverse=True,
        )
        taken: dict[int, int] = {}
        for overlap, i, j in pairs:
            if overlap >= IOU and i not in taken and j not in taken.values():
                taken[i] = j
        for i, one in enumerate(trial.truth):
            counts[one.emotion, _named(lines[taken[i]]) if i in taken else MISSED] += 1
        for j, line in enumerate(lines):
            if j not in taken.values():
                counts[NOTHING, _named(line)] += 1
    return dict(counts)


def _named(line: Mapping[str, Any]) -> str:
    return str(line["emotion"]) if line["emotion"] in EMOTIONS else NOT_SURE


def _overlap(one: TrueExpression, line: Mapping[str, Any]) -> float:
    """Frames in both by frames in either, 0 to 1."""
    common: int = min(one.offset, line["offset"]) - max(one.onset, line["onset"]) + 1
    either: int = max(one.offset, line["offset"]) - min(one.onset, line["onset"]) + 1
    return max(0, common) / either
