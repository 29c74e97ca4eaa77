"""Takes the head's movement off the flow, turns out of the picture's plane included, and reads the regions.

A similarity through still landmarks (`expression.motion.RegionMeter`) leaves two things in the regions that would be
taken for expressions: the parallax of a head that turns or nods, since the nose is nearer to the camera than the
temples, and whatever eyes do, since the eyes' corners are among those landmarks. Here the whole face but the eyes tells
how the head moves, with the depth of the canonical face for two more unknowns, and what moves by itself is outvoted.
A region's movement is the weighted mean of its vectors: linear in the flow, so that a neutral level can be taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion, Points, Scheme, canonical_face_cm, reference_px
from expression.motion import REGION_ORDER, Flow, HeadMotion
from expression.motion.flow import LATTICE_STEP_PX
from expression.motion.regions import RegionMeter

Floats = npt.NDArray[np.float64]

POINT_STEP: Final = 3
"""Every how many vectors of the lattice, across and down, tell how the head moves."""
_EYE_MARGIN_SHARE: Final = 0.05
"""By how much of the crop's side the part left out around an eye reaches beyond its corners: half a window of the
flow."""
_EYES: Final = ((33, 133, 159, 145), (362, 263, 386, 374))
"""Corners and middle of the lids of either eye."""
_AGREES_PX: Final = 0.05
_DEPTH_BLUR_SHARE: Final = 0.03
_FITS: Final = 2
"""Weighted fits for each frame; the weights of the frame before are where they start."""
_NO_TURN: Final = 1e2
"""How much small turns are preferred: enough that a face without texture has none."""


@dataclass(frozen=True)
class Stabilised:
    """What one frame shows against the reference."""

    regions: npt.NDArray[np.complex64]
    """(20,) movement of each region of `REGION_ORDER` without the head's: x + iy in pixels of the crop, y down."""
    head: HeadMotion
    turn: tuple[float, float]
    """Turn about the vertical axis (to the right of the picture) and nod (down), in radians, of small angles."""


class Stabiliser:
    """Reads head and regions off the flow of `FlowEstimator.lattice_flow`.

    The weights of one frame are where the next one's fit starts: frames must come in order. Not thread-safe.

    Args:
        size_px: Side of the crop.
        noise_px: (size, size) precision of the flow, from `FlowEstimator.noise_px`.
        landmarks_px: (478, 2) landmarks of the reference frame in the crop; without them those of the reference face.
    """

    def __init__(self, size_px: int, noise_px: npt.NDArray[np.float32], landmarks_px: Points | None = None) -> None:
        self._side = size_px // LATTICE_STEP_PX
        landmarks = reference_px(size_px) if landmarks_px is None else np.asarray(landmarks_px, np.float32)
        steps = np.arange(self._side) * LATTICE_STEP_PX + (LATTICE_STEP_PX - size_px) / 2
        places = (steps[None, :] + 1j * steps[:, None]).ravel()
        depth, inside = _depth(size_px, landmarks)
        precision = 1 / (_AGREES_PX**2 + self._on_lattice(noise_px) ** 2)
        points = np.flatnonzero((inside & ~_eyes(size_px, landmarks) & _sparse(self._side)).ravel())
        depth = depth.ravel() - depth.ravel()[points].mean()
        self._points = points
        self._precision = precision[points]
        self._weights = self._precision
        self._design = _design(places[points], depth[points])
        masks = RegionMeter(size_px, landmarks).masks
        shares = np.stack([self._on_lattice(mask.astype(np.float32)) for mask in masks]) * precision
        shares /= shares.sum(axis=1, keepdims=True)
        regions, self._members = np.nonzero(shares)
        self._starts = np.searchsorted(regions, np.arange(len(masks)))
        self._shares = shares[regions, self._members].astype(np.float32)
        # A region's share of the head's movement is linear in the six unknowns: no field over the face is needed.
        columns = _design(places, depth).view(np.complex128).reshape(6, -1)
        self._region_design = np.einsum("rp,up->ru", shares, columns)

    def read(self, flow: Flow) -> Stabilised:
        """Movement of head and regions.

        Args:
            flow: (size / 2, size / 2, 2) float32 in pixels of the crop.
        """
        vectors = np.ascontiguousarray(flow, np.float32).view(np.complex64).reshape(-1)
        moved = vectors[self._points].astype(np.complex128)
        target = moved.view(np.float64)
        design = self._design
        weights = self._weights
        for _ in range(_FITS):
            weighted = design * np.repeat(weights, 2)
            # Not by BLAS, whose threads cost milliseconds at this size where other processes want the cores.
            normal = np.einsum("ip,jp->ij", weighted, design)
            normal[4, 4] += _NO_TURN
            normal[5, 5] += _NO_TURN
            unknowns = np.linalg.solve(normal, np.einsum("ip,p->i", weighted, target))
            left = np.abs((target - np.einsum("i,ip->p", unknowns, design)).view(np.complex128))
            agrees = max(_AGREES_PX, float(np.median(left)))
            weights = self._precision / (1 + (left / agrees) ** 2)
        self._weights = weights
        means = np.add.reduceat(vectors[self._members] * self._shares, self._starts)
        regions = means - np.einsum("ru,u->r", self._region_design, unknowns)
        shift, growth = complex(unknowns[0], unknowns[1]), complex(unknowns[2], unknowns[3])
        return Stabilised(
            regions.astype(np.complex64),
            HeadMotion.from_similarity(shift, growth),
            (float(unknowns[4]), float(unknowns[5])),
        )

    def _on_lattice(self, plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.resize(plane, (self._side, self._side), interpolation=cv2.INTER_AREA), np.float32).ravel()


def _design(places: npt.NDArray[np.complex128], depth: Floats) -> Floats:
    """(6, 2N): how shift x and y, growth (real and imaginary), turn and nod move each of N points, x and y in turns."""
    columns = np.empty((6, len(places)), np.complex128)
    columns[0], columns[1] = 1, 1j
    columns[2], columns[3] = places, 1j * places
    columns[4], columns[5] = depth, 1j * depth
    return columns.view(np.float64)


def _sparse(side: int) -> npt.NDArray[np.bool_]:
    chosen = np.zeros((side, side), np.bool_)
    chosen[::POINT_STEP, ::POINT_STEP] = True
    return chosen


def _eyes(size_px: int, landmarks: Points) -> npt.NDArray[np.bool_]:
    """(size / 2, size / 2) whether a vector is reached by what an eye does."""
    mask = np.zeros((size_px, size_px), np.uint8)
    margin = size_px * _EYE_MARGIN_SHARE
    for eye in _EYES:
        corners = landmarks[list(eye)]
        left, top = np.floor(corners.min(0) - margin).astype(int)
        right, bottom = np.ceil(corners.max(0) + margin).astype(int)
        mask[max(0, top) : bottom + 1, max(0, left) : right + 1] = 1
    return mask[::LATTICE_STEP_PX, ::LATTICE_STEP_PX] > 0


def _depth(size_px: int, landmarks: Points) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Depth of the face at the lattice's vectors in pixels of the crop, towards the camera, and whether it is face.

    The canonical face's depth at its landmarks, smoothed over the crop: what lies beyond the outline takes that of the
    nearest landmarks.
    """
    mesh = canonical_face_cm()
    points = landmarks[: len(mesh)]
    px_per_cm = np.ptp(reference_px(size_px, Scheme.MEDIAPIPE)[: len(mesh), 1]) / np.ptp(mesh[:, 1])
    side = size_px // LATTICE_STEP_PX
    steps = np.arange(side) * LATTICE_STEP_PX + (LATTICE_STEP_PX - 1) / 2
    apart = (steps[None, :, None] - points[:, 0]) ** 2 + (steps[:, None, None] - points[:, 1]) ** 2
    apart -= apart.min(axis=2, keepdims=True)
    weights = np.exp(-apart / (2 * (_DEPTH_BLUR_SHARE * size_px) ** 2))
    depth = (weights @ (mesh[:, 2] * px_per_cm)) / weights.sum(axis=2)
    outline = np.zeros((size_px, size_px), np.uint8)
    cv2.fillConvexPoly(outline, np.rint(cv2.convexHull(points)).astype(np.int32), 1)
    return depth, outline[::LATTICE_STEP_PX, ::LATTICE_STEP_PX] > 0


LIDS: Final = tuple(index for index, region in enumerate(REGION_ORDER) if region.value.endswith("_lid"))
CHIN: Final = REGION_ORDER.index(FaceRegion.CHIN)
