"""One transform for a whole clip: from its onset frame to the crop that motion, networks and annotators look at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import FaceCutOff, FaceNotFound, FaceTooSmall, FaceTurned, PictureUnusable
from expression.face.detect import Face, FaceFinder, Picture, checked
from expression.face.procrustes import Kind, fit, scale_of
from expression.face.reference import Points, Scheme, reference_px, stable_landmarks

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALLEST_EYE_DISTANCE_PX: Final = 30.0
"""A face with closer eyes is less than 100 pixels wide: a movement of a micro-expression is then a tenth of a pixel."""
MOST_TURNED_DEG: Final = 30.0
"""Yaw and pitch up to which a similarity still lays the regions of a face where the reference has them."""
LARGEST_RESIDUAL: Final = 0.07
"""RMS of the nine tenths of the stable landmarks that fit best, as a share of the crop's side, above which a face is no
frontal one. The canonical face turned by 40 degrees has 0.073; a filmed one within 17 degrees had 0.036 at most."""
TOLERANCE: Final = 0.08
"""Distance from its place in the reference face, as a share of the crop's side, at which a landmark counts a quarter.
Landmarks of frontal faces lie 0.01 to 0.04 off, since faces differ."""
_HARDLY_COUNTS: Final = 0.1
_MOST_OUTSIDE: Final = 0.05
"""Share of the landmarks that may lie beyond the picture's edge: a few at the jaw or hairline do no harm."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The transform from the frames of one clip to its crop, the same for all of them."""

    matrix: npt.NDArray[np.float64]
    """(2, 3), read-only: source pixel to crop pixel, whole numbers being pixel centres in both, as OpenCV has it."""
    size_px: int
    """Side of the square crop."""
    source_shape: tuple[int, int]
    """Height and width of the frames."""
    scheme: Scheme
    """The landmarks that it was made from."""
    residual_px: float = 0.0
    """RMS distance, in pixels of the crop, of the stable landmarks from where the reference face has them. It
    tells how far this face differs from the reference in shape and turn; with the two points of `Scheme.EYES` it is
    always 0."""
    guessed: bool = False
    """True where the landmarks were guessed, see `Face.guessed`."""
    rejected: tuple[int, ...] = ()
    """Stable landmarks that lay so far off that they hardly counted."""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, np.float64).reshape(2, 3)
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @property
    def scale(self) -> float:
        """Crop pixels per source pixel (of the square root of the area, where it is affine)."""
        return scale_of(self.matrix)

    @cached_property
    def inverse(self) -> npt.NDArray[np.float64]:
        """(2, 3) crop pixel to source pixel."""
        return np.asarray(cv2.invertAffineTransform(self.matrix), np.float64)

    def at_size(self, size_px: int) -> Alignment:
        """The same window of the same face in a crop of another size."""
        ratio = size_px / self.size_px
        matrix = self.matrix * ratio
        matrix[:, 2] += (ratio - 1) / 2
        return replace(self, matrix=matrix, size_px=size_px, residual_px=self.residual_px * ratio)

    def to_crop(self, points: Points) -> Points:
        """Points (N, 2) of a source frame, in crop pixels, float32."""
        return (points @ self.matrix[:, :2].T + self.matrix[:, 2]).astype(np.float32)

    def to_source(self, points: Points) -> Points:
        """Points (N, 2) of the crop, in pixels of the source frames, float32."""
        return (points @ self.inverse[:, :2].T + self.inverse[:, 2]).astype(np.float32)

    @property
    def outline(self) -> Points:
        """(4, 2) corners of the crop in the source frames, clockwise from its upper left one."""
        last = self.size_px - 0.5
        return self.to_source(np.array([(-0.5, -0.5), (last, -0.5), (last, last), (-0.5, last)], np.float32))

    def apply(self, frame: Picture, out: Picture | None = None) -> Picture:
        """Cut the crop out of a frame.

        Bilinear; where the crop has half of the frame's resolution or less, blocks of 2x2 (4x4, ...) source pixels are
        averaged first, so that noise goes down and fine texture does not flicker. What lies beyond the frame repeats
        its edge.

        Args:
            frame: (height, width) uint8 of `source_shape`.
            out: Where to put it, (size, size) uint8; None makes a new array.

        Returns:
            (size, size) uint8; `out`, where it was given.

        Raises:
            PictureUnusable: `frame` is no grey picture of `source_shape`, or `out` has another shape.
        """
        if checked(frame).shape != self.source_shape:
            raise PictureUnusable(
                f"a frame of {frame.shape[1]}x{frame.shape[0]} pixels in a clip of "
                f"{self.source_shape[1]}x{self.source_shape[0]}; a clip is aligned by one of its own frames"
            )
        size = (self.size_px, self.size_px)
        if out is not None and (out.shape != size or out.dtype != np.uint8 or not out.flags.c_contiguous):
            raise PictureUnusable(f"the crop needs a contiguous uint8 array of {size}, not {out.dtype} {out.shape}")
        matrix, part, halvings = self._plan
        source = frame[part]
        for _ in range(halvings):
            half = (source.shape[1] // 2, source.shape[0] // 2)
            source = np.asarray(cv2.resize(source, half, interpolation=cv2.INTER_AREA), np.uint8)
        cropped = cv2.warpAffine(source, matrix, size, dst=out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cropped, np.uint8)

    def apply_clip(self, frames: Iterable[Picture]) -> npt.NDArray[np.uint8]:
        """Cut the crop out of every frame.

        Returns:
            (N, size, size) uint8.

        Raises:
            PictureUnusable: See `apply`.
        """
        crops = [self.apply(frame) for frame in frames]
        return np.stack(crops) if crops else np.empty((0, self.size_px, self.size_px), np.uint8)

    @cached_property
    def _plan(self) -> tuple[npt.NDArray[np.float64], tuple[slice, slice], int]:
        """The part of the frame that is needed, how often it is halved, and the matrix from there to the crop."""
        height, width = self.source_shape
        halvings = min(int(math.log2(max(1.0, 1 / self.scale))), int(math.log2(min(height, width))))
        if halvings == 0:
            return self.matrix, (slice(None), slice(None)), 0
        block = 2**halvings
        left, top = np.clip(self.outline.min(0) // 1 - block, 0, (width - block, height - block)).astype(int)
        right, bottom = np.clip(
            self.outline.max(0) // 1 + block + 1, (left + block, top + block), (width, height)
        ).astype(int)
        columns, rows = (right - left) // block, (bottom - top) // block
        part = slice(int(top), int(top + rows * block)), slice(int(left), int(left + columns * block))
        # From the centres of the averaged blocks back to source pixels.
        middle = (block - 1) / 2
        lift = np.array([[block, 0, left + middle], [0, block, top + middle], [0, 0, 1]], np.float64)
        return self.matrix @ lift, part, halvings


def align(
    source: FaceFinder | Face,
    onset_frame: Picture,
    *,
    size_px: int = 224,
    kind: Kind = "similarity",
    smallest_eye_distance_px: float = SMALLEST_EYE_DISTANCE_PX,
) -> Alignment:
    """Lay the face of a clip's onset frame onto the reference face.

    Procrustes analysis of the stable landmarks alone, as in the paper's preprocessing; `Alignment.apply` then serves
    all frames of the clip, so that what moves in the crop moved in the face. The less a landmark fits the rest, the
    less it counts.

    Args:
        source: Who finds the face, or the face itself. Of several faces the first is taken.
        onset_frame: (height, width) uint8.
        size_px: Side of the crop.
        kind: Similarity (scale, rotation, shift) keeps the proportions of the face; affine also stretches and shears it
            towards the reference, and needs more than two landmarks.
        smallest_eye_distance_px: Distance of the eyes in the frame below which it is refused.

    Raises:
        FaceNotFound: The frame shows no face.
        FaceTooSmall: The eyes are too close together.
        FaceCutOff: The face reaches beyond the picture.
        FaceTurned: The head is turned too far, or what was found does not look like a frontal face.
        PictureUnusable: The frame is no grey picture.
        ValueError: `kind` is affine, and the finder knows nothing but the eyes.
    """
    shape = checked(onset_frame).shape
    face = source if isinstance(source, Face) else _first(source, onset_frame)
    if face.eye_distance_px < smallest_eye_distance_px:
        raise FaceTooSmall(
            f"the face is too small: {face.eye_distance_px:.0f} px between the eyes, "
            f"{smallest_eye_distance_px:.0f} are needed; move the camera closer or use a longer lens"
        )
    stable = np.array(stable_landmarks(face.scheme))
    wanted = reference_px(size_px, face.scheme)[stable]
    matrix, weights = fit(face.landmarks[stable], wanted, tolerance=TOLERANCE * size_px, kind=kind)
    alignment = Alignment(matrix, size_px, (shape[0], shape[1]), face.scheme, guessed=face.guessed)
    off = np.linalg.norm(alignment.to_crop(face.landmarks[stable]) - wanted, axis=1)
    residual = float(np.sqrt(np.average(off**2, weights=weights)))
    _refuse_turned(face, off / size_px)
    _refuse_cut_off(face, alignment)
    return replace(
        alignment, residual_px=residual, rejected=tuple(int(index) for index in stable[weights < _HARDLY_COUNTS])
    )


def _first(finder: FaceFinder, frame: Picture) -> Face:
    faces = finder.find(frame)
    if not faces:
        raise FaceNotFound("no face in the frame; check that it is complete, bright and turned to the camera")
    return faces[0]


def _refuse_turned(face: Face, off: npt.NDArray[np.float64]) -> None:
    if face.pose is not None:
        for name, angle in (("sideways", face.pose.yaw_deg), ("up or down", face.pose.pitch_deg)):
            if abs(angle) > MOST_TURNED_DEG:
                raise FaceTurned(
                    f"the head is turned {name} by {abs(angle):.0f} degrees, more than {MOST_TURNED_DEG:.0f}; "
                    "choose an onset frame that faces the camera"
                )
    residual = float(np.sqrt((np.sort(off)[: math.ceil(0.9 * len(off))] ** 2).mean()))
    if residual > LARGEST_RESIDUAL:
        raise FaceTurned(
            f"the landmarks lie {residual:.0%} of the crop off those of a frontal face, more than "
            f"{LARGEST_RESIDUAL:.0%}; choose an onset frame that faces the camera"
        )


def _refuse_cut_off(face: Face, alignment: Alignment) -> None:
    landmarks = face.landmarks
    if face.scheme is Scheme.EYES:
        # Two points do not tell where the chin is: the reference face, laid back into the picture, does.
        landmarks = alignment.to_source(reference_px(alignment.size_px))
    height, width = alignment.source_shape
    beyond = np.stack(
        [-0.5 - landmarks[:, 0], -0.5 - landmarks[:, 1], landmarks[:, 0] - width + 0.5, landmarks[:, 1] - height + 0.5]
    )
    outside = (beyond > 0).any(0).mean()
    if outside > _MOST_OUTSIDE:
        edge = ("left", "upper", "right", "lower")[int((beyond > 0).sum(1).argmax())]
        raise FaceCutOff(
            f"the face is cut off by the {edge} edge of the picture ({outside:.0%} of it lie outside); centre the face"
        )
