"""Faces that cannot be read, faces at other rates, and a real one: what the readout says of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from expression.face import Face, Scheme
from expression.face.cascades import CascadeFinder
from expression.face.detect import Closing, HeadPose
from realtime.analysis import Analyser
from realtime.replay import replay
from realtime.sources import Block, VideoSource
from realtime.tracking import FaceState

PORTRAIT = Path(__file__).parents[3] / "shared" / "data" / "portrait_pexels.mp4"
SLOW_FPS = 50.0


@pytest.fixture(scope="module")
def face(still_face, warped):
    """A rendered face, the part of the picture around it."""
    return warped.WarpedFace(np.ascontiguousarray(still_face[30:370, 110:410]))


def brows(warped, t: float, start: float) -> dict[str, tuple[float, float]]:
    share = warped.bump(t, start, 0.15, 0.2)
    return {"right_brow": (0, -1.2 * share), "left_brow": (0, -1.2 * share)} if share else {}


def watched(analyser: Analyser, frames, rate_fps: float):
    """What was found, and the states that the readout went through."""
    found, states = [], []
    for number, frame in enumerate(frames):
        found += analyser.push(number, number / rate_fps, frame)
        if not states or states[-1] is not analyser.face:
            states.append(analyser.face)
    return [one for one in found if one.spot.rejected is None], states


def film(face, warped, seconds: float, start: float, rate_fps: float = SLOW_FPS):
    return face.film(seconds, lambda t: brows(warped, t, start), rate_fps=rate_fps)


def test_the_same_performance_gives_the_same_spot_at_every_rate(face, warped):
    moments = []
    for rate_fps in (200.0, 300.0, 500.0):
        with CascadeFinder() as finder:
            found, _ = watched(Analyser(rate_fps, finder), film(face, warped, 1.9, 1.2, rate_fps), rate_fps)
        (one,) = found
        assert one.kind == "micro"
        numbers = one.key_frames.onset, one.key_frames.peak, one.key_frames.offset
        moments.append([number / rate_fps for number in numbers])
    assert np.ptp(moments, axis=0).max() <= 0.01
    assert np.mean(moments, axis=0) == pytest.approx([1.2, 1.35, 1.55], abs=0.02)


def test_a_movement_is_read_where_one_face_is_there_at_a_slow_rate_too(face, warped):
    with CascadeFinder() as finder:
        found, states = watched(Analyser(SLOW_FPS, finder), film(face, warped, 3.0, 1.8), SLOW_FPS)
    assert len(found) == 1
    assert states[-1] is FaceState.FOUND


def test_a_face_that_goes_away_is_said_and_what_it_did_before_is_no_candidate(face, warped):
    frames = film(face, warped, 3.2, 1.8)
    frames[round(1.95 * SLOW_FPS) :] = 128
    with CascadeFinder() as finder:
        found, states = watched(Analyser(SLOW_FPS, finder), frames, SLOW_FPS)
    assert states == [FaceState.FOUND, FaceState.LOST]
    assert found == []


def test_a_second_face_is_said_and_no_candidate_is_made_until_it_has_gone(face, warped):
    alone = film(face, warped, 6.2, 2.4)
    again = face.film(1.0, lambda t: brows(warped, t, 0.4), rate_fps=SLOW_FPS)
    alone[round(5.0 * SLOW_FPS) : round(6.0 * SLOW_FPS)] = again
    other = np.full_like(alone, 128)
    there = slice(round(0.9 * SLOW_FPS), round(3.2 * SLOW_FPS))
    other[there] = alone[0]
    both = np.concatenate([alone, other], axis=2)
    with CascadeFinder() as finder:
        found, states = watched(Analyser(SLOW_FPS, finder), both, SLOW_FPS)
    assert [state.value for state in states] == [
        FaceState.FOUND,
        FaceState.SECOND,
        FaceState.FOUND,
    ]
    (one,) = found
    assert one.key_frames.peak / SLOW_FPS == pytest.approx(5.55, abs=0.03)


class PoseFinder(Closing):
    """Eyes by the cascades, and the pose that somebody else has measured: a finder that can be plugged in."""

    scheme = Scheme.EYES
    reason = "test"

    def __init__(self, yaws_deg):
        self._cascades = CascadeFinder()
        self._yaws = iter(yaws_deg)

    def find(self, image):
        pose = HeadPose(next(self._yaws), 0.0, 0.0)
        return tuple(Face(one.box, one.landmarks, one.scheme, pose=pose) for one in self._cascades.find(image))


def test_a_face_that_turns_away_is_said_and_no_candidate_is_made(face, warped):
    finder = PoseFinder([0.0, 0.0, 40.0, 41.0, 40.0, 39.0, 40.0, 40.0])
    found, states = watched(Analyser(SLOW_FPS, finder), film(face, warped, 3.2, 2.3), SLOW_FPS)
    assert states == [FaceState.FOUND, FaceState.TURNED]
    assert states[-1].value == "turned away"
    assert found == []


class Still:
    """One picture, again and again, with the noise of a sensor."""

    note = ""
    rate_fps = 200.0

    def __init__(self, picture: np.ndarray, seconds: float, noise: float) -> None:
        self.count = round(seconds * self.rate_fps)
        self._picture = picture.astype(np.float32)
        self._noise = np.random.default_rng(3).normal(0, noise, (16, *picture.shape)).astype(np.float32)

    def blocks(self):
        random = np.random.default_rng(4)
        for first in range(0, self.count, 50):
            grain = self._noise[random.integers(0, len(self._noise), 50)]
            # Rolled, so that no two frames are the same.
            grain = np.stack([np.roll(one, random.integers(0, 200), axis=1) for one in grain])
            frames = np.clip(np.rint(self._picture + grain), 0, 255).astype(np.uint8)
            yield Block(first, (first + np.arange(50)) / self.rate_fps, frames)


@pytest.mark.skipif(not PORTRAIT.exists(), reason=f"the portrait is not there: {PORTRAIT}")
@pytest.mark.parametrize("number", [0, 262])
def test_a_still_real_face_raises_no_alarm(number):
    reader = cv2.VideoCapture(str(PORTRAIT))
    reader.set(cv2.CAP_PROP_POS_FRAMES, number)
    _, picture = reader.read()
    grey = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[:, 240:620])
    with CascadeFinder() as finder:
        summary = replay(Still(grey, 5.0, 2.0), finder, None)
    assert summary.faceless < 0.3 * summary.frames
    assert summary.expressions == ()


@pytest.mark.skipif(not PORTRAIT.exists(), reason=f"the portrait is not there: {PORTRAIT}")
def test_a_film_of_a_real_face_is_replayed_to_its_end():
    source = VideoSource(PORTRAIT, None)
    with CascadeFinder() as finder:
        summary = replay(source, finder, None)
    assert summary.frames == source.count
    for one in summary.expressions:
        assert 0 <= one.onset <= one.apex <= one.offset < summary.frames
