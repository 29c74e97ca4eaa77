"""Texture change: binary patterns per block, and the feature difference that spots what is brief."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from expression.errors import BadInput, PictureUnusable
from expression.motion import chi_square, contrast, feature_difference, lbp_histograms, peak_threshold
from expression.motion.lbp import BINS

crops = npst.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(20, 40), st.integers(20, 40)))


def slow_histograms(frame: np.ndarray, grid: int) -> np.ndarray:
    """The definition, pixel by pixel."""
    around = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    uniform = [code for code in range(256) if sum((code >> k & 1) != (code >> (k + 1) % 8 & 1) for k in range(8)) <= 2]
    inner_height, inner_width = frame.shape[0] - 2, frame.shape[1] - 2
    counts = np.zeros((grid * grid, 59))
    for y in range(inner_height):
        for x in range(inner_width):
            middle = frame[y + 1, x + 1]
            code = sum((frame[y + 1 + dy, x + 1 + dx] >= middle) << bit for bit, (dy, dx) in enumerate(around))
            block = (y * grid // inner_height) * grid + x * grid // inner_width
            counts[block, uniform.index(code) if code in uniform else 58] += 1
    return counts / counts.sum(axis=1, keepdims=True)


def test_histograms_are_those_of_the_definition() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (26, 31), np.uint8)
    assert lbp_histograms(frame) == pytest.approx(slow_histograms(frame, 6), abs=1e-6)


@given(crops, st.integers(1, 3))
def test_every_block_has_a_histogram_that_sums_to_one(frames: np.ndarray, radius_px: int) -> None:
    histograms = lbp_histograms(frames, radius_px=radius_px)
    assert histograms.shape == (len(frames), 36, BINS)
    assert histograms.sum(axis=-1) == pytest.approx(1, abs=1e-5)


@given(crops)
def test_identical_frames_do_not_differ_and_brightness_does_not_count(frames: np.ndarray) -> None:
    histograms = lbp_histograms(frames // 2)
    assert (chi_square(histograms, histograms) == 0).all()
    assert np.array_equal(lbp_histograms(frames // 2 + 100), histograms)


@given(crops)
def test_distances_are_symmetric_and_at_most_two(frames: np.ndarray) -> None:
    first, last = lbp_histograms(frames)[[0, -1]]
    distance = chi_square(first, last)
    assert np.array_equal(distance, chi_square(last, first))
    assert ((distance >= 0) & (distance <= 2.0001)).all()


def test_disjoint_histograms_are_two_apart() -> None:
    assert chi_square(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 2


def test_a_still_recording_has_no_difference(known: SimpleNamespace) -> None:
    histograms = lbp_histograms(np.repeat(known.picture()[None], 12, axis=0))
    assert (feature_difference(histograms, 3) == 0).all()


def test_what_is_brief_stands_out_at_its_apex(known: SimpleNamespace) -> None:
    strength = np.zeros(60)
    strength[25:36] = np.hanning(11)
    still = known.picture()
    frames = np.stack([known.picture(known.bump(61, -1.5 * s, -2 * s)) if s else still for s in strength])
    difference = feature_difference(lbp_histograms(frames), 8)
    contrasted = contrast(difference, 8)
    assert abs(int(contrasted.argmax()) - 30) <= 2
    above = np.flatnonzero(contrasted >= peak_threshold(contrasted, 0.5))
    assert above.min() >= 25
    assert above.max() <= 35
    assert (difference[:8] == 0).all()
    assert (difference[-8:] == 0).all()


def test_short_recordings_have_no_frame_that_could_be_compared(known: SimpleNamespace) -> None:
    histograms = lbp_histograms(np.repeat(known.picture()[None], 6, axis=0))
    assert feature_difference(histograms, 3).tolist() == [0] * 6
    assert contrast(np.ones(6, np.float32), 3).tolist() == [0] * 6


def test_threshold_lies_between_mean_and_maximum() -> None:
    contrasted = np.array([0, 0, 4, 0], np.float32)
    assert [peak_threshold(contrasted, tau) for tau in (0, 0.5, 1)] == [1, 2.5, 4]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(PictureUnusable):
        lbp_histograms(np.zeros((40, 40), np.float32))  # type: ignore[arg-type]
    with pytest.raises(PictureUnusable):
        lbp_histograms(np.zeros((7, 40), np.uint8))
    with pytest.raises(BadInput):
        feature_difference(np.zeros((9, 36, 59), np.float32), 0)
    with pytest.raises(BadInput):
        peak_threshold(np.zeros(3, np.float32), 1.5)
