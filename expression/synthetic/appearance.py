"""What a participant looks like at rest, in the layers that a per-frame renderer moves, shades and puts together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.clothing import render_clothes
from expression.synthetic.eyes import EyeLayer, ball_depth, paint_eye, paint_lashes
from expression.synthetic.facial_hair import paint_hairs
from expression.synthetic.glasses import render_glasses
from expression.synthetic.hair import HairPicture, render_hair
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Head
from expression.synthetic.mouth import paint_mouth
from expression.synthetic.raster import RasterBuffers, rasterise
from expression.synthetic.scalp import scalp_weight
from expression.synthetic.shading import Lighting, occlusion_and_shadow, to_grey
from expression.synthetic.skin import paint_skin
from expression.synthetic.texture import masked_blur

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A picture with its coverage, the size of the frame.

    `grey` is display grey, 0 to 255, and is continued beyond the coverage (so that resampling it bleeds nothing dark);
    put over what lies beneath: `alpha * grey + (1 - alpha) * beneath`.
    """

    grey: Floats
    """(768, 1024) float32, 0 to 255."""
    alpha: Floats
    """(768, 1024) float32, 0 to 1."""


@dataclass(frozen=True)
class Appearance:
    """The layers of a neutral face, back to front, and the buffers behind them.

    Order: `background`, `hair_back`, [`mouth`, `eyes` seen through `skin`'s holes], `skin`, `clothes`, `lashes_lower`,
    `lashes_upper`, `hair_front`, `glasses`. The skin's alpha is 0 in the openings of the eyes.
    """

    head: Head
    light: Lighting
    background: Floats
    """(768, 1024) float32, 0 to 255."""
    hair_back: Layer
    """Hair that falls behind neck and ears."""
    mouth: Layer
    """Teeth and darkness behind the lips; shows where the lips part."""
    eyes: tuple[EyeLayer, EyeLayer]
    """The participant's left and right eye."""
    skin: Layer
    """Head, ears and neck with brows and stubble."""
    clothes: Layer
    lashes_lower: Layer
    lashes_upper: Layer
    """Lashes move with the margin of their lid."""
    hair_front: Layer
    """Scalp hair, fringe, beard tips beyond the outline."""
    glasses: Layer
    buffers: RasterBuffers
    """Triangle and barycentric coordinates of the skin in every pixel."""
    normals: Floats
    """(768, 1024, 3) float32, unit length: smooth normals of the skin, without pores; (0, 0, 1) where there is none."""
    occlusion: Floats
    """(768, 1024) float32, 0 to 1: the part of the surroundings that reaches the skin."""
    shadow: Floats
    """(768, 1024, L) float32, 0 to 1: the part of each of the L lamps that reaches the skin."""

    def shading_ratio(self, normals: Floats) -> Floats:
        """How grey changes when the skin's normals change from `self.normals` (a bulge, a wrinkle).

        Args:
            normals: (768, 1024, 3) float32, unit length.

        Returns:
            (768, 1024) float32 factor on `skin.grey`; 1 where nothing changed.
        """
        return self.light.grey_ratio(self.normals, normals, self.occlusion, self.shadow)

    def picture(self) -> Floats:
        """The neutral frame, (768, 1024) float32, 0 to 255."""
        picture = self.background
        picture = _over(self.hair_back, picture)
        picture = _over(self.mouth, picture)
        for eye in self.eyes:
            box = eye.box
            patch = eye.ball * eye.shadow + eye.reflections
            picture = picture.copy()
            opening = eye.opening[box]
            picture[box] = opening * patch + (1 - opening) * picture[box]
        for layer in (self.skin, self.clothes, self.lashes_lower, self.lashes_upper, self.hair_front, self.glasses):
            picture = _over(layer, picture)
        return np.clip(picture, 0, 255).astype(np.float32)


def _over(layer: Layer, beneath: Floats) -> Floats:
    mixed: Floats = layer.alpha * layer.grey + (1 - layer.alpha) * beneath
    return mixed


_SAMPLES: Final = 2


def render_neutral(head: Head) -> Appearance:
    """Paints a participant at rest: a few seconds on one core, the same bytes each time.

    Args:
        head: From `build_head`.
    """
    light = Lighting.of(head.identity)
    projected = head.camera.project(head.skin.vertices)
    fine = rasterise(projected, head.skin.triangles, WIDTH_PX, HEIGHT_PX, _SAMPLES)
    buffers = rasterise(projected, head.skin.triangles, WIDTH_PX, HEIGHT_PX)
    openings, seen = _openings(head, fine)
    occluded, lit = occlusion_and_shadow(head.skin.vertices, head.skin.normals, light, np.zeros((0, 3), np.float32))
    cloth_light, cloth_alpha, cloth_shadow, depth = render_clothes(head, light, fine.depth, _SAMPLES)
    strands, behind = render_hair(head, light, depth, _SAMPLES)
    glasses_light, glasses_alpha, glasses_shadow = render_glasses(head, light)
    below = cv2.GaussianBlur(strands.alpha, (0, 0), 5.0)
    over = cv2.GaussianBlur(strands.alpha, (0, 0), 1.5)
    shade = np.maximum(
        np.maximum(0.65 * np.roll(below, 6, axis=0), 0.95 * over), np.maximum(0.55 * cloth_shadow, 0.7 * glasses_shadow)
    )
    skin = _skin(head, light, fine, seen, occluded, lit, shade)
    background = _background(head)
    lips = buffers.interpolate(head.subdivision.apply(head.region("lips")))
    lash = to_grey(np.full((HEIGHT_PX, WIDTH_PX), 0.006, np.float32))
    normals = buffers.interpolate(head.skin.normals)
    normals[~buffers.covered] = (0, 0, 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return Appearance(
        head=head,
        light=light,
        background=background,
        hair_back=_hair_layer(behind),
        mouth=Layer(*paint_mouth(head, light, lips)),
        eyes=(paint_eye(head, light, 0, openings[0]), paint_eye(head, light, 1, openings[1])),
        skin=skin,
        clothes=_layer(cloth_light, cloth_alpha),
        lashes_lower=Layer(lash, paint_lashes(head, openings, upper=False)),
        lashes_upper=Layer(lash, paint_lashes(head, openings, upper=True)),
        hair_front=_hair_layer(strands),
        glasses=_layer(glasses_light, glasses_alpha),
        buffers=buffers,
        normals=normals,
        occlusion=buffers.interpolate(occluded, 1.0),
        shadow=buffers.interpolate(lit, 1.0),
    )


def _layer(linear: Floats, alpha: Floats) -> Layer:
    """A layer from linear light times coverage."""
    return _premultiplied(to_grey(np.asarray(linear / np.maximum(alpha, 1e-3), np.float32)) * alpha, alpha)


def _reduce(picture: Floats) -> Floats:
    return np.asarray(cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA), np.float32)


def _openings(head: Head, fine: RasterBuffers) -> tuple[tuple[Floats, Floats], npt.NDArray[np.bool_]]:
    """Where each eyeball lies in front of the skin, and where skin is in view (fine samples)."""
    seen = fine.covered.copy()
    openings = []
    for eye in head.eyes:
        ball = np.isfinite(depth := ball_depth(head, eye, _SAMPLES)) & (depth < fine.depth)
        # Socket walls behind the ball show at the rim of its outline: they are not skin in view.
        whole = cv2.morphologyEx(ball.astype(np.float32), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        opening = np.asarray(whole, np.float32)
        seen &= opening < 0.5
        openings.append(_reduce(opening))
    return (openings[0], openings[1]), seen


def _skin(
    head: Head,
    light: Lighting,
    fine: RasterBuffers,
    seen: npt.NDArray[np.bool_],
    occluded: Floats,
    lit: Floats,
    shade: Floats,
) -> Layer:
    # Shoulders lie under clothes: only the width of the head and neck is painted with care.
    middle, reach = head.camera.centre_px[0] * _SAMPLES, 10.5 * head.camera.px_per_cm * _SAMPLES
    wanted = fine.covered.copy()
    wanted[:, : max(0, int(middle - reach))] = False
    wanted[:, int(middle + reach) :] = False
    rows, columns = np.flatnonzero(wanted.any(1)), np.flatnonzero(wanted.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    part = RasterBuffers(fine.triangle[box], fine.weights[box], fine.depth[box], fine.triangles)
    lips = head.subdivision.apply(head.region("lips"))
    values = np.concatenate(
        [head.skin.normals, head.canonical, lips[:, None], occluded[:, None], lit], axis=1, dtype=np.float32
    )
    fields = part.interpolate(values)
    normals, canonical = fields[..., :3], fields[..., 3:6]
    # Hair, clothes and glasses shade the skin below them.
    size = (fine.triangle.shape[1], fine.triangle.shape[0])
    kept = 1 - 0.75 * np.asarray(cv2.resize(shade, size, interpolation=cv2.INTER_LINEAR), np.float32)[box]
    occlusion = fields[..., 7] * kept
    shadow = fields[..., 8:] * kept[..., None]
    inside = seen[box].astype(np.float32)
    px_per_cm = head.camera.px_per_cm * _SAMPLES
    paint, masks = paint_skin(head.identity, canonical, fields[..., 6], scalp_weight(head.identity, canonical))
    hairs = paint_hairs(head.identity, canonical, masks, px_per_cm)
    hair_tone = 0.75 * head.identity.hair.albedo + 0.01
    albedo = paint.albedo * (1 - hairs) + hair_tone * hairs
    bumpy = _bump(normals, paint.relief_cm, px_per_cm)
    sharp = light.diffuse(bumpy, occlusion, shadow)
    mm = px_per_cm / 10
    soft = 0.45 * sharp + 0.3 * masked_blur(sharp, inside, 0.5 * mm) + 0.25 * masked_blur(sharp, inside, 1.6 * mm)
    mirrored = light.specular(bumpy, shadow * occlusion[..., None], paint.roughness)
    mirrored *= 1.5 * paint.shine * (0.45 + head.identity.skin.oil) * (1 - 0.8 * hairs)
    linear = albedo * soft + mirrored
    grey = np.zeros(seen.shape, np.float32)
    alpha = np.zeros(seen.shape, np.float32)
    grey[box] = to_grey(linear) * inside
    alpha[box] = inside
    return _premultiplied(_reduce(grey), _reduce(alpha))


def _hair_layer(picture: HairPicture) -> Layer:
    """Strands over a darker mass of hair that fills the gaps between them."""
    gaps = cv2.morphologyEx(picture.alpha, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    mass = masked_blur(picture.light, np.ones_like(picture.alpha), 3.0) / np.maximum(
        masked_blur(picture.alpha, np.ones_like(picture.alpha), 3.0), 0.05
    )
    dense = cv2.GaussianBlur(picture.alpha, (0, 0), 2.0)
    fill = np.clip(0.95 * gaps - picture.alpha, 0, 1) * np.clip(2.5 * dense - 1.2, 0, 1)
    alpha = np.clip(picture.alpha + fill, 0, 1)
    linear = picture.light + 0.55 * fill * mass
    return _layer(linear, alpha)


def _bump(normals: Floats, relief_cm: Floats, px_per_cm: float) -> Floats:
    """Normals tilted by fine relief, from its slope in the picture."""
    across = cv2.Sobel(relief_cm, cv2.CV_32F, 1, 0, ksize=3, scale=px_per_cm / 8)
    down = cv2.Sobel(relief_cm, cv2.CV_32F, 0, 1, ksize=3, scale=px_per_cm / 8)
    tilted = normals.copy()
    tilted[..., 0] -= np.clip(across, -0.6, 0.6)
    tilted[..., 1] += np.clip(down, -0.6, 0.6)
    tilted /= np.maximum(np.linalg.norm(tilted, axis=-1, keepdims=True), 1e-6)
    return np.asarray(tilted, np.float32)


def _premultiplied(grey: Floats, alpha: Floats) -> Layer:
    """A layer from grey times alpha: the grey beyond the coverage is taken from the nearest covered pixels."""
    result = np.where(alpha >= 0.02, grey / np.maximum(alpha, 1e-3), 0)
    done = alpha >= 0.02
    if done.any():
        for sigma in (1.5, 6.0):
            weight = cv2.GaussianBlur(alpha, (0, 0), sigma)
            around = cv2.GaussianBlur(grey, (0, 0), sigma)
            take = (weight > 1e-3) & ~done
            result[take] = around[take] / weight[take]
            done |= take
    return Layer(result.astype(np.float32), alpha)


def _background(head: Head) -> Floats:
    """A wall out of focus, with the fall-off of the lamps on it."""
    setup = head.identity.light
    draw = np.random.default_rng([head.identity.seed, 41])
    x, y = np.meshgrid(np.linspace(-1, 1, WIDTH_PX), np.linspace(-1, 1, HEIGHT_PX))
    tilt = setup.background_tilt
    wall = setup.background * (1 + tilt[0] * x + tilt[1] * y)
    glow = np.exp(-(np.square((x - draw.normal(0, 0.35)) / 1.2) + np.square((y + draw.uniform(0, 0.4)) / 1.0)))
    wall *= 0.78 + 0.35 * glow
    coarse = cv2.resize(
        draw.normal(0, 1, (6, 8)).astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC
    )
    return to_grey((wall * (1 + 0.015 * coarse)).astype(np.float32))
