"""The inside of the mouth, seen where the lips part: the edge of the teeth, the tongue, darkness."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Head
from expression.synthetic.shading import Lighting, to_grey
from expression.synthetic.texture import smooth

Floats = npt.NDArray[np.float32]


def paint_mouth(head: Head, light: Lighting, lips: Floats) -> tuple[Floats, Floats]:
    """Paints what lies behind the lips.

    Args:
        head: Whose.
        light: The lamps.
        lips: (768, 1024) weight of the lips' red in each pixel.

    Returns:
        Grey (0 to 255) and coverage, each (768, 1024) float32; covers the lips' outline and a little around it.
    """
    draw = np.random.default_rng([head.identity.seed, 81])
    middle = head.camera.project(head.skin.vertices[_at(head, (0.0, -6.68, 2.9))])
    corner = [head.camera.project(head.skin.vertices[_at(head, (s * 2.4, -6.72, 1.6))]) for s in (1, -1)]
    across = (corner[0] - corner[1])[:2] / np.linalg.norm((corner[0] - corner[1])[:2])
    scale = head.camera.px_per_cm
    reach = int(3.4 * scale)
    left, top = int(middle[0]) - reach, int(middle[1]) - reach
    box = (slice(max(0, top), top + 2 * reach), slice(max(0, left), left + 2 * reach))
    px, py = np.meshgrid(np.arange(WIDTH_PX, dtype=np.float32)[box[1]], np.arange(HEIGHT_PX, dtype=np.float32)[box[0]])
    x = ((px - middle[0]) * across[0] + (py - middle[1]) * across[1]) / scale
    y = ((px - middle[0]) * across[1] - (py - middle[1]) * across[0]) / scale

    widths = np.array([0.46, 0.86, 0.68, 0.74, 0.68, 0.66])
    linear = np.full_like(x, 0.010)
    tongue = np.exp(-np.square(x / 1.7)) * smooth(-0.15, -0.8, y) * smooth(-2.4, -1.2, y)
    linear += 0.05 * tongue
    # The arch carries the teeth back and into the dark towards the corners.
    arch = np.clip(1 - np.square(x / 2.6), 0, 1)
    edges = np.concatenate([[0], np.cumsum(widths[1:])])
    for upper in (True, False):
        rim = np.full_like(x, -9 if upper else 9)
        gap = np.ones_like(x)
        for number in range(len(edges) - 1):
            size = 1.0 if upper else 0.72
            low, high = edges[number] * size, edges[number + 1] * size
            for sign in (1, -1):
                inside = (sign * x >= low) & (sign * x < high)
                t = np.clip((sign * x - low) / (high - low), 0, 1)
                level = (0.02 if number in (0, 2) else 0.10) + draw.normal(0, 0.015)
                shape = 0.07 * np.abs(2 * t - 1) ** 4
                tooth_edge = (level + 0.12 + shape) if upper else (-0.42 - 0.5 * level - shape)
                rim = np.where(inside, tooth_edge, rim)
                gap = np.where(inside, 1 - 0.5 * np.exp(-np.square(np.minimum(t, 1 - t) / 0.05)), gap)
        cover = smooth(-0.03, 0.05, (y - rim) if upper else (rim - y)) * smooth(2.75, 2.3, np.abs(x))
        root = smooth(1.5, 0.9, y) if upper else smooth(-1.8, -1.1, y)
        shade = (
            gap * (0.30 if upper else 0.2) * (0.25 + 0.75 * arch) * (0.75 + 0.25 * smooth(0.0, 0.5, np.abs(y - rim)))
        )
        linear = linear * (1 - cover * root) + shade * cover * root * 0.62
    front = light.ambient + float(light.powers @ np.clip(light.directions[:, 2], 0, 1))
    alpha = cv2.GaussianBlur(cv2.dilate((lips > 0.3).astype(np.float32), np.ones((9, 9), np.uint8)), (0, 0), 2)
    whole = np.full(lips.shape, 0.01, np.float32)
    whole[box] = linear
    return to_grey((whole * front * 0.8).astype(np.float32)), alpha.astype(np.float32)


def _at(head: Head, place: tuple[float, float, float]) -> int:
    return int(np.abs(head.canonical - np.array(place, np.float32)).sum(1).argmin())
