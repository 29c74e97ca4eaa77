"""One expression as a movement: which units, how strong, how fast; drawn as often as the DFME paper counts them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from expression.action_units import UNIT_FACTS, ActionUnit, CodedUnit, Side
from expression.emotions import Emotion
from expression.keyframes import KeyFrames
from expression.paper import UNIT_OCCURRENCE, Combination, Occurrence, Part, UnitPattern, combinations_of
from expression.synthetic.state import UNITS

Floats = npt.NDArray[np.float64]
ExpressionKind = Literal["micro", "macro"]

_EDGE = 1e-6
"""Share of a frame by which a moment may miss it and still be on it."""


@dataclass(frozen=True)
class UnitMotion:
    """How far one unit goes, and when within the expression."""

    coded: CodedUnit
    left: float
    """Intensity at the apex on the participant's left half, 0 to 1."""
    right: float
    lag: float = 0.0
    """Share of the rise that passes before this unit starts. All units peak together, at the apex."""
    lead: float = 0.0
    """Share of the fall by which this unit is at rest before the expression ends."""


@dataclass(frozen=True)
class Expression:
    """A movement out of rest and back, in seconds: the same at every frame rate.

    Each unit rises and falls as sin^2, with no speed at onset, apex and offset, and with exponents that move the
    steepest moment.
    """

    emotion: Emotion
    motions: tuple[UnitMotion, ...]
    """One of them at least has no lag, and one no lead."""
    rise_s: float
    fall_s: float
    rise_shape: float = 1.0
    """Below 1 fast at first, above 1 slow at first."""
    fall_shape: float = 1.0

    @property
    def length_s(self) -> float:
        """From the first movement to the last."""
        return self.rise_s + self.fall_s

    @property
    def units(self) -> tuple[CodedUnit, ...]:
        """What a coder would mark."""
        return tuple(motion.coded for motion in self.motions)

    def intensities(self, since_onset_s: Floats) -> tuple[Floats, Floats]:
        """Intensity of every unit on the left and on the right half, each (N, 24) in the order of `UNITS`.

        Args:
            since_onset_s: (N,) moments; before 0 and after `length_s` all is at rest.
        """
        left = np.zeros((len(since_onset_s), len(UNITS)))
        right = np.zeros_like(left)
        for motion in self.motions:
            column = UNITS.index(motion.coded.unit)
            course = self._course(since_onset_s, motion)
            left[:, column] += motion.left * course
            right[:, column] += motion.right * course
        return left, right

    def change(self, since_onset_s: Floats) -> Floats:
        """(N,) sum of all intensities: how far the face is from rest."""
        left, right = self.intensities(since_onset_s)
        total: Floats = left.sum(axis=1) + right.sum(axis=1)
        return total

    def key_frames(self, start_s: float, rate_fps: float) -> KeyFrames:
        """Onset, apex and offset of the expression that starts at `start_s`; frame i is taken at i / `rate_fps`.

        The onset is the first frame not before the movement starts: at rest, or within one frame of it. The offset is
        the last frame not after the movement ends. The apex is the frame in which `change` is greatest.
        """
        onset = max(0, math.ceil(start_s * rate_fps - _EDGE))
        offset = max(onset, math.floor((start_s + self.length_s) * rate_fps + _EDGE))
        change = self.change(np.arange(onset, offset + 1) / rate_fps - start_s)
        return KeyFrames(onset, onset + int(np.argmax(change)), offset)

    def _course(self, since_onset_s: Floats, motion: UnitMotion) -> Floats:
        rise_s = self.rise_s * (1 - motion.lag)
        fall_s = self.fall_s * (1 - motion.lead)
        to_apex = since_onset_s - self.rise_s
        up = np.clip(1 + to_apex / rise_s, 0, 1) ** self.rise_shape
        down = np.clip(1 - to_apex / fall_s, 0, 1) ** self.fall_shape
        course: Floats = np.sin(np.pi / 2 * np.where(to_apex < 0, up, down)) ** 2
        return course


# How long micro-expressions last. The lengths known in public are in frames, of the three parts mixed: 5 % 53, median
# 124, 95 % 243, at most 271. Part C ends at 100 frames by the rule, so less than half of those clips are from it; and
# with parts A, B, C at 45, 35 and 20 % a length of 38 + 462 u^(1/2.6) ms, u uniform, gives 53, 130 and 240.
SHORTEST_S: Final = 0.038
LENGTH_LIMIT_S: Final = 0.5
RISE_LIMIT_S: Final = 0.25
_LENGTH_EXPONENT = 2.6
_OVERLONG_SHARE = 0.04
"""Micro-expressions longer than 500 ms, by the rule of onset to apex; the longest known ones have 542 ms at 500 fps."""
_OVERLONG_MOST_S = 0.545

APEX_POSITION: Final = ((0.0, 0.16), (0.05, 0.30), (0.25, 0.43), (0.50, 0.51), (0.75, 0.61), (0.95, 0.79), (1.0, 0.90))
"""Quantiles of (apex - onset) / (offset - onset); between them the distribution is even. The ends are ours."""

RARE_SHARE: Final = 0.06
"""Expressions that show a unit beside those of the table, so that each of the 24 occurs."""

# What the paper does not tabulate is ours: movements of the mouth and jaw that no emotion is known by.
_OTHERS: Final = tuple(
    Occurrence(UnitPattern(ActionUnit(number)), percent)
    for number, percent in ((14, 26.0), (24, 22.0), (17, 16.0), (7, 14.0), (25, 12.0), (18, 10.0), (28, 8.0), (31, 6.0))
)
_OPPOSED: Final = frozenset(
    frozenset({ActionUnit(a), ActionUnit(b)})
    for a, b in (
        *((12, 15), (12, 18), (20, 18), (14, 18), (38, 39), (57, 58), (6, 5), (7, 5)),
        *itertools.product((23, 24, 28), (16, 25)),
        *((18, 24), (18, 28), (23, 28), (24, 28)),
    )
)
"""Units that do not show together; for units that the table does not speak of."""
_MOST_UNITS = 4
_PRIOR_BY_SIZE = (0.0, 1.0, 0.5, 0.12, 0.03)
_PRIOR_OF_COMBINATION = 8.0
_FIT_STEPS = 200


@lru_cache(maxsize=len(Emotion))
def unit_sets(emotion: Emotion) -> tuple[tuple[Combination, ...], tuple[float, ...]]:
    """Sets of units that an emotion shows, and their probabilities.

    Of all distributions whose occurrence of every unit is that of the paper's table, this is the one nearest (by
    Kullback-Leibler divergence) to one that prefers the paper's combinations, and few units to many. `others`, which
    the paper does not tabulate, has occurrences of our own.
    """
    listed = UNIT_OCCURRENCE.get(emotion, _OTHERS)
    patterns = [occurrence.pattern for occurrence in listed]
    known = set(combinations_of(emotion))
    sets = [
        frozenset(chosen)
        for size in range(1, _MOST_UNITS + 1)
        for chosen in itertools.combinations(patterns, size)
        if len({pattern.unit for pattern in chosen}) == size and (frozenset(chosen) in known or _compatible(chosen))
    ]
    prior = np.array([_PRIOR_OF_COMBINATION if s in known else _PRIOR_BY_SIZE[len(s)] for s in sets])
    holds = np.array([[pattern in s for pattern in patterns] for s in sets], np.float64)
    wanted = np.array([occurrence.percent / 100 for occurrence in listed])
    return tuple(sets), tuple(_tilted(prior, holds, wanted))


def _compatible(patterns: Sequence[UnitPattern]) -> bool:
    # The table's own pairs of lids and brows stand; only what opens and closes the lips cannot be together.
    return not any(
        frozenset({a.unit, b.unit}) in _OPPOSED and ActionUnit.UPPER_LID_RAISER not in (a.unit, b.unit)
        for a, b in itertools.combinations(patterns, 2)
    )


def _tilted(prior: Floats, holds: Floats, wanted: Floats) -> list[float]:
    """Probabilities p ~ prior * exp(holds @ theta) with `p @ holds == wanted`, by damped Newton steps."""
    theta = np.zeros(len(wanted))
    p = prior / prior.sum()
    for _ in range(_FIT_STEPS):
        logits = np.log(prior) + holds @ theta
        p = np.exp(logits - logits.max())
        p /= p.sum()
        mean = p @ holds
        if np.abs(mean - wanted).max() < 1e-12:
            break
        covariance = (holds * p[:, None]).T @ holds - np.outer(mean, mean)
        step = np.linalg.solve(covariance + 1e-9 * np.eye(len(wanted)), wanted - mean)
        theta += step * min(1.0, 2.0 / np.abs(step).max())
    return [float(value) for value in p]


def sample_emotion(rng: np.random.Generator, part: Part) -> Emotion:
    """An emotion as often as the part of DFME has it, `others` included."""
    emotions = list(part.counts)
    counts = np.array([part.counts[emotion] for emotion in emotions], np.float64)
    return emotions[int(rng.choice(len(emotions), p=counts / counts.sum()))]


def sample_units(rng: np.random.Generator, emotion: Emotion) -> tuple[CodedUnit, ...]:
    """Units of an expression, by FACS number: a set of `unit_sets`, now and then with a rare unit beside it.

    A one-sided unit is on either half equally often; several one-sided units of one expression are on the same half.
    """
    sets, probabilities = unit_sets(emotion)
    chosen = sets[int(rng.choice(len(sets), p=probabilities))]
    side = (Side.LEFT, Side.RIGHT)[int(rng.integers(2))]
    units = [CodedUnit(pattern.unit, side if pattern.one_sided else Side.BOTH) for pattern in chosen]
    if rng.random() < RARE_SHARE:
        rare = rare_units(emotion, [coded.unit for coded in units])
        units.append(CodedUnit(rare[int(rng.integers(len(rare)))]))
    return tuple(sorted(units, key=lambda coded: coded.unit))


def rare_units(emotion: Emotion, taken: Sequence[ActionUnit]) -> list[ActionUnit]:
    """Units that the table does not list for an emotion and that can show beside those of an expression."""
    listed = {occurrence.pattern.unit for occurrence in UNIT_OCCURRENCE.get(emotion, _OTHERS)}
    return [
        unit
        for unit in ActionUnit
        if unit not in listed and not any(frozenset({unit, other}) in _OPPOSED for other in taken)
    ]


def sample_timing(rng: np.random.Generator, slowest_fps: float = 200.0) -> tuple[float, float]:
    """Rise and fall of a micro-expression in seconds; see `SHORTEST_S` and `APEX_POSITION` for the distributions.

    Args:
        rng: Source of chance.
        slowest_fps: At this frame rate and above its inclusive frame counts satisfy the micro-expression rule.
    """
    slack_s = 1 / slowest_fps
    quantiles, positions = np.array(APEX_POSITION).T
    while True:
        position = float(np.interp(rng.random(), quantiles, positions))
        longest_s = min(_OVERLONG_MOST_S, (RISE_LIMIT_S - slack_s) / position)
        overlong = rng.random() < _OVERLONG_SHARE / 0.35
        if overlong and longest_s > LENGTH_LIMIT_S:
            length_s = float(rng.uniform(LENGTH_LIMIT_S, longest_s))
        else:
            share = rng.random() ** (1 / _LENGTH_EXPONENT)
            length_s = SHORTEST_S + (LENGTH_LIMIT_S - SHORTEST_S) * share
        rise_s, fall_s = position * length_s, (1 - position) * length_s
        # At 200 frames a second the shortest would be four frames: an apex between two others is the least.
        seen = min(rise_s, fall_s) * slowest_fps >= 2
        if seen and (length_s + slack_s <= LENGTH_LIMIT_S or rise_s + slack_s <= RISE_LIMIT_S):
            return rise_s, fall_s


def sample_expression(
    rng: np.random.Generator,
    emotion: Emotion,
    kind: ExpressionKind = "micro",
    *,
    slowest_fps: float = 200.0,
    expressivity: float = 1.0,
    asymmetry: float = 0.0,
) -> Expression:
    """An expression of an emotion.

    Args:
        rng: Source of chance.
        emotion: What it shows.
        kind: Micro-expressions go from barely visible to plain (FACS level A to D, mostly B), macro-expressions from
            plain to full, and last 0.8 to 4 s.
        slowest_fps: From this frame rate on it is of this kind by the rule of `KeyFrames.is_micro`.
        expressivity: Factor on the strength: a trait of the participant.
        asymmetry: By which share the left half of this participant moves more than the right, -0.3 to 0.3.
    """
    units = sample_units(rng, emotion)
    if kind == "micro":
        rise_s, fall_s = sample_timing(rng, slowest_fps)
        median, spread, least, most = 0.30, 0.45, 0.10, 0.80
    else:
        rise_s, fall_s = float(rng.uniform(0.32, 1.3)), float(rng.uniform(0.5, 2.7))
        rise_s = max(rise_s, RISE_LIMIT_S + 2 / slowest_fps)
        median, spread, least, most = 0.62, 0.25, 0.35, 1.0
    strength = float(np.clip(median * expressivity * math.exp(spread * rng.standard_normal()), least, most))
    punctual, lasting = (int(rng.integers(len(units))) for _ in range(2))
    motions = tuple(
        _motion(rng, coded, strength, asymmetry, lag=number != punctual, lead=number != lasting)
        for number, coded in enumerate(units)
    )
    shapes = rng.uniform(0.85, 1.2, 2)
    return Expression(emotion, motions, rise_s, fall_s, float(shapes[0]), float(shapes[1]))


def _motion(
    rng: np.random.Generator, coded: CodedUnit, strength: float, asymmetry: float, *, lag: bool, lead: bool
) -> UnitMotion:
    peak = strength * float(rng.uniform(0.75, 1.25))
    tilt = float(np.clip(asymmetry + 0.06 * rng.standard_normal(), -0.3, 0.3))
    late, early = (float(value) for value in rng.uniform(0.0, 0.25, 2))
    left, right = peak * (1 + tilt / 2), peak * (1 - tilt / 2)
    if not UNIT_FACTS[coded.unit].one_sided:
        left = right = peak
    return UnitMotion(
        coded,
        left=0.0 if coded.side is Side.RIGHT else float(np.clip(left, 0.08, 1)),
        right=0.0 if coded.side is Side.LEFT else float(np.clip(right, 0.08, 1)),
        lag=late if lag else 0.0,
        lead=early if lead else 0.0,
    )
