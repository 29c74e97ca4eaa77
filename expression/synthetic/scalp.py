"""Where scalp hair grows on the mean head, how it is combed, and how strands follow the skull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.synthetic.head import Head
from expression.synthetic.identity import Identity
from expression.synthetic.texture import smooth

Floats = npt.NDArray[np.float32]

CENTRE: Final = np.array([0.0, 3.0, -7.5], np.float32)
"""Middle of the skull, in coordinates of the mean head."""
_CELLS: Final = 26


def scalp_weight(identity: Identity, points: Floats) -> Floats:
    """Where scalp hair grows: 1 inside the hair line, 0 outside, on the mean head's (..., 3) surface."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    hair = identity.hair
    azimuth = np.degrees(np.arctan2(np.abs(x), z - CENTRE[2]))
    back = 1.7 * hair.recession
    burn = -1.6 if identity.male > 0.5 else -0.2
    line = np.interp(
        azimuth,
        [0, 14, 28, 40, 50, 58, 64, 69, 75, 81, 100, 112, 135, 180],
        [
            6.2 + 0.3 * back,
            6.3 + 0.5 * back,
            6.25 + back,
            5.4 + 1.3 * back,
            3.9 + 0.8 * back,
            2.4,
            1.1,
            burn,
            burn - 0.4,
        ]
        + [0.75, 0.3, -4.5, -7.5, -8.0],
    ).astype(np.float32)
    line = line + hair.line_cm * smooth(60, 40, azimuth.astype(np.float32))
    phase = identity.seed * 1.7
    line = line + 0.12 * np.sin(x * 2.3 + phase) + 0.08 * np.sin(x * 5.1 + 2 * phase)
    return smooth(-0.28, 0.35, (y - line).astype(np.float32)) * smooth(-9.5, -7.5, y)


@dataclass(frozen=True)
class Skull:
    """The mean skull as a distance by direction, and its displacement to one participant's head."""

    radius: Floats
    shift: Floats

    @classmethod
    def of(cls, head: Head, with_ears: bool) -> Skull:
        """Measured from the skin's vertices."""
        ears = head.subdivision.apply(head.region("ears")) > 0.4
        inside = head.subdivision.apply(head.region("mouth_inside")) > 0.1
        use = ~inside if with_ears else ~ears & ~inside
        use &= head.canonical[:, 1] > -11
        arm = head.canonical[use] - CENTRE
        length = np.linalg.norm(arm, axis=1)
        values = np.concatenate([length[:, None], head.skin.vertices[use] - head.canonical[use]], axis=1)
        cell = np.clip(np.round((arm / length[:, None] + 1) / 2 * (_CELLS - 1)), 0, _CELLS - 1).astype(np.int64)
        key = (cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2]
        grid = np.zeros((_CELLS, _CELLS, _CELLS, 5))
        for column in range(4):
            grid[..., column] = np.bincount(key, values[:, column], minlength=_CELLS**3).reshape(grid.shape[:3])
        grid[..., 4] = np.bincount(key, minlength=_CELLS**3).reshape(grid.shape[:3])
        smoothed = grid
        for _ in range(2):
            smoothed = _spread(smoothed)
        wide = smoothed
        for _ in range(6):
            wide = _spread(wide)
        thin = smoothed[..., 4:] < 1e-3
        chosen = np.where(thin, wide, smoothed)
        mean = chosen[..., :4] / np.maximum(chosen[..., 4:], 1e-9)
        return cls(mean[..., :1].astype(np.float32), mean[..., 1:].astype(np.float32))

    def distance(self, direction: Floats) -> Floats:
        """(N,) distance of the skull's surface from its middle in (N, 3) unit directions."""
        return _look_up(self.radius, direction)[:, 0]

    def to_head(self, points: Floats) -> Floats:
        """Carries (N, 3) points about the mean head to the participant's head."""
        arm = points - CENTRE
        length = np.linalg.norm(arm, axis=1, keepdims=True)
        return (points + _look_up(self.shift, arm / np.maximum(length, 1e-6))).astype(np.float32)


def _spread(grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    for axis in range(3):
        padded = np.pad(grid, [(1, 1) if k == axis else (0, 0) for k in range(4)])
        low = padded.take(np.arange(_CELLS), axis)
        high = padded.take(np.arange(2, _CELLS + 2), axis)
        grid = 0.25 * low + 0.5 * grid + 0.25 * high
    return grid


def _look_up(grid: Floats, direction: Floats) -> Floats:
    place = np.clip((direction + 1) / 2 * (_CELLS - 1), 0, _CELLS - 1.001)
    low = place.astype(np.int64)
    part = (place - low).astype(np.float32)
    flat = grid.reshape(-1, grid.shape[-1])
    total = np.zeros((len(direction), grid.shape[-1]), np.float32)
    for corner in range(8):
        step = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.where(step, part, 1 - part).prod(1)
        cell = low + step
        total += weight[:, None] * flat[(cell[:, 0] * _CELLS + cell[:, 1]) * _CELLS + cell[:, 2]]
    return total


@dataclass(frozen=True)
class Comb:
    """How a style grows its strands. Lengths in cm."""

    strands: int
    length: Floats
    """(N,)"""
    lift: Floats
    """(N,) greatest height of a strand above the scalp."""
    flow: Floats
    """(N, 3) direction at the root in which a strand is combed."""
    fall: Floats
    """(N,) 0 keeps its direction, 1 turns down to the ground along its way."""
    lowest: Floats
    """(N,) y at which a strand is cut."""
    hang_below: float
    """y below which strands leave the skull and hang."""
    wave: float
    """Amplitude of waves or curls."""
    turns_per_cm: float
    clump: float
    """How much strands gather to their clump, 0 to 1."""


def roots_of(head: Head, count: int, draw: np.random.Generator) -> Floats:
    """(count, 3) roots of hair on the mean head: even over the area inside the hair line."""
    triangles = head.skin.triangles
    corners = head.canonical[triangles]
    middle = corners.mean(1)
    weight = scalp_weight(head.identity, middle) * (middle[:, 1] > -9)
    ears = head.subdivision.apply(head.region("ears"))
    weight = weight * (ears[triangles].max(1) < 0.3)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    area = area * weight * np.where(middle[:, 2] > -13, 1.0, 0.35)
    total = np.cumsum(area.astype(np.float64))
    chosen = np.searchsorted(total, draw.random(count) * total[-1])
    a, b = np.sqrt(draw.random(count)), draw.random(count)
    weights = np.stack([1 - a, a * (1 - b), a * b], axis=1)
    return np.einsum("nk,nkd->nd", weights, corners[chosen]).astype(np.float32)


def comb(identity: Identity, roots: Floats, draw: np.random.Generator) -> Comb:
    """The growth of each root's strand for the participant's style."""
    hair = identity.hair
    n = len(roots)
    x, y, z = roots.T
    side = np.tanh((x + 0.8 * draw.normal(0, 1, n)) / 1.6).astype(np.float32)
    top = smooth(3.2, 7.0, y)
    front = smooth(-5.0, 0.5, z)
    part_x = 2.4 * hair.parting
    from_part = np.tanh((x - part_x + 0.25 * draw.normal(0, 1, n)) / 0.5)
    ones = np.ones(n, np.float32)
    down = np.stack([0.12 * side, -ones, -0.12 * ones], axis=1)
    size = hair.length_cm
    jitter = draw.uniform(0.8, 1.15, n)
    lowest = -60 * ones
    style = hair.style
    if style == "buzz":
        flow = np.stack([0.3 * side * (1 - top), -0.6 * (1 - top), 0.8 * ones], axis=1)
        length, lift, fall = 0.5 * size * (0.6 + 0.5 * top), 0.42 * size * (0.6 + 0.5 * top), 0 * ones
        wave, turns, clump, hang = 0.05 * hair.curl, 2.0, 0.1, -99.0
    elif style == "short":
        flow = np.stack(
            [0.55 * side * (1 - 0.6 * front) + 0.25 * np.sign(part_x), 0.6 * top - 0.8 * (1 - top), -0.8 * top], 1
        )
        length, lift = size * (1.1 + 3.3 * top), size * (0.35 + 1.35 * top)
        fall, wave, turns, clump, hang = 0.35 * ones, 0.10 + 0.3 * hair.curl, 0.35, 0.55, -99.0
    elif style == "side part":
        across = np.stack([from_part, 0.15 * ones, 0.25 * front - 0.5], axis=1)
        flow = top[:, None] * across + (1 - top[:, None]) * (down + [0, 0, -0.5])
        length, lift = (
            size * (1.5 + 5.5 * top),
            size * (0.35 + 1.25 * top * (1 - 0.5 * np.exp(-np.square((x - part_x) / 1.0)))),
        )
        fall, wave, turns, clump, hang = 0.4 * ones, 0.08 + 0.25 * hair.curl, 0.25, 0.5, -99.0
    elif style == "fringe" and identity.male > 0.5:
        flow = np.stack([0.25 * side + 0.3 * np.sign(part_x), -0.1 * ones, 1.0 * ones], 1) * top[:, None] + down * (
            1 - top[:, None]
        )
        length, lift = size * (2.0 + 6.5 * top), size * (0.45 + 0.9 * top)
        lowest = (3.3 + 0.5 * draw.normal(0, 1, n) + 0.10 * np.abs(x)) * front - 1.2 * (1 - front)
        fall, wave, turns, clump, hang = 0.5 * ones, 0.06 + 0.2 * hair.curl, 0.2, 0.6, -99.0
    elif style == "fringe":
        forward = np.stack([0.12 * x, -0.1 * ones, ones], axis=1)
        is_fringe = (y > 5.2) & (z > -7.0) & (np.abs(x) < 4.6)
        flow = np.where(is_fringe[:, None], forward, np.stack([1.3 * side, -0.5 * ones, -0.25 * ones], 1))
        length, lift = np.where(is_fringe, 12.0, 44.0) * size, 0.75 + 0.35 * top
        lowest = np.where(is_fringe, 2.4 + 0.4 * draw.normal(0, 1, n) + 0.03 * x * x, -60.0)
        fall, wave, turns, clump, hang = ones * 0.6, 0.10 + 0.3 * hair.curl, 0.12, 0.55, 1.5
    elif style in ("long", "long parted", "bob"):
        middle = part_x * (0.25 if style == "long parted" else 1.0)
        out = np.tanh((x - middle + 0.18 * draw.normal(0, 1, n)) / 0.25)
        flow = np.stack([1.5 * out, -0.1 * ones, -0.35 - 0.55 * front], axis=1)
        length, lift = (44.0 if style != "bob" else 26.0) * size * ones, 0.6 + 0.25 * top + 0.35 * draw.random(n)
        if style == "bob":
            lowest = -8.2 * size + 0.35 * draw.normal(0, 1, n)
        elif hair.parting * size > 0.3:
            lowest = -14.0 * size + 0.6 * draw.normal(0, 1, n)
        lift = lift * (1 + 0.9 * hair.curl)
        fall, wave, turns, clump, hang = 0.75 * ones, 0.12 + 0.55 * hair.curl, 0.10 + 0.10 * hair.curl, 0.6, 0.8
    elif style == "tied":
        tail = np.array([0, 4.0, -20.0])
        flow = tail - roots
        length, lift = 15.0 * ones, 0.35 + 0.25 * top
        fall, wave, turns, clump, hang = 0 * ones, 0.05 + 0.15 * hair.curl, 0.2, 0.35, -99.0
    else:
        tight = identity.ancestry["african"] > 0.5
        flow = np.stack([0.5 * side, -0.25 * ones, 0.35 * front], axis=1) + draw.normal(0, 0.6, (n, 3))
        reach = (1.2 + 2.6 * (1 - identity.male) * hair.length_cm + 0.8 * hair.length_cm) if tight else 2.0 * size
        shape = 0.45 + 0.55 * smooth(0.0, 6.0, y)
        length, lift = reach * shape * (1.0 if tight else 3.2), reach * shape
        fall = (0.0 if tight else 0.6) * ones
        wave, turns, clump, hang = (0.22, 1.6, 0.45, -99.0) if tight else (0.42, 0.45, 0.7, -99.0)
    return Comb(
        strands=n,
        length=(length * jitter).astype(np.float32),
        lift=(lift * draw.uniform(0.45, 1.0, n)).astype(np.float32),
        flow=flow.astype(np.float32),
        fall=fall.astype(np.float32),
        lowest=np.asarray(lowest, np.float32),
        hang_below=hang,
        wave=wave,
        turns_per_cm=turns,
        clump=clump,
    )
