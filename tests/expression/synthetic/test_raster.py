"""The software rasteriser."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from expression.synthetic.raster import rasterise, vertex_normals

SQUARE = np.array([[2, 2, 10], [2, 12, 10], [12, 12, 10], [12, 2, 10]], np.float32)
"""Corners in the picture; counter-clockwise in space, where y points up."""
TWO = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_square_covers_its_pixels_without_gaps():
    buffers = rasterise(SQUARE, TWO, 16, 16)
    assert np.array_equal(np.argwhere(buffers.covered).min(0), [2, 2])
    assert np.array_equal(np.argwhere(buffers.covered).max(0), [12, 12])
    assert buffers.covered.sum() == 11 * 11


def test_triangles_seen_from_behind_are_left_out_unless_wanted():
    behind = TWO[:, ::-1].copy()
    assert not rasterise(SQUARE, behind, 16, 16).covered.any()
    assert rasterise(SQUARE, behind, 16, 16, two_sided=True).covered.sum() == 11 * 11


def test_the_nearer_triangle_hides_the_other():
    far = SQUARE + np.array([0, 0, 5], np.float32)
    buffers = rasterise(np.concatenate([far, SQUARE]), np.concatenate([TWO, TWO + 4]).astype(np.int32), 16, 16)
    assert set(np.unique(buffers.triangle)) == {-1, 2, 3}
    assert np.allclose(buffers.depth[buffers.covered], 10, atol=1e-4)


def test_interpolation_of_positions_gives_the_pixel_back():
    buffers = rasterise(SQUARE, TWO, 16, 16)
    there = buffers.interpolate(SQUARE[:, :2].copy())
    rows, columns = np.nonzero(buffers.covered)
    assert np.allclose(there[rows, columns], np.stack([columns, rows], axis=1), atol=1e-4)


def test_interpolation_is_correct_in_perspective():
    # An edge from 10 cm to 30 cm: the point half-way in the picture lies at 15 cm, a quarter of the way along it.
    slanted = np.array([[0, 0, 10], [0, 8, 10], [8, 8, 30], [8, 0, 30]], np.float32)
    buffers = rasterise(slanted, TWO, 9, 9)
    assert np.isclose(buffers.depth[4, 4], 15, atol=1e-3)
    assert np.isclose(buffers.interpolate(np.array([0, 0, 1, 1], np.float32))[4, 4], 0.25, atol=1e-4)


def test_samples_refine_the_same_picture():
    coarse = rasterise(SQUARE, TWO, 16, 16)
    fine = rasterise(SQUARE, TWO, 16, 16, samples=2)
    assert fine.triangle.shape == (32, 32)
    assert abs(fine.covered.sum() / 4 - 100) < 1
    assert coarse.covered[3:12, 3:12].all()
    assert fine.covered[6:24, 6:24].all()


@given(st.lists(st.tuples(*[st.floats(-30, 50)] * 2), min_size=3, max_size=3))
def test_any_triangle_has_weights_that_are_shares(corners):
    points = np.array([(x, y, 20.0) for x, y in corners], np.float32)
    buffers = rasterise(points, np.array([[0, 1, 2]], np.int32), 24, 24, two_sided=True)
    weights = buffers.weights[buffers.covered]
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(1), 1, atol=1e-5)
    assert np.isinf(buffers.depth[~buffers.covered]).all()


def test_normals_point_outwards():
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    assert np.allclose(vertex_normals(corners, TWO), [0, 0, 1])
