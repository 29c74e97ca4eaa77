"""Eyeballs: white, iris, pupil, the lamps mirrored in the cornea, the shadow of the lids; and lashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Eyeball, Head
from expression.synthetic.shading import Lighting, to_grey
from expression.synthetic.texture import smooth

Floats = npt.NDArray[np.float32]

_SAMPLES: Final = 4
_IRIS_CM: Final = 0.62
_CORNEA_CM: Final = 0.80


@dataclass(frozen=True)
class EyeLayer:
    """One eyeball, painted beyond the opening of the lids so that gaze can move it."""

    left_px: int
    top_px: int
    """Where the patch's upper left pixel lies in the frame."""
    ball: Floats
    """(h, w) float32, 0 to 255: white, iris, pupil, looking straight ahead; without reflections."""
    reflections: Floats
    """(h, w) float32, 0 to 255: lamps mirrored in cornea and tear film; added, and (nearly) still under gaze."""
    shadow: Floats
    """(h, w) float32, 0 to 1: shadow of the open lids and lashes; multiplies the ball and stays under gaze."""
    px_per_degree: float
    """Shift of the iris in the picture per degree of gaze, near the centre."""
    opening: Floats
    """(768, 1024) float32, 0 to 1: where the neutral lids leave the eyeball in view."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the frame that the patch covers."""
        height, width = self.ball.shape
        return slice(self.top_px, self.top_px + height), slice(self.left_px, self.left_px + width)


def ball_depth(head: Head, eye: Eyeball, samples: int) -> Floats:
    """(H, W) depth in cm of the eyeball's front in every sample; infinite outside its outline."""
    x, y = _grid(head, eye, WIDTH_PX, HEIGHT_PX, 0, 0, samples)
    inside = 1 - x * x - y * y
    depth = np.full(inside.shape, np.inf, np.float32)
    within = inside > 0
    front = head.camera.distance_cm - eye.centre[2]
    depth[within] = front - eye.radius_cm * np.sqrt(inside[within])
    return depth


def _grid(
    head: Head, eye: Eyeball, width: int, height: int, left: int, top: int, samples: int
) -> tuple[Floats, Floats]:
    """Position of each sample against the eye's centre, in radii; y up."""
    centre = head.camera.project(eye.centre)
    radius = eye.radius_cm * head.camera.focal_px / float(centre[2])
    columns = (np.arange(width * samples) + 0.5) / samples - 0.5 + left
    rows = (np.arange(height * samples) + 0.5) / samples - 0.5 + top
    x, y = np.meshgrid((columns - centre[0]) / radius, -(rows - centre[1]) / radius)
    return x.astype(np.float32), y.astype(np.float32)


def paint_eye(head: Head, light: Lighting, side: int, opening: Floats) -> EyeLayer:
    """Paints one eyeball.

    Args:
        head: Whose.
        light: The lamps, for reflections.
        side: 0 the participant's left eye, 1 their right.
        opening: (768, 1024) where the lids leave it in view.
    """
    eye = head.eyes[side]
    centre = head.camera.project(eye.centre)
    scale = head.camera.focal_px / float(centre[2])
    reach = int(np.ceil(eye.radius_cm * scale * 1.05))
    left, top = int(centre[0]) - reach, int(centre[1]) - reach
    size = 2 * reach + 1
    x, y = _grid(head, eye, size, size, left, top, _SAMPLES)
    ball = _ball(head, light, eye, side, x, y)
    mirrored = _reflections(light, eye, x, y)
    shadow = _lid_shadow(opening[top : top + size, left : left + size], scale)

    def reduce(picture: Floats) -> Floats:
        return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.float32)

    lit = reduce(ball)
    grey = to_grey(lit)
    added = to_grey(lit + reduce(mirrored)) - grey
    rim = opening[top : top + size, left : left + size]
    added = added + _tear_line(rim)
    return EyeLayer(
        left_px=left,
        top_px=top,
        ball=grey,
        reflections=cv2.GaussianBlur(added, (0, 0), 0.45).astype(np.float32),
        shadow=shadow,
        px_per_degree=float(np.deg2rad(1.0) * eye.radius_cm * scale),
        opening=opening,
    )


def _ball(head: Head, light: Lighting, eye: Eyeball, side: int, x: Floats, y: Floats) -> Floats:
    identity = head.identity
    draw = np.random.default_rng([identity.seed, 23 + side])
    r = np.sqrt(x * x + y * y)
    # Eyes converge a little on the camera's lens and turn back the head's own turn.
    axis = np.array([-eye.centre[0] / head.camera.distance_cm, 0.0])
    dx, dy = x - axis[0], y - axis[1]
    iris_r = _IRIS_CM / eye.radius_cm
    rho = np.sqrt(dx * dx + dy * dy) / iris_r
    angle = np.arctan2(dy, dx)
    z = np.sqrt(np.clip(1 - r * r, 0, 1))
    normals = np.stack([x, y, z], axis=-1)
    shade = light.diffuse(normals, np.full_like(z, 0.85), np.ones((*z.shape, len(light.powers)), np.float32))
    middle = float(light.diffuse(np.array([0, 0, 1], np.float32), np.ones((), np.float32), np.ones(3, np.float32)))
    # Light scatters inside the white: its shading is flatter than a ball's.
    shade = 0.55 * shade + 0.45 * middle

    # Whites of the eyes hardly differ between people, but the exposure does.
    white = np.full_like(x, 0.26 + 0.20 * min(1.0, identity.skin.albedo / 0.4))
    veins = np.zeros_like(x)
    for _ in range(16):
        start = draw.uniform(0, 2 * np.pi)
        wave = start + 0.14 * np.sin(r * draw.uniform(9, 20) + draw.uniform(0, 6)) + draw.uniform(-0.25, 0.25) * (1 - r)
        away = np.abs(np.mod(angle - wave + np.pi, 2 * np.pi) - np.pi) * r
        veins += draw.uniform(0.3, 1) * np.exp(-np.square(away / 0.014)) * smooth(0.52, 0.85, r)
    white *= 1 - 0.13 * np.clip(veins, 0, 1)
    inner = x * (-1 if side == 0 else 1)
    white *= 1 - 0.30 * smooth(0.62, 0.98, inner) - 0.10 * smooth(0.62, 0.98, -inner)
    white *= 1 - 0.10 * smooth(1.5, 1.0, rho)

    tone = identity.eyes.iris
    fibres = np.zeros_like(x)
    for frequency, weight in ((19, 0.35), (37, 0.5), (61, 0.6), (97, 0.5)):
        phase = draw.uniform(0, 2 * np.pi)
        wobble = 1.1 * np.sin(rho * draw.uniform(4, 9) + draw.uniform(0, 6))
        fibres += weight * np.sin(frequency * angle + phase + wobble) * (0.6 + 0.4 * np.sin(5 * angle + phase))
    iris = tone * (1 + 0.16 * fibres)
    collar = np.exp(-np.square((rho - 0.52) / 0.10))
    iris *= 1 + 0.35 * collar - 0.3 * smooth(0.45, 0.32, rho)
    iris *= 1 - (0.35 + 0.4 * identity.eyes.ring) * smooth(0.74, 0.97, rho)
    # Light that enters the cornea from above gathers in the lower part of the iris.
    iris *= 1 - 0.55 * dy / iris_r * 0.6
    iris *= 0.62
    pupil = identity.eyes.pupil_mm / 20 / _IRIS_CM
    iris = np.where(rho < 2, iris * (1 - 0.96 * smooth(pupil + 0.045, pupil - 0.045, rho)), iris)
    blend = smooth(1.06, 0.93, rho)
    return np.asarray(shade * (white * (1 - blend) + np.clip(iris, 0.004, 0.6) * blend), np.float32)


def _reflections(light: Lighting, eye: Eyeball, x: Floats, y: Floats) -> Floats:
    cornea = _CORNEA_CM / eye.radius_cm
    total = np.zeros_like(x)
    for direction, power in zip(light.directions, light.powers, strict=True):
        half = direction + np.array([0, 0, 1])
        half /= np.linalg.norm(half)
        size = 0.42 * light.softness * cornea
        px, py = half[0] * cornea, half[1] * cornea
        distance = np.sqrt(np.square(x - px) + np.square(y - py))
        total += power * 1.6 * smooth(size * 1.15, size * 0.8, distance)
        # The moist white mirrors the lamp too, broken and weak.
        total += power * 0.05 * np.exp(-(np.square((x - half[0]) / 0.09) + np.square((y - half[1]) / 0.07)))
    sky = 0.012 * smooth(0.0, 0.55, y) * smooth(0.62, 0.4, np.sqrt(x * x + y * y))
    return np.asarray(total + sky, np.float32)


def _lid_shadow(opening: Floats, scale: float) -> Floats:
    """The upper lid and its lashes shade the upper part of the ball; the lower lid hardly does."""
    closed = (1 - opening).astype(np.float32)
    reach = max(2, int(0.22 * scale))
    kernel = np.zeros((2 * reach + 1, 1), np.float32)
    kernel[: reach + 1, 0] = np.linspace(0.4, 1, reach + 1)
    above = cv2.filter2D(closed, -1, kernel / kernel.sum(), anchor=(0, reach), borderType=cv2.BORDER_REPLICATE)
    around = cv2.GaussianBlur(closed, (0, 0), 0.13 * scale)
    shadow = (1 - 0.62 * np.clip(above, 0, 1)) * (1 - 0.45 * np.clip(around * 1.1 - 0.05, 0, 1))
    return np.asarray(cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), 1.0), np.float32)


def _tear_line(opening: Floats) -> Floats:
    """Tears that stand on the lower lid's margin catch the lamps."""
    down = np.zeros_like(opening)
    down[:-2] = opening[:-2] - opening[2:]
    line = np.clip(down, 0, 1)
    return np.asarray(16 * cv2.GaussianBlur(line, (0, 0), 0.6), np.float32)


def paint_lashes(head: Head, openings: tuple[Floats, Floats], upper: bool) -> Floats:
    """(768, 1024) coverage, 0 to 1, of the upper or lower lashes of both eyes."""
    samples = 3
    canvas = np.zeros((HEIGHT_PX * samples, WIDTH_PX * samples), np.uint8)
    identity = head.identity
    scale = head.camera.px_per_cm * samples
    for side, opening in enumerate(openings):
        draw = np.random.default_rng([identity.seed, 31 + side + 2 * upper])
        edge = _margin(opening, upper)
        if len(edge) < 8:
            continue
        inner, outer = (edge[0], edge[-1]) if side == 0 else (edge[-1], edge[0])
        count = int((95 if upper else 42) * (0.7 + 0.5 * identity.eyes.lashes))
        for _ in range(count):
            where = draw.beta(1.5, 1.2) if upper else draw.uniform(0.15, 0.97)
            column = inner[0] + where * (outer[0] - inner[0])
            row = np.interp(column, edge[:, 0], edge[:, 1])
            out = 1 if side == 0 else -1
            if upper:
                length = (0.22 + 0.30 * where * draw.uniform(0.5, 1)) * (0.55 + 0.65 * identity.eyes.lashes)
                fan = (-0.35 + 1.35 * where + draw.normal(0, 0.12)) * out
                first, last = (0.25, -0.10 - 0.45 * where)
            else:
                length = (0.10 + 0.14 * where * draw.uniform(0.5, 1)) * (0.5 + 0.6 * identity.eyes.lashes)
                fan = (-0.3 + 1.2 * where + draw.normal(0, 0.15)) * out
                first, last = (0.35, 0.75)
            t = np.linspace(0, 1, 6)
            px = column * samples + scale * length * fan * t * (0.5 + 0.5 * t)
            lift = first * t * (1 - t) * 2 + last * t * t
            py = (row + (0.2 if upper else 0.6)) * samples + scale * length * lift
            points = np.round(np.stack([px, py], axis=1) * 16).astype(np.int32)
            grey = int(255 * draw.uniform(0.45, 0.95) * (0.95 if upper else 0.55))
            for k in range(5):
                thick = 2 if (k < 2 and upper) else 1
                cv2.line(canvas, points[k].tolist(), points[k + 1].tolist(), grey, thick, cv2.LINE_AA, 4)
        if upper:
            line = np.round((edge - np.array([0, 0.15], np.float32)) * samples * 16).astype(np.int32)
            strip = np.zeros_like(canvas)
            cv2.polylines(strip, [line[2:-2]], False, 200, max(2, int(0.045 * scale)), cv2.LINE_AA, 4)
            soft = cv2.GaussianBlur(strip, (0, 0), 0.035 * scale)
            canvas = np.maximum(canvas, (soft * (0.45 + 0.45 * identity.eyes.lashes)).astype(np.uint8))
    small = cv2.resize(canvas, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255, np.float32)


def _margin(opening: Floats, upper: bool) -> Floats:
    """(n, 2) x and y of the lid's margin, from left to right, smoothed."""
    columns = np.flatnonzero(opening.max(0) > 0.5)
    if len(columns) < 8:
        return np.zeros((0, 2), np.float32)
    columns = np.arange(columns[0], columns[-1] + 1)
    part = opening[:, columns] > 0.5
    rows = part.argmax(0) if upper else len(part) - 1 - part[::-1].argmax(0)
    rows = rows.astype(np.float32)
    padded = np.concatenate([np.full(3, rows[0]), rows, np.full(3, rows[-1])])
    rows = np.convolve(padded, np.ones(7) / 7, "valid")
    return np.stack([columns, rows], axis=1).astype(np.float32)
