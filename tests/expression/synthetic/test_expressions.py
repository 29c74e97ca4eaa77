"""Expressions are drawn as the paper counts them, and move as an expression does."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression.action_units import UNIT_FACTS, ActionUnit, Side
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.paper import COMBINATIONS, PARTS, UNIT_OCCURRENCE, combinations_of
from expression.synthetic.expressions import (
    APEX_POSITION,
    sample_emotion,
    sample_expression,
    sample_timing,
    sample_units,
    unit_sets,
)
from expression.synthetic.state import UNITS

SAMPLES = 2000


def binomial_bound(p: float, n: int) -> float:
    """Four standard deviations of a rate: all 50 rates below stay within in 399 of 400 experiments."""
    return 4 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"part {part.name}")
def test_emotions_come_as_often_as_in_the_part(part):
    rng = np.random.default_rng(11)
    drawn = Counter(sample_emotion(rng, part) for _ in range(SAMPLES))
    expected = {emotion: SAMPLES * count / part.samples for emotion, count in part.counts.items()}
    chi_square = sum((drawn[emotion] - count) ** 2 / count for emotion, count in expected.items())
    # 24.3: seven degrees of freedom, exceeded once in a thousand experiments.
    assert chi_square < 24.3, drawn


@pytest.mark.parametrize("emotion", BASIC_EMOTIONS)
def test_units_occur_as_often_as_the_table_says(emotion):
    rng = np.random.default_rng(12)
    drawn = [sample_units(rng, emotion) for _ in range(SAMPLES)]
    for occurrence in UNIT_OCCURRENCE[emotion]:
        wanted = occurrence.percent / 100
        rate = sum(any(map(occurrence.pattern.matches, units)) for units in drawn) / SAMPLES
        assert abs(rate - wanted) < binomial_bound(wanted, SAMPLES), str(occurrence.pattern)


@pytest.mark.parametrize("emotion", BASIC_EMOTIONS)
def test_the_distribution_behind_it_has_the_rates_exactly_and_prefers_the_papers_combinations(emotion):
    sets, probabilities = unit_sets(emotion)
    assert sum(probabilities) == pytest.approx(1)
    for occurrence in UNIT_OCCURRENCE[emotion]:
        rate = sum(p for units, p in zip(sets, probabilities, strict=True) if occurrence.pattern in units)
        assert rate == pytest.approx(occurrence.percent / 100, abs=1e-9)
    known = dict(zip(sets, probabilities, strict=True))
    assert set(COMBINATIONS[emotion]) <= set(sets)
    assert sum(known[units] for units in combinations_of(emotion)) > 0.5
    assert max(known, key=lambda units: known[units]) in combinations_of(emotion)


def test_every_unit_occurs_and_both_halves_of_the_face_do():
    rng = np.random.default_rng(13)
    emotions = [emotion for emotion in Emotion for _ in range(SAMPLES // 8)]
    units = [coded for emotion in emotions for coded in sample_units(rng, emotion)]
    assert {coded.unit for coded in units} == set(ActionUnit)
    sides = Counter(coded.side for coded in units)
    assert abs(sides[Side.LEFT] / (sides[Side.LEFT] + sides[Side.RIGHT]) - 0.5) < 0.1
    assert all(UNIT_FACTS[coded.unit].one_sided for coded in units if coded.side is not Side.BOTH)


def test_lengths_and_apex_positions_are_those_of_known_clips():
    rng = np.random.default_rng(14)
    rise_s, fall_s = np.array([sample_timing(rng, 500) for _ in range(SAMPLES)]).T
    length_s = rise_s + fall_s
    for share, position in APEX_POSITION[1:-1]:
        assert abs((rise_s / length_s < position).mean() - share) < binomial_bound(share, SAMPLES) + 0.01
    # The public clips: frames of three rates mixed, 45, 35 and 20 per cent of them from parts A, B and C.
    frames = length_s * rng.choice([500, 300, 200], SAMPLES, p=[0.45, 0.35, 0.2])
    np.testing.assert_allclose(np.quantile(frames, (0.05, 0.5, 0.95)), (53, 124, 243), rtol=0.12)
    assert frames.max() < 285


@pytest.mark.parametrize("fps", [200, 300, 500])
def test_micro_is_micro_and_macro_is_not_wherever_between_frames_they_begin(fps):
    rng = np.random.default_rng(15)
    for number in range(SAMPLES // 8):
        emotion = BASIC_EMOTIONS[number % 7]
        start_s = 1 + float(rng.random()) / fps
        assert sample_expression(rng, emotion).key_frames(start_s, fps).is_micro(fps)
        assert not sample_expression(rng, emotion, "macro").key_frames(start_s, fps).is_micro(fps)


@given(seed=st.integers(0, 2**32), start_s=st.floats(0, 3), fps=st.sampled_from([30.0, 200.0, 300.0, 500.0]))
def test_key_frames_enclose_the_movement_and_the_apex_is_its_greatest_change(seed, start_s, fps):
    rng = np.random.default_rng(seed)
    expression = sample_expression(rng, BASIC_EMOTIONS[seed % 7], slowest_fps=fps)
    key_frames = expression.key_frames(start_s, fps)
    change = expression.change(np.arange(key_frames.offset + 5) / fps - start_s)
    moving = np.flatnonzero(change > 1e-9)
    assert moving[0] >= key_frames.onset
    assert moving[-1] <= key_frames.offset
    assert moving[0] - key_frames.onset <= 1
    assert int(np.argmax(change)) == key_frames.apex


@given(seed=st.integers(0, 2**32))
def test_intensities_rise_to_the_apex_and_fall_without_a_jolt(seed):
    rng = np.random.default_rng(seed)
    expression = sample_expression(rng, BASIC_EMOTIONS[seed % 7])
    t_s = np.linspace(-0.01, expression.length_s + 0.01, 2001)
    left, right = expression.intensities(t_s)
    apex = int(np.searchsorted(t_s, expression.rise_s))
    for half in (left, right):
        steps = np.diff(half, axis=0)
        assert (steps[: apex - 1] >= -1e-12).all()
        assert (steps[apex + 1 :] <= 1e-12).all()
        assert np.abs(np.diff(steps, axis=0)).max() < 1e-3
        assert (half[0] == 0).all()
        assert (half[-1] == 0).all()
        assert half.max() <= 1
    coded = {coded.unit for coded in expression.units}
    assert {UNITS[column] for column in np.flatnonzero((left + right).any(axis=0))} == coded


def test_one_half_alone_moves_where_a_unit_is_one_sided_and_midline_units_move_alike():
    rng = np.random.default_rng(16)
    motions = [m for _ in range(200) for m in sample_expression(rng, Emotion.CONTEMPT, asymmetry=0.2).motions]
    for motion in motions:
        assert (motion.left == 0) == (motion.coded.side is Side.RIGHT)
        assert (motion.right == 0) == (motion.coded.side is Side.LEFT)
        assert max(motion.left, motion.right) >= 0.08
        if not UNIT_FACTS[motion.coded.unit].one_sided:
            assert motion.left == motion.right


def test_the_same_seed_gives_the_same_expression():
    first, second = (sample_expression(np.random.default_rng(17), Emotion.FEAR) for _ in range(2))
    assert first == second
