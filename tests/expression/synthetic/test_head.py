"""Geometry of a simulated head."""

from __future__ import annotations

import numpy as np
import pytest

from expression.errors import UnknownTarget
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, build_head
from expression.synthetic.identity import sample_identity
from expression.synthetic.material import load_material, skin_subdivision


@pytest.fixture(scope="module")
def heads():
    return [build_head(sample_identity(seed)) for seed in range(8)]


def test_refinement_keeps_what_is_constant():
    ones = np.ones(len(load_material().vertices), np.float32)
    assert np.allclose(skin_subdivision().apply(ones), 1, atol=1e-5)


def test_refinement_carries_a_displacement_as_it_carries_the_mesh(heads):
    head = heads[0]
    step = 0.4 * head.target("mouth/mouth-angles-up")
    moved = head.subdivision.apply(head.base_vertices + step)
    assert np.allclose(moved, head.skin.vertices + head.subdivision.apply(step), atol=1e-4)


def test_the_mean_head_is_symmetric():
    material = load_material()
    mirrored = material.vertices[material.mirror] * np.array([-1, 1, 1], np.float32)
    assert np.quantile(np.abs(mirrored - material.vertices), 0.99) < 0.02


def test_the_whole_head_is_in_the_picture(heads):
    for head in heads:
        face = head.canonical[:, 1] > -10
        projected = head.camera.project(head.skin.vertices[face])
        assert projected[:, 0].min() > 20
        assert projected[:, 0].max() < WIDTH_PX - 20
        assert projected[:, 1].min() > 10
        assert projected[:, 1].max() < HEIGHT_PX - 40


def test_chin_to_hair_line_is_half_to_two_thirds_of_the_picture(heads):
    for head in heads:
        chin = head.camera.project(head.skin.vertices[np.abs(head.canonical - [0, -10.2, 2.2]).sum(1).argmin()])
        hair_line = head.camera.project(head.skin.vertices[np.abs(head.canonical - [0, 6.3, 1.3]).sum(1).argmin()])
        assert 0.48 < (chin[1] - hair_line[1]) / HEIGHT_PX < 0.68


def test_the_left_eye_is_on_the_right_of_the_picture(heads):
    for head in heads:
        left, right = (head.camera.project(eye.centre) for eye in head.eyes)
        assert left[0] > WIDTH_PX / 2 > right[0]


def test_left_weights_and_their_mirror_images_are_one_whole():
    head = build_head(sample_identity(0))
    # The few vertices whose mirror image is themselves lie on the midline.
    both = head.left_weight + head.left_weight[head.material.mirror]
    assert np.quantile(np.abs(both - 1), 0.99) < 0.05


def test_lids_close_downwards(heads):
    head = heads[1]
    step = head.target("expression/eye-left-closure")
    assert step[:, 1].min() < -0.3
    assert head.base_vertices[np.abs(step[:, 1]).argmax(), 0] > 0


def test_the_lips_are_closed(heads):
    for head in heads:
        upper, lower = head.base_vertices[474], head.base_vertices[523]
        assert upper[1] - lower[1] < 0.03


def test_an_unknown_target_is_refused_by_name(heads):
    with pytest.raises(UnknownTarget, match="no-such"):
        heads[0].target("mouth/no-such")
    with pytest.raises(UnknownTarget, match="nowhere"):
        heads[0].region("nowhere")
