"""Agreement on action units: R pooled and per clip, kappa of every unit with its counts, and each coder's habits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from annotation.agreement.coded import CodedClip, by_coder, coders_of
from annotation.agreement.measures import TwoByTwo, krippendorff_alpha, unit_reliability
from annotation.agreement.tables import cells, figure, share
from annotation.api_models import UnitsAnswer
from annotation.lead_models import Cell, Figure, FigureTable
from expression import ActionUnit, parse_units
from expression.paper import UNIT_RELIABILITY

Clip = CodedClip[UnitsAnswer]


def unit_figures(clips: Sequence[Clip]) -> list[Figure]:
    """Figures of one round."""
    first, second = _pairs(clips)
    strict, loose = unit_reliability(first, second), unit_reliability(_without_sides(first), _without_sides(second))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return [
        figure(
            "r_pooled",
            "R over all clips",
            strict.pooled,
            about=f"2 x units both marked / units marked by either; the DFME paper reached {UNIT_RELIABILITY}",
        ),
        figure("r_mean", "R, mean of clips", strict.mean, about="1 where both saw no unit"),
        figure("r_pooled_without_sides", "R over all clips, left and right counted as the unit", loose.pooled),
        figure(
            "alpha", "Krippendorff's alpha over units and clips", _alpha(clips), about="Corrected for chance, unlike R"
        ),
        figure(
            "same_share",
            "Clips that both coded alike",
            share(same, len(first)),
            unit="share",
            about="The others differ",
        ),
    ]


def unit_tables(clips: Sequence[Clip]) -> list[FigureTable]:
    """A row per unit, per pair of coders, and per coder."""
    return [
        FigureTable(
            key="units",
            title="Units that somebody marked, left and right counted as the unit",
            columns=["unit", "both", "one alone", "neither", "kappa", "R"],
            rows=[cells(unit.code, *row) for unit in ActionUnit if any((row := _unit_row(unit, clips))[:2])],
        ),
        FigureTable(
            key="pairs",
            title="Pairs of coders",
            columns=["coders", "clips", "R pooled", "R mean"],
            rows=[
                cells(f"{a}, {b}", *_pair_row(a, b, clips))
                for a, b in combinations(coders_of(clips), 2)
                if any(a in clip.answers and b in clip.answers for clip in clips)
            ],
        ),
        FigureTable(
            key="coders",
            title="Coders",
            columns=[
                "coder",
                "clips",
                "units per clip",
                "R with the others",
                "R with what counts",
                "repeats",
                "R of repeats",
            ],
            rows=[_coder_row(coder, theirs) for coder, theirs in by_coder(clips)],
        ),
    ]


def unit_counts(unit: ActionUnit, clips: Sequence[Clip]) -> TwoByTwo:
    """How often two coders saw a unit, on whatever side."""
    first, second = _pairs(clips)
    return TwoByTwo.of([_has(unit, codes) for codes in first], [_has(unit, codes) for codes in second])


def _unit_row(unit: ActionUnit, clips: Sequence[Clip]) -> tuple[int, int, int, float, float]:
    counts = unit_counts(unit, clips)
    marked = 2 * counts.both + counts.first + counts.second
    return counts.both, counts.first + counts.second, counts.neither, counts.kappa, share(2 * counts.both, marked)


def _pair_row(a: str, b: str, clips: Sequence[Clip]) -> tuple[int, float, float]:
    both = [clip for clip in clips if a in clip.answers and b in clip.answers]
    found = unit_reliability([_codes(clip, a) for clip in both], [_codes(clip, b) for clip in both])
    return len(both), found.pooled, found.mean


def _coder_row(coder: str, clips: Sequence[Clip]) -> list[Cell]:
    mine, others = [], []
    for clip in clips:
        for other in clip.answers:
            if other != coder:
                mine.append(_codes(clip, coder))
                others.append(_codes(clip, other))
    settled = [clip for clip in clips if clip.settled is not None]
    counted = unit_reliability(
        [_codes(clip, coder) for clip in settled], [set(clip.settled.units) for clip in settled if clip.settled]
    )
    repeated = [clip for clip in clips if coder in clip.repeats]
    again = unit_reliability(
        [_codes(clip, coder) for clip in repeated], [set(clip.repeats[coder].units) for clip in repeated]
    )
    units = sum(len(clip.answers[coder].units) for clip in clips)
    return cells(
        coder,
        len(clips),
        share(units, len(clips)),
        unit_reliability(mine, others).pooled,
        counted.pooled,
        len(repeated),
        again.pooled,
    )


def _pairs(clips: Sequence[Clip]) -> tuple[list[set[str]], list[set[str]]]:
    """Every two coders of every clip, in the order of their names."""
    first, second = [], []
    for clip in clips:
        for a, b in combinations(sorted(clip.answers), 2):
            first.append(_codes(clip, a))
            second.append(_codes(clip, b))
    return first, second


def _codes(clip: Clip, coder: str) -> set[str]:
    return set(clip.answers[coder].units)


def _without_sides(codings: list[set[str]]) -> list[set[str]]:
    return [{coded.unit.code for coded in parse_units("+".join(codes))} for codes in codings]


def _has(unit: ActionUnit, codes: set[str]) -> bool:
    return not codes.isdisjoint({unit.code, f"L-{unit.code}", f"R-{unit.code}"})


def _alpha(clips: Sequence[Clip]) -> float:
    """Nominal alpha in which every unit of every clip is a case: there or not."""
    coders = coders_of(clips)
    ratings = np.full((len(coders), len(clips), len(ActionUnit)), np.nan)
    for column, clip in enumerate(clips):
        for coder in clip.answers:
            codes = _codes(clip, coder)
            ratings[coders.index(coder), column] = [_has(unit, codes) for unit in ActionUnit]
    return krippendorff_alpha(ratings.reshape(len(coders), -1)) if coders else float("nan")
