"""Scalp hair: strands grown over the skull, drawn with a depth buffer and shaded along their direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.hairstyles import Comb, comb
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Head
from expression.synthetic.scalp import CENTRE, Skull, roots_of
from expression.synthetic.shading import Lighting

Floats = npt.NDArray[np.float32]

_STEPS: Final = 26
_COUNTS: Final = {
    "buzz": 36000,
    "short": 15000,
    "side part": 15000,
    "fringe": 15000,
    "curly": 13000,
    "long": 9000,
    "long parted": 9000,
    "tied": 14000,
    "bob": 9500,
}
_BACK_CM: Final = -9.0
_COVERS_EARS: Final = ("long", "bob")


@dataclass(frozen=True)
class HairPicture:
    """Strands as seen by the camera: linear light times coverage, and coverage; both (768, 1024) float32."""

    light: Floats
    alpha: Floats


def render_hair(head: Head, light: Lighting, skin_depth: Floats, samples: int) -> tuple[HairPicture, HairPicture]:
    """Draws the scalp hair.

    Args:
        head: Whose.
        light: The lamps.
        skin_depth: (768 * samples, 1024 * samples) cm; hair further away is hidden.
        samples: Samples per pixel side.

    Returns:
        Hair in front of the skin, and hair behind the neck.
    """
    style = head.identity.hair.style
    if style == "bald":
        nothing = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
        return HairPicture(nothing, nothing), HairPicture(nothing, nothing)
    draw = np.random.default_rng([head.identity.seed, 51])
    skull = Skull.of(head, with_ears=style in _COVERS_EARS)
    roots = roots_of(head, _COUNTS[style], draw)
    growth = comb(head.identity, roots, draw)
    strands = _grow(skull, roots, growth, draw)
    n, k, _ = strands.shape
    height = np.linalg.norm(strands - CENTRE, axis=2)
    arm = (strands - CENTRE) / height[..., None]
    height = height - skull.distance(arm.reshape(-1, 3)).reshape(n, k)
    world = skull.to_head(strands.reshape(-1, 3)).reshape(n, k, 3)
    tones = np.exp(draw.normal(0, 0.16, n)).astype(np.float32)
    behind = (strands[..., 2] < _BACK_CM) & (strands[..., 1] < 1.0)
    front = _draw(head, light, world, arm, height, tones, ~behind, skin_depth, samples)
    if style in ("long", "long parted", "bob", "fringe"):
        nothing_near = np.full_like(skin_depth, np.inf)
        back = _draw(head, light, world, arm, height, tones * 0.8, behind, nothing_near, samples)
    else:
        back = HairPicture(np.zeros_like(front.light), np.zeros_like(front.alpha))
    return front, back


def _grow(skull: Skull, roots: Floats, growth: Comb, draw: np.random.Generator) -> Floats:
    """(N, steps, 3) points of all strands about the mean head."""
    n = len(roots)
    points = np.zeros((n, _STEPS, 3), np.float32)
    clumps = max(8, n // 26)
    leader = draw.choice(n, clumps, replace=False)
    leader_of = leader[_nearest(roots + draw.normal(0, 0.12, roots.shape).astype(np.float32), roots[leader])]
    # A clump is combed together, with a direction a little of its own.
    turn = draw.normal(0, 0.16, (n, 3)).astype(np.float32)
    flow = growth.flow / np.maximum(np.linalg.norm(growth.flow, axis=1, keepdims=True), 1e-6)
    flow = flow + 0.5 * turn[leader_of] + 0.35 * turn
    p = roots.copy()
    # No two hairs are cut or lie alike.
    length = (growth.length * draw.uniform(0.8, 1.15, n)).astype(np.float32)
    lift = growth.lift * draw.uniform(0.45, 1.0, n)
    step = (length / (_STEPS - 1))[:, None]
    down = np.array([0, -1, 0], np.float32)
    frozen = np.zeros(n, bool)
    cut = np.ones(n, np.float32)
    for k in range(_STEPS):
        points[:, k] = p
        t = k / (_STEPS - 1)
        arm = p - CENTRE
        out = arm / np.linalg.norm(arm, axis=1, keepdims=True)
        turning = min(growth.fall * t * 1.6, 1.0)
        d = (1 - turning) * flow + turning * down
        d = d - (d * out).sum(1, keepdims=True) * out
        d /= np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-6)
        hanging = (p[:, 1] < growth.hang_below)[:, None]
        d = np.where(hanging, down + 0.10 * out * [1, 0, 0.3], d)
        moved = p + step * d
        arm = moved - CENTRE
        reach = np.linalg.norm(arm, axis=1)
        out = arm / reach[:, None]
        surface = skull.distance(out.astype(np.float32))
        rise = lift * np.sin(np.pi * min(1.0, 0.18 + 1.35 * (t + 1 / _STEPS)) * 0.5) ** 0.7
        wanted = surface + np.maximum(rise, 0.06)
        held = np.where(hanging[:, 0], np.maximum(reach, surface + 0.25), wanted)
        moved = CENTRE + out * held[:, None]
        newly = (moved[:, 1] < growth.lowest) & ~frozen
        cut[newly] = t
        frozen |= newly
        p = np.where(frozen[:, None], p, moved).astype(np.float32)
    s = np.linspace(0, 1, _STEPS, dtype=np.float32)
    gather = growth.clump * np.clip(np.minimum(s, np.minimum(cut, cut[leader_of])[:, None]) * 1.4 - 0.25, 0, 1)
    points += gather[..., None] * (points[leader_of] - points) * draw.uniform(0.3, 1, (n, 1, 1)).astype(np.float32)
    return _wave(points, growth, length, leader_of, draw)


def _wave(
    points: Floats, growth: Comb, length: Floats, leader_of: npt.NDArray[np.int64], draw: np.random.Generator
) -> Floats:
    n = len(points)
    # By the way along the strand, so that where it was cut it does not curl on.
    steps = np.linalg.norm(np.diff(points, axis=1, prepend=points[:, :1]), axis=2)
    way = np.cumsum(steps, axis=1, dtype=np.float64)
    along = np.gradient(points, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    out = points - CENTRE
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    side = np.cross(along, out)
    own = draw.uniform(0, 2 * np.pi, n)
    phase = 0.75 * own[leader_of] + 0.25 * own
    pace = 2 * np.pi * growth.turns_per_cm * (1 + 0.3 * draw.normal(0, 1, n)[leader_of])
    angle = phase[:, None] + pace[:, None] * way
    size = growth.wave * np.clip(2.5 * way / length[:, None], 0, 1)
    swing = size * np.sin(angle)
    bounce = 0.7 * size * np.cos(angle)
    return np.asarray(points + swing[..., None] * side + bounce[..., None] * out, np.float32)


def _nearest(points: Floats, centres: Floats) -> npt.NDArray[np.int64]:
    best = np.zeros(len(points), np.int64)
    for start in range(0, len(points), 2000):
        part = points[start : start + 2000]
        score = part @ centres.T - 0.5 * np.square(centres).sum(1)
        best[start : start + 2000] = score.argmax(1)
    return best


def _draw(
    head: Head,
    light: Lighting,
    strands: Floats,
    arm: Floats,
    height: Floats,
    tones: Floats,
    shown: npt.NDArray[np.bool_],
    skin_depth: Floats,
    samples: int,
) -> HairPicture:
    projected = head.camera.project(strands)
    px = (projected[..., :2] + 0.5) * samples - 0.5
    h, w = HEIGHT_PX * samples, WIDTH_PX * samples
    first, last = px[:, :-1].reshape(-1, 2), px[:, 1:].reshape(-1, 2)
    depth = projected[..., 2]
    middle = 0.5 * (depth[:, :-1] + depth[:, 1:]).ravel()
    # Fine hair may sink a little into the smoothed skull of the forehead, but not into the ears.
    allowed = np.where(np.abs(strands[:, :-1, 0]).ravel() < 5.5, np.float32(0.3), np.float32(0.03))
    limit = middle - allowed
    length = np.abs(last - first).max(1)
    keep = (shown[:, :-1] & shown[:, 1:]).ravel() & (length > 0.02) & (length < 400)
    for end in (first, last):
        keep &= (end[:, 0] > -60) & (end[:, 0] < w + 60) & (end[:, 1] > -60) & (end[:, 1] < h + 60)
    column = np.clip(0.5 * (first + last)[:, 0], 0, w - 1).astype(np.int64)
    row = np.clip(0.5 * (first + last)[:, 1], 0, h - 1).astype(np.int64)
    keep &= limit < skin_depth[row, column] + 1.0
    chosen = np.flatnonzero(keep)
    # Painter's order, far to near: later points overwrite earlier ones.
    chosen = chosen[np.argsort(-middle[chosen], kind="stable")]
    steps = np.ceil(length[chosen]).astype(np.int64) + 1
    segment = np.repeat(chosen, steps)
    starts = np.cumsum(steps) - steps
    t = ((np.arange(len(segment)) - np.repeat(starts, steps)) / np.repeat(steps, steps)).astype(np.float32)
    step = last - first
    column = (first[segment, 0] + t * step[segment, 0] + 0.5).astype(np.int32)
    row = (first[segment, 1] + t * step[segment, 1] + 0.5).astype(np.int32)
    inside = np.flatnonzero((column >= 0) & (column < w) & (row >= 0) & (row < h))
    pixel = row[inside] * w + column[inside]
    open_ = limit[segment[inside]] < skin_depth.ravel()[pixel]
    pixel, inside = pixel[open_], inside[open_]
    winner = np.full(h * w, -1, np.int32)
    winner[pixel] = inside
    hit = np.flatnonzero(winner >= 0)
    winner = winner[hit]
    linear = np.zeros(h * w, np.float32)
    linear[hit] = _shade(head, light, strands, arm, height, tones, segment[winner], t[winner])
    alpha = np.zeros(h * w, np.float32)
    alpha[hit] = 1
    size = (WIDTH_PX, HEIGHT_PX)
    return HairPicture(
        np.asarray(cv2.resize(linear.reshape(h, w), size, interpolation=cv2.INTER_AREA), np.float32),
        np.asarray(cv2.resize(alpha.reshape(h, w), size, interpolation=cv2.INTER_AREA), np.float32),
    )


def _shade(
    head: Head,
    light: Lighting,
    strands: Floats,
    arm: Floats,
    height: Floats,
    tones: Floats,
    segment: npt.NDArray[np.int64],
    t: Floats,
) -> Floats:
    """Light from strands (after Kajiya and Kay 1989, with a second, tinted highlight)."""
    k = strands.shape[1] - 1
    strand, number = segment // k, segment % k
    tangent = strands[strand, number + 1] - strands[strand, number]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    out = arm[strand, number]
    lift = height[strand, number] + t * (height[strand, number + 1] - height[strand, number])
    way = (number + t) / k
    albedo = head.identity.hair.albedo * tones[strand] * (0.75 + 0.4 * way)
    # Roots lie in the shadow of the strands above them.
    full = np.float32(max(0.3, float(np.quantile(height, 0.9))))
    deep = np.clip(lift / full, 0, 1)
    open_ = 0.30 + 0.70 * deep
    gloss = 0.35 if head.identity.hair.style in ("buzz", "curly") else 1.0
    total = light.ambient * albedo * open_ * (0.75 + 0.25 * out[:, 1])
    # Scales tilt the first highlight towards the root, the second towards the tip.
    first, second = _unit(tangent - 0.10 * out), _unit(tangent + 0.14 * out)
    for direction, power in zip(light.directions, light.powers, strict=True):
        facing = np.clip(0.28 + 0.82 * (out @ direction), 0, 1)
        sine = np.sqrt(np.clip(1 - np.square(tangent @ direction), 0, 1))
        half = direction + np.array([0, 0, 1], np.float32)
        half = (half / np.linalg.norm(half)).astype(np.float32)
        shine = (
            gloss * _lobe(first, half, 90) * 0.20 * (0.6 + 0.4 * tones[strand]) + _lobe(second, half, 22) * albedo * 0.9
        )
        total += power * facing * open_ * (0.62 * albedo * sine + shine)
    return np.asarray(total, np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


def _lobe(tangent: Floats, half: Floats, power: float) -> Floats:
    squared_sine = np.clip(1 - np.square(tangent @ half), 1e-6, 1)
    return np.asarray(np.exp(0.5 * power * np.log(squared_sine)), np.float32)
