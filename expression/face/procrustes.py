"""Procrustes analysis: the transform that lays one set of points onto another, in the least squares sense."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from expression.face.reference import Points

Kind = Literal["similarity", "affine"]
Matrix = npt.NDArray[np.float64]
"""(2, 3): linear part, then shift."""

_REJECT_AT: Final = 3.0
"""Points further off than this many standard deviations are left out..."""
_FLOOR: Final = 0.02
"""...unless that is less than this share of the target's extent: healthy faces differ from each other by as much."""
_ROUNDS: Final = 10
_RAYLEIGH_MEDIAN: Final = math.sqrt(2 * math.log(2))
"""Median of the distances of points whose coordinates are off by a standard deviation of 1."""


def similarity(source: Points, target: Points) -> Matrix:
    """Scale, rotation and shift of least squares, without reflection (Umeyama 1991, in closed form for the plane).

    Args:
        source: (N, 2), at least two different points.
        target: (N, 2), where they are to go.

    Raises:
        ValueError: The source points all coincide.
    """
    here, there = source.mean(0, dtype=np.float64), target.mean(0, dtype=np.float64)
    # Points as complex numbers: a similarity is a multiplication, and its least squares solution a quotient.
    from_, to = (source - here) @ (1, 1j), (target - there) @ (1, 1j)
    spread = np.vdot(from_, from_).real
    if spread == 0:
        raise ValueError("points that all coincide have no scale and no direction")
    factor = np.vdot(from_, to) / spread
    linear = np.array([(factor.real, -factor.imag), (factor.imag, factor.real)])
    return np.column_stack([linear, there - linear @ here])


def affine(source: Points, target: Points) -> Matrix:
    """The affine transform of least squares.

    Args:
        source: (N, 2), at least three points that are not on one line.
        target: (N, 2), where they are to go.

    Raises:
        ValueError: The source points are too few or on a line.
    """
    here, there = source.mean(0, dtype=np.float64), target.mean(0, dtype=np.float64)
    linear, _, rank, _ = np.linalg.lstsq(source - here, target - there, rcond=None)
    if rank < 2:
        raise ValueError("an affine transform needs three landmarks that are not on one line")
    return np.column_stack([linear.T, there - linear.T @ here])


def fit(source: Points, target: Points, *, kind: Kind = "similarity") -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Robust fit: points that lie far off the rest are left out, at most half of them.

    Args:
        source: (N, 2) points.
        target: (N, 2), where they are to go.
        kind: What the transform may do.

    Returns:
        The transform, and (N,) which points it was made from.

    Raises:
        ValueError: See `similarity` and `affine`.
    """
    solve = {"similarity": similarity, "affine": affine}[kind]
    floor = _FLOOR * float(np.linalg.norm(np.ptp(target, axis=0)))
    used = np.ones(len(source), bool)
    matrix = solve(source, target)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(source @ matrix[:, :2].T + matrix[:, 2] - target, axis=1)
        sigma = float(np.median(off)) / _RAYLEIGH_MEDIAN
        keep = off <= max(_REJECT_AT * sigma, floor)
        if (keep == used).all():
            break
        used = keep
        matrix = solve(source[used], target[used])
    return matrix, used


def scale_of(matrix: Matrix) -> float:
    """By how much a transform enlarges lengths; of an affine one, the square root of its enlargement of areas."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
