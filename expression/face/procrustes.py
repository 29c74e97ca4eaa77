"""Procrustes analysis: the transform that lays one set of points onto another, in the least squares sense."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from expression.face.reference import Points

Kind = Literal["similarity", "affine"]
Matrix = npt.NDArray[np.float64]
"""(2, 3): linear part, then shift."""
Weights = npt.NDArray[np.float64]

_ROUNDS: Final = 50
_SETTLED: Final = 1e-6


def similarity(source: Points, target: Points, weights: Weights | None = None) -> Matrix:
    """Scale, rotation and shift of least squares, without reflection (Umeyama 1991, in closed form for the plane).

    Args:
        source: (N, 2), at least two different points.
        target: (N, 2), where they are to go.
        weights: (N,) how much each point counts; None for all alike.

    Raises:
        ValueError: The source points all coincide.
    """
    weight, here, there = _centred(source, target, weights)
    # Points as complex numbers: a similarity is a multiplication, and its least squares solution a quotient.
    start, end = (source - here) @ (1, 1j), (target - there) @ (1, 1j)
    spread = np.vdot(weight * start, start).real
    if not spread > 0:
        raise ValueError("points that all coincide have no scale and no direction")
    factor = np.vdot(weight * start, end) / spread
    linear = np.array([(factor.real, -factor.imag), (factor.imag, factor.real)])
    return np.column_stack([linear, there - linear @ here])


def affine(source: Points, target: Points, weights: Weights | None = None) -> Matrix:
    """The affine transform of least squares.

    Args:
        source: (N, 2), at least three points that are not on one line.
        target: (N, 2), where they are to go.
        weights: (N,) how much each point counts; None for all alike.

    Raises:
        ValueError: The source points are too few or on a line.
    """
    weight, here, there = _centred(source, target, weights)
    root = np.sqrt(weight)[:, None]
    linear, _, rank, _ = np.linalg.lstsq(root * (source - here), root * (target - there), rcond=None)
    if rank < 2:
        raise ValueError("an affine transform needs three landmarks that are not on one line")
    return np.column_stack([linear.T, there - linear.T @ here])


def fit(source: Points, target: Points, *, tolerance: float, kind: Kind = "similarity") -> tuple[Matrix, Weights]:
    """Robust fit: the further a point lies off the rest, the less it counts.

    The weights are those of Geman and McClure (1987), iterated. They fall off smoothly: with a limit beyond which
    points are dropped, the transform jumps whenever a point crosses it (0.64 became 1.09 pixels of jitter, decision
    12).

    Args:
        source: (N, 2) points.
        target: (N, 2), where they are to go.
        tolerance: Distance from its target at which a point counts a quarter, in the target's unit.
        kind: What the transform may do.

    Returns:
        The transform, and (N,) how much each point counted, from 0 to 1.

    Raises:
        ValueError: See `similarity` and `affine`.
    """
    solve = {"similarity": similarity, "affine": affine}[kind]
    weights = np.ones(len(source))
    matrix = solve(source, target)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(source @ matrix[:, :2].T + matrix[:, 2] - target, axis=1)
        renewed = 1.0 / (1.0 + (off / tolerance) ** 2) ** 2
        settled = bool(np.abs(renewed - weights).max() < _SETTLED)
        weights = renewed
        if settled:
            break
        matrix = solve(source, target, weights)
    return matrix, weights


def scale_of(matrix: Matrix) -> float:
    """By how much a transform enlarges lengths; of an affine one, the square root of its enlargement of areas."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


def _centred(source: Points, target: Points, weights: Weights | None) -> tuple[Weights, Any, Any]:
    weight = np.ones(len(source)) if weights is None else weights
    weight = weight / weight.sum()
    return weight, weight @ source, weight @ target
