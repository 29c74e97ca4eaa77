"""Moves pictures and fields by fractions of a pixel: resampling, translation, and the inversion of motion fields."""

from __future__ import annotations

from dataclasses import dataclass
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

    OpenCV's cubic convolution is asked for the places at which it gives the right answer on straight slopes.
    """
    return np.asarray(cv2.remap(image, _ask(x), _ask(y), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def finer(image: Floats) -> Floats:
    """An image of `FINE` times the width and height by cubic convolution (Keys 1981, a = -1/2).

    Pixel (x, y) of the image lies at FINE * (x, y) + (FINE - 1) / 2.
    """
    padded = np.pad(image, 2, mode="edge")
    spread = np.zeros((FINE * padded.shape[0], FINE * padded.shape[1]), np.float32)
    spread[::FINE, ::FINE] = padded
    result = cv2.sepFilter2D(spread, cv2.CV_32F, _BETWEEN, _BETWEEN, anchor=(4, 4), borderType=cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(result[2 * FINE : -2 * FINE, 2 * FINE : -2 * FINE], np.float32)


def sample_field(field: Floats, at: Floats) -> Floats:
    """A field (H, W, k), k up to 4, at fractional places (h, w, 2) of x and y, continued beyond its rim."""
    nowhere = np.empty((0, 0), np.float32)
    return np.asarray(cv2.remap(field, at, nowhere, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def enlarge(values: Floats, width: int, height: int) -> Floats:
    """Values on nodes, (h, w) or (h, w, k), interpolated to pixels."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def translate(image: Floats, box: Box, dx: float, dy: float) -> Floats:
    """A box of an image moved by (dx, dy) px, by cubic convolution (Keys 1981, a = -1/2)."""
    whole_x, whole_y = int(np.floor(-dx)), int(np.floor(-dy))
    rows, columns = (
        np.clip(np.arange(part.start + whole - 1, part.stop + whole + 2), 0, size - 1)
        for part, whole, size in zip(box, (whole_y, whole_x), image.shape, strict=True)
    )
    around = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if around.shape != (len(rows), len(columns)):
        around = image[np.ix_(rows, columns)]
    kernels = [_keys(part - np.floor(part)) for part in (-dx, -dy)]
    moved = cv2.sepFilter2D(around, cv2.CV_32F, kernels[0], kernels[1], anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(moved[1:-2, 1:-2], np.float32)


def invert(motions: list[Floats], nodes: Floats, box: Box, start: Floats) -> list[Floats]:
    """Where the content of each node comes from: solves x + motion(x) = node by Newton's method.

    Args:
        motions: Fields (ROWS, COLUMNS, 2) of px forward, each to be inverted.
        nodes: (ROWS, COLUMNS, 2) px.
        box: The nodes to solve for.
        start: (h, w, 2) px, a first guess.

    Returns:
        (h, w, 2) px for each field.
    """
    margin = 6
    wide = tuple(slice(max(part.start - margin, 0), part.stop + margin) for part in box)
    around = [motion[wide[0], wide[1]] for motion in motions]
    origin = nodes[wide[0].start, wide[1].start]
    rows = box[0].stop - box[0].start
    # The fields are stacked above each other and solved in one go: small arrays cost more in calls than in sums.
    cures = [_inverse_slope(part[::2, ::2], 2 * STEP) for part in around]
    stack = _Stack(
        np.concatenate(around),
        np.concatenate(cures),
        _offsets(origin / STEP, around[0].shape[0], len(motions), rows),
        _offsets(origin / (2 * STEP), cures[0].shape[0], len(motions), rows),
        np.concatenate([nodes[box]] * len(motions)),
    )
    guess = np.concatenate([start] * len(motions))
    largest = max(float(np.abs(motion[box] + start - nodes[box]).max()) for motion in motions)
    if largest < 3:
        found = _newton(stack, guess, 2)
    elif rows % 2:
        found = _newton(stack, guess, 4 if largest < 8 else 6)
    else:
        # The bulk of the way on every second node, the last step on all.
        thin = stack.thinned()
        first = _newton(thin, guess[::2, ::2], 3 if largest < 8 else 5)
        shift = enlarge(first - thin.target, 2 * first.shape[1], 2 * first.shape[0])
        found = _newton(stack, stack.target + shift[:, : stack.target.shape[1]], 1 if largest < 8 else 2)
    return np.split(found, len(motions))


@dataclass(frozen=True)
class _Stack:
    """Fields to be inverted, above each other."""

    motion: Floats
    cure: Floats
    """The inverse of 1 + slope, on every second node."""
    motion_offset: Floats
    """(rows, 1, 2) from px / STEP to places in `motion`, for every row of `target`."""
    cure_offset: Floats
    target: Floats

    def thinned(self) -> _Stack:
        """Every second row and column to solve for."""
        return _Stack(self.motion, self.cure, self.motion_offset[::2], self.cure_offset[::2], self.target[::2, ::2])


def _offsets(origin: Floats, height: int, count: int, rows: int) -> Floats:
    offset = np.zeros((count * rows, 1, 2), np.float32)
    offset[..., 1] = (np.arange(count) * height).repeat(rows)[:, None]
    return np.asarray(offset - origin, np.float32)


def invert_rigid(motion: Floats, nodes: Floats, box: Box) -> Floats:
    """As `invert`, for the nearly constant motion of the whole head."""
    # It is smooth enough to be solved on every second node.
    thin = (slice(box[0].start, box[0].stop, 2), slice(box[1].start, box[1].stop, 2))
    target = nodes[thin]
    x = target - motion[thin]
    for _ in range(2):
        x = target - sample_field(motion, (x - nodes[0, 0]) * np.float32(1 / STEP))
    whole = nodes[box]
    return np.asarray(whole + _double(x - target, whole.shape[0], whole.shape[1]), np.float32)


def _double(coarse: Floats, rows: int, columns: int) -> Floats:
    """Values on every second node, beginning with the first, interpolated to all of them."""
    y, x = np.arange(rows, dtype=np.float32) / 2, np.arange(columns, dtype=np.float32) / 2
    at = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)
    return sample_field(coarse, np.ascontiguousarray(at))


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


def _newton(stack: _Stack, guess: Floats, steps: int) -> Floats:
    x = guess.astype(np.float32, copy=True)
    way = np.empty(0, np.float32)
    for step in range(steps):
        miss = sample_field(stack.motion, x * np.float32(1 / STEP) + stack.motion_offset)
        miss += x
        miss -= stack.target
        if step % 2 == 0 or steps > 3:
            # In small motion the slope hardly changes from one step to the next.
            way = sample_field(stack.cure, x * np.float32(0.5 / STEP) + stack.cure_offset)
        x[..., 0] -= way[..., 0] * miss[..., 0] + way[..., 1] * miss[..., 1]
        x[..., 1] -= way[..., 2] * miss[..., 0] + way[..., 3] * miss[..., 1]
    return x


def _inverse_slope(motion: Floats, step: int) -> Floats:
    """(H, W, 4) the inverse of 1 + the slope of a motion, bounded where skin folds over itself."""
    slope = np.zeros((*motion.shape[:2], 4), np.float32)
    slope[:, 1:-1, :2] = (motion[:, 2:] - motion[:, :-2]) * np.float32(0.5 / step)
    slope[1:-1, :, 2:] = (motion[2:] - motion[:-2]) * np.float32(0.5 / step)
    a, b, c, d = 1 + slope[..., 0], slope[..., 2], slope[..., 1], 1 + slope[..., 3]
    scale = 1 / np.maximum(a * d - b * c, np.float32(0.25))
    return np.stack([d * scale, -b * scale, -c * scale, a * scale], axis=-1)


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
_BETWEEN: Final = np.stack([_keys(0.25)[::-1], _keys(0.75)[::-1]], axis=1).ravel()
"""Weights of the eight places around a fine pixel, of which every second holds a pixel."""
