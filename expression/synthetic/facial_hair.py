"""Brows, stubble and beards: single hairs drawn where the skin is seen, so that they move with it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.identity import Identity
from expression.synthetic.skin import Masks

Floats = npt.NDArray[np.float32]
Canvas = npt.NDArray[np.uint8]


def paint_hairs(identity: Identity, canonical: Floats, masks: Masks, px_per_cm: float) -> Floats:
    """Coverage of the skin by brow and beard hairs.

    Args:
        identity: Whose.
        canonical: (H, W, 3) position on the mean head in each sample, cm.
        masks: Where brows and beard grow.
        px_per_cm: Samples per centimetre.

    Returns:
        (H, W) float32, 0 to 1.
    """
    draw = np.random.default_rng([identity.seed, 61])
    canvas = np.zeros(masks.brows.shape, np.uint8)
    hair = identity.hair
    _brows(canvas, draw, canonical, masks.brows, px_per_cm, hair.brow_density, hair.brow_height)
    coverage: Floats = (canvas / 255).astype(np.float32)
    if hair.beard != "none":
        beard = np.zeros_like(canvas)
        _beard(beard, draw, identity, canonical, masks, px_per_cm)
        coverage = np.maximum(coverage, (beard / 255).astype(np.float32))
    return coverage


def _pick(draw: np.random.Generator, weight: Floats, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns of `count` samples, as likely as their weight."""
    total = np.cumsum(weight.astype(np.float64).ravel())
    if total[-1] < 1:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing
    chosen = np.searchsorted(total, draw.random(count) * total[-1])
    return chosen // weight.shape[1], chosen % weight.shape[1]


def _strokes(
    canvas: Canvas, start: Floats, direction: Floats, bend: Floats, length_px: Floats, grey: npt.NDArray[np.int64]
) -> None:
    """Curved strokes: (N, 2) start and unit direction in the picture, (N, 2) direction at the tip."""
    t = np.linspace(0, 1, 4)[None, :, None]
    path = start[:, None] + length_px[:, None, None] * (
        direction[:, None] * (t - t * t / 2) + bend[:, None] * t * t / 2
    )
    points = np.round(path * 16).astype(np.int32)
    layer = np.zeros_like(canvas)
    for number in range(len(points)):
        cv2.polylines(layer, [points[number]], False, int(grey[number]), 1, cv2.LINE_AA, 4)
    np.maximum(canvas, layer, out=canvas)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


def _brows(
    canvas: Canvas,
    draw: np.random.Generator,
    canonical: Floats,
    mask: Floats,
    scale: float,
    density: float,
    height: float,
) -> None:
    count = int(1300 * density * (0.7 + 0.3 * height))
    row, column = _pick(draw, np.power(mask, 1.3), count)
    if not len(row):
        return
    x, y = canonical[row, column, 0], canonical[row, column, 1]
    side = np.sign(x)
    along = np.clip((np.abs(x) - 0.9) / 4.2, 0, 1)
    lower = y < 1.25 + 0.42 * np.sin(along * 2.7)
    # Inner hairs stand up, middle ones lie outwards, upper ones point down to meet the lower ones.
    up = np.interp(along, [0, 0.15, 0.4, 0.7, 1], [1.5, 0.8, 0.25, -0.12, -0.4]) + np.where(lower, 0.35, -0.25)
    spread = draw.normal(0, 0.22, len(x))
    direction = _unit(np.stack([side * (0.35 + along * 1.6), -(up + spread)], axis=1))
    tip = _unit(np.stack([side, -np.interp(along, [0, 0.4, 1], [0.5, 0.0, -0.5])], axis=1))
    length = scale * draw.uniform(0.24, 0.5, len(x)) * np.interp(along, [0, 0.3, 1], [0.8, 1.0, 0.7])
    grey = (255 * draw.uniform(0.35, 0.95, len(x)) * np.clip(0.45 + 0.55 * mask[row, column], 0, 1)).astype(np.int64)
    start = np.stack([column, row], axis=1).astype(np.float32) - 0.35 * length[:, None] * direction
    _strokes(canvas, start.astype(np.float32), direction, tip, length.astype(np.float32), grey)


def _beard(
    canvas: Canvas, draw: np.random.Generator, identity: Identity, canonical: Floats, masks: Masks, scale: float
) -> None:
    hair = identity.hair
    ax, y = np.abs(canonical[..., 0]), canonical[..., 1]
    chin = np.exp(-(np.square(ax / 2.6) ** 2)) * (y < -6)
    where = {
        "stubble": np.maximum(masks.beard, masks.moustache),
        "moustache": np.maximum(masks.moustache, 0.10 * masks.beard),
        "goatee": np.maximum(np.maximum(masks.beard * chin, masks.moustache), 0.10 * masks.beard),
        "full": np.maximum(masks.beard, masks.moustache),
    }[hair.beard].astype(np.float32)
    short = hair.beard == "stubble"
    area_cm2 = float(where.sum()) / scale**2
    count = int(area_cm2 * (75 if short else 150) * (0.55 + 0.45 * hair.beard_density))
    row, column = _pick(draw, where, count)
    if not len(row):
        return
    x = canonical[row, column, 0]
    height = canonical[row, column, 1]
    on_lip = height > -6.1
    outwards = np.where(on_lip, 0.9 * np.sign(x) * np.clip(np.abs(x) / 0.6, 0, 1), 0.25 * x / 3)
    direction = _unit(np.stack([outwards + draw.normal(0, 0.28, len(x)), 1 + draw.normal(0, 0.15, len(x))], axis=1))
    tip = _unit(np.stack([0.6 * outwards + draw.normal(0, 0.3, len(x)), np.ones(len(x))], axis=1))
    longest = 0.14 if short else 0.5 + 0.25 * (hair.beard == "full")
    length = scale * longest * draw.uniform(0.45, 1.0, len(x)) * np.where(on_lip, 0.8, 1.0)
    strength = (0.30 if short else 0.62) * (0.6 + 0.4 * hair.beard_density)
    grey = 255 * strength * draw.uniform(0.5, 1.3, len(x)) * np.clip(where[row, column] * 1.3, 0, 1)
    start = np.stack([column, row], axis=1).astype(np.float32)
    _strokes(canvas, start, direction, tip, length.astype(np.float32), np.clip(grey, 0, 255).astype(np.int64))
