"""Simulated coders differ from the truth and from each other about as much as people do, and never leave the clip."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import mean, median
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from annotation.api_models import EmotionAnswer, KeyFrameAnswer, SelectionAnswer, UnitsAnswer
from capture.demo.coders import Eyes, NothingLikeIt, Seen, SimulatedCoder
from capture.demo.truth import Trial, TrueExpression, TrueUnit

UNITS = {1: "AU1", 2: "AU2", 4: "AU4", 12: "AU12", 57: "M57"}
SHOWN = TrueExpression("micro", 300, 330, 370, "fear", (TrueUnit(1, "", 0.8), TrueUnit(4, "L", 0.8)))
FAINT = replace(SHOWN, units=(TrueUnit(1, "", 0.05),))


def trial(shade: int = 100, truth: tuple[TrueExpression, ...] = (SHOWN,)) -> Trial:
    """A recording of plain frames with noise, each other than all others."""

    def frame(number: int):
        noise = np.random.default_rng([shade, number]).normal(0, 12, (96, 128))
        return np.clip(shade + noise, 0, 255).astype(np.uint8)

    return Trial("P1", None, "trial-001", "a", SimpleNamespace(frame=frame), np.arange(1000), truth)


def coders(count: int = 40) -> list[SimulatedCoder]:
    return [SimulatedCoder(f"coder{number}", number, 7, UNITS) for number in range(count)]


def test_marks_lie_around_the_truth_and_within_the_clip():
    answers = [KeyFrameAnswer(**coder.marks(Seen(trial(), SHOWN), 280, 400)) for coder in coders(200)]
    marked = [answer for answer in answers if answer.expression]
    assert 0.9 < len(marked) / len(answers) < 1
    onsets, offsets = [answer.onset for answer in marked], [answer.offset for answer in marked]
    assert abs(median(onsets) - 300) <= 1
    assert abs(median(offsets) - 370) <= 1
    assert len(set(onsets)) > 5
    assert 280 <= min(onsets) <= max(offsets) <= 400


def test_what_is_faint_is_overlooked_more_often_than_what_is_strong():
    def seen(one: TrueExpression) -> float:
        return mean(coder.marks(Seen(trial(), one), 280, 400)["expression"] for coder in coders(200))

    assert seen(FAINT) < seen(SHOWN)


def test_a_clip_without_an_expression_is_mostly_seen_as_such():
    answers = [coder.marks(Seen(trial(), None), 500, 590) for coder in coders(100)]
    assert 0 < mean(answer["expression"] for answer in answers) < 0.4
    assert all(KeyFrameAnswer(**answer) for answer in answers)


def test_fragments_hold_what_was_selected_and_some_hold_nothing():
    answers = [SelectionAnswer(fragments=coder.selects(Seen(trial(), None))).fragments for coder in coders(100)]
    holding = [one for given in answers for one in given if one.first_frame <= 300 and one.last_frame >= 370]
    assert len(holding) > 90
    assert 50 < sum(map(len, answers)) - len(holding) < 110
    for given in answers:
        assert all(before.last_frame < behind.first_frame for before, behind in pairwise(given))


def test_units_are_missed_and_added_and_then_mostly_agreed_on():
    seen = Seen(trial(), SHOWN)
    first = [UnitsAnswer(**coder.sees_units(seen)).units for coder in coders(200)]
    assert 0.6 < mean(units == ["AU1", "L-AU4"] for units in first) < 0.95
    checked = [coder.agrees_on_units(seen, ["AU2"])["units"] for coder in coders(200)]
    assert {tuple(units) for units in checked} == {("AU1", "L-AU4"), ("AU2",)}
    assert mean(units == ["AU1", "L-AU4"] for units in checked) > 0.75


def test_most_name_what_is_shown():
    said = [EmotionAnswer(**coder.names(Seen(trial(), SHOWN))).emotion.value for coder in coders(200)]
    assert 0.65 < mean(one == "fear" for one in said) < 0.87
    assert set(said) == {"fear", "surprise", "sadness"}


def test_the_same_seed_codes_alike_and_another_does_not():
    def all_marks(seed: int) -> list[dict]:
        return [SimulatedCoder("a", n, seed, UNITS).marks(Seen(trial(), SHOWN), 280, 400) for n in range(20)]

    assert all_marks(1) == all_marks(1)
    assert all_marks(1) != all_marks(2)


def test_a_recording_is_known_again_by_one_picture_of_it():
    trials = [trial(100), trial(104, ()), trial(108, ())]
    _, jpeg = cv2.imencode(".jpg", trials[0].frame(320), [cv2.IMWRITE_JPEG_QUALITY, 95])
    seen = Eyes(trials).look(jpeg.tobytes(), 320, 290, 380)
    assert seen.trial is trials[0]
    assert seen.expression == SHOWN
    with pytest.raises(NothingLikeIt):
        Eyes(trials[1:]).look(jpeg.tobytes(), 320, 290, 380)
