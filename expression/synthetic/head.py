"""The geometry of one simulated head: meshes in centimetres, camera, and what action units need to move them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.synthetic.identity import ANCESTRIES, Identity
from expression.synthetic.material import Material, Subdivision, load_material, skin_subdivision, triangles_of
from expression.synthetic.raster import vertex_normals

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

WIDTH_PX: Final = 1024
HEIGHT_PX: Final = 768


@dataclass(frozen=True)
class Camera:
    """A pinhole in front of the face, looking along -z. Pixel (0, 0) is the centre of the upper left pixel."""

    distance_cm: float
    """From the pinhole to the plane z = 0 of the head."""
    focal_px: float
    centre_px: tuple[float, float]
    """Where the axis meets the picture, x and y."""
    height_cm: float
    """y of the axis in head coordinates."""

    def project(self, points: Floats) -> Floats:
        """Picture coordinates of points.

        Args:
            points: (..., 3) float32, cm; x to the participant's left, y up, z towards the camera.

        Returns:
            (..., 3) float32: x to the right and y down in pixels, and depth in cm from the pinhole.
        """
        depth = self.distance_cm - points[..., 2]
        scale = self.focal_px / depth
        x = self.centre_px[0] + points[..., 0] * scale
        y = self.centre_px[1] - (points[..., 1] - self.height_cm) * scale
        return np.stack([x, y, depth], axis=-1).astype(np.float32)

    @property
    def px_per_cm(self) -> float:
        """Scale in the plane z = 0."""
        return self.focal_px / self.distance_cm


@dataclass(frozen=True)
class Mesh:
    """Triangles of one part."""

    vertices: Floats
    """(V, 3) cm."""
    normals: Floats
    """(V, 3) unit length, outward."""
    triangles: Ints
    """(T, 3) vertex numbers, counter-clockwise seen from outside."""


@dataclass(frozen=True)
class Eyeball:
    """One eye as a sphere; the cornea is added when it is painted."""

    centre: Floats
    """(3,) cm; the eye turns about it."""
    radius_cm: float


@dataclass(frozen=True)
class Head:
    """One participant's head at rest.

    Base vertices are those of the shipped material (all parts in one array, `Material.vertices`): displacements are
    given on them and carried to the fine mesh of the skin by `subdivision`, e.g.
    `head.subdivision.apply(0.6 * head.target("expression/eye-left-closure"))` is (V, 3) cm on `head.skin`.
    """

    identity: Identity
    material: Material
    camera: Camera
    base_vertices: Floats
    """(B, 3) cm, morphed."""
    skin: Mesh
    """Skin of head, neck and shoulders with the inside of the mouth, twice subdivided (Catmull-Clark)."""
    canonical: Floats
    """(V, 3) cm: the skin of the mean head, the same for everyone: the coordinates of procedural textures."""
    subdivision: Subdivision
    """Carries values on base vertices (B, k) to the skin's vertices (V, k)."""
    eyes: tuple[Eyeball, Eyeball]
    """The participant's left and right eye (right and left in the picture)."""
    teeth: Mesh
    tongue: Mesh
    left_weight: Floats
    """(B,) 1 on the participant's left half, 0 on the right, smooth across 2 cm at the midline."""

    def target(self, name: str) -> Floats:
        """Displacement of the base vertices by a morph target at full weight.

        Args:
            name: such as "mouth/mouth-angles-up" or "expression/mouth-corner-puller"; `Material.names` has them all.
                Expression targets are blended for the identity's ancestry.

        Returns:
            (B, 3) float32, cm.

        Raises:
            UnknownTarget: The material has no target of this name.
        """
        if name.startswith("expression/"):
            unit = name.removeprefix("expression/")
            parts = [
                weight * self.material.target(f"expression/{ancestry}/{unit}")
                for ancestry, weight in self.identity.ancestry.items()
                if weight > 0
            ]
            return np.asarray(np.sum(parts, axis=0), np.float32)
        return self.material.target(name)

    def region(self, name: str) -> Floats:
        """(B,) weight 0 to 1 on the base vertices of "lips", "eyelids", "ears", "mouth_inside" or "face"."""
        return self.material.region(name)


def build_head(identity: Identity) -> Head:
    """The head of a participant at rest, posed and framed as the operator would.

    Args:
        identity: Who it is.
    """
    material = load_material()
    subdivision = skin_subdivision()
    base = material.vertices + _macro(
        material, identity.male, identity.age, identity.ancestry, identity.weight, identity.muscle
    )
    for name, weight in identity.shape.items():
        index, step = material.targets[name]
        base[index] += np.float32(weight) * step
    base = _close_lips(base, material)
    base = _pose(base, material, identity)
    camera = _frame(base, material, identity)
    fine = subdivision.apply(base)
    triangles = subdivision.triangles
    return Head(
        identity=identity,
        material=material,
        camera=camera,
        base_vertices=base,
        skin=Mesh(fine, vertex_normals(fine, triangles), triangles),
        canonical=_mean_head(),
        subdivision=subdivision,
        eyes=(_eyeball(base, material, "left eye"), _eyeball(base, material, "right eye")),
        teeth=_part(base, material, ("upper teeth", "lower teeth")),
        tongue=_part(base, material, ("tongue",)),
        left_weight=_smooth_step(material.vertices[:, 0] / 2 + 0.5),
    )


@lru_cache(maxsize=1)
def _mean_head() -> Floats:
    material = load_material()
    base = material.vertices + _macro(material, 0.5, 22.0, dict.fromkeys(ANCESTRIES, 1 / 3), 0.0, 0.0)
    base -= np.mean([_eyeball(base, material, part).centre for part in ("left eye", "right eye")], 0, dtype=np.float32)
    return skin_subdivision().apply(base)


def _smooth_step(t: npt.NDArray[np.floating]) -> Floats:
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _macro(
    material: Material, male: float, age: float, ancestry: dict[str, float], weight: float, muscle: float
) -> Floats:
    """Displacement (B, 3) by sex, age, ancestry and build: products of weights, as MakeHuman combines them."""
    old = max(0.0, (age - 25) / 65)
    total = np.zeros_like(material.vertices)

    def add(name: str, amount: float) -> None:
        if amount > 0 and name in material.targets:
            index, step = material.targets[name]
            total[index] += np.float32(amount) * step

    heavy = {"maxweight": max(weight, 0), "minweight": max(-weight, 0), "averageweight": 1 - abs(weight)}
    strong = {"maxmuscle": max(muscle, 0), "minmuscle": max(-muscle, 0), "averagemuscle": 1 - abs(muscle)}
    for sex, of_sex in (("male", male), ("female", 1 - male)):
        for stage, of_age in (("young", 1 - old), ("old", old)):
            for people, part in ancestry.items():
                add(f"macro/{people}-{sex}-{stage}", of_sex * of_age * part)
            for muscles, of_muscle in strong.items():
                for build, of_build in heavy.items():
                    add(f"macro/universal-{sex}-{stage}-{muscles}-{build}", of_sex * of_age * of_muscle * of_build)
    return total


def _eyeball(base: Floats, material: Material, part: str) -> Eyeball:
    points = base[np.unique(material.quads[part])].astype(np.float64)
    # The sphere through the vertices by least squares: |p|^2 = 2 p.c + (r^2 - |c|^2).
    left = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    solution = np.linalg.lstsq(left, (points**2).sum(1), rcond=None)[0]
    centre = solution[:3]
    return Eyeball(centre.astype(np.float32), float(np.sqrt(solution[3] + centre @ centre)))


def _part(base: Floats, material: Material, names: tuple[str, ...]) -> Mesh:
    triangles = triangles_of(np.concatenate([material.quads[name] for name in names]))
    return Mesh(base, vertex_normals(base, triangles), triangles)


_UPPER_LIP, _LOWER_LIP = 474, 523
"""Vertices on the midline where the lips meet."""


def _close_lips(base: Floats, material: Material) -> Floats:
    """Brings the lips together, which the shapes leave a little apart."""
    high, low = base[_UPPER_LIP], base[_LOWER_LIP]
    gap = float(high[1] - low[1]) + 0.03
    middle = (high[1] + low[1]) / 2
    lips = material.region("lips") > 0.5
    half = float(np.abs(base[lips, 0]).max())
    across = np.clip(1 - (base[:, 0] / half) ** 4, 0, 1)
    near = np.exp(-np.square((base[:, 1] - middle) / 0.6)) * _smooth_step((base[:, 2] - high[2] + 2.5) / 1.2)
    # Split along the line between the lips, which follows the shape of the mouth.
    upper = np.where(material.vertices[:, 1] > material.vertices[[_UPPER_LIP, _LOWER_LIP], 1].mean(), -1.0, 1.0)
    moved = base.copy()
    moved[:, 1] += (
        0.5 * gap * upper * across * near * (material.region("lips") + material.region("mouth_inside")).clip(0, 1)
    )
    return moved


def _pose(base: Floats, material: Material, identity: Identity) -> Floats:
    """Moves the head to the origin (between the eyeballs) and turns it a little about the neck."""
    eyes = [_eyeball(base, material, part).centre for part in ("left eye", "right eye")]
    base = np.asarray(base - (eyes[0] + eyes[1]) / 2, np.float32)
    yaw, pitch, roll = np.deg2rad([identity.framing.yaw_deg, -identity.framing.pitch_deg, -identity.framing.roll_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    pivot = np.array([0.0, -11.0, -11.0])
    turned = (base - pivot) @ (about_z @ about_y @ about_x).T + pivot
    # The neck takes up the turn: nothing at the collar bones, all of it at the jaw.
    share = _smooth_step((base[:, 1:2] + 19.0) / 9.0)
    return np.asarray(base + share * (turned - base), np.float32)


def _frame(base: Floats, material: Material, identity: Identity) -> Camera:
    skin = base[np.unique(material.quads["body"])]
    front = skin[(np.abs(skin[:, 0]) < 1.5) & (skin[:, 2] > 0)]
    middle = front[front[:, 1] < -8.0]
    chin = float(middle[middle[:, 2] > middle[:, 2].max() - 0.4][:, 1].min())
    top = float(skin[:, 1].max())
    hair_line = chin + 0.8 * (top - chin)
    framing = identity.framing
    focal = framing.face_height * HEIGHT_PX / (hair_line - chin) * (framing.distance_cm - 1.5)
    middle_of_head = (top + 1.0 + chin) / 2
    # The head with its hair lies a little above the middle of the picture.
    centre = (WIDTH_PX / 2 - 0.5 + framing.offset_px[0], HEIGHT_PX / 2 - 34 + framing.offset_px[1])
    return Camera(framing.distance_cm, focal, centre, middle_of_head)
