"""What finders have in common: faces that cannot be changed, and the participant first."""

from __future__ import annotations

import numpy as np
import pytest

from expression.face import Box, Face, Scheme
from expression.face.detect import ranked


def face(x: float, y: float, side: float) -> Face:
    eyes = np.array([(x + 0.3 * side, y + 0.4 * side), (x + 0.7 * side, y + 0.4 * side)], np.float32)
    return Face(Box(x, y, side, side), eyes, Scheme.EYES)


def test_the_biggest_face_comes_first():
    small, big = face(300, 200, 50), face(250, 150, 150)
    assert ranked([small, big], (480, 640)) == (big, small)


def test_of_two_equal_faces_the_one_in_the_middle_comes_first():
    aside, centred = face(0, 0, 120), face(260, 180, 120)
    assert ranked([aside, centred], (480, 640)) == (centred, aside)


def test_a_much_bigger_face_at_the_side_still_comes_first():
    aside, centred = face(0, 0, 200), face(290, 210, 60)
    assert ranked([centred, aside], (480, 640)) == (aside, centred)


def test_landmarks_are_a_read_only_copy():
    marks = np.zeros((2, 2), np.float64)
    found = Face(Box(0, 0, 1, 1), marks, Scheme.EYES)
    marks[0] = 7
    assert found.landmarks.dtype == np.float32
    assert not found.landmarks.any()
    with pytest.raises(ValueError, match="read-only"):
        found.landmarks[0] = 1


def test_landmarks_have_to_fit_their_scheme():
    with pytest.raises(ValueError, match="dlib68 has 68 landmarks"):
        Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), Scheme.DLIB)


def test_eyes_are_known_in_every_scheme():
    assert face(100, 100, 100).eye_distance_px == pytest.approx(40)
