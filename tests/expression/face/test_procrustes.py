"""Procrustes analysis finds the transform that made the points, and is not misled by some that lie elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression.face import Scheme, reference_px, stable_landmarks
from expression.face.procrustes import affine, fit, scale_of, similarity

STABLE = reference_px(224)[list(stable_landmarks(Scheme.MEDIAPIPE))]


def turned(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    angle = np.radians(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([(c, -s, x), (s, c, y)])


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


similarities = st.builds(
    turned, st.floats(-180, 180), st.floats(0.1, 8), st.floats(-2000, 2000), st.floats(-2000, 2000)
)


@given(similarities)
def test_a_similarity_is_recovered_exactly(truth):
    source = moved(truth, STABLE)
    found = similarity(source, STABLE)
    np.testing.assert_allclose(moved(found, source), STABLE, atol=1e-3)
    assert scale_of(found) == pytest.approx(1 / scale_of(truth), rel=1e-4)


@given(similarities)
def test_two_eyes_determine_a_similarity(truth):
    eyes = reference_px(224, Scheme.EYES)
    source = moved(truth, eyes)
    matrix, weights = fit(source, eyes, tolerance=18)
    np.testing.assert_allclose(moved(matrix, source), eyes, atol=1e-2)
    np.testing.assert_allclose(weights, 1, atol=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_no_other_similarity_is_nearer_to_noisy_points(seed):
    rng = np.random.default_rng(seed)
    source = moved(turned(20, 1.5, 100, 50), STABLE) + rng.normal(0, 3, STABLE.shape)
    best = similarity(source, STABLE)

    def error(matrix: np.ndarray) -> float:
        return float(((moved(matrix, source) - STABLE) ** 2).sum())

    for change in (turned(0.1, 1, 0, 0), turned(0, 1.001, 0, 0), turned(0, 1, 0.1, 0), turned(0, 1, 0, -0.1)):
        other = np.column_stack([change[:, :2] @ best[:, :2], moved(change, best[:, 2][None])[0]])
        assert error(best) <= error(other)


def test_it_agrees_with_the_solution_by_singular_values():
    """Umeyama's own form, which holds in any dimension."""
    source = STABLE + np.random.default_rng(4).normal(0, 4, STABLE.shape)
    start, end = source - source.mean(0), STABLE - STABLE.mean(0)
    u, values, vt = np.linalg.svd(end.T @ start)
    sign = np.diag([1, np.sign(np.linalg.det(u @ vt))])
    linear = (u @ sign @ vt) * (values @ np.diag(sign)) / (start**2).sum()
    np.testing.assert_allclose(similarity(source, STABLE)[:, :2], linear, rtol=1e-6, atol=1e-9)


def test_a_mirrored_face_is_not_flipped_back():
    flipped = STABLE * [-1, 1]
    assert np.linalg.det(similarity(flipped, STABLE)[:, :2]) > 0


def test_an_affine_transform_is_recovered_exactly():
    truth = np.array([(1.1, 0.2, 30), (-0.1, 0.8, -12)])
    source = moved(truth, STABLE)
    np.testing.assert_allclose(moved(affine(source, STABLE), source), STABLE, atol=1e-3)


@pytest.mark.parametrize("kind", ["similarity", "affine"])
def test_points_far_off_hardly_count(kind):
    truth = turned(12, 2, 300, 200)
    source = moved(truth, STABLE)
    source[[2, 9, 20]] += (160, -120)
    matrix, weights = fit(source, STABLE, tolerance=18, kind=kind)
    good = np.setdiff1d(np.arange(len(STABLE)), [2, 9, 20])
    assert np.abs(moved(matrix, source[good]) - STABLE[good]).max() < 1.0
    assert weights[[2, 9, 20]].max() < 0.1
    assert weights[good].min() > 0.9
    plain = {"similarity": similarity, "affine": affine}[kind](source, STABLE)
    assert np.abs(moved(plain, source[good]) - STABLE[good]).max() > 5.0, "the plain fit would have been misled"


def test_the_fit_moves_smoothly_with_a_landmark_that_wanders_off():
    """No jump at any distance: a limit beyond which landmarks are dropped makes crops jitter."""
    shifts = []
    for off in np.arange(0, 80, 0.5):
        source = STABLE.copy()
        source[4, 0] += off
        shifts.append(fit(source, STABLE, tolerance=18)[0][:, 2])
    assert np.abs(np.diff(shifts, axis=0)).max() < 0.25


def test_points_without_extent_are_refused():
    with pytest.raises(ValueError, match="no scale"):
        similarity(np.full((3, 2), 5.0), STABLE[:3])


@pytest.mark.parametrize("source", [STABLE[:2], np.array([(0, 0), (1, 1), (5, 5.0)])])
def test_an_affine_transform_needs_three_points_that_are_not_on_a_line(source):
    with pytest.raises(ValueError, match="not on one line"):
        affine(source, STABLE[: len(source)])
