"""Optical strain: none where the head moves as a whole, the textbook's where skin is stretched."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from expression.errors import PictureUnusable
from expression.motion import strain_magnitude


def flow_of(known: SimpleNamespace, matrix: list[list[float]], shift_px: tuple[float, float] = (0, 0)) -> np.ndarray:
    """u = matrix @ (x, y) + shift."""
    return (known.grid_px(64) @ np.array(matrix).T + shift_px).astype(np.float32)


def test_a_shift_strains_nothing(known: SimpleNamespace) -> None:
    assert (strain_magnitude(flow_of(known, [[0, 0], [0, 0]], (3.5, -2.25))) == 0).all()


def test_a_small_turn_strains_nothing(known: SimpleNamespace) -> None:
    assert strain_magnitude(flow_of(known, [[0, -0.01], [0.01, 0]]))[1:-1, 1:-1].max() < 1e-6


@pytest.mark.parametrize(
    ("matrix", "magnitude"),
    [
        ([[0.02, 0], [0, 0]], 0.02),
        ([[0, 0], [0, -0.03]], 0.03),
        ([[0, 0.04], [0, 0]], 0.04 / np.sqrt(2)),
        ([[0.01, 0], [0, 0.01]], 0.01 * np.sqrt(2)),
    ],
)
def test_stretching_and_shearing(known: SimpleNamespace, matrix: list[list[float]], magnitude: float) -> None:
    strain = strain_magnitude(flow_of(known, matrix, (1, 1)))
    assert strain.shape == (64, 64)
    assert strain[1:-1, 1:-1] == pytest.approx(magnitude, rel=1e-3)


def test_strain_is_where_the_skin_moves_unevenly(known: SimpleNamespace) -> None:
    field = known.bump(61, 0, -0.5)
    strain = strain_magnitude(field(known.grid_px()).astype(np.float32))
    row, column = np.unravel_index(strain.argmax(), strain.shape)
    mouth_row, mouth_column = np.unravel_index(np.abs(field(known.grid_px())[..., 1]).argmax(), strain.shape)
    # The steepest place of a Gaussian lies one standard deviation off its middle.
    assert 5 < np.hypot(row - mouth_row, column - mouth_column) < 9
    assert strain.max() > 0.03
    assert strain[100:, 90:].max() < 1e-4


def test_another_shape_is_refused() -> None:
    with pytest.raises(PictureUnusable):
        strain_magnitude(np.zeros((8, 8), np.float32))
