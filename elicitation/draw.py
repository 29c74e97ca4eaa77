"""Which stimuli a participant sees, and in which order: a draw that covers every emotion and is fair to every video.

The paper shows ten of fifteen videos that together cover all seven emotions. Drawing until all are covered would favour
the emotions with few videos; here every video has the same chance as any other, as far as coverage lets it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from elicitation.errors import DrawImpossible
from expression import Emotion

_MOST_ORDERS_TRIED = 10_000


@dataclass(frozen=True)
class Candidate:
    """A stimulus as the draw sees it."""

    stimulus: str
    emotion: Emotion


def draw_stimuli(
    candidates: Sequence[Candidate], count: int, seed: int, shown: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Draw `count` stimuli that cover every emotion among the candidates, in an order without equal neighbours.

    How many stimuli an emotion contributes is drawn by systematic sampling (Madow 1949), so that its expected number is
    its share of the candidates, but at least one. Within an emotion those that fewest participants have seen come
    first, at random among equals. The same arguments give the same draw.

    Args:
        candidates: What can be shown.
        count: How many are shown.
        seed: Of this draw; kept with the session.
        shown: How many earlier participants saw each stimulus; none by default.

    Returns:
        Stimulus ids in the order of presentation.

    Raises:
        DrawImpossible: Too few candidates, more emotions than `count`, or no order without equal neighbours.
    """
    by_emotion: dict[Emotion, list[str]] = {}
    for candidate in sorted(candidates, key=lambda c: c.stimulus):
        by_emotion.setdefault(candidate.emotion, []).append(candidate.stimulus)
    if len({candidate.stimulus for candidate in candidates}) < len(candidates):
        raise DrawImpossible("a stimulus is listed twice: each may be shown once")
    if count > len(candidates):
        raise DrawImpossible(
            f"{count} stimuli are to be shown and {len(candidates)} are there: add stimuli or show fewer"
        )
    if count < len(by_emotion):
        raise DrawImpossible(
            f"{len(by_emotion)} emotions cannot be covered by {count} stimuli: show at least {len(by_emotion)}"
        )
    random = np.random.default_rng(seed)
    emotions = list(by_emotion)
    random.shuffle(emotions)
    numbers = _numbers({emotion: len(by_emotion[emotion]) for emotion in emotions}, count, random)
    seen = shown or {}
    drawn: list[Candidate] = []
    for emotion, number in numbers.items():
        stimuli = by_emotion[emotion]
        random.shuffle(stimuli)
        stimuli.sort(key=lambda stimulus: seen.get(stimulus, 0))
        drawn += [Candidate(stimulus, emotion) for stimulus in stimuli[:number]]
    return _ordered(drawn, random)


def expected_numbers(sizes: Mapping[Emotion, int], count: int) -> dict[Emotion, float]:
    """Stimuli that each emotion contributes on average: in proportion to its size, but at least one."""
    expected = dict.fromkeys(sizes, 1.0)
    free = dict(sizes)
    while free:
        share = (count - (len(sizes) - len(free))) / sum(free.values())
        small = [emotion for emotion, size in free.items() if size * share < 1]
        if not small:
            return expected | {emotion: size * share for emotion, size in free.items()}
        for emotion in small:
            del free[emotion]
    return expected


def _numbers(sizes: Mapping[Emotion, int], count: int, random: np.random.Generator) -> dict[Emotion, int]:
    """Whole numbers around the expected ones that add up to `count`; a fraction is the chance of being rounded up."""
    expected = expected_numbers(sizes, count)
    numbers = {emotion: math.floor(value + 1e-9) for emotion, value in expected.items()}
    fractions = {emotion: max(value - numbers[emotion], 0.0) for emotion, value in expected.items()}
    missing = count - sum(numbers.values())
    if missing:
        # One point in each unit interval of the summed fractions, all at the same random place in it.
        edges = np.cumsum([0.0, *fractions.values()])
        edges *= missing / edges[-1]
        points = random.random() + np.arange(missing)
        for position in np.searchsorted(edges, points, side="right") - 1:
            numbers[list(fractions)[min(int(position), len(fractions) - 1)]] += 1
    return numbers


def _ordered(drawn: list[Candidate], random: np.random.Generator) -> tuple[str, ...]:
    """A random order in which no two neighbours show the same emotion; each such order is equally likely."""
    most = max(sum(c.emotion is other.emotion for other in drawn) for c in drawn)
    if most > (len(drawn) + 1) // 2:
        raise DrawImpossible(
            f"{most} of {len(drawn)} stimuli show the same emotion, so some would follow each other: add other stimuli"
        )
    for _ in range(_MOST_ORDERS_TRIED):
        order = [drawn[i] for i in random.permutation(len(drawn))]
        if all(a.emotion is not b.emotion for a, b in pairwise(order)):
            return tuple(candidate.stimulus for candidate in order)
    raise DrawImpossible("no order without equal neighbours was found: add stimuli of other emotions")
