"""Key-frames: their order, the rule for micro-expressions, and what several coders say together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression import KeyFrames
from expression.errors import KeyFramesInvalid

marks = st.lists(st.integers(0, 2000), min_size=3, max_size=3).map(lambda three: KeyFrames(*sorted(three)))


@pytest.mark.parametrize(
    ("frames", "rise_frames", "rate_fps", "micro"),
    [
        (250, 250, 500, True),
        (251, 125, 500, True),
        (251, 126, 500, False),
        (100, 60, 200, True),
        (101, 50, 200, True),
        (101, 51, 200, False),
        (1000, 1, 200, True),
        (29, 29, 59.94, True),
        (30, 14, 59.94, True),
        (30, 15, 59.94, False),
        (15, 15, Fraction(30000, 1001), False),
        (14, 14, Fraction(30000, 1001), True),
        (50, 30, 100.0, True),
        (51, 26, 100.0, False),
    ],
)
def test_either_limit_makes_a_micro_expression(
    frames: int, rise_frames: int, rate_fps: float | Fraction, micro: bool
) -> None:
    first = 1000
    key_frames = KeyFrames(first, first + rise_frames - 1, first + frames - 1)
    assert (key_frames.frames, key_frames.rise_frames) == (frames, rise_frames)
    assert key_frames.is_micro(rate_fps) is micro


@given(marks, st.integers(1, 2000))
def test_the_rule_in_milliseconds(key_frames: KeyFrames, rate_fps: int) -> None:
    lasts_ms = Fraction(1000 * key_frames.frames, rate_fps)
    rises_ms = Fraction(1000 * (key_frames.peak - key_frames.onset + 1), rate_fps)
    assert key_frames.is_micro(rate_fps) is (lasts_ms <= 500 or rises_ms <= 250)


def test_without_an_apex_the_whole_length_decides_and_the_middle_stands_in() -> None:
    key_frames = KeyFrames(10, None, 60)
    assert key_frames.rise_frames is None
    assert key_frames.peak == 35
    assert KeyFrames(10, None, 61).peak == 35
    assert key_frames.is_micro(102)
    assert not key_frames.is_micro(101)


@pytest.mark.parametrize(
    "bad", [(5, 4, 9), (5, 10, 9), (9, None, 5), (-1, 0, 5), (0.5, 1, 2), (0, 1, "2"), (None, 1, 2)]
)
def test_marks_out_of_order_or_not_whole_are_refused(bad: tuple[int, int, int]) -> None:
    with pytest.raises(KeyFramesInvalid):
        KeyFrames(*bad)


def test_numbers_of_other_libraries_become_plain() -> None:
    key_frames = KeyFrames(*np.array([1, 2, 3]))
    assert key_frames == KeyFrames(1, 2, 3)
    assert type(key_frames.onset) is int


@pytest.mark.parametrize("rate_fps", [0, -200, float("nan"), float("inf")])
def test_rates_that_make_no_sense_are_refused(rate_fps: float) -> None:
    with pytest.raises(KeyFramesInvalid, match="rate"):
        KeyFrames(0, 1, 2).is_micro(rate_fps)


def test_median_of_five_and_of_two_coders() -> None:
    five = [
        KeyFrames(10, 20, 30),
        KeyFrames(11, 22, 33),
        KeyFrames(12, 21, 90),
        KeyFrames(13, 40, 50),
        KeyFrames(2, 3, 4),
    ]
    assert KeyFrames.median(five) == KeyFrames(11, 21, 33)
    assert KeyFrames.median([KeyFrames(10, 20, 30), KeyFrames(13, 22, 31)]) == KeyFrames(11, 21, 30)


@given(st.lists(marks, min_size=1, max_size=9))
def test_median_keeps_the_order_and_the_range(several: list[KeyFrames]) -> None:
    median = KeyFrames.median(several)
    assert min(mark.onset for mark in several) <= median.onset <= max(mark.onset for mark in several)
    assert median.onset <= median.peak <= median.offset
    assert KeyFrames.median(several[::-1]) == median


def test_median_needs_the_apex_of_all_or_of_none() -> None:
    assert KeyFrames.median([KeyFrames(0, None, 4), KeyFrames(2, None, 8)]) == KeyFrames(1, None, 6)
    with pytest.raises(KeyFramesInvalid, match="1 of 2"):
        KeyFrames.median([KeyFrames(0, None, 4), KeyFrames(2, 3, 8)])
    with pytest.raises(KeyFramesInvalid, match="no coder"):
        KeyFrames.median([])


def test_shifting_keeps_the_shape() -> None:
    assert KeyFrames(110, 120, 130).shifted(-110) == KeyFrames(0, 10, 20)
    assert KeyFrames(0, None, 4).shifted(3) == KeyFrames(3, None, 7)
    with pytest.raises(KeyFramesInvalid):
        KeyFrames(1, 2, 3).shifted(-2)
