"""Choosing stimuli from ratings: the paper's rule, and what a lab may change about it."""

from __future__ import annotations

import pytest

from elicitation.errors import RatingsInvalid
from elicitation.selection import Rating, SelectionRule, select_stimuli
from expression import Emotion


def rated(stimulus: str, *answers: tuple[Emotion, int]) -> list[Rating]:
    return [Rating(f"v{i}", stimulus, emotion, intensity) for i, (emotion, intensity) in enumerate(answers)]


F, S, A = Emotion.FEAR, Emotion.SADNESS, Emotion.ANGER


def test_an_emotion_is_what_more_than_half_named():
    ratings = rated("half", (F, 5), (F, 5), (S, 5), (A, 5)) + rated("most", (F, 2), (F, 4), (S, 5))
    by_name = {one.stimulus: one for one in select_stimuli(ratings, SelectionRule())}
    assert by_name["half"].emotion is None
    assert not by_name["half"].kept
    assert "50%" in by_name["half"].reason
    assert by_name["most"].emotion is F
    assert by_name["most"].share == pytest.approx(2 / 3)


def test_the_intensity_is_the_mean_of_those_who_named_the_emotion_and_the_greatest_are_kept():
    ratings = rated("a", (F, 2), (F, 4), (S, 5)) + rated("b", (S, 4), (S, 5)) + rated("c", (A, 1), (A, 1))
    judged = select_stimuli(ratings, SelectionRule(keep=2))
    assert [(one.stimulus, one.intensity, one.kept) for one in judged] == [
        ("b", 4.5, True),
        ("a", 3, True),
        ("c", 1, False),
    ]
    assert judged[2].reason == "less intense"


def test_a_quota_keeps_the_best_of_an_emotion_before_more_intense_others():
    ratings = rated("a", (F, 5)) + rated("b", (F, 4)) + rated("c", (S, 1)) + rated("d", (S, 2))
    judged = select_stimuli(ratings, SelectionRule(keep=2, quota={S: 1}))
    assert {one.stimulus for one in judged if one.kept} == {"a", "d"}


def test_too_few_raters_are_said():
    judged = select_stimuli(rated("a", (F, 5)), SelectionRule(min_raters=2))
    assert judged[0].reason == "1 raters of 2 wanted"


@pytest.mark.parametrize(
    ("ratings", "message"),
    [(rated("a", (F, 6)), "not 1 to 5"), (rated("a", (F, 5)) * 2, "twice")],
)
def test_impossible_ratings_are_refused(ratings, message):
    with pytest.raises(RatingsInvalid, match=message):
        select_stimuli(ratings, SelectionRule())
