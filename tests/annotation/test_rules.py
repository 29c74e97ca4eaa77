"""Votes, medians and majorities, and when a lead must decide."""

from __future__ import annotations

import pytest

from annotation.api_models import CrossCheckAnswer, EmotionAnswer, KeyFrameAnswer, UnitsAnswer
from annotation.rules import settle_crosscheck, settle_emotion, settle_keyframes, settle_units
from expression import Emotion

NONE = KeyFrameAnswer(expression=False)


def marks(onset: int, apex: int, offset: int, **more: object) -> KeyFrameAnswer:
    return KeyFrameAnswer(expression=True, onset=onset, apex=apex, offset=offset, **more)


def labels(text: str) -> list[EmotionAnswer]:
    names = {emotion.value[0]: emotion for emotion in Emotion} | {"S": Emotion.SURPRISE}
    return [EmotionAnswer(emotion=names[letter]) for letter in text]


def test_key_frames_are_medians_of_those_who_marked_them():
    five = [marks(100, 130, 170), marks(104, 128, 180), marks(98, 131, 171), NONE, marks(101, 140, 172)]

    settled = settle_keyframes(five, 5)

    assert settled.answer == marks(100, 130, 171)
    assert settled.reason == "4 of 5 see an expression"


def test_presence_is_voted_on_first():
    assert settle_keyframes([NONE, NONE, NONE, marks(1, 2, 3), marks(1, 2, 3)], 5).answer == NONE
    assert settle_keyframes([NONE, NONE, marks(1, 2, 3), marks(1, 2, 3)], 5).answer is None
    assert settle_keyframes([NONE, NONE, marks(1, 2, 3), marks(1, 2, 3), marks(1, 2, 3)], 5).answer == marks(1, 2, 3)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([], "0 of 5"),
        ([marks(1, 2, 3)] * 2, "2 of 5 coded it"),
        ([marks(1, 2, 3), marks(1, 2, 3), marks(5, 5, 9), marks(5, 5, 9), marks(5, 5, 9)], "5, 5, 9"),
        ([marks(1, 2, 3, several=True)] * 2 + [marks(1, 2, 3)] * 3, "2 of 5 see more than one expression"),
    ],
)
def test_the_lead_decides_where_key_frames_do_not_settle(answers, why):
    settled = settle_keyframes(answers, 5)

    assert settled.answer is None
    assert why in settled.reason


def test_one_coder_alone_settles_where_one_was_asked():
    assert settle_keyframes([marks(1, 2, 3)], 1).answer == marks(1, 2, 3)
    assert settle_keyframes([marks(1, 2, 3, several=True)], 1).answer is None


def test_units_settle_where_all_marked_the_same_whatever_the_order():
    assert settle_units([UnitsAnswer(units=["AU12", "AU6"]), UnitsAnswer(units=["6", "12"])], 2).answer == UnitsAnswer(
        units=["AU6", "AU12"]
    )
    assert settle_units([UnitsAnswer(), UnitsAnswer()], 2).answer == UnitsAnswer()
    differ = settle_units([UnitsAnswer(units=["L-AU12"]), UnitsAnswer(units=["AU12"])], 2)
    assert (differ.answer, differ.reason) == (None, "L-AU12 | AU12")
    assert settle_units([UnitsAnswer(units=["AU12"])], 2).answer is None


def test_the_cross_check_settles_units():
    same = [CrossCheckAnswer(units=["AU4"]), CrossCheckAnswer(units=["AU4"])]
    assert settle_crosscheck(same, 2).answer == UnitsAnswer(units=["AU4"])
    assert settle_crosscheck([same[0], CrossCheckAnswer(units=["AU7"])], 2).answer is None


@pytest.mark.parametrize(
    ("votes", "emotion"),
    [
        ("ddddfff", Emotion.DISGUST),
        ("SSSSSSS", Emotion.SURPRISE),
        ("dddfffa", None),
        ("ddffaah", None),
        ("ddffaao", None),
        ("ddf", None),
        ("ddfd", Emotion.DISGUST),
        ("ddff", None),
    ],
)
def test_more_than_half_decides_the_emotion(votes, emotion):
    settled = settle_emotion(labels(votes), 7)

    assert (settled.answer and settled.answer.emotion) == emotion
