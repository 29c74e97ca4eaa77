"""Sampling of frames: length, order and range always, the key-frames where the method promises them."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression import BadInput, KeyFrames, SamplingMethod, sample_frames

METHODS: tuple[SamplingMethod, ...] = get_args(SamplingMethod)
ADAPTIVE: tuple[SamplingMethod, ...] = ("adaptive-halves", "adaptive-proportional")

clips = st.builds(
    lambda onset, rise, fall: KeyFrames(onset, onset + rise, onset + rise + fall),
    st.integers(0, 10_000),
    st.integers(0, 300),
    st.integers(0, 300),
)


@given(clips, st.integers(1, 70), st.sampled_from(METHODS))
def test_always_as_many_as_asked_in_order_and_inside(clip: KeyFrames, count: int, method: SamplingMethod) -> None:
    frames = sample_frames(clip, count, method)
    assert frames.shape == (count,)
    assert frames.dtype == np.int64
    assert (np.diff(frames) >= 0).all()
    assert clip.onset <= frames[0]
    assert frames[-1] <= clip.offset


@given(clips, st.integers(1, 70), st.sampled_from(ADAPTIVE))
def test_adaptive_sampling_never_misses_a_key_frame(clip: KeyFrames, count: int, method: SamplingMethod) -> None:
    frames = sample_frames(clip, count, method)
    assert clip.apex in frames
    if count >= 2:
        assert clip.onset in frames
    if count >= 3:
        assert clip.offset in frames


@given(clips, st.integers(2, 70))
def test_uniform_sampling_has_equal_steps_to_within_a_frame(clip: KeyFrames, count: int) -> None:
    frames = sample_frames(clip, count)
    assert (frames[0], frames[-1]) == (clip.onset, clip.offset)
    assert np.ptp(np.diff(frames)) <= 1


@given(clips, st.integers(4, 70))
def test_proportional_sampling_repeats_nothing_while_frames_last(clip: KeyFrames, count: int) -> None:
    frames = sample_frames(clip, count, "adaptive-proportional")
    if count <= clip.frames:
        assert len(set(frames.tolist())) == count


def test_halves_and_shares_of_sixteen() -> None:
    clip = KeyFrames(100, 130, 200)
    halves = sample_frames(clip, 16, "adaptive-halves")
    assert (halves <= 130).sum() == 8
    assert halves[7] == 130
    shares = sample_frames(clip, 16, "adaptive-proportional")
    assert np.flatnonzero(shares == 130).tolist() == [5]


def test_one_frame_is_the_middle_or_the_apex() -> None:
    clip = KeyFrames(100, 130, 200)
    assert sample_frames(clip, 1).tolist() == [150]
    assert all(sample_frames(clip, 1, method).tolist() == [130] for method in ADAPTIVE)


def test_a_clip_of_one_frame_repeats_it() -> None:
    assert all(sample_frames(KeyFrames(7, 7, 7), 4, method).tolist() == [7, 7, 7, 7] for method in METHODS)


def test_without_an_apex_the_middle_is_taken() -> None:
    assert 150 in sample_frames(KeyFrames(100, None, 200), 16, "adaptive-halves")


def test_uniform_sampling_rarely_hits_the_apex() -> None:
    # Drawn through the quantiles of length and apex position of the 1,856 public DFME clips, in 13.5 % of which uniform
    # sampling of 16 frames hits the apex.
    random = np.random.default_rng(0)
    lengths = np.interp(random.random(4000), [0, 0.05, 0.5, 0.95, 1], [19, 53, 124, 243, 271]).astype(int)
    positions = np.interp(random.random(4000), [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1], [0, 0.3, 0.43, 0.51, 0.61, 0.79, 1])
    clips = [KeyFrames(0, round(p * (n - 1)), int(n) - 1) for n, p in zip(lengths, positions, strict=True)]
    hits = np.mean([clip.apex in sample_frames(clip, 16) for clip in clips])
    assert hits == pytest.approx(0.135, abs=0.025)


def test_no_frames_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 1"):
        sample_frames(KeyFrames(0, 1, 2), 0)
