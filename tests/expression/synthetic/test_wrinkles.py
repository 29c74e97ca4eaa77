"""Wrinkles: where they are, that they follow the side, and that they are subtle."""

from __future__ import annotations

import numpy as np
import pytest

from expression.action_units import ActionUnit, Side
from expression.synthetic.state import UNITS
from expression.synthetic.wrinkles import FURROWS, relief, shadings


def test_a_furrow_is_deep_on_its_line_and_gone_a_centimetre_beside_it():
    inside = np.float32([[0.5, 74.4, 14.5]])
    beside = np.float32([[1.9, 74.4, 14.5]])
    assert relief(inside, ActionUnit.BROW_LOWERER, Side.LEFT)[0] < -0.03
    assert abs(relief(beside, ActionUnit.BROW_LOWERER, Side.LEFT)[0]) < 0.005


@pytest.mark.parametrize("unit", FURROWS)
def test_each_half_has_its_own_wrinkles(unit):
    x, y = np.meshgrid(np.linspace(-6, 6, 121), np.linspace(61, 79, 181))
    face = np.stack([x, y, np.full_like(x, 13)], axis=-1).astype(np.float32)
    left, right = relief(face, unit, Side.LEFT), relief(face, unit, Side.RIGHT)
    assert np.abs(left).max() > 0.005
    assert left[x < -0.6] == pytest.approx(0, abs=1e-6)
    assert right == pytest.approx(left[:, ::-1], abs=1e-6)
    assert relief(face, unit, Side.BOTH) == pytest.approx(left + right, abs=1e-6)


@pytest.fixture(scope="module")
def changes(painted):
    return shadings(painted.appearance)


def test_every_unit_that_moves_skin_changes_its_shading_on_both_sides(changes):
    moving = [n for n, unit in enumerate(UNITS) if unit not in (ActionUnit.HEAD_FORWARD, ActionUnit.HEAD_BACK)]
    assert set(changes) == {(number, side) for number in moving for side in (Side.LEFT, Side.RIGHT)}


def test_shading_is_subtle_on_average_and_bounded_everywhere(changes):
    for shading in changes.values():
        assert np.abs(shading.change).mean() < 0.08
        assert np.abs(shading.change).max() <= 0.6


def test_shading_fades_out_before_the_rim_of_its_box(changes):
    for shading in changes.values():
        rim = np.concatenate([shading.change[0], shading.change[-1], shading.change[:, 0], shading.change[:, -1]])
        assert np.abs(rim).max() < 0.03
