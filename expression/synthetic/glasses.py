"""Glasses: rims, bridge and temples drawn in perspective, their shadow, and faint reflections."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Head
from expression.synthetic.identity import Glasses
from expression.synthetic.shading import Lighting

Floats = npt.NDArray[np.float32]

_SAMPLES: Final = 3


def render_glasses(head: Head, light: Lighting) -> tuple[Floats, Floats, Floats]:
    """Draws the glasses, if any.

    Returns:
        Linear light times coverage, coverage, and the shadow on the skin (0 to 1); each (768, 1024) float32.
    """
    nothing = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    glasses = head.identity.glasses
    if glasses is None:
        return nothing, nothing, nothing
    rim = np.zeros((HEIGHT_PX * _SAMPLES, WIDTH_PX * _SAMPLES), np.uint8)
    arms = np.zeros_like(rim)
    lens = np.zeros_like(rim)
    plane = _plane(head)
    scale = head.camera.px_per_cm * _SAMPLES
    thick = max(2, round(glasses.rim_mm / 10 * scale))
    inner = []
    for side in (0, 1):
        sign = 1 if side == 0 else -1
        centre = np.array([sign * (0.5 * glasses.width_cm + 0.85), -0.35])
        outline = _outline(glasses, centre)
        points = _project(head, plane, outline)
        cv2.fillPoly(lens, [points], 255, cv2.LINE_AA, 4)
        if glasses.half_rim:
            top = outline[:, 1] > centre[1] - 0.1 * glasses.height_cm
            order = np.argsort(outline[top][:, 0])
            cv2.polylines(rim, [_project(head, plane, outline[top][order])], False, 255, thick, cv2.LINE_AA, 4)
            cv2.polylines(rim, [points], True, 60, 2, cv2.LINE_AA, 4)
        else:
            cv2.polylines(rim, [points], True, 255, thick, cv2.LINE_AA, 4)
        inner.append([sign * 0.85, 0.1])
        hinge = np.array([centre[0] + sign * 0.5 * glasses.width_cm, centre[1] + 0.3 * glasses.height_cm])
        ear = head.skin.vertices[_ear_top(head, side)]
        begin = _place(head, plane, hinge[None])[0]
        path = np.stack([begin + t * (ear - begin) for t in np.linspace(0, 0.8, 12)])
        path[:, 0] += sign * 0.25 * np.sin(np.linspace(0, np.pi, 12))
        pixels = head.camera.project(path.astype(np.float32))[:, :2]
        cv2.polylines(arms, [_fixed(pixels)], False, 255, max(2, int(0.22 * scale)), cv2.LINE_AA, 4)
    t = np.linspace(0, 1, 16)
    bridge = np.stack([inner[0][0] + t * (inner[1][0] - inner[0][0]), 0.1 + 0.28 * np.sin(np.pi * t)], axis=1)
    cv2.polylines(rim, [_project(head, plane, bridge)], False, 255, max(2, int(1.1 * thick)), cv2.LINE_AA, 4)

    def reduce(picture: npt.NDArray[np.uint8]) -> Floats:
        small = cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        return np.asarray(small / 255, np.float32)

    frame = np.maximum(reduce(rim), reduce(arms))
    glass = reduce(lens) * (1 - reduce(rim))
    # A rounded rim: brighter on its upper edge, with a streak from each lamp.
    slope = cv2.Sobel(cv2.GaussianBlur(frame, (0, 0), 0.9), cv2.CV_32F, 0, 1, ksize=3) * 0.5
    front = light.ambient + float(light.powers @ np.clip(light.directions[:, 2], 0, 1))
    linear = front * (glasses.albedo * (0.75 + 0.5 * np.clip(slope, -1, 1)) + 0.10 * np.clip(slope - 0.08, 0, 1))
    sheen, cover = _sheen(head, light, glass)
    alpha = np.clip(frame + cover * (1 - frame), 0, 1)
    total = linear * frame + sheen * (1 - frame)
    shadow = cv2.GaussianBlur(frame, (0, 0), 2.2)
    shadow = np.roll(shadow, 7, axis=0)
    return total.astype(np.float32), alpha.astype(np.float32), (0.40 * shadow).astype(np.float32)


def _plane(head: Head) -> tuple[Floats, Floats, Floats]:
    """Origin between the eyes in front of them, and the directions to the participant's left and up."""
    left, right = head.eyes[0].centre, head.eyes[1].centre
    across = (left - right) / np.linalg.norm(left - right)
    middle = (left + right) / 2
    bridge = head.skin.vertices[np.abs(head.canonical - [0, -0.9, 3.1]).sum(1).argmin()]
    up = np.array([0, 1, 0.12], np.float32)
    up = up - (up @ across) * across
    origin = middle + np.array([0, 0.1, bridge[2] - middle[2] + 0.35])
    return origin.astype(np.float32), across.astype(np.float32), (up / np.linalg.norm(up)).astype(np.float32)


def _place(head: Head, plane: tuple[Floats, Floats, Floats], points: npt.NDArray[np.float64]) -> Floats:
    origin, across, up = plane
    scale = float(np.linalg.norm(head.eyes[0].centre - head.eyes[1].centre)) / 6.3
    wrap = np.array([0, 0, -0.022]) * np.square(points[:, :1])
    return np.asarray(origin + scale * (points[:, :1] * across + points[:, 1:] * up + wrap), np.float32)


def _project(
    head: Head, plane: tuple[Floats, Floats, Floats], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    return _fixed(head.camera.project(_place(head, plane, points))[:, :2])


def _fixed(pixels: Floats) -> npt.NDArray[np.int32]:
    return np.round(((pixels + 0.5) * _SAMPLES - 0.5) * 16).astype(np.int32)


def _outline(glasses: Glasses, centre: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A superellipse: rounder or squarer by the frame's shape, narrower below for wide frames."""
    power = {"round": 2.0, "oval": 2.2, "square": 4.2, "wide": 3.0}[glasses.shape]
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = 0.5 * glasses.width_cm * np.sign(c) * np.abs(c) ** (2 / power)
    y = 0.5 * glasses.height_cm * np.sign(s) * np.abs(s) ** (2 / power)
    if glasses.shape in ("square", "wide"):
        x = x * (1 + 0.10 * y / glasses.height_cm)
    return np.stack([centre[0] + x, centre[1] + y], axis=1)


def _ear_top(head: Head, side: int) -> int:
    sign = 1 if side == 0 else -1
    return int(np.abs(head.canonical - [sign * 7.25, 0.2, -6.4]).sum(1).argmin())


def _sheen(head: Head, light: Lighting, glass: Floats) -> tuple[Floats, Floats]:
    """Weak, soft mirror images in the coated lenses."""
    draw = np.random.default_rng([head.identity.seed, 71])
    x, y = np.meshgrid(np.arange(WIDTH_PX, dtype=np.float32), np.arange(HEIGHT_PX, dtype=np.float32))
    total = np.zeros_like(glass)
    scale = head.camera.px_per_cm
    for eye in head.eyes:
        centre = head.camera.project(eye.centre)
        shift = draw.normal(0, 0.5, 2)
        dx = (x - centre[0]) / scale - 1.2 * shift[0] - 0.9
        dy = (y - centre[1]) / scale + 0.9 + 0.4 * shift[1]
        total += np.exp(-(np.square(dx / 0.55) + np.square(dy / 0.35)))
    strength = float(light.powers.max()) * float(draw.uniform(0.02, 0.07))
    cover = 0.03 * glass + 0.10 * total * glass
    return (strength * total * glass + 0.01 * glass).astype(np.float32), cover.astype(np.float32)
