"""Moves pictures and fields by fractions of a pixel: resampling, refining, and continuing what is known in part."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Box = tuple[slice, slice]

STEP: Final = 4
"""Pixels between the nodes on which motion is computed; the skin moves smoothly, and 4 px resolve it."""


FINE: Final = 2
"""Pictures that are to move are kept this many times finer: linear interpolation between their pixels neither blurs
nor shifts. OpenCV's cubic interpolation would move smooth skin by 0.15 px where 0.1 px is asked for."""


def resample(image: Floats, x: Floats, y: Floats, replicate: bool = False) -> Floats:
    """The image at fractional places (x, y), linearly; beyond its rim it is 0, or its rim where `replicate` is set."""
    rim = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=rim), np.float32)


def resample_sharp(image: Floats, x: Floats, y: Floats) -> Floats:
    """The image at fractional places, sharper than `resample` and slower; continued beyond its rim.

    Args:
        image: (H, W).
        x: (h, w) or, the same in all rows, (1, w).
        y: (h, w) or, the same in all columns, (h, 1).
    """
    # OpenCV's cubic convolution is asked for the places at which it gives the right answer on straight slopes.
    shape = (y.shape[0], x.shape[1])
    ask_x, ask_y = (np.ascontiguousarray(np.broadcast_to(_ask(places), shape)) for places in (x, y))
    return np.asarray(cv2.remap(image, ask_x, ask_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def finer(image: Floats) -> Floats:
    """An image of `FINE` times the width and height by cubic convolution (Keys 1981, a = -1/2).

    Pixel (x, y) of the image lies at FINE * (x, y) + (FINE - 1) / 2.
    """
    result = np.empty((FINE * image.shape[0], FINE * image.shape[1]), np.float32)
    for row, along_y in enumerate(_BETWEEN):
        for column, along_x in enumerate(_BETWEEN):
            # The two kernels lie off the middle to the left and to the right.
            anchor = (2 - column, 2 - row)
            result[row::FINE, column::FINE] = cv2.sepFilter2D(
                image, cv2.CV_32F, along_x, along_y, anchor=anchor, borderType=cv2.BORDER_REPLICATE
            )
    return result


def sample_field(field: Floats, at: Floats) -> Floats:
    """A field (H, W, k), k up to 4, at fractional places (h, w, 2) of x and y, continued beyond its rim."""
    nowhere = np.empty((0, 0), np.float32)
    return np.asarray(cv2.remap(field, at, nowhere, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def enlarge(values: Floats, width: int, height: int) -> Floats:
    """Values on nodes, (h, w) or (h, w, k), interpolated to pixels."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def fill(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Continues values (H, W, k) smoothly from where they are known (push and pull over a pyramid)."""
    height, width = known.shape
    weight = known.astype(np.float32)
    if known.all() or min(height, width) <= 2:
        mean = (values * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(known[..., None], values, mean).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    less = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    mixed = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], -1)
    below = fill((mixed / np.maximum(less, 1e-6)[..., None]).astype(np.float32), less > 1e-3)
    wide = enlarge(below, width, height).reshape(height, width, -1)
    return np.where(known[..., None], values, wide).astype(np.float32)


_OPENCV_A: Final = -0.75
"""Constant of OpenCV's cubic convolution; only -1/2 reproduces straight slopes."""


def _ask(places: Floats) -> Floats:
    whole = np.floor(places)
    return np.asarray(whole + _ASKED[((places - whole) * _PARTS + 0.5).astype(np.int32)], np.float32)


def _keys(part: float, a: float = -0.5) -> npt.NDArray[np.float32]:
    t = np.array([1 + part, part, 1 - part, 2 - part])
    near = (a + 2) * t**3 - (a + 3) * t**2 + 1
    far = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    return np.where(t <= 1, near, far).astype(np.float32)


_PARTS: Final = 256
_ANSWERED: Final = [float(_keys(part, _OPENCV_A) @ np.array([-1.0, 0, 1, 2])) for part in np.linspace(0, 1, 65)]
_ASKED: Final = np.interp(np.linspace(0, 1, _PARTS + 1), _ANSWERED, np.linspace(0, 1, 65)).astype(np.float32)
_BETWEEN: Final = (_keys(0.75), _keys(0.25))
"""Weights of the four pixels around a fine pixel, for either of the two between pixels."""
