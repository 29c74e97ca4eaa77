"""The paper's tables: their sums agree, and units lead to emotions."""

from __future__ import annotations

from statistics import mean

import pytest

from expression import BASIC_EMOTIONS, Emotion, parse_units
from expression.paper import (
    BASIC_SAMPLES,
    COMBINATIONS,
    PARTS,
    RESULTS,
    SAMPLES,
    STIMULI,
    SUBJECTS,
    UNIT_OCCURRENCE,
    combinations_of,
    emotions_of,
)


def test_counts_add_up() -> None:
    assert [(part.name, part.rate_fps) for part in PARTS] == [("A", 500), ("B", 300), ("C", 200)]
    assert all(sum(part.counts.values()) == part.samples for part in PARTS)
    assert sum(part.subjects for part in PARTS) == SUBJECTS
    assert sum(part.samples for part in PARTS) == SAMPLES
    assert SAMPLES - sum(part.counts[Emotion.OTHERS] for part in PARTS) == BASIC_SAMPLES


def test_stimuli_cover_the_seven_emotions() -> None:
    assert len(STIMULI) == 15
    assert {stimulus.emotion for stimulus in STIMULI} == set(BASIC_EMOTIONS)
    assert sum(stimulus.duration_s for stimulus in STIMULI) == 1844


def test_results_have_every_model_in_every_setting() -> None:
    assert len({(row.model, row.setting) for row in RESULTS}) == len(RESULTS) == 16
    assert max(RESULTS, key=lambda row: row.accuracy).model == "I3D"
    assert max(RESULTS, key=lambda row: row.uf1).setting == "class-resampling"
    assert mean(row.accuracy for row in RESULTS) == pytest.approx(0.48965)


def test_units_per_emotion_fall_in_frequency() -> None:
    assert set(UNIT_OCCURRENCE) == set(BASIC_EMOTIONS) == set(COMBINATIONS)
    for emotion in BASIC_EMOTIONS:
        percents = [entry.percent for entry in UNIT_OCCURRENCE[emotion]]
        assert percents == sorted(percents, reverse=True)
    assert [str(entry.pattern) for entry in UNIT_OCCURRENCE[Emotion.SURPRISE]] == [
        "AU1", "AU5", "AU2", "L/R-AU2", "L/R-AU1", "L/R-AU5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "emotions"),
    [
        ("6+12", [Emotion.HAPPINESS]),
        ("6+12+25", [Emotion.HAPPINESS]),
        ("L12", [Emotion.CONTEMPT]),
        ("6+R12", [Emotion.CONTEMPT]),
        ("4+5", [Emotion.ANGER, Emotion.FEAR]),
        ("4+7", [Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR, Emotion.SADNESS]),
        ("4+7+10", [Emotion.DISGUST]),
        ("14", [Emotion.DISGUST, Emotion.SADNESS]),
        ("14+24", [Emotion.FEAR, Emotion.SADNESS]),
        ("1+2+5", [Emotion.SURPRISE]),
        ("31+M57", []),
        ("", []),
    ],
)
def test_emotions_of_units(text: str, emotions: list[Emotion]) -> None:
    assert list(emotions_of(parse_units(text))) == emotions


def test_every_combination_speaks_for_its_emotion() -> None:
    for emotion in BASIC_EMOTIONS:
        for combination in combinations_of(emotion):
            text = "+".join(str(pattern).replace("L/R", "L") for pattern in combination)
            assert emotion in emotions_of(parse_units(text))
    assert combinations_of(Emotion.OTHERS) == ()
