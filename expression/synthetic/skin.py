"""Skin as a monochrome camera sees it: tone, marks and relief, painted in the coordinates of the mean head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.identity import Identity
from expression.synthetic.texture import blob, detail, look_up, smooth

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SkinPaint:
    """What skin is like in each sample; all (H, W) float32."""

    albedo: Floats
    relief_cm: Floats
    """Height of fine detail above the smooth surface."""
    shine: Floats
    """Factor on the mirrored light."""
    roughness: Floats


@dataclass(frozen=True)
class Masks:
    """Where parts of the face lie; all (H, W) float32, 0 to 1."""

    lips: Floats
    lids: Floats
    brows: Floats
    beard: Floats
    moustache: Floats
    scalp: Floats


def paint_skin(identity: Identity, canonical: Floats, lips: Floats, scalp: Floats) -> tuple[SkinPaint, Masks]:
    """Paints the skin of a participant.

    Args:
        identity: Whose skin.
        canonical: (H, W, 3) position on the mean head, cm.
        lips: (H, W) weight of the lips.
        scalp: (H, W) weight of the scalp below hair.
    """
    skin = identity.skin
    draw = np.random.default_rng([identity.seed, 11])
    x, y, z = (np.ascontiguousarray(canonical[..., k]) for k in range(3))
    ax = np.abs(x)
    # A roll about the vertical axis keeps the size of texels on cheeks and temples.
    u = (np.arctan2(x, z + 6.0) * 8.5 + draw.uniform(0, 40)).astype(np.float32)
    v = (-y + draw.uniform(0, 40)).astype(np.float32)
    texture = {name: look_up(picture, u, v) for name, picture in detail().items()}
    front = smooth(-8.0, -3.0, z)

    lips = smooth(0.45, 0.85, lips)
    masks = Masks(
        lips=lips,
        lids=np.maximum(blob(ax, y, (3.0, 0.35), (1.5, 0.55)), blob(ax, y, (3.0, -0.6), (1.4, 0.35))) * front,
        brows=_brows(identity, ax, y) * front,
        beard=_beard(ax, y, z, lips),
        moustache=_moustache(ax, y, lips) * front,
        scalp=scalp,
    )
    albedo = _tone(identity, x, ax, y, front, texture, masks, draw)
    albedo *= _marks(identity, u, v, x, ax, y, front, draw)
    relief, shine = _relief(identity, ax, y, front, u, v, texture, masks, draw)
    roughness = 0.56 - 0.12 * skin.oil * shine + 0.06 * texture["mottle"].clip(-1, 1) * 0.3
    roughness = np.where(lips > 0, roughness * (1 - 0.2 * lips), roughness)
    return SkinPaint(albedo, relief, shine, np.clip(roughness, 0.3, 0.7).astype(np.float32)), masks


def _brows(identity: Identity, ax: Floats, y: Floats) -> Floats:
    height = identity.hair.brow_height
    # Mean brow: from above the inner corner, rising to two thirds, falling to the tail.
    line = (
        1.25 + 0.42 * np.sin(np.clip((ax - 1.1) / 4.4, 0, 1) * np.pi * 0.86) - 0.25 * np.clip((ax - 3.6) / 1.5, 0, 1.3)
    )
    half = height * np.interp(ax, [0.8, 1.3, 2.4, 3.6, 4.7, 5.3], [0.1, 0.42, 0.46, 0.38, 0.2, 0.06]).astype(np.float32)
    inside = smooth(1.3, 0.3, np.abs(y - line) / half)
    ends = smooth(0.85, 1.3, ax) * smooth(5.35, 4.7, ax)
    return (inside * ends).astype(np.float32)


def _moustache(ax: Floats, y: Floats, lips: Floats) -> Floats:
    top = -4.75 - 0.28 * ax
    reach = smooth(2.9, 1.9, ax - 0.5 * np.clip(-5.2 - y, 0, 2))
    return np.asarray(smooth(0.0, -0.55, y - top) * smooth(-7.0, -6.2, y) * reach * (1 - lips), np.float32)


def _beard(ax: Floats, y: Floats, z: Floats, lips: Floats) -> Floats:
    # Upper edge from the sideburn past the mouth's corner; lower edge on the throat.
    edge = np.interp(ax, [0, 1.6, 2.6, 3.6, 4.8, 5.8, 6.5], [-7.6, -7.4, -6.0, -5.6, -4.9, -3.2, -0.5]).astype(
        np.float32
    )
    upper = smooth(0.35, -0.6, y - edge)
    lower = smooth(-12.4, -10.6, y)
    ears = smooth(6.45, 6.75, ax) * smooth(-5.3, -4.6, y)
    lower = lower * (1 - ears)
    under_lip = 1 - 0.75 * blob(ax, y, (1.0, -8.2), (0.6, 0.5))
    return (upper * lower * under_lip * (1 - lips) * smooth(-9.5, -7.5, z)).astype(np.float32)


def _tone(
    identity: Identity,
    x: Floats,
    ax: Floats,
    y: Floats,
    front: Floats,
    texture: dict[str, Floats],
    masks: Masks,
    draw: np.random.Generator,
) -> Floats:
    skin = identity.skin
    red = skin.ruddiness
    dark = float(np.clip((0.3 - skin.albedo) / 0.2, 0, 1))
    tone = 1 + 0.035 * skin.blotches * texture["blotch"] + 0.022 * texture["mottle"] + 0.018 * texture["speckle"]
    tone += 0.04 * blob(x, y, (0, 4.0), (4, 2.5)) * (1 + dark)
    for centre, radius, amount in (
        ((4.3, -2.6), (2.0, 1.6), 0.10),
        ((1.35, -3.5), (0.6, 0.7), 0.10),
        ((1.7, -0.2), (0.5, 0.7), 0.10),
    ):
        tone *= 1 - amount * red * blob(ax, y, centre, radius) * front
    tone *= 1 - 0.10 * red * blob(x, y, (0, -3.6), (1.0, 0.9)) * front
    tone *= 1 - 0.06 * red * blob(x, y, (0, -9.2), (1.3, 0.8)) * front
    tone *= 1 - 0.10 * blob(ax, y, (1.1, -5.0), (0.9, 0.5)) * front
    tone *= 1 - 0.13 * red * smooth(6.4, 7.2, ax) * smooth(-6, -4, y)
    tone *= 1 - (0.03 + 0.14 * skin.circles) * blob(ax, y, (2.6, -1.2), (1.2, 0.4)) * front
    tone *= 1 - (0.05 + 0.10 * skin.circles) * blob(ax, y, (1.75, -0.7), (0.45, 0.6)) * front
    tone *= 1 - (0.09 + 0.08 * red) * masks.lids
    tone *= 1 - 0.06 * smooth(-10.5, -13, y)
    tone *= 1 - 0.12 * dark * blob(x, y, (0, -6.6), (3.4, 1.6)) * (1 - masks.lips)
    upper = smooth(-6.9, -6.5, y)
    depth = (0.24 + 0.2 * red + 0.07 * upper) * (1 - 0.55 * dark)
    tone *= 1 - masks.lips * (depth + 0.03 * texture["mottle"])
    tone *= 1 - 0.55 * np.exp(-np.square((y + 6.69) / 0.07)) * smooth(2.9, 2.2, ax) * masks.lips
    tone *= 1 - 0.25 * blob(ax, y, (2.42, -6.72), (0.25, 0.2)) * front
    if identity.hair.beard != "none" or identity.male > 0.5:
        shade = 0.30 if identity.hair.beard == "none" else 0.5
        coverage = np.maximum(masks.beard, masks.moustache)
        darkness = shade * identity.hair.beard_density * (1 - 0.8 * smooth(0.1, 0.35, identity.hair.albedo))
        young = np.clip((identity.age - 16) / 6, 0.2, 1)
        grain = 1 + 0.25 * texture["speckle"] + 0.2 * texture["pores"] + 0.15 * texture["mottle"]
        tone *= 1 - np.clip(darkness * young * 0.75 * coverage * grain, 0, 0.8)
    tone *= 1 - 0.26 * masks.brows * identity.hair.brow_density * (1 - 1.3 * min(identity.hair.albedo, 0.4))
    tone *= 1 - (0.14 if identity.hair.style == "bald" else 0.78) * masks.scalp * (
        1 - 1.5 * min(identity.hair.albedo, 0.4)
    )
    return np.asarray(skin.albedo * np.clip(tone, 0.05, 1.4), np.float32)


def _marks(
    identity: Identity,
    u: Floats,
    v: Floats,
    x: Floats,
    ax: Floats,
    y: Floats,
    front: Floats,
    draw: np.random.Generator,
) -> Floats:
    """Freckles and moles as a factor on the tone."""
    factor = np.ones_like(x)
    if identity.skin.freckles > 0.02:
        side = 1024
        spots = np.zeros((side, side), np.float32)
        for _ in range(5200):
            cx, cy = draw.uniform(0, side, 2)
            size = draw.gamma(2.5, 0.5)
            cv2.circle(
                spots, (int(cx * 16), int(cy * 16)), int(size * 16), float(draw.uniform(0.3, 1)), -1, cv2.LINE_8, 4
            )
        soft_spots = np.asarray(cv2.GaussianBlur(spots, (0, 0), 0.9), np.float32)
        where = np.maximum(blob(ax, y, (3.4, -2.2), (2.4, 1.7)), blob(x, y, (0, -1.8), (1.6, 2.2)))
        where = np.maximum(where, 0.45 * blob(x, y, (0, 3.6), (4.5, 2.2))) * front
        field = look_up(soft_spots, u, v)
        factor *= 1 - 0.34 * identity.skin.freckles * field * smooth(0.15, 0.7, where)
    for _ in range(identity.skin.moles):
        cx, cy = draw.uniform(-5.5, 5.5), draw.uniform(-12, 5)
        if abs(cx) < 2.8 and -8 < cy < -5.5:
            continue
        size = draw.gamma(3, 0.014)
        strength = draw.uniform(0.15, 0.55)
        distance = np.sqrt(np.square(x - cx) + np.square(y - cy))
        factor *= 1 - strength * smooth(size + 0.045, max(size - 0.03, 0), distance) * front
    return factor


def _relief(
    identity: Identity,
    ax: Floats,
    y: Floats,
    front: Floats,
    u: Floats,
    v: Floats,
    texture: dict[str, Floats],
    masks: Masks,
    draw: np.random.Generator,
) -> tuple[Floats, Floats]:
    skin = identity.skin
    nose = blob(ax, y, (0, -2.8), (1.7, 1.9))
    cheeks = blob(ax, y, (3.2, -3.2), (2.2, 1.8))
    zone = 0.35 + 0.9 * nose + 0.55 * cheeks + 0.25 * blob(ax, y, (0, 4), (5, 2.5))
    zone = zone * (1 - masks.lips) * (1 - 0.8 * masks.lids)
    relief = skin.pores * 0.0036 * zone * texture["pores"] + 0.0017 * texture["creases"] * (1 - masks.lips)
    relief += 0.0009 * texture["mottle"] + 0.0012 * texture["blotch"]
    # Lips: upright furrows. Lids and outer corners: furrows along the lid.
    grooves = look_up(detail()["mottle"], u * 3.4, v * 0.5)
    relief += 0.0055 * masks.lips * grooves
    along = look_up(detail()["mottle"], u * 0.5, v * 3.2 + ax * 0.6)
    relief += (0.0022 + 0.004 * skin.lines) * along * (masks.lids + 0.7 * blob(ax, y, (3.0, -1.5), (1.6, 0.5)))
    if skin.lines > 0.15:
        for _ in range(int(2 + 2 * skin.lines)):
            level = draw.uniform(2.6, 5.6)
            bend, phase = draw.uniform(0.05, 0.2), draw.uniform(0, 6)
            distance = y - level - bend * np.sin(ax * draw.uniform(0.5, 0.9) + phase)
            relief -= 0.010 * skin.lines * np.exp(-np.square(distance / 0.09)) * smooth(4.6, 2.2, ax) * front
    for fold_level in (-12.1 + draw.normal(0, 0.3), -13.6 + draw.normal(0, 0.3)):
        crease = fold_level + 0.05 * np.square(ax)
        relief -= (0.012 + 0.02 * skin.lines) * np.exp(-np.square((y - crease) / 0.12)) * smooth(5.5, 3.0, ax)
    fold = 1.75 + 0.36 * (-3.9 - y) + 0.06 * np.square(np.clip(-3.9 - y, 0, 4))
    groove = np.exp(-np.square((ax - fold) / 0.22)) * smooth(-7.2, -5.2, y) * smooth(-3.2, -4.2, y)
    relief -= (0.012 + 0.05 * skin.lines) * groove * front
    shine = 0.55 + 0.5 * nose + 0.35 * blob(ax, y, (0, 3.6), (3.0, 2.0)) + 0.3 * blob(ax, y, (4.2, -1.6), (1.4, 1.0))
    shine = shine * (1 - 0.45 * np.maximum(masks.beard, masks.moustache)) + 0.5 * masks.lips
    shine *= 1 + 0.18 * texture["creases"].clip(-2, 2) + 0.12 * texture["pores"].clip(-2, 2)
    return relief.astype(np.float32), np.clip(shine, 0.05, 2).astype(np.float32)
