"""The frontal reference face: where each landmark lies in an aligned crop, which landmarks hold still, and the regions.

Positions are shares of the crop: (0, 0) is the outer corner of its first pixel and (1, 1) that of its last one. Pixel
coordinates are OpenCV's, everywhere in this package: whole numbers are the centres of pixels; `reference_px` converts.
Left and right are the participant's own, as in FACS; their right eye is on the left of the picture.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Points = npt.NDArray[np.float32]
"""(N, 2) positions, x to the right and y down."""

CANONICAL_FILE: Final = Path(__file__).parent / "data" / "canonical_face.csv"

CROP_TO_FACE: Final = 1.15
"""Side of the square crop against the height of the face from hairline to chin. What is above 1 is room on all sides:
the chin of an opening mouth and raised brows stay inside, and no more of the background than that comes in."""


class Scheme(StrEnum):
    """A set of landmarks and their order."""

    MEDIAPIPE = "mediapipe478"
    """468 points of MediaPipe's face mesh, then the iris of the right and of the left eye: its centre, and four points
on its rim."""
    DLIB = "dlib68"
    """The 68 points of the iBUG annotation, as SAN, dlib and many others give them."""
    EYES = "eyes"
    """The centres of the right and of the left eye: all that the cascades can tell."""

    @property
    def size(self) -> int:
        """Number of landmarks."""
        return {"mediapipe478": 478, "dlib68": 68, "eyes": 2}[self.value]


class FaceRegion(StrEnum):
    """A part of the face that moves as one, or that stands still (the nose bridge)."""

    RIGHT_INNER_BROW = "right_inner_brow"
    LEFT_INNER_BROW = "left_inner_brow"
    RIGHT_OUTER_BROW = "right_outer_brow"
    LEFT_OUTER_BROW = "left_outer_brow"
    GLABELLA = "glabella"
    FOREHEAD = "forehead"
    RIGHT_UPPER_LID = "right_upper_lid"
    LEFT_UPPER_LID = "left_upper_lid"
    RIGHT_LOWER_LID = "right_lower_lid"
    LEFT_LOWER_LID = "left_lower_lid"
    NOSE_BRIDGE = "nose_bridge"
    RIGHT_NOSE_WING = "right_nose_wing"
    LEFT_NOSE_WING = "left_nose_wing"
    RIGHT_CHEEK = "right_cheek"
    LEFT_CHEEK = "left_cheek"
    RIGHT_MOUTH_CORNER = "right_mouth_corner"
    LEFT_MOUTH_CORNER = "left_mouth_corner"
    UPPER_LIP = "upper_lip"
    LOWER_LIP = "lower_lip"
    CHIN = "chin"


_RIGHT: Final = {
    FaceRegion.RIGHT_INNER_BROW: (107, 66, 65, 55),
    FaceRegion.RIGHT_OUTER_BROW: (105, 63, 70, 46, 53),
    FaceRegion.RIGHT_UPPER_LID: (161, 160, 159, 158, 157),
    FaceRegion.RIGHT_LOWER_LID: (163, 144, 145, 153, 154),
    FaceRegion.RIGHT_NOSE_WING: (48, 49, 64, 102, 115, 129),
    FaceRegion.RIGHT_CHEEK: (50, 101, 117, 118, 119),
    FaceRegion.RIGHT_MOUTH_CORNER: (61, 76, 62, 78),
}
_MIDDLE: Final = {
    FaceRegion.GLABELLA: (8, 9),
    FaceRegion.FOREHEAD: (151, 69, 108, 104, 299, 337, 333),
    FaceRegion.NOSE_BRIDGE: (6, 197, 195, 122, 196, 351, 419),
    FaceRegion.UPPER_LIP: (0, 11, 12, 37, 39, 72, 267, 269, 302),
    FaceRegion.LOWER_LIP: (15, 16, 17, 84, 85, 181, 314, 315, 405),
    FaceRegion.CHIN: (175, 199, 200, 208, 428),
}

_STABLE_RIGHT: Final = (122, 196, 33, 133, 34, 139, 143, 54, 67, 103, 109)
_STABLE_MIDDLE: Final = (168, 6, 197, 195, 10)

_MEDIAPIPE_EYES: Final = ((33, 133), (362, 263))
"""Outer and inner corners. Not the irises, which follow the gaze."""

_MEDIAPIPE_TO_DLIB: Final = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),  # jaw, ear to ear
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer edge of the lips
    *(78, 81, 13, 311, 308, 402, 14, 178),  # inner edge
)

_IRIS_RADIUS_CM: Final = 0.585
"""Half of the iris's width, 11.7 mm, which hardly differs between adults."""


@cache
def canonical_face_cm() -> npt.NDArray[np.float32]:
    """The canonical face that MediaPipe's landmark model refers to.

    Returns:
        (468, 3) float32, read-only, in centimetres: x to the right of the picture, y up, z towards the viewer.
    """
    face = np.loadtxt(CANONICAL_FILE, np.float32, delimiter=",", skiprows=4)
    face.flags.writeable = False
    return face


@cache
def mirrored(index: int) -> int:
    """The landmark of `Scheme.MEDIAPIPE` (0 to 467) that lies opposite of `index` on the other half of the face."""
    face = canonical_face_cm()
    return int(np.linalg.norm(face - face[index] * np.array([-1, 1, 1], np.float32), axis=1).argmin())


@cache
def _regions() -> Mapping[FaceRegion, tuple[int, ...]]:
    groups = dict(_MIDDLE)
    for right, indices in _RIGHT.items():
        groups[right] = indices
        groups[FaceRegion(right.value.replace("right", "left"))] = tuple(mirrored(index) for index in indices)
    return MappingProxyType({region: groups[region] for region in FaceRegion})


REGIONS: Final = _regions()
"""Landmarks of `Scheme.MEDIAPIPE` that each region consists of. The left ones mirror the right ones."""

_STABLE: Final = MappingProxyType(
    {
        Scheme.MEDIAPIPE: tuple(sorted({*_STABLE_MIDDLE, *_STABLE_RIGHT, *map(mirrored, _STABLE_RIGHT)})),
        Scheme.DLIB: (27, 28, 29, 36, 39, 42, 45),
        Scheme.EYES: (0, 1),
    }
)


def stable_landmarks(scheme: Scheme) -> tuple[int, ...]:
    """Landmarks that a micro-expression does not move: nose bridge, eye corners, temples, and the hairline.

    The paper leaves out the landmarks of regions where micro-expressions occur but does not list them. Also left out
    are those on the face's outline beside the eyes and ears: they are no points of the skin, and wander when the head
    turns. What was measured is in decision 12.
    """
    return _STABLE[scheme]


@cache
def reference_landmarks(scheme: Scheme = Scheme.MEDIAPIPE) -> Points:
    """Where the landmarks of the reference face lie in the crop.

    Returns:
        (N, 2) float32, read-only, as shares of the crop's side.
    """
    if scheme is not Scheme.MEDIAPIPE:
        points = landmarks_as(reference_landmarks(), Scheme.MEDIAPIPE, scheme)
    else:
        mesh = canonical_face_cm()[:, :2] * np.array([1, -1], np.float32)
        top, bottom = mesh[:, 1].min(), mesh[:, 1].max()
        middle = np.array([0, (top + bottom) / 2], np.float32)
        points = np.concatenate([mesh, *(_iris(mesh, corners) for corners in _MEDIAPIPE_EYES)])
        points = ((points - middle) / (CROP_TO_FACE * (bottom - top)) + 0.5).astype(np.float32)
    points.flags.writeable = False
    return points


@cache
def reference_px(size_px: int, scheme: Scheme = Scheme.MEDIAPIPE) -> Points:
    """Where the landmarks of the reference face lie in a crop of `size_px` pixels a side.

    Returns:
        (N, 2) float32, read-only, in pixels; whole numbers are pixel centres.
    """
    points = (reference_landmarks(scheme) * size_px - 0.5).astype(np.float32)
    points.flags.writeable = False
    return points


def _iris(mesh: Points, corners: tuple[int, int]) -> Points:
    rim = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32)
    return np.asarray(mesh[list(corners)].mean(0) + _IRIS_RADIUS_CM * rim, np.float32)


def landmarks_as(landmarks: Points, scheme: Scheme, wanted: Scheme) -> Points:
    """The same face in a scheme that knows less.

    Args:
        landmarks: (N, 2) of `scheme`, in any unit.
        scheme: what they are.
        wanted: what they are to become.

    Returns:
        (M, 2) float32 of `wanted`, in the same unit.

    Raises:
        ValueError: `wanted` knows more than `scheme`.
    """
    if wanted is scheme:
        return landmarks
    if scheme is Scheme.MEDIAPIPE and wanted is Scheme.DLIB:
        return landmarks[list(_MEDIAPIPE_TO_DLIB)]
    if wanted is Scheme.EYES:
        corners = ((36, 39), (42, 45)) if scheme is Scheme.DLIB else _MEDIAPIPE_EYES
        return np.stack([landmarks[list(pair)].mean(0) for pair in corners]).astype(np.float32)
    raise ValueError(f"landmarks of the scheme {scheme.value} cannot be turned into {wanted.value}, which knows more")
