"""How far each region of the face has moved, with the movement of the head taken off.

Two rules of spotting by optical flow (Y. He et al., MEGC 2020, and later winners) are kept: the bridge of the nose
tells how the head moves, and a region's movement is the mean of its strongest vectors, since skin moves where the
muscle pulls and lies still beside it. The head's movement is a similarity here and not a shift alone: a roll by a third
of a degree moves the mouth as far as a faint smile does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import PictureUnusable
from expression.face.reference import REGIONS, FaceRegion, Points, Scheme, reference_px, stable_landmarks
from expression.motion.flow import FLOW_SIZE_PX, Flow
from expression.motion.head import HeadMotion

REGION_ORDER: Final = tuple(FaceRegion)
"""Order of the regions in arrays."""
STRONGEST_SHARE: Final = 0.25
"""Share of a region's vectors whose mean is its movement; 0.2 to 0.3 in the literature."""

_MARGIN_SHARE: Final = 0.025
"""By how much of the crop's side a region reaches beyond the outline of its landmarks."""
_LID_MARGIN_SHARE: Final = 0.012
_LIDS: Final = frozenset(region for region in FaceRegion if region.value.endswith("_lid"))
_PATCH_SHARE: Final = 0.012
"""Half the side of the patch that is taken around each still landmark."""
_AGREES_PX: Final = 0.05
"""Noise of the flow: still points nearer than this to the head's movement agree with it."""
_REFITS: Final = 3
_MOST_POINTS: Final = 48
"""Vectors that are read per region: neighbours tell the same, since a window of the flow is some 10 pixels wide."""


@dataclass(frozen=True)
class RegionMotion:
    """What one frame shows against the reference."""

    displacement_px: npt.NDArray[np.float32]
    """(20, 2) movement of each region of `REGION_ORDER` without the head's, to the right and down, in pixels."""
    head: HeadMotion


class RegionMeter:
    """Reads the movement of head and regions off dense flow.

    Args:
        size_px: Side of the crop.
        landmarks_px: (478, 2) landmarks of the reference frame in the crop. With them the regions sit on this
            participant's brows and mouth; without, on those of the reference face, a few hundredths of the crop away.
        step_px: Distance of the flow's vectors: 1, or 2 for `FlowEstimator.lattice_flow`.
        noise_px: (size_px, size_px) precision of the flow, from `FlowEstimator.noise_px`: where the head goes is then
            read above all from places with texture.
        strongest_share: Share of a region's vectors that count, above 0 and at most 1.

    Raises:
        PictureUnusable: The landmarks are not (478, 2).
    """

    def __init__(
        self,
        size_px: int = FLOW_SIZE_PX,
        landmarks_px: Points | None = None,
        *,
        step_px: int = 1,
        noise_px: npt.NDArray[np.float32] | None = None,
        strongest_share: float = STRONGEST_SHARE,
    ) -> None:
        landmarks = reference_px(size_px) if landmarks_px is None else np.asarray(landmarks_px, np.float32)
        if landmarks.shape != (Scheme.MEDIAPIPE.size, 2):
            raise PictureUnusable(
                f"regions need {Scheme.MEDIAPIPE.size} landmarks of x and y, not {landmarks.shape}; without them"
                " regions take their places from the reference face"
            )
        self._size_px = size_px
        self._step_px = step_px
        self._side = size_px // step_px
        self.masks = np.stack([_region_mask(size_px, landmarks, region) for region in REGION_ORDER])
        """(20, size_px, size_px) bool."""
        points = [self._spread(mask) for mask in self.masks]
        longest = max(map(len, points))
        self._points = np.stack([np.pad(inside, (0, longest - len(inside)), mode="edge") for inside in points])
        self._region_places = self._places(self._points)
        self._padding = np.arange(longest) >= np.array([[len(inside)] for inside in points])
        counted = np.array([max(1, round(strongest_share * len(inside))) for inside in points])
        self._weakest_counted = (np.arange(len(points)), longest - counted)
        self._still = np.union1d(points[REGION_ORDER.index(FaceRegion.NOSE_BRIDGE)], self._still_points(landmarks))
        self._still_places = self._places(self._still)
        noise = np.zeros(len(self._still), np.float32) if noise_px is None else self._at(noise_px)[self._still]
        self._precision = (1 / (_AGREES_PX**2 + noise**2)).astype(np.float32)
        self._fit = np.ones((len(self._still), 5), np.complex64)
        self._fit[:, 1] = self._still_places
        self._fit[:, 2] = np.abs(self._still_places) ** 2

    def _places(self, points: npt.NDArray[np.intp]) -> npt.NDArray[np.complex64]:
        """Positions against the middle of the crop, x + iy."""
        rows, columns = np.divmod(points, self._side)
        return (self._step_px * (columns + 1j * rows - (1 + 1j) * (self._side - 1) / 2)).astype(np.complex64)

    def _at(self, plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """A plane of the crop's size at the flow's vectors, flat."""
        return np.asarray(cv2.resize(plane, (self._side, self._side), interpolation=cv2.INTER_AREA), np.float32).ravel()

    def _spread(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """At most `_MOST_POINTS` of the vectors that lie in a mask, spread evenly over it."""
        covered = self._at(mask.astype(np.float32)).reshape(self._side, self._side)
        within = covered >= min(0.5, float(covered.max()))
        for stride in range(1, self._side):
            chosen = np.zeros_like(within)
            chosen[::stride, ::stride] = within[::stride, ::stride]
            if np.count_nonzero(chosen) <= _MOST_POINTS:
                break
        return np.flatnonzero(chosen if chosen.any() else within)[:_MOST_POINTS]

    def _still_points(self, landmarks: Points) -> npt.NDArray[np.intp]:
        """The vectors nearest to the corners of a small patch around each landmark that holds still."""
        reach = max(float(self._step_px), self._size_px * _PATCH_SHARE)
        corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32) * reach
        places = (landmarks[list(stable_landmarks(Scheme.MEDIAPIPE))][:, None] + corners).reshape(-1, 2)
        places = np.rint((places - (self._step_px - 1) / 2) / self._step_px)
        x, y = places[((places >= 0) & (places < self._side)).all(axis=1)].astype(np.intp).T
        return np.unique(y * self._side + x)

    def measure(self, flow: Flow) -> RegionMotion:
        """Movement of head and regions.

        Args:
            flow: (size_px / step_px, size_px / step_px, 2) float32 in pixels of the crop, as `FlowEstimator` gives it.

        Raises:
            PictureUnusable: The flow has another shape.
        """
        vectors = self._vectors(flow)
        shift, growth = self._head(vectors)
        moved = vectors[self._points] - (shift + growth * self._region_places)
        strength = moved.real**2 + moved.imag**2
        strength[self._padding] = -1
        counts = strength >= np.sort(strength, axis=1)[self._weakest_counted][:, None]
        means = (moved * counts).sum(axis=1) / counts.sum(axis=1)
        displacement = np.stack([means.real, means.imag], axis=-1).astype(np.float32)
        return RegionMotion(displacement, HeadMotion.from_similarity(shift, growth))

    def head_motion(self, flow: Flow) -> HeadMotion:
        """Movement of the head alone, from the bridge of the nose and the other landmarks that hold still."""
        return HeadMotion.from_similarity(*self._head(self._vectors(flow)))

    def stabilised(self, flow: Flow) -> Flow:
        """The flow without the head's movement, float32 of the same shape."""
        return flow - self.head_motion(flow).field(self._size_px, self._step_px)

    def _vectors(self, flow: Flow) -> npt.NDArray[np.complex64]:
        if flow.shape != (self._side, self._side, 2):
            raise PictureUnusable(
                f"the flow is {flow.shape}, and regions were laid out for {self._side} vectors a side"
            )
        return np.ascontiguousarray(flow, np.float32).view(np.complex64).reshape(-1)

    def _head(self, vectors: npt.NDArray[np.complex64]) -> tuple[complex, complex]:
        """Shift s and growth g of the similarity s + g z that most still points follow.

        Least sum of distances, by reweighted least squares: brows, lids or a hairline that move after all are outvoted.
        """
        moved = vectors[self._still]
        fit = self._fit
        fit[:, 3] = moved
        np.multiply(self._still_places.conj(), moved, out=fit[:, 4])
        weights = self._precision
        for refits_left in reversed(range(_REFITS + 1)):
            total, place, lever, drift, twist = (weights @ fit).tolist()
            growth = (twist - place.conjugate() * drift / total) / (lever - abs(place) ** 2 / total)
            shift = (drift - growth * place) / total
            if refits_left:
                error = np.abs(moved - (self._still_places * growth + shift))
                weights = self._precision / np.maximum(error, _AGREES_PX)
        return shift, growth


def _region_mask(size_px: int, landmarks: Points, region: FaceRegion) -> npt.NDArray[np.bool_]:
    outline = cv2.convexHull(landmarks[list(REGIONS[region])])
    mask = np.zeros((size_px, size_px), np.uint8)
    # Sixteenths of a pixel, so that small crops do not shift the outline.
    cv2.fillConvexPoly(mask, np.rint(outline * 16).astype(np.int32), 1, shift=4)
    reach = max(1, round(size_px * (_LID_MARGIN_SHARE if region in _LIDS else _MARGIN_SHARE)))
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    if not grown.any():
        # Landmarks of a face that leaves the crop: the nearest pixel stands in.
        x, y = np.clip(np.rint(outline.reshape(-1, 2).mean(0)), 0, size_px - 1).astype(int)
        grown[y, x] = 1
    return grown > 0
