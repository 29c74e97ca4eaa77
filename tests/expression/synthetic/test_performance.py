"""A performance is one movement at every frame rate, follows from its seed, and tells the truth about itself."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from expression.emotions import Emotion
from expression.errors import BadInput
from expression.synthetic.performance import Performance
from expression.synthetic.state import FaceTrack

CHANNELS = [entry.name for entry in fields(FaceTrack)]


def kinds(performance: Performance, fps: float) -> list[str]:
    return [event.kind for event in performance.events(fps)]


@pytest.fixture(scope="module")
def minute() -> Performance:
    return Performance.long([1, 2, 3], minutes=1)


@pytest.mark.parametrize("fps", [200, 300, 500])
def test_tracks_have_a_value_for_every_frame_within_bounds(minute, fps):
    track = minute.track(fps)
    assert len(track) == 60 * fps
    for name in CHANNELS:
        values = getattr(track, name)
        assert values.dtype == np.float32
        assert len(values) == len(track)
        assert np.isfinite(values).all()
    for name in ("left", "right", "blink", "swallow", "breath"):
        assert getattr(track, name).min() >= 0, name
        assert getattr(track, name).max() <= 1, name
    assert np.abs(track.head_px).max() < 40
    assert np.abs(track.head_deg).max() < 8
    assert np.abs(track.head_scale - 1).max() < 0.04
    assert np.abs(track.light - 1).max() < 0.03


def test_at_the_same_moment_every_rate_shows_the_same(minute):
    tracks = {fps: minute.track(fps) for fps in (200, 300, 500)}
    for name in CHANNELS:
        # Every hundredth of a second is a frame at each of the three rates.
        common = [getattr(track, name)[:: fps // 100] for fps, track in tracks.items()]
        np.testing.assert_allclose(common[0], common[1], atol=1e-5, err_msg=name)
        np.testing.assert_allclose(common[0], common[2], atol=1e-5, err_msg=name)


def test_at_every_rate_the_same_happens_at_the_same_time(minute):
    slow, fast = minute.events(200), minute.events(500)
    for kind in ("micro", "macro", "blink", "swallow", "head", "posture", "gaze"):
        at_slow = [event.key_frames.onset / 200 for event in slow if event.kind == kind]
        at_fast = [event.key_frames.onset / 500 for event in fast if event.kind == kind]
        np.testing.assert_allclose(at_slow, at_fast, atol=1 / 200)


def test_nothing_moves_faster_than_faces_do(minute):
    track = minute.track(500)
    assert np.abs(np.diff(track.head_px, axis=0)).max() * 500 < 60
    assert np.abs(np.diff(track.head_deg, axis=0)).max() * 500 < 30
    assert np.abs(np.diff(track.gaze_deg, axis=0)).max() * 500 < 700
    assert np.abs(np.diff(track.left, axis=0)).max() * 500 < 60


def test_a_minute_holds_what_real_recordings_hold(minute):
    found = kinds(minute, 200)
    assert 4 <= found.count("blink") <= 45
    assert 15 <= found.count("gaze") <= 90
    assert found.count("micro") >= 1
    longer = kinds(Performance.long([5], minutes=10), 200)
    assert {"micro", "macro", "blink", "gaze", "swallow", "head", "posture"} == set(longer)


def test_blinks_close_the_lids_for_100_to_400_ms_faster_than_they_open():
    performance = Performance.long([6], minutes=5)
    track = performance.track(500)
    for event in performance.events(500):
        if event.kind == "blink":
            frames = event.key_frames
            if frames.onset == 0:
                continue
            assert 0.098 <= frames.frames / 500 <= 0.402
            assert frames.peak - frames.onset < frames.offset - frames.peak
            assert track.blink[frames.peak].min() > 0.5


@pytest.mark.parametrize("fps", [200, 300, 500])
def test_expressions_stand_where_the_truth_says_and_nowhere_else(minute, fps):
    track = minute.track(fps)
    change = track.left.sum(axis=1) + track.right.sum(axis=1)
    rest = np.ones(len(track), bool)
    for event in minute.events(fps):
        if event.kind in ("micro", "macro"):
            frames = event.key_frames
            assert frames.onset + int(np.argmax(change[frames.onset : frames.offset + 1])) == frames.apex
            assert frames.is_micro(fps) == (event.kind == "micro")
            rest[frames.onset : frames.offset + 1] = False
    assert (change[rest] == 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_clip_holds_one_micro_expression_between_two_rests(seed):
    performance = Performance.clip([seed], rate_fps=200)
    track = performance.track(200)
    (event,) = [event for event in performance.events(200) if event.kind == "micro"]
    frames = event.key_frames
    assert frames.is_micro(200)
    assert 0.1 <= frames.onset / 200 <= 0.32
    assert 0.1 <= (len(track) - 1 - frames.offset) / 200 <= 0.32


def test_an_emotion_can_be_asked_for():
    for emotion in Emotion:
        (placed,) = Performance.clip([1], emotion=emotion).expressions
        assert placed.expression.emotion is emotion


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_meets_its_beginning(seed):
    performance = Performance.loop([seed], seconds=8)
    track = performance.track(200)
    assert len(track) == 1600
    assert kinds(performance, 200).count("micro") == 3
    for name in CHANNELS:
        values = getattr(track, name)
        largest_step = np.abs(np.diff(values, axis=0)).max()
        assert np.abs(values[0] - values[-1]).max() <= largest_step + 1e-6, name


def test_the_same_seed_gives_the_same_performance_and_another_seed_another():
    first, again, other = (Performance.long(seed, minutes=0.2) for seed in ([7, 1], [7, 1], [7, 2]))
    for name in CHANNELS:
        np.testing.assert_array_equal(getattr(first.track(200), name), getattr(again.track(200), name))
    assert first.events(200) == again.events(200)
    assert first.events(200) != other.events(200)


def test_what_has_no_room_is_refused():
    with pytest.raises(BadInput, match="minutes"):
        Performance.long([1], minutes=0.01)
    with pytest.raises(BadInput, match="no room"):
        Performance.loop([1], seconds=3)
