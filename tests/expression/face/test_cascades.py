"""The cascades: which two of many candidates are the eyes, and what is done when there are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression.errors import PictureUnusable
from expression.face.cascades import CascadeFinder, _Eye, choose_eyes

RIGHT, LEFT = _Eye(0.32, 0.4, 0.22, 12), _Eye(0.68, 0.41, 0.21, 15)
EYES = np.array([(RIGHT.x, RIGHT.y), (LEFT.x, LEFT.y)])


def test_a_pair_of_eyes_is_taken_as_it_is():
    eyes, guessed = choose_eyes([LEFT, RIGHT])
    np.testing.assert_allclose(eyes, EYES, atol=0.03)
    assert not guessed


@pytest.mark.parametrize(
    "rival",
    [
        _Eye(0.33, 0.24, 0.2, 30),  # a brow
        _Eye(0.36, 0.55, 0.2, 30),  # the cheek, a low rim of glasses
        _Eye(0.45, 0.52, 0.2, 30),  # a nostril
        _Eye(0.3, 0.4, 0.6, 30),  # half of the face
        _Eye(0.62, 0.75, 0.3, 40),  # a corner of the mouth
    ],
)
def test_what_only_looks_like_an_eye_is_passed_over(rival):
    eyes, guessed = choose_eyes([rival, RIGHT, LEFT])
    np.testing.assert_allclose(eyes, EYES, atol=0.03)
    assert not guessed


def test_with_one_eye_the_other_is_guessed_beside_it():
    eyes, guessed = choose_eyes([LEFT])
    assert guessed
    np.testing.assert_allclose(eyes[1], EYES[1])
    np.testing.assert_allclose(eyes[0], EYES[0], atol=0.03)


def test_without_eyes_the_usual_place_is_guessed():
    eyes, guessed = choose_eyes([])
    assert guessed
    np.testing.assert_allclose(eyes, EYES, atol=0.03)


candidates = st.lists(
    st.builds(_Eye, st.floats(0, 1), st.floats(0, 0.65), st.floats(0.05, 0.6), st.integers(1, 60)), max_size=8
)


@given(candidates)
def test_whatever_is_found_the_eyes_look_like_eyes(found):
    (right, left), _ = choose_eyes(found)
    assert 0.25 <= np.hypot(*(left - right)) <= 0.53
    assert abs(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0]))) <= 22.1


@given(candidates, st.randoms())
def test_the_order_of_the_candidates_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    one, other = choose_eyes(found), choose_eyes(shuffled)
    assert one[1] == other[1]


@pytest.mark.parametrize("shape", [(480, 640), (30, 900), (3, 3), (1200, 20)])
def test_a_picture_of_nothing_has_no_face(shape):
    with CascadeFinder() as finder:
        assert finder.find(np.full(shape, 120, np.uint8)) == ()


def test_colour_pictures_are_refused():
    with CascadeFinder() as finder, pytest.raises(PictureUnusable, match=r"uint8 \(10, 10, 3\)"):
        finder.find(np.zeros((10, 10, 3), np.uint8))
