"""What simulated participants look like at rest, judged by the finders that judge real recordings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from expression.synthetic.appearance import Appearance, render_neutral
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, build_head
from expression.synthetic.identity import sample_identity

SEED = 4


@pytest.fixture(scope="module")
def appearance() -> Appearance:
    return render_neutral(build_head(sample_identity(SEED)))


def vertex(appearance: Appearance, place: tuple[float, float, float]) -> np.ndarray:
    """Where the skin that lies at `place` on the mean head is in the picture."""
    head = appearance.head
    return head.camera.project(head.skin.vertices[np.abs(head.canonical - np.array(place)).sum(1).argmin()])[:2]


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(appearance):
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        again = render_neutral(build_head(sample_identity(SEED)))
    finally:
        cv2.setNumThreads(threads)
    assert again.picture().tobytes() == appearance.picture().tobytes()


def test_layers_have_the_size_of_the_frame_and_finite_values(appearance):
    layers = ("hair_back", "mouth", "skin", "clothes", "lashes_lower", "lashes_upper", "hair_front", "glasses")
    for name in layers:
        layer = getattr(appearance, name)
        for plane in (layer.grey, layer.alpha):
            assert plane.shape == (HEIGHT_PX, WIDTH_PX), name
            assert plane.dtype == np.float32, name
            assert np.isfinite(plane).all(), name
        assert layer.alpha.min() >= 0, name
        assert layer.alpha.max() <= 1 + 1e-5, name


def test_the_face_is_bright_but_not_burnt_out(appearance):
    picture = appearance.picture()
    face = appearance.buffers.covered & (appearance.skin.alpha > 0.99)
    assert np.mean(picture[face] > 250) < 0.01
    assert picture[face].std() > 15


def test_the_skin_has_detail_at_the_scale_of_a_pixel(appearance):
    x, y = vertex(appearance, (3.4, -3.0, 2.0))
    cheek = appearance.skin.grey[int(y) - 20 : int(y) + 20, int(x) - 20 : int(x) + 20]
    assert (cheek - cv2.GaussianBlur(cheek, (0, 0), 1.5)).std() > 0.3


def test_eyes_look_out_of_openings_in_the_skin(appearance):
    for eye in appearance.eyes:
        open_ = eye.opening > 0.9
        assert open_.sum() > 200
        assert appearance.skin.alpha[open_].max() < 0.2
        assert eye.ball[eye.opening[eye.box] > 0.9].std() > 20


def test_unchanged_normals_leave_the_shading_as_it_is(appearance):
    assert np.array_equal(appearance.shading_ratio(appearance.normals), np.ones((HEIGHT_PX, WIDTH_PX), np.float32))


def test_skin_that_turns_to_the_light_gets_brighter(appearance):
    lamp = appearance.light.directions[appearance.light.powers.argmax()]
    turned = appearance.normals + 0.15 * lamp
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    x, y = vertex(appearance, (3.4, -3.0, 2.0))
    ratio = appearance.shading_ratio(turned.astype(np.float32))[int(y), int(x)]
    assert 1.0 < ratio < 1.3


def test_landmarks_lie_where_the_mesh_says(appearance):
    from expression.face.mediapipe_landmarks import MediaPipeFinder
    from expression.face.models import FACE_LANDMARKER, locate

    found = locate(FACE_LANDMARKER, download=False)
    if found.path is None:
        pytest.skip(found.reason)
    finder = MediaPipeFinder(found.path)
    try:
        (face,) = finder.find(np.round(appearance.picture()).astype(np.uint8))
    finally:
        finder.close()
    head = appearance.head
    left, right = (head.camera.project(eye.centre)[:2] for eye in head.eyes)
    apart = np.linalg.norm(left - right)
    expected = {
        468: right,
        473: left,
        61: vertex(appearance, (-2.4, -6.72, 1.6)),
        291: vertex(appearance, (2.4, -6.72, 1.6)),
        1: vertex(appearance, (0.0, -3.65, 4.14)),
    }
    for eye, corners in zip(appearance.eyes, ((263, 362), (33, 133)), strict=True):
        columns = np.flatnonzero(eye.opening.max(0) > 0.5)
        at_outer, at_inner = (columns[-1], columns[0]) if corners[0] == 263 else (columns[0], columns[-1])
        for number, column in zip(corners, (at_outer, at_inner), strict=True):
            expected[number] = np.array([column, np.flatnonzero(eye.opening[:, column] > 0.5).mean()])
    for number, place in expected.items():
        assert np.linalg.norm(face.landmarks[number] - place) < 0.12 * apart, number


def test_the_cascades_find_the_face(appearance):
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    assert len(cascade.detectMultiScale(np.round(appearance.picture()).astype(np.uint8), 1.1, 4)) >= 1
