"""Texture change over time: uniform local binary patterns per block, and the feature difference that spots expressions.

The method is that of A. Moilanen et al.: Spotting rapid facial movements from videos using appearance-based feature
difference analysis, ICPR 2014, in the form of X. Li et al.: Towards reading hidden emotions, IEEE TAFFC 2018.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from expression.errors import BadInput, PictureUnusable

GRID: Final = 6
"""Blocks a side: 36 in all."""
STRONGEST_BLOCKS: Final = 12
"""How many blocks of the greatest change a frame is judged by."""
NEIGHBOURS: Final = 8
BINS: Final = NEIGHBOURS * (NEIGHBOURS - 1) + 3
"""58 uniform patterns (at most two changes around the circle), and one bin for all others."""


def _uniform_bins() -> npt.NDArray[np.intp]:
    codes = np.arange(2**NEIGHBOURS)
    changes = codes ^ ((codes >> 1) | ((codes & 1) << (NEIGHBOURS - 1)))
    uniform = np.array([int(change).bit_count() <= 2 for change in changes])
    return np.where(uniform, np.cumsum(uniform) - 1, BINS - 1)


_BIN_OF_CODE: Final = _uniform_bins()


def lbp_histograms(frames: npt.NDArray[np.uint8], *, grid: int = GRID, radius_px: int = 1) -> npt.NDArray[np.float32]:
    """Histograms of uniform local binary patterns, block by block.

    A pattern has one bit for each of eight neighbours on a circle (at whole pixels): at least as bright as the middle?

    Args:
        frames: (..., height, width) uint8 aligned crops; a border of `radius_px` has no patterns.
        grid: Blocks a side.
        radius_px: Radius of the circle.

    Returns:
        (..., grid * grid, 59) float32; each histogram sums to 1. Blocks are in reading order.

    Raises:
        PictureUnusable: Not uint8, or too small for the grid.
    """
    inner_height, inner_width = (side - 2 * radius_px for side in frames.shape[-2:])
    if frames.dtype != np.uint8 or frames.ndim < 2 or min(inner_height, inner_width) < grid:
        raise PictureUnusable(f"binary patterns need uint8 frames of at least {grid + 2 * radius_px} pixels a side, not"
                              f" {frames.dtype} of {frames.shape}")  # fmt: skip
    pictures = frames.reshape(-1, *frames.shape[-2:])
    rows = np.arange(inner_height) * grid // inner_height
    columns = np.arange(inner_width) * grid // inner_width
    block_bins = BINS * (rows[:, None] * grid + columns)
    counts = np.stack(
        [
            np.bincount((_BIN_OF_CODE[_codes(picture, radius_px)] + block_bins).ravel(), minlength=BINS * grid**2)
            for picture in pictures
        ]
    ).reshape(*frames.shape[:-2], grid**2, BINS)
    histograms = counts.astype(np.float32)
    histograms /= histograms.sum(axis=-1, keepdims=True)
    return histograms


def _codes(picture: npt.NDArray[np.uint8], radius_px: int) -> npt.NDArray[np.uint8]:
    height, width = picture.shape
    middle = picture[radius_px : height - radius_px, radius_px : width - radius_px]
    codes = np.zeros_like(middle)
    for bit in range(NEIGHBOURS):
        angle = 2 * np.pi * bit / NEIGHBOURS
        down, right = radius_px + round(radius_px * np.sin(angle)), radius_px + round(radius_px * np.cos(angle))
        neighbour = picture[down : down + middle.shape[0], right : right + middle.shape[1]]
        codes |= (neighbour >= middle).view(np.uint8) << np.uint8(bit)
    return codes


def chi_square(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Distance sum((a - b)^2 / (a + b)) of histograms along the last axis; 0 for equal ones, 2 for disjoint ones."""
    total = first + second
    share = np.divide((first - second) ** 2, total, out=np.zeros_like(total), where=total > 0)
    distance: npt.NDArray[np.float32] = share.sum(axis=-1, dtype=np.float32)
    return distance


def feature_difference(
    histograms: npt.NDArray[np.float32], half_window: int, *, strongest: int = STRONGEST_BLOCKS
) -> npt.NDArray[np.float32]:
    """How much each frame's texture stands out from the frames around it.

    Per block the chi-square distance of frame i to the mean of frames i - k and i + k, and of these the mean of the
    `strongest` largest (Moilanen et al., section II).

    Args:
        histograms: (T, blocks, bins), as `lbp_histograms` gives them.
        half_window: k in frames; half of the longest expression that is looked for.
        strongest: How many blocks count.

    Returns:
        (T,) float32; 0 for the first and last k frames, which have no frame on one side.

    Raises:
        BadInput: k is less than 1.
    """
    k = _checked(half_window)
    difference = np.zeros(len(histograms), np.float32)
    if len(histograms) > 2 * k:
        around = (histograms[: -2 * k] + histograms[2 * k :]) / 2
        blocks = np.sort(chi_square(histograms[k:-k], around), axis=-1)
        difference[k:-k] = blocks[:, -strongest:].mean(axis=-1)
    return difference


def contrast(difference: npt.NDArray[np.float32], half_window: int) -> npt.NDArray[np.float32]:
    """The difference against its own level k frames before and after, with 0 for negative values.

    Args:
        difference: (T,), as `feature_difference` gives it.
        half_window: k in frames.

    Returns:
        (T,) float32; 0 for the first and last k frames.

    Raises:
        BadInput: k is less than 1.
    """
    k = _checked(half_window)
    contrasted = np.zeros_like(difference)
    if len(difference) > 2 * k:
        level = (difference[: -2 * k] + difference[2 * k :]) / 2
        contrasted[k:-k] = np.maximum(difference[k:-k] - level, 0)
    return contrasted


def peak_threshold(contrasted: npt.NDArray[np.float32], tau: float) -> float:
    """Height from which a peak counts: mean + tau * (maximum - mean), with tau from 0 to 1.

    Raises:
        BadInput: tau is outside 0 to 1, or there is no frame.
    """
    if not 0 <= tau <= 1 or not len(contrasted):
        raise BadInput(
            f"a threshold needs tau from 0 to 1 and at least one frame, not tau {tau} and {len(contrasted)} frames"
        )
    mean = float(contrasted.mean())
    return mean + tau * (float(contrasted.max()) - mean)


def _checked(half_window: int) -> int:
    if half_window < 1:
        raise BadInput(f"frames are compared with those k before and after; k is {half_window} and must be at least 1")
    return half_window
