"""Shading and wrinkles of action units: how grey changes when the skin bulges and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.action_units import ActionUnit, Side
from expression.synthetic import actions
from expression.synthetic.action_fields import Lips
from expression.synthetic.action_fields.face_points import EYE, EYE_HALF, smooth
from expression.synthetic.appearance import Appearance
from expression.synthetic.resample import Box, fill
from expression.synthetic.state import UNITS

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Furrow:
    """A fold along a line on the base mesh's face; the same on both halves."""

    line: tuple[tuple[float, float], ...]
    """Points: distance from the midline and height, cm."""
    depth_cm: float
    """Depth at full intensity; negative for a ridge."""
    width_cm: float
    """Standard deviation across."""


def _ladder(out: Sequence[float], heights: Sequence[float], depth: float, width: float, sag: float) -> list[Furrow]:
    """Furrows one above the other, across the forehead: each follows the brow, `sag` lower at its outer end."""
    inner, outer = out
    middle = (inner + outer) / 2
    return [
        Furrow(((inner, y + 0.0), (middle, y + 0.1 - sag / 4), (outer, y - sag)), depth * (0.8 + 0.2 * (n % 2)), width)
        for n, y in enumerate(heights)
    ]


FURROWS: Final[dict[ActionUnit, list[Furrow]]] = {
    ActionUnit.INNER_BROW_RAISER: _ladder((0.0, 1.9), (75.6, 76.25, 76.95), 0.04, 0.11, 0.25),
    ActionUnit.OUTER_BROW_RAISER: _ladder((2.4, 5.0), (75.7, 76.35, 77.0), 0.035, 0.11, 0.35),
    ActionUnit.BROW_LOWERER: [
        Furrow(((0.42, 73.7), (0.5, 74.4), (0.58, 75.0)), 0.055, 0.11),
        Furrow(((1.0, 74.35), (1.1, 74.9)), 0.02, 0.1),
        Furrow(((0.0, 73.2), (0.45, 73.25)), 0.02, 0.1),
    ],
    ActionUnit.CHEEK_RAISER: [
        Furrow(((4.9, 73.2), (5.8, 73.7)), 0.022, 0.08),
        Furrow(((4.95, 72.8), (5.95, 72.85)), 0.026, 0.08),
        Furrow(((4.85, 72.4), (5.8, 71.95)), 0.022, 0.08),
        Furrow(((1.9, 71.9), (3.0, 71.55), (4.3, 71.85)), 0.035, 0.12),
    ],
    ActionUnit.LID_TIGHTENER: [Furrow(((2.1, 72.1), (3.1, 71.85), (4.2, 72.1)), 0.03, 0.11)],
    ActionUnit.NOSE_WRINKLER: [
        Furrow(((0.2, 72.7), (0.95, 72.25)), 0.03, 0.1),
        Furrow(((0.25, 72.2), (1.05, 71.7)), 0.03, 0.1),
        Furrow(((0.3, 71.7), (1.1, 71.15)), 0.024, 0.1),
        Furrow(((0.0, 73.15), (0.6, 73.1)), 0.03, 0.1),
        Furrow(((1.75, 69.9), (2.2, 69.2)), 0.04, 0.16),
    ],
    ActionUnit.UPPER_LIP_RAISER: [Furrow(((1.75, 69.7), (2.2, 69.0), (2.65, 68.1), (2.95, 67.2)), 0.06, 0.22)],
    ActionUnit.LIP_CORNER_PULLER: [
        Furrow(((1.9, 69.3), (2.5, 68.5), (3.05, 67.5), (3.35, 66.5)), 0.055, 0.22),
        Furrow(((2.2, 71.3), (3.2, 71.15), (4.3, 71.5)), 0.03, 0.14),
    ],
    ActionUnit.DIMPLER: [
        Furrow(((2.85, 66.6), (3.0, 66.05), (2.9, 65.5)), 0.07, 0.15),
        Furrow(((2.3, 66.1), (2.75, 66.05)), 0.05, 0.1),
    ],
    ActionUnit.LIP_CORNER_DEPRESSOR: [Furrow(((2.55, 65.9), (2.8, 65.3), (2.75, 64.7)), 0.05, 0.18)],
    ActionUnit.LOWER_LIP_DEPRESSOR: [Furrow(((0.0, 64.55), (1.2, 64.7)), 0.03, 0.14)],
    ActionUnit.CHIN_RAISER: [
        Furrow(((0.0, 64.75), (0.9, 64.8), (1.5, 64.55)), 0.045, 0.18),
        *[
            Furrow(((x, y), (x + 0.12, y + 0.07)), depth, 0.14)
            for x, y, depth in (
                (0.12, 63.95, 0.035),
                (0.55, 63.55, 0.03),
                (0.42, 64.25, 0.02),
                (0.9, 63.95, 0.03),
                (0.18, 63.2, 0.025),
                (0.85, 63.2, 0.018),
                (1.15, 64.3, 0.02),
            )
        ],
    ],
    ActionUnit.LIP_PUCKER: [Furrow(((x, 66.45), (x * 1.05, 67.05)), 0.012, 0.07) for x in (0.3, 0.65, 1.0)],
    ActionUnit.LIP_STRETCHER: [Furrow(((3.1, 66.9), (3.3, 66.0), (3.1, 65.0)), 0.04, 0.13)],
    ActionUnit.LIP_TIGHTENER: [
        Furrow(((0.0, 66.75), (0.8, 66.8), (1.8, 66.45)), 0.016, 0.1),
        Furrow(((0.0, 65.25), (0.9, 65.35), (1.8, 65.75)), 0.016, 0.1),
    ],
    ActionUnit.LIP_PRESSER: [
        Furrow(((0.0, 67.25), (1.0, 67.2), (2.0, 66.7)), -0.035, 0.18),
        Furrow(((0.0, 64.95), (1.0, 65.05), (1.9, 65.4)), -0.045, 0.2),
        Furrow(((2.4, 66.3), (2.6, 65.9)), 0.05, 0.1),
    ],
    ActionUnit.LIP_SUCK: [Furrow(((0.0, 64.8), (1.0, 64.9), (1.8, 65.3)), 0.05, 0.15)],
    ActionUnit.JAW_CLENCHER: [Furrow(((4.9, 67.3), (4.75, 65.9), (4.5, 64.6)), 0.05, 0.3)],
    ActionUnit.NOSTRIL_DILATOR: [Furrow(((1.75, 69.6), (1.95, 69.0)), 0.03, 0.1)],
    ActionUnit.NOSTRIL_COMPRESSOR: [Furrow(((1.2, 69.6), (1.3, 69.1)), 0.03, 0.12)],
}


@dataclass(frozen=True)
class Shading:
    """Change of grey by one half of one unit."""

    box: Box
    """Where in the picture it is not negligible."""
    change: Floats
    """(h, w): the grey of the skin is multiplied by 1 + intensity * change."""


def relief(points: Floats, unit: ActionUnit, side: Side) -> Floats:
    """Height of wrinkles over the skin at full intensity.

    Args:
        points: (..., 3) positions on the base mesh, cm.
        unit: Any unit.
        side: Which half.

    Returns:
        (...) float32, cm, along the normal; negative in a furrow.
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    height = np.zeros(x.shape, np.float32)
    signs = {Side.LEFT: (1,), Side.RIGHT: (-1,), Side.BOTH: (1, -1)}[side]
    for furrow in FURROWS.get(unit, []):
        for sign in signs:
            distance, inside = _distance(sign * x, y, furrow.line)
            square = np.square(distance / furrow.width_cm)
            # A furrow between the small bulges that it pushes up on either side.
            profile = (1 - 0.45 * square) * np.exp(-0.5 * square)
            height -= (furrow.depth_cm * inside * profile).astype(np.float32)
    u = (np.abs(x) - EYE[0]) / EYE_HALF[0]
    v = (y - EYE[1]) / EYE_HALF[1]
    return (height * smooth((z - 4) / 3) * smooth((np.sqrt(u * u + v * v) - 1.05) / 0.4)).astype(np.float32)


def shadings(appearance: Appearance) -> dict[tuple[int, Side], Shading]:
    """The change of grey by every unit and half at full intensity, by number in `UNITS` and side."""
    head, buffers = appearance.head, appearance.buffers
    known = buffers.covered
    base = fill(buffers.interpolate(head.subdivision.apply(head.material.vertices)), known)
    world = fill(buffers.interpolate(head.skin.vertices), known)
    fit = actions.fit_to(head)
    found = {}
    smooth_base = base
    above = actions.belongs_to(base)[..., None]
    strength = 0.6 + 0.8 * appearance.head.identity.skin.lines
    for number, unit in enumerate(UNITS):
        if unit not in actions.FIELDS:
            continue
        for side in (Side.LEFT, Side.RIGHT):
            box = _reach(smooth_base, known, unit, side)
            if box is None:
                continue
            found[number, side] = _shade(
                appearance, box, base[box], world[box], above[box], unit, side, fit, np.float32(strength)
            )
    return found


def _shade(
    appearance: Appearance,
    box: Box,
    base: Floats,
    world: Floats,
    above: npt.NDArray[np.bool_],
    unit: ActionUnit,
    side: Side,
    fit: actions.Fit,
    strength: np.float32,
) -> Shading:
    shape = base.shape
    flat = base.reshape(-1, 3)
    parts = [actions.displacement(flat, unit, side, lips) for lips in Lips]
    moved = fit.carry(np.where(above.reshape(-1, 1), parts[0], parts[1])).reshape(shape)
    height = strength * relief(base, unit, side)
    normal = appearance.normals[box]
    before = _normals(world)
    after = _normals(world + moved + height[..., None] * normal)
    bent = normal + (after - before)
    bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
    ratio = appearance.light.grey_ratio(normal, bent, appearance.occlusion[box], appearance.shadow[box])
    # Light is lost in the depth of a furrow, whichever way it lies to the lamps.
    ratio = ratio * (1 + np.clip(1.3 * height, -0.12, 0.05))
    change = np.clip(ratio - 1, -0.5, 0.6) * appearance.skin.alpha[box] * _fade(shape[:2])
    change = cv2.GaussianBlur(change.astype(np.float32), (0, 0), 0.8)
    return Shading(box, np.asarray(change, np.float32))


def _fade(shape: tuple[int, int]) -> Floats:
    rows, columns = (
        np.clip(np.minimum(np.arange(n) + 1, np.arange(n, 0, -1)) / 8, 0, 1).astype(np.float32) for n in shape
    )
    return rows[:, None] * columns[None, :]


def _normals(surface: Floats) -> Floats:
    across = cv2.Sobel(surface, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(surface, cv2.CV_32F, 0, 1, ksize=3)
    normal = np.cross(down, across)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    # Where the surface breaks off (the outline, the lips' line) there is no normal to speak of.
    steep = (_largest(np.asarray(across)) > 2.4) | (_largest(np.asarray(down)) > 2.4)
    normal = normal / np.maximum(length, 1e-9)
    normal[steep] = (0, 0, 1)
    return np.asarray(normal, np.float32)


def _largest(vectors: Floats) -> Floats:
    """The largest of the three components of each vector, without sign; NumPy's `max` over so short an axis is slow."""
    x, y, z = (np.abs(vectors[..., axis]) for axis in range(3))
    largest: Floats = np.maximum(np.maximum(x, y), z)
    return largest


def _reach(base: Floats, known: npt.NDArray[np.bool_], unit: ActionUnit, side: Side) -> Box | None:
    step = 4
    thin = base[::step, ::step]
    flat = thin.reshape(-1, 3)
    moved = sum(_largest(actions.displacement(flat, unit, side, lips)) for lips in Lips)
    there = (np.asarray(moved).reshape(thin.shape[:2]) > 0.004) | (np.abs(relief(thin, unit, side)) > 0.0015)
    there &= known[::step, ::step]
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return None
    height, width = known.shape
    return (
        slice(max(rows[0] * step - 12, 0), min(rows[-1] * step + 13, height)),
        slice(max(columns[0] * step - 12, 0), min(columns[-1] * step + 13, width)),
    )


def _distance(x: Floats, y: Floats, line: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Distance from a line, and how much of the furrow there is: it fades out towards both ends."""
    nearest = np.full(x.shape, 1e3, np.float32)
    along = np.zeros(x.shape, np.float32)
    lengths = [float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(line)]
    total, done = sum(lengths), 0.0
    for ((ax, ay), (bx, by)), length in zip(pairwise(line), lengths, strict=True):
        ux, uy = (bx - ax) / length, (by - ay) / length
        t = (x - ax) * ux + (y - ay) * uy
        t = np.clip(t, 0, length)
        distance = np.hypot(x - ax - t * ux, y - ay - t * uy)
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        along = np.where(closer, (done + t) / total, along)
        done += length
    fade = smooth(along * 5 + 0.25) * smooth((1 - along) * 5 + 0.25)
    if abs(line[0][0]) < 1e-6:
        # It crosses the midline: both halves meet there.
        fade = smooth((1 - along) * 5 + 0.25) * smooth(0.5 + x / 0.8)
    if total < 0.2:
        fade = np.ones_like(fade)
    return nearest.astype(np.float32), fade.astype(np.float32)
