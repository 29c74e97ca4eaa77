"""Agreement between coders, as plain functions of arrays: kappa, alpha, intraclass correlation, and R of FACS.

A figure that is not defined (0/0) is nan, but for R, whose 0/0 has a meaning: nobody saw a unit, and all agree.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_READINGS: Final = (
    (0.0, "poor"),
    (0.20, "slight"),
    (0.40, "fair"),
    (0.60, "moderate"),
    (0.80, "substantial"),
    (1.0, "almost perfect"),
)
_DRAWS: Final = 2000
_DRAWS_AT_ONCE: Final = 2_000_000
"""Weights of a bootstrap that are held in memory."""


def reading(kappa: float) -> str:
    """What a kappa is called (Landis and Koch, as the DFME paper has it); compared as printed, with two digits."""
    if np.isnan(kappa):
        return "not defined"
    return next(word for limit, word in _READINGS if round(kappa, 2) <= limit)


@dataclass(frozen=True)
class Interval:
    """A figure with the interval that holds it in `level` of bootstrap samples."""

    value: float
    low: float
    high: float
    level: float = 0.95


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Fleiss' kappa.

    Args:
        counts: (clips, labels): how many coders gave each label. Coders may be missing: a clip's agreement is then
            counted over its own coders, and clips with fewer than two are left out.

    Returns:
        Kappa; nan where fewer than two labels occur, or no clip has two coders.
    """
    return float(_kappa(*_kappa_parts(counts)))


def fleiss_kappa_interval(
    counts: npt.ArrayLike, *, draws: int = _DRAWS, level: float = 0.95, seed: int = 0
) -> Interval:
    """Fleiss' kappa with its percentile interval over clips drawn with replacement; the same for the same seed.

    Draws in which one label alone is left give no kappa and are not counted.
    """
    agreement, table = _kappa_parts(counts)
    clips = len(agreement)
    value = float(_kappa(agreement, table))
    if clips < 2 or np.isnan(value):
        return Interval(value, float("nan"), float("nan"), level)
    generator = np.random.default_rng(seed)
    at_once = max(1, min(draws, _DRAWS_AT_ONCE // clips))
    kappas: list[Floats] = []
    for start in range(0, draws, at_once):
        weights = generator.multinomial(clips, np.full(clips, 1 / clips), size=min(at_once, draws - start))
        observed = weights @ agreement / clips
        totals = weights @ table
        kappas.append(_kappa_of(observed, totals))
    found = np.concatenate(kappas)
    found = found[~np.isnan(found)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]) if len(found) else (float("nan"),) * 2
    return Interval(value, float(low), float(high), level)


def _kappa_parts(counts: npt.ArrayLike) -> tuple[Floats, Floats]:
    table = np.atleast_2d(np.asarray(counts, np.float64))
    table = table[table.sum(1) >= 2]
    coders = table.sum(1)
    return ((table**2).sum(1) - coders) / (coders * (coders - 1)), table


def _kappa(agreement: Floats, table: Floats) -> Floats:
    if not len(agreement):
        return np.asarray(np.nan)
    return _kappa_of(np.asarray(agreement.mean()), table.sum(0))


def _kappa_of(observed: Floats, totals: Floats) -> Floats:
    """Kappa of mean agreement (...) and label totals (..., labels)."""
    expected = ((totals / totals.sum(-1, keepdims=True)) ** 2).sum(-1)
    # One label alone gives 1 but for rounding.
    defined = (totals > 0).sum(-1) > 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(defined, (observed - expected) / (1 - expected), np.nan)


def krippendorff_alpha(ratings: npt.ArrayLike, level: Literal["nominal", "interval"] = "nominal") -> float:
    """Krippendorff's alpha, for any number of coders with any of them missing.

    Args:
        ratings: (coders, clips) numbers, nan where a coder did not rate a clip. For nominal labels, their numbers.
        level: How far apart two values are: different or not, or by the square of their difference.

    Returns:
        Alpha; nan where all pairable values are the same, or no clip has two.
    """
    values = np.atleast_2d(np.asarray(ratings, np.float64))
    there = ~np.isnan(values)
    coders = there.sum(0)
    values, there, coders = values[:, coders >= 2], there[:, coders >= 2], coders[coders >= 2]
    total = int(coders.sum())
    if not total:
        return float("nan")
    if level == "nominal":
        labels, numbers = np.unique(values[there], return_inverse=True)
        if len(labels) < 2:
            return float("nan")
        counts = np.zeros((values.shape[1], len(labels)))
        np.add.at(counts, (np.nonzero(there)[1], numbers), 1)
        observed = ((coders**2 - (counts**2).sum(1)) / (coders - 1)).sum() / total
        expected = (total**2 - (counts.sum(0) ** 2).sum()) / (total * (total - 1))
    else:
        # Differences do not know where zero is, and large frame numbers would cost their squares digits.
        centred = np.where(there, values - values[there].mean(), 0.0)
        sums, squares = centred.sum(0), (centred**2).sum(0)
        observed = (2 * (coders * squares - sums**2) / (coders - 1)).sum() / total
        expected = 2 * (total * squares.sum() - sums.sum() ** 2) / (total * (total - 1))
        if np.ptp(values[there]) == 0:
            return float("nan")
    return float(1 - observed / expected)


@dataclass(frozen=True)
class TwoByTwo:
    """How often two coders saw something: both, one alone, neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def kappa(self) -> float:
        """Cohen's kappa; nan where both always said the same one thing."""
        total = self.both + self.first + self.second + self.neither
        if not total:
            return float("nan")
        yes_a, yes_b = self.both + self.first, self.both + self.second
        expected = (yes_a * yes_b + (total - yes_a) * (total - yes_b)) / total
        if expected == total:
            return float("nan")
        return (self.both + self.neither - expected) / (total - expected)

    @classmethod
    def of(cls, first: npt.ArrayLike, second: npt.ArrayLike) -> TwoByTwo:
        """From what each said of every clip, (clips,) bool both."""
        a, b = np.asarray(first, bool), np.asarray(second, bool)
        return cls(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Cohen's kappa of two coders' labels, (clips,) whole numbers each; nan where both always gave one same label."""
    a, b = np.asarray(first), np.asarray(second)
    labels, numbers = np.unique(np.concatenate([a, b]), return_inverse=True)
    if not len(a) or len(labels) < 2:
        return float("nan")
    table = np.zeros((len(labels), len(labels)))
    np.add.at(table, (numbers[: len(a)], numbers[len(a) :]), 1)
    table /= len(a)
    expected = float(table.sum(0) @ table.sum(1))
    return float("nan") if expected == 1 else (float(np.trace(table)) - expected) / (1 - expected)


@dataclass(frozen=True)
class UnitReliability:
    """R of two coders of action units, R = 2 |A and B| / (|A| + |B|) (Ekman and Friesen)."""

    per_clip: Floats
    """(clips,); 1 where both saw no unit."""
    pooled: float
    """Sum over sum, what the DFME paper prints; 1 where nobody ever saw a unit, nan without clips."""

    @property
    def mean(self) -> float:
        """Mean over clips; nan without any."""
        return float(self.per_clip.mean()) if len(self.per_clip) else float("nan")


def unit_reliability(
    first: Sequence[AbstractSet[Hashable]], second: Sequence[AbstractSet[Hashable]]
) -> UnitReliability:
    """R per clip and pooled.

    Args:
        first: One coder's units, a set per clip. `L-AU12` and `AU12` are different units unless the caller drops sides.
        second: The other coder's, of the same clips.
    """
    common = np.array([len(a & b) for a, b in zip(first, second, strict=True)], np.float64)
    marked = np.array([len(a) + len(b) for a, b in zip(first, second, strict=True)], np.float64)
    per_clip = np.divide(2 * common, marked, out=np.ones_like(common), where=marked > 0)
    if not len(common):
        return UnitReliability(per_clip, float("nan"))
    return UnitReliability(per_clip, float(2 * common.sum() / marked.sum()) if marked.sum() else 1.0)


def icc_agreement(ratings: npt.ArrayLike) -> float:
    """ICC(A,1): absolute agreement of single coders in a two-way model (McGraw and Wong), the same coders on all clips.

    Args:
        ratings: (clips, coders); clips that a coder did not rate (nan) are left out.

    Returns:
        The correlation; nan with fewer than two clips or coders, or where all values are the same.
    """
    values = _complete(ratings)
    clips, coders = values.shape
    if clips < 2 or coders < 2:
        return float("nan")
    centred = values - values.mean()
    by_clip, by_coder = centred.mean(1, keepdims=True), centred.mean(0, keepdims=True)
    of_clips = coders * float((by_clip**2).sum()) / (clips - 1)
    of_coders = clips * float((by_coder**2).sum()) / (coders - 1)
    rest = float(((centred - by_clip - by_coder) ** 2).sum()) / ((clips - 1) * (coders - 1))
    whole = of_clips + (coders - 1) * rest + coders / clips * (of_coders - rest)
    return (of_clips - rest) / whole if whole > 0 else float("nan")


def icc_one_way(ratings: npt.ArrayLike) -> float:
    """ICC(1,1): single coders in a one-way model, for clips that were coded by different coders.

    Args:
        ratings: (clips, places); nan where there are fewer coders. The order of a clip's coders means nothing. Clips
            with fewer than two are left out; unequal numbers enter by their mean size (Donner).

    Returns:
        The correlation; nan with fewer than two clips, or where all values are the same.
    """
    values = np.atleast_2d(np.asarray(ratings, np.float64))
    there = ~np.isnan(values)
    values, there = values[there.sum(1) >= 2], there[there.sum(1) >= 2]
    clips, total = len(values), int(there.sum())
    if clips < 2:
        return float("nan")
    sizes = there.sum(1)
    values = np.where(there, values - values[there].mean(), 0.0)
    means = values.sum(1) / sizes
    between = float((sizes * means**2).sum()) / (clips - 1)
    within = float(np.where(there, (values - means[:, None]) ** 2, 0.0).sum()) / (total - clips)
    size = (total - float((sizes**2).sum()) / total) / (clips - 1)
    whole = between + (size - 1) * within
    return (between - within) / whole if whole > 0 else float("nan")


def _complete(ratings: npt.ArrayLike) -> Floats:
    values = np.atleast_2d(np.asarray(ratings, np.float64))
    return values[~np.isnan(values).any(1)]
