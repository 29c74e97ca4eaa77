"""Accuracy, UF1 and UAR from confusion matrices, and how far they can be believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expression.emotions import BASIC_EMOTIONS

Confusion = npt.NDArray[np.int64]
"""(classes, classes): samples of each true class (row) by what was said (column)."""
Classes = npt.NDArray[np.int64]

_T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t at 97.5 % for 1 to 10 degrees of freedom."""


def confusion_matrix(truth: Classes, said: Classes, classes: int = len(BASIC_EMOTIONS)) -> Confusion:
    """Count (classes, classes)."""
    counts: Confusion = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, said), 1)
    return counts


@dataclass(frozen=True)
class Scores:
    """How good answers are, 0 to 1."""

    accuracy: float
    uf1: float
    """Mean over classes of 2 TP / (2 TP + FP + FN), over all classes that occur or were said."""
    uar: float
    """Mean over classes of TP / N, over all classes that occur."""

    @classmethod
    def of(cls, confusion: npt.NDArray[np.integer] | npt.NDArray[np.floating]) -> Scores:
        """From counts or shares (classes, classes)."""
        table = np.asarray(confusion, np.float64)
        right, true, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
        if not true.sum():
            return cls(math.nan, math.nan, math.nan)
        seen = true + said > 0
        f1 = 2 * right[seen] / (true + said)[seen]
        recall = right[true > 0] / true[true > 0]
        return cls(float(right.sum() / true.sum()), float(f1.mean()), float(recall.mean()))

    def __str__(self) -> str:
        return f"ACC {100 * self.accuracy:.2f} %, UF1 {self.uf1:.4f}, UAR {self.uar:.4f}"


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Mean of folds."""
    return Scores(
        float(np.mean([s.accuracy for s in scores])),
        float(np.mean([s.uf1 for s in scores])),
        float(np.mean([s.uar for s in scores])),
    )


@dataclass(frozen=True)
class Interval:
    """Mean of repetitions with other seeds, and where 95 of 100 such means lie."""

    mean: float
    low: float
    high: float
    repetitions: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """By Student's t; with one value the interval is that value."""
        mean, n = float(np.mean(values)), len(values)
        if n < 2:
            return cls(mean, mean, mean, n)
        factor = _T_975[n - 2] if n - 2 < len(_T_975) else 1.96 + 2.4 / (n - 1)
        half = factor * float(np.std(values, ddof=1)) / math.sqrt(n)
        return cls(mean, mean - half, mean + half, n)


def constant_baseline(
    truth_by_fold: Sequence[tuple[Classes, Classes]], classes: int = len(BASIC_EMOTIONS)
) -> Confusion:
    """Pooled confusion of always saying what is most frequent in the training part.

    Args:
        truth_by_fold: Classes of the training and of the test part of each fold.
        classes: How many there are.
    """
    total = np.zeros((classes, classes), np.int64)
    for train, test in truth_by_fold:
        favourite = int(np.bincount(train, minlength=classes).argmax())
        total += confusion_matrix(test, np.full(len(test), favourite), classes)
    return total
