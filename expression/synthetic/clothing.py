"""Clothes about the neck: the skin of the shoulders set off outwards, cut at a neck line."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Head
from expression.synthetic.identity import Clothing
from expression.synthetic.raster import RasterBuffers, rasterise, vertex_normals
from expression.synthetic.shading import Lighting
from expression.synthetic.texture import detail, look_up, smooth

Floats = npt.NDArray[np.float32]


def above_neck_line(clothing: Clothing, points: Floats) -> Floats:
    """Distance (cm, about) of (..., 3) points of the mean head above the neck line; negative under cloth."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    ax = np.abs(x)
    # A plane from the nape down to the pit of the neck.
    height = y + 12.4 + clothing.drop_cm + 0.34 * (z + 9.0)
    front = smooth(-10.0, -6.0, z)
    if clothing.neck_line == "v":
        height = height + 3.4 * np.clip(1 - ax / 4.6, 0, 1) * front
    elif clothing.neck_line == "scoop":
        height = height + 1.8 * np.clip(1 - np.square(ax / 7.5), 0, 1) * front + 0.8
    elif clothing.neck_line == "collar":
        height = height - 1.3 + 4.2 * np.clip(1 - ax / 2.9, 0, 1) * front
    elif clothing.neck_line == "turtle":
        height = height - 1.9 - 0.2 * front
    elif clothing.neck_line == "hood":
        height = height - 1.0 + 1.6 * np.clip(1 - ax / 3.5, 0, 1) * front
    return np.asarray(height, np.float32)


def render_clothes(
    head: Head, light: Lighting, skin_depth: Floats, samples: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Draws the clothes.

    Args:
        head: Whose.
        light: The lamps.
        skin_depth: (768 * samples, 1024 * samples) cm; the far side of a collar is hidden by the neck.
        samples: Samples per pixel side.

    Returns:
        Linear light times coverage, coverage, and the shadow the cloth's edge throws on the skin (0 to 1), each
        (768, 1024) float32; and the depth of the nearest of skin and cloth, as `skin_depth`.
    """
    clothing = head.identity.clothing
    height = above_neck_line(clothing, head.canonical)
    rise = {"crew": 0.28, "v": 0.25, "scoop": 0.22, "collar": 0.55, "hood": 0.9, "turtle": 0.45}[clothing.neck_line]
    depth = np.clip(-height, 0, 12)
    band = {"crew": 1.5, "v": 1.3, "scoop": 0.8, "collar": 2.6, "hood": 3.5, "turtle": 3.2}[clothing.neck_line]
    roll = np.exp(-np.square((depth - 0.4 * band) / (0.5 * band)))
    offset = rise * (0.75 + 0.6 * roll) + 0.05 * depth
    normals = head.skin.normals
    # Cloth spans hollows: offsets follow smoothed normals that lean outwards and forwards.
    lean = normals + np.float32(0.4) * np.array([0, 0.2, 0.6], np.float32)
    lean /= np.linalg.norm(lean, axis=1, keepdims=True)
    vertices = (head.skin.vertices + offset[:, None] * lean).astype(np.float32)
    chosen = head.skin.triangles[
        (height[head.skin.triangles].min(1) < 0.1) & (head.canonical[head.skin.triangles, 1].max(1) < -9)
    ]
    if not len(chosen):
        nothing = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
        return nothing, nothing, nothing, skin_depth
    buffers = rasterise(head.camera.project(vertices), chosen, WIDTH_PX, HEIGHT_PX, samples, two_sided=True)
    normals = vertex_normals(vertices, chosen)
    rows = np.flatnonzero(buffers.covered.any(1))
    if not len(rows):
        nothing = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
        return nothing, nothing, nothing, skin_depth
    box = slice(int(rows[0]), buffers.triangle.shape[0])
    part = RasterBuffers(buffers.triangle[box], buffers.weights[box], buffers.depth[box], chosen)
    fields = part.interpolate(np.concatenate([normals, head.canonical, height[:, None]], axis=1))
    covered = part.covered & (fields[..., 6] < 0) & (part.depth < skin_depth[box] + 0.05)
    # The inside of the far collar lies in the neck's shadow.
    far = np.where(fields[..., 2] < 0, np.float32(0.35), np.float32(1))
    fields[..., :3] *= np.where(fields[..., 2:3] < 0, -1, 1)
    linear = np.where(covered, _paint(clothing, light, fields, band, head.camera.px_per_cm * samples) * far, 0)
    nearest = skin_depth.copy()
    nearest[box] = np.where(covered, part.depth, skin_depth[box])
    size = (WIDTH_PX, HEIGHT_PX)
    all_light = np.zeros(buffers.triangle.shape, np.float32)
    alpha = np.zeros(buffers.triangle.shape, np.float32)
    all_light[box], alpha[box] = linear, covered
    alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 7), np.float32)
    shadow: Floats = np.roll(soft, -5, axis=0)
    shadow[-5:] = soft[-1]
    return np.asarray(cv2.resize(all_light, size, interpolation=cv2.INTER_AREA), np.float32), alpha, shadow, nearest


def _paint(clothing: Clothing, light: Lighting, fields: Floats, band: float, px_per_cm: float) -> Floats:
    normals, canonical, height = fields[..., :3], fields[..., 3:6], fields[..., 6]
    x, y = np.ascontiguousarray(canonical[..., 0]), np.ascontiguousarray(canonical[..., 1])
    depth = -height
    texture = detail()
    weave = look_up(texture["speckle"], 1.6 * x, 0.9 * y) + 0.6 * look_up(texture["creases"], 2.0 * x, 2.0 * y)
    folds = look_up(texture["blotch"], 0.16 * x + 0.05 * y, 0.10 * y + 3)
    relief = 0.22 * folds * smooth(band * 0.8, band * 2.2, depth) + 0.004 * weave
    seam = np.exp(-np.square((depth - band) / 0.06)) + 0.5 * np.exp(-np.square((depth - band - 0.35) / 0.05))
    edge = smooth(0.0, 0.22, depth)
    relief = relief - 0.03 * seam + 0.10 * np.sqrt(np.clip(edge, 0, 1))
    if clothing.neck_line in ("crew", "turtle"):
        around = np.arctan2(x, canonical[..., 2] + 9.0)
        relief = relief + 0.012 * np.sin(around * 190) * smooth(band, band - 0.1, depth)
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3, scale=px_per_cm / 8)
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3, scale=px_per_cm / 8)
    tilted = normals.copy()
    tilted[..., 0] -= np.clip(across, -0.8, 0.8)
    tilted[..., 1] += np.clip(down, -0.8, 0.8)
    tilted /= np.maximum(np.linalg.norm(tilted, axis=-1, keepdims=True), 1e-6)
    albedo = np.full(x.shape, clothing.albedo, np.float32)
    if clothing.pattern == "heather":
        albedo *= 1 + 0.14 * look_up(texture["speckle"], 0.8 * x, 0.35 * y)
    elif clothing.pattern == "stripes":
        stripe = smooth(-0.15, 0.15, np.sin((y + 0.3 * np.abs(x)) * 3.2).astype(np.float32))
        other = 0.55 if clothing.albedo < 0.2 else 0.06
        albedo = np.where(depth > band, albedo * (1 - stripe) + other * stripe, albedo).astype(np.float32)
    albedo *= 1 + 0.03 * weave
    # The head keeps light from the cloth at the neck.
    occlusion = 0.45 + 0.55 * smooth(0.0, 5.0, depth) * smooth(3.0, 9.0, np.abs(x))
    shadow = np.repeat((0.45 + 0.55 * smooth(2.0, 10.0, np.abs(x)))[..., None], len(light.powers), axis=2)
    return np.asarray(albedo * light.diffuse(tilted, occlusion, shadow), np.float32)
