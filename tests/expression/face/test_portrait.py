"""Real material: a filmed face that looks down and around, smiles, and covers its mouth with a hand."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from expression.face import REGIONS, Box, Face, FaceRegion, Scheme, align, best_finder, reference_px
from expression.face.cascades import CascadeFinder
from expression.face.mediapipe_landmarks import MediaPipeFinder


@pytest.fixture(scope="module")
def mediapipe(model_path):
    with MediaPipeFinder(model_path) as finder:
        yield finder


@pytest.fixture(scope="module")
def cascades():
    with CascadeFinder() as finder:
        yield finder


@pytest.fixture(scope="module")
def faces(mediapipe, portrait):
    return [mediapipe.find(frame) for frame in portrait]


def inner(crop: np.ndarray) -> np.ndarray:
    """The middle of a crop, where nothing lies beyond the picture."""
    edge = crop.shape[0] // 5
    return cv2.GaussianBlur(crop, (0, 0), 1.5)[edge:-edge, edge:-edge].astype(np.float64)


def shift_between(one: np.ndarray, other: np.ndarray) -> float:
    window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_64F)
    (x, y), _ = cv2.phaseCorrelate(one - one.mean(), other - other.mean(), window)
    return float(np.hypot(x, y))


def test_mediapipe_finds_the_one_face_in_every_frame(faces):
    assert [len(found) for found in faces] == [1] * len(faces)


def test_cascades_find_it_in_most_frames_with_the_eyes_where_mediapipe_has_them(cascades, faces, portrait):
    off = []
    for frame, (face,) in zip(portrait, faces, strict=True):
        found = [other for other in cascades.find(frame) if not other.guessed][:1]
        off += [np.linalg.norm(other.eyes - face.eyes, axis=1).max() / face.eye_distance_px for other in found]
    assert len(off) >= 0.75 * len(portrait)
    assert np.median(off) < 0.1, "ten pixels where the eyes are a hundred apart"
    assert max(off) < 0.25


def test_landmarks_lie_on_the_features_they_are_named_for(faces, portrait):
    """Brows and lids are darker than the skin above and below them, in frames that look at us."""
    frame, (face,) = portrait[0], faces[0]
    smooth = cv2.GaussianBlur(frame, (0, 0), 2)

    def grey(region: FaceRegion) -> float:
        x, y = face.landmarks[list(REGIONS[region])].mean(0).round().astype(int)
        return float(smooth[y, x])

    skin = grey(FaceRegion.FOREHEAD)
    for region in (FaceRegion.RIGHT_INNER_BROW, FaceRegion.LEFT_INNER_BROW, FaceRegion.RIGHT_UPPER_LID):
        assert grey(region) < 0.6 * skin
    assert grey(FaceRegion.GLABELLA) > 0.6 * skin


def test_the_same_frame_gives_the_same_face(mediapipe, cascades, portrait):
    for finder, again in ((mediapipe, MediaPipeFinder), (cascades, CascadeFinder)):
        (first, *_), (second, *_) = finder.find(portrait[3]), finder.find(portrait[3])
        np.testing.assert_array_equal(first.landmarks, second.landmarks)
        with again() as other:
            np.testing.assert_array_equal(other.find(portrait[3])[0].landmarks, first.landmarks)


def test_aligned_faces_have_their_eyes_in_one_place(faces, portrait):
    eyes = np.stack([align(face, frame).to_crop(face.eyes) for frame, (face,) in zip(portrait, faces, strict=True)])
    assert np.abs(eyes - reference_px(224, Scheme.EYES)).max() < 0.06 * 224
    in_frames = np.stack([face.eyes for (face,) in faces])
    assert np.ptp(in_frames, axis=0).max() > 60, "in the frames the head moves a lot"


def changed(frame: np.ndarray, degrees: float, scale: float, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """The frame turned, scaled and shifted into one of 1024x768, and the matrix that did it."""
    matrix = cv2.getRotationMatrix2D((435.0, 180.0), -degrees, scale)
    matrix[:, 2] += (x + 512 - 435, y + 384 - 180)
    moved = cv2.warpAffine(frame, matrix, (1024, 768), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8), matrix


CHANGES = [(0, 1, 13, -7), (8, 1, 0, 0), (-14, 1.6, 60, 30), (5, 0.75, -20, 9), (20, 2.3, 0, 40)]


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_face_elsewhere_in_the_picture_gives_the_same_crop(mediapipe, portrait, change):
    """The round trip. MediaPipe itself places the landmarks of a turned picture up to a pixel and a half otherwise."""
    moved, matrix = changed(portrait[0], *change)
    one, other = align(mediapipe, portrait[0]), align(mediapipe, moved)
    assert shift_between(inner(one.apply(portrait[0])), inner(other.apply(moved))) < 1.5
    square = np.array(list(itertools.product((40, 184), repeat=2)), np.float32)
    there = one.to_source(square) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(other.to_crop(there), square, atol=2.0)


@pytest.mark.parametrize("change", CHANGES)
def test_where_the_landmarks_move_with_the_picture_the_crop_is_the_same_to_a_tenth_of_a_pixel(faces, portrait, change):
    moved, matrix = changed(portrait[0], *change)
    (face,) = faces[0]
    marks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    one, other = align(face, portrait[0]), align(Face(Box.around(marks), marks, face.scheme), moved)
    assert shift_between(inner(one.apply(portrait[0])), inner(other.apply(moved))) < 0.1


def test_a_clip_is_aligned_by_its_first_frame_alone(mediapipe, portrait):
    alignment = align(mediapipe, portrait[0])
    crops = alignment.apply_clip(portrait[:5])
    assert crops.shape == (5, 224, 224)
    np.testing.assert_array_equal(crops[0], alignment.apply(portrait[0]))
    assert shift_between(inner(crops[0]), inner(crops[4])) > 1.0, "head movement stays: nothing is aligned anew"


def test_both_finders_give_about_the_same_crop(mediapipe, cascades, portrait):
    one, other = align(mediapipe, portrait[0]), align(cascades, portrait[0])
    np.testing.assert_allclose(one.outline.mean(0), other.outline.mean(0), atol=0.1 * 224 / one.scale)
    assert other.scale == pytest.approx(one.scale, rel=0.15)


def test_two_faces_are_found_and_the_bigger_one_comes_first(mediapipe, portrait):
    smaller = cv2.resize(portrait[0], None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    both = np.full((720, 640), 40, np.uint8)
    both[:270, :480] = smaller
    both[360:] = portrait[0]
    first, second = mediapipe.find(both)
    assert first.box.y > 360 > second.box.y
    assert second.eye_distance_px == pytest.approx(0.75 * first.eye_distance_px, rel=0.1)


def test_tracking_stays_with_the_face(model_path, faces, portrait):
    with MediaPipeFinder(model_path, track=True, max_faces=1, fps=25) as tracker:
        for _ in range(4):
            (followed,) = tracker.find(portrait[0])
            assert np.abs(followed.eyes - faces[0][0].eyes).max() < 4


def test_the_best_finder_here_sees_the_portrait(model_path, portrait):
    with best_finder(download=False) as finder:
        assert align(finder, portrait[0]).residual_px < 8
