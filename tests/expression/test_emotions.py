"""Emotion labels: eight of them, and the ways in which data sets write them."""

from __future__ import annotations

import pytest

from expression import BASIC_EMOTIONS, Emotion, parse_emotion
from expression.emotions import SPELLINGS
from expression.errors import LabelUnknown


def test_seven_basic_emotions_in_alphabetical_order() -> None:
    assert [str(emotion) for emotion in BASIC_EMOTIONS] == [
        "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("Happy", Emotion.HAPPINESS),
        ("hap", Emotion.HAPPINESS),
        ("joy", Emotion.HAPPINESS),
        ("disgusted", Emotion.DISGUST),
        ("Others", Emotion.OTHERS),
        ("other", Emotion.OTHERS),
        (" SURPRISE ", Emotion.SURPRISE),
        ("Anger.", Emotion.ANGER),
        ("con", Emotion.CONTEMPT),
    ],
)
def test_labels_as_data_sets_write_them(text: str, emotion: Emotion) -> None:
    assert parse_emotion(text) is emotion


def test_every_emotion_reads_its_own_name_and_no_spelling_names_two() -> None:
    spellings = [spelling for of_one in SPELLINGS.values() for spelling in of_one]
    assert len(set(spellings)) == len(spellings)
    assert all(parse_emotion(emotion.value) is emotion for emotion in Emotion)
    assert set(SPELLINGS) == set(Emotion)


def test_repression_is_others_only_where_that_is_known() -> None:
    assert parse_emotion("repression", dataset="casme2") is Emotion.OTHERS
    with pytest.raises(LabelUnknown, match="repression"):
        parse_emotion("repression")
    with pytest.raises(LabelUnknown):
        parse_emotion("repression", dataset="smic")


@pytest.mark.parametrize("text", ["positive", "negative", "tense", "", "happiness/surprise"])
def test_labels_without_a_counterpart_are_refused_with_the_list(text: str) -> None:
    with pytest.raises(LabelUnknown, match=r"contempt/contemptuous/con.*others") as caught:
        parse_emotion(text, dataset="4dme")
    assert "in 4dme also repression" in str(caught.value)
    assert "\n" not in str(caught.value)
