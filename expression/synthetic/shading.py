"""Light: three soft lamps and the room, what they do to skin, and how light becomes grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.identity import Identity, LightSetup

Floats = npt.NDArray[np.float32]

GAMMA: Final = 2.2
"""Grey is light to the power 1 / GAMMA: the cameras' tone curve."""
SHOULDER: Final = 0.82
"""Grey (of 1) above which highlights are compressed instead of clipped."""
_FRESNEL: Final = 0.028


def to_grey(light: Floats) -> Floats:
    """Display grey, 0 to 255 float32, of linear light (1 is white paper in full light)."""
    grey = np.power(np.maximum(light, 0), 1 / GAMMA, dtype=np.float32)
    room = 1 - SHOULDER
    over = np.maximum(grey - SHOULDER, 0)
    grey = np.minimum(grey, SHOULDER) + room * (1 - np.exp(-over / room))
    return (255 * grey).astype(np.float32)


@dataclass(frozen=True)
class Lighting:
    """Lamps as discs at infinity, and light from everywhere."""

    directions: Floats
    """(L, 3) unit vectors from the face to each lamp."""
    powers: Floats
    """(L,)"""
    softness: float
    """Sine of a lamp's angular radius."""
    ambient: float

    @classmethod
    def of(cls, identity: Identity) -> Lighting:
        """The lamps of a participant's session, exposed for their skin."""
        setup: LightSetup = identity.light
        azimuth = np.deg2rad(setup.azimuth_deg)
        elevation = np.deg2rad(setup.elevation_deg)
        flat = np.cos(elevation)
        directions = np.stack([flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth)], axis=1)
        powers = np.array(setup.power)
        # Exposure: the operator sets the lamps by the face; dark skin still comes out darker than fair skin.
        front = setup.ambient + float(powers @ np.clip(directions[:, 2], 0, 1))
        wanted = 0.58 * (identity.skin.albedo / 0.4) ** 0.8
        gain = wanted / (identity.skin.albedo * front)
        return cls(
            directions.astype(np.float32),
            (powers * gain).astype(np.float32),
            float(np.sin(setup.softness)),
            setup.ambient * gain,
        )

    def lambert(self, normals: Floats) -> Floats:
        """(..., L) cosine towards each lamp, smooth where a disc sets behind the surface's horizon."""
        cosine = normals @ self.directions.T
        w = self.softness + 0.12  # light seeps a little beyond the terminator in skin
        soft = np.square(np.clip(cosine + w, 0, 2 * w)) / (4 * w)
        return np.where(cosine > w, cosine, soft).astype(np.float32)

    def diffuse(self, normals: Floats, occlusion: Floats, shadow: Floats) -> Floats:
        """Light that arrives at a surface.

        Args:
            normals: (..., 3) unit length.
            occlusion: (...) part of the surroundings in view, 0 to 1.
            shadow: (..., L) part of each lamp in view, 0 to 1.

        Returns:
            (...) linear light; times albedo it is what the camera sees of a matt surface.
        """
        sky = self.ambient * occlusion * (0.8 + 0.2 * normals[..., 1])
        return (sky + (self.lambert(normals) * shadow) @ self.powers).astype(np.float32)

    def specular(self, normals: Floats, shadow: Floats, roughness: Floats | float) -> Floats:
        """Mirrored lamps on a slightly rough surface, seen from the front (GGX after Walter et al. 2007).

        Args:
            normals: (..., 3) unit length.
            shadow: (..., L).
            roughness: (...) or one number; lamps widen it by their size.
        """
        view = np.array([0, 0, 1], np.float32)
        total = np.zeros(normals.shape[:-1], np.float32)
        facing = np.clip(normals[..., 2], 0.05, 1)
        alpha2 = np.square(np.square(roughness) + 0.5 * self.softness)
        for lamp, power in enumerate(self.powers):
            half = self.directions[lamp] + view
            half = half / np.linalg.norm(half)
            cos_half = np.clip(normals @ half, 0, 1)
            cos_light = np.clip(normals @ self.directions[lamp], 0, 1)
            spread = alpha2 / (np.pi * np.square(np.square(cos_half) * (alpha2 - 1) + 1))
            fresnel = _FRESNEL + (1 - _FRESNEL) * (1 - float(half @ view)) ** 5
            k = 0.18
            visible = 1 / ((facing * (1 - k) + k) * (cos_light * (1 - k) + k))
            total += power * np.pi * spread * fresnel * visible * 0.25 * cos_light * shadow[..., lamp]
        return total

    def grey_ratio(self, before: Floats, after: Floats, occlusion: Floats, shadow: Floats) -> Floats:
        """Factor on grey when a surface's normals change (...), from (..., 3) normals before and after."""
        old = self.diffuse(before, occlusion, shadow) + 1e-3
        new = self.diffuse(after, occlusion, shadow) + 1e-3
        return np.power(new / old, 1 / GAMMA, dtype=np.float32)


def sphere_directions(count: int) -> Floats:
    """(count, 3) even directions over the half sphere towards the camera and the sides (golden spiral)."""
    number = np.arange(count) + 0.5
    z = 1 - number / count * 1.15  # a little beyond the horizon: ears and jaw are lit from the side
    angle = np.pi * (1 + 5**0.5) * number
    flat = np.sqrt(np.clip(1 - z * z, 0, 1))
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1).astype(np.float32)


def visibility(points: Floats, direction: Floats, cell_cm: float = 0.28, bias_cm: float = 0.35) -> Floats:
    """(V,) 0 to 1: whether each point of a dense cloud sees a direction past all other points (a point shadow map)."""
    d = direction.astype(np.float64)
    side = np.cross([0.0, 1.0, 0.0], d)
    side /= np.linalg.norm(side)
    up = np.cross(d, side)
    u, v, depth = points @ side, points @ up, points @ d
    size = (int(np.ptp(u) / cell_cm) + 3, int(np.ptp(v) / cell_cm) + 3)
    x, y = (u - u.min()) / cell_cm + 1, (v - v.min()) / cell_cm + 1
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    nearest = np.full((size[1] + 1) * (size[0] + 1), -1e3, np.float32)
    np.maximum.at(nearest, row * (size[0] + 1) + column, depth.astype(np.float32))
    grid = nearest.reshape(size[1] + 1, size[0] + 1)
    # Close the gaps between points, then take back the growth of the outline.
    closed = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    found = closed[row, column]
    return np.asarray(np.clip(1 - (found - depth - bias_cm) / 0.3, 0, 1), np.float32)


def occlusion_and_shadow(points: Floats, normals: Floats, light: Lighting, blockers: Floats) -> tuple[Floats, Floats]:
    """How much of the room and of each lamp the points of a surface see.

    Args:
        points: (V, 3) cm.
        normals: (V, 3).
        light: The lamps.
        blockers: (K, 3) points of whatever stands in the light, the surface itself included.

    Returns:
        (V,) ambient occlusion, and (V, L) visibility of the lamps, 0 to 1.
    """
    cloud = np.concatenate([points, blockers]) if len(blockers) else points
    count = len(points)
    seen = np.zeros(count, np.float64)
    whole = np.full(count, 1e-6)
    for direction in sphere_directions(28):
        cosine = np.clip(normals @ direction, 0, 1)
        seen += cosine * visibility(cloud, direction)[:count]
        whole += cosine
    shadow = np.zeros((count, len(light.powers)), np.float32)
    ring = [(0.0, 0.0), *((np.cos(a), np.sin(a)) for a in np.arange(5) * (2 * np.pi / 5))]
    for lamp, centre in enumerate(light.directions):
        side = np.cross([0.0, 1.0, 0.0], centre)
        side /= np.linalg.norm(side)
        up = np.cross(centre, side)
        for a, b in ring:
            direction = centre + 0.75 * light.softness * (a * side + b * up)
            shadow[:, lamp] += visibility(cloud, (direction / np.linalg.norm(direction)).astype(np.float32))[:count]
    return (seen / whole).astype(np.float32), (shadow / len(ring)).astype(np.float32)
