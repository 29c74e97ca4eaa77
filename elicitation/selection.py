"""Choosing stimuli from volunteers' ratings, by a rule that is data: who named which emotion, how strongly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from elicitation.errors import RatingsInvalid
from elicitation.text_file import read_table
from expression import Emotion
from expression.emotions import parse_emotion
from expression.errors import ExpressionError

_COLUMNS: Final = ("volunteer", "stimulus", "emotion", "intensity")


@dataclass(frozen=True)
class Rating:
    """What one volunteer said of one stimulus."""

    volunteer: str
    stimulus: str
    emotion: Emotion
    intensity: int
    """1 (hardly) to 5 (very strong)."""


class SelectionRule(BaseModel):
    """How stimuli are chosen; the defaults are the paper's rule (S. Zhao et al., arXiv 2301.00985, elicitation)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_raters: int = Field(default=1, ge=1)
    """A stimulus that fewer volunteers rated is left out."""
    min_target_share: float = Field(default=0.5, ge=0, lt=1)
    """A stimulus has an emotion when more than this share of its raters named it."""
    keep: int = Field(default=15, ge=1)
    """How many stimuli are kept, those of the greatest mean intensity first."""
    quota: Mapping[Emotion, int] = Field(default_factory=dict)
    """At least so many of an emotion are kept, even if others are more intense."""


@dataclass(frozen=True)
class Judged:
    """One stimulus after the rule."""

    stimulus: str
    raters: int
    emotion: Emotion | None
    """What more than the wanted share named; None where they did not agree."""
    share: float
    """Share of the raters who named the most frequent emotion."""
    intensity: float
    """Mean intensity, 1 to 5, among those who named that emotion."""
    deviation: float
    """Standard deviation of that intensity; 0 where only one named it."""
    kept: bool
    reason: str
    """Why it was kept or not, in a few words."""


def read_ratings(path: Path) -> tuple[Rating, ...]:
    """Ratings from a tab-separated table with the columns volunteer, stimulus, emotion and intensity.

    Raises:
        RatingsInvalid: Unreadable, a column missing, or a value impossible; names the line.
    """
    rows, header = read_table(path, RatingsInvalid)
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise RatingsInvalid(f"{path}: the column {missing[0]!r} is missing; there must be {', '.join(_COLUMNS)}")
    ratings = []
    for line, row in rows:
        try:
            emotion, intensity = parse_emotion(row["emotion"]), int(row["intensity"])
        except (ExpressionError, ValueError) as error:
            raise RatingsInvalid(f"{path}, line {line}: {error}") from None
        ratings.append(Rating(row["volunteer"], row["stimulus"], emotion, intensity))
    return tuple(ratings)


def select_stimuli(ratings: Iterable[Rating], rule: SelectionRule) -> tuple[Judged, ...]:
    """Apply `rule`: the emotion that most raters name, then the most intense stimuli, quotas first.

    Args:
        ratings: One per volunteer and stimulus.
        rule: What it takes to be kept.

    Returns:
        Every rated stimulus, the kept ones first, each group by falling intensity.

    Raises:
        RatingsInvalid: A volunteer rated a stimulus twice, or an intensity is out of range.
    """
    of_stimulus: dict[str, list[Rating]] = {}
    seen: set[tuple[str, str]] = set()
    for rating in ratings:
        if not 1 <= rating.intensity <= 5:
            raise RatingsInvalid(f"{rating.stimulus}: intensity {rating.intensity} of {rating.volunteer} is not 1 to 5")
        if (rating.volunteer, rating.stimulus) in seen:
            raise RatingsInvalid(f"{rating.volunteer} rated {rating.stimulus} twice: keep one of the two answers")
        seen.add((rating.volunteer, rating.stimulus))
        of_stimulus.setdefault(rating.stimulus, []).append(rating)
    judged = sorted((_judge(name, given, rule) for name, given in of_stimulus.items()), key=_rank)
    kept = _keep([one for one in judged if one.emotion is not None and one.raters >= rule.min_raters], rule)
    final = [_decided(one, kept, rule) for one in judged]
    return tuple(sorted(final, key=lambda one: (not one.kept, _rank(one))))


def _judge(stimulus: str, ratings: Sequence[Rating], rule: SelectionRule) -> Judged:
    counts = Counter(rating.emotion for rating in ratings)
    top, named = min(counts.items(), key=lambda item: (-item[1], item[0]))
    intensities = [rating.intensity for rating in ratings if rating.emotion is top]
    share = named / len(ratings)
    return Judged(
        stimulus=stimulus,
        raters=len(ratings),
        emotion=top if named > rule.min_target_share * len(ratings) else None,
        share=share,
        intensity=fmean(intensities),
        deviation=stdev(intensities) if len(intensities) > 1 else 0.0,
        kept=False,
        reason="",
    )


def _rank(judged: Judged) -> tuple[float, str]:
    return (-judged.intensity, judged.stimulus)


def _keep(eligible: Sequence[Judged], rule: SelectionRule) -> dict[str, str]:
    """Stimulus to reason, of those kept; `eligible` in the order of preference."""
    kept: dict[str, str] = {}
    for emotion, wanted in rule.quota.items():
        for one in [one for one in eligible if one.emotion is emotion][:wanted]:
            kept[one.stimulus] = f"among the {wanted} wanted of {emotion}"
    for one in eligible:
        if len(kept) >= rule.keep:
            break
        kept.setdefault(one.stimulus, "among the most intense")
    return kept


def _decided(one: Judged, kept: Mapping[str, str], rule: SelectionRule) -> Judged:
    if one.stimulus in kept:
        reason = kept[one.stimulus]
    elif one.raters < rule.min_raters:
        reason = f"{one.raters} raters of {rule.min_raters} wanted"
    elif one.emotion is None:
        reason = f"no emotion named by more than {rule.min_target_share:.0%}"
    else:
        reason = "less intense"
    return replace(one, kept=one.stimulus in kept, reason=reason)
