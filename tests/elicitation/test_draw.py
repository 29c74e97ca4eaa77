"""The draw of stimuli: coverage, fairness, order, and the same result for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicitation.draw import Candidate, draw_stimuli, expected_numbers
from elicitation.errors import DrawImpossible
from expression import BASIC_EMOTIONS, Emotion

PAPER = [
    Candidate(f"{number:02d}", emotion)
    for number, emotion in enumerate(
        [Emotion.SADNESS] * 3
        + [Emotion.DISGUST] * 3
        + [Emotion.CONTEMPT] * 2
        + [Emotion.ANGER] * 2
        + [Emotion.FEAR] * 2
        + [Emotion.HAPPINESS] * 2
        + [Emotion.SURPRISE]
    )
]
EMOTION = {candidate.stimulus: candidate.emotion for candidate in PAPER}


def test_ten_thousand_draws_cover_all_emotions_and_are_fair_to_every_video():
    counts: Counter[str] = Counter()
    for seed in range(10_000):
        drawn = draw_stimuli(PAPER, 10, seed)
        assert len(set(drawn)) == 10
        assert {EMOTION[stimulus] for stimulus in drawn} == set(BASIC_EMOTIONS)
        assert all(EMOTION[a] is not EMOTION[b] for a, b in pairwise(drawn))
        counts.update(drawn)
    surprise = next(c.stimulus for c in PAPER if c.emotion is Emotion.SURPRISE)
    assert counts[surprise] == 10_000
    # Nine of the other fourteen are shown: each in 9/14 of the draws, four standard deviations around.
    expected = 10_000 * 9 / 14
    for candidate in PAPER:
        if candidate.stimulus != surprise:
            assert counts[candidate.stimulus] == pytest.approx(expected, abs=4 * (expected * 5 / 14) ** 0.5)


def test_over_participants_the_videos_of_one_emotion_are_shown_equally_often():
    shown: Counter[str] = Counter()
    for seed in range(200):
        shown.update(draw_stimuli(PAPER, 10, seed, shown))
    for emotion in BASIC_EMOTIONS:
        numbers = [shown[c.stimulus] for c in PAPER if c.emotion is emotion]
        assert max(numbers) - min(numbers) <= 1


def test_the_same_seed_gives_the_same_draw_whatever_the_order_of_the_list():
    assert draw_stimuli(PAPER, 10, 7) == draw_stimuli(PAPER[::-1], 10, 7)
    assert draw_stimuli(PAPER, 10, 7) != draw_stimuli(PAPER, 10, 8)


@settings(max_examples=150)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=7), st.data())
def test_any_pool_is_covered_or_refused(sizes, data):
    pool = [Candidate(f"{e}{i}", BASIC_EMOTIONS[e]) for e, size in enumerate(sizes) for i in range(size)]
    count = data.draw(st.integers(len(sizes), len(pool)))
    try:
        drawn = draw_stimuli(pool, count, data.draw(st.integers(0, 2**32)))
    except DrawImpossible as error:
        refusal = str(error)
        drawn = None
    if drawn is None:
        assert "neighbours" in refusal or "follow each other" in refusal
        return
    assert len(set(drawn)) == count
    assert len({stimulus[0] for stimulus in drawn}) == len(sizes)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=7), st.data())
def test_expected_numbers_add_up_and_stay_in_bounds(sizes, data):
    pool = {BASIC_EMOTIONS[i]: size for i, size in enumerate(sizes)}
    count = data.draw(st.integers(len(sizes), sum(sizes)))
    expected = expected_numbers(pool, count)
    assert sum(expected.values()) == pytest.approx(count)
    assert all(1 <= value <= pool[emotion] + 1e-9 for emotion, value in expected.items())


@pytest.mark.parametrize(
    ("pool", "count", "message"),
    [
        (PAPER, 16, "add stimuli or show fewer"),
        (PAPER, 6, "cannot be covered"),
        (PAPER + PAPER[:1], 10, "listed twice"),
        ([Candidate("a", Emotion.FEAR), Candidate("b", Emotion.FEAR)], 2, "follow each other"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_remedy(pool, count, message):
    with pytest.raises(DrawImpossible, match=message):
        draw_stimuli(pool, count, 0)
