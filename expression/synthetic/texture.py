"""Deterministic noise and marks that skin, irises and cloth are painted with."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

TEXELS_PER_CM: Final = 50
SIDE: Final = 2048


def band(noise: Floats, fine: float, coarse: float) -> Floats:
    """Band-passed noise of unit spread: differences of Gaussians, periodic."""
    result = _blur(noise, fine) - _blur(noise, coarse)
    return np.asarray(result / result.std(), np.float32)


def _blur(picture: Floats, sigma: float) -> Floats:
    if sigma <= 0:
        return picture
    pad = int(4 * sigma) + 1
    wide = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_WRAP)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), sigma)[pad:-pad, pad:-pad], np.float32)


def _enlarge(picture: Floats) -> Floats:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=1)
def detail() -> dict[str, Floats]:
    """Periodic (2048, 2048) float32 textures, 50 texels a centimetre, shared by all participants.

    "pores" are pits below 0, "creases" a fine net of furrows, "speckle" fine tone, "mottle" and "blotch" coarser tone;
    all have unit spread.
    """
    draw = np.random.default_rng(7)
    white = draw.standard_normal((SIDE, SIDE), np.float32)
    other = draw.standard_normal((SIDE, SIDE), np.float32)
    dots = (draw.random((SIDE, SIDE), np.float32) > 1 - 1 / 22).astype(np.float32)
    depth = dots * draw.random((SIDE, SIDE), np.float32)
    pits = -_blur(depth, 1.15)
    cells = band(other, 2.2, 4.4)
    creases = -np.exp(-np.square(cells / 0.35))
    small = white[: SIDE // 4, : SIDE // 4].copy()
    mottle = _enlarge(band(small, 2.5, 8.0))
    blotch = _enlarge(band(other[: SIDE // 8, : SIDE // 8].copy(), 4, 14))

    def unit(picture: Floats) -> Floats:
        return np.asarray((picture - picture.mean()) / picture.std(), np.float32)

    return {
        "pores": unit(pits),
        "creases": unit(_blur(creases, 0.7)),
        "speckle": band(white, 0.8, 2.4),
        "mottle": unit(mottle),
        "blotch": unit(blotch),
    }


def look_up(texture: Floats, u: Floats, v: Floats) -> Floats:
    """Values of a periodic texture at (u, v) in centimetres; any (H, W) shape."""
    scale = np.float32(TEXELS_PER_CM)
    height, width = texture.shape
    x = np.mod(u * scale, width).astype(np.float32)
    y = np.mod(v * scale, height).astype(np.float32)
    return np.asarray(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


def smooth(low: float, high: float, value: Floats | float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blob(x: Floats, y: Floats, centre: tuple[float, float], radius: tuple[float, float]) -> Floats:
    """A Gaussian spot, 1 in its middle."""
    spot = np.exp(-np.square((x - centre[0]) / radius[0]) - np.square((y - centre[1]) / radius[1]))
    return np.asarray(spot, np.float32)


def masked_blur(picture: Floats, mask: Floats, sigma: float) -> Floats:
    """Gaussian blur of a picture inside a mask; outside, the nearest of it."""
    weight = cv2.GaussianBlur(mask, (0, 0), sigma)
    total = cv2.GaussianBlur(picture * mask, (0, 0), sigma)
    return np.asarray(total / np.maximum(weight, 1e-4), np.float32)
