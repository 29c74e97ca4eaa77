"""Draws what a face finder and an alignment see, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.face.reference import REGIONS, Points, Scheme, reference_px, stable_landmarks

if TYPE_CHECKING:
    from expression.face.alignment import Alignment
    from expression.face.detect import Face, Picture

Colour = tuple[int, int, int]
Canvas = npt.NDArray[np.uint8]

_ANY: Final[Colour] = (200, 150, 60)
_REGION: Final[Colour] = (60, 190, 250)
_STABLE: Final[Colour] = (80, 220, 80)
_REJECTED: Final[Colour] = (60, 60, 240)
_REFERENCE: Final[Colour] = (240, 240, 240)
_SUBPIXEL_BITS: Final = 4


def overlay(image: Picture, face: Face, alignment: Alignment | None) -> Canvas:
    """The picture with its landmarks and the crop's outline; beside it the crop, with where landmarks should be.

    Args:
        image: (height, width) uint8.
        face: A face in it.
        alignment: Its alignment; None draws the picture alone.

    Returns:
        (height, width + height, 3) uint8, blue green red; without alignment (height, width, 3).
    """
    canvas = _colour(image)
    rejected = alignment.rejected if alignment else ()
    _draw(canvas, face.landmarks, face.scheme, rejected, max(1.0, image.shape[0] / 360))
    if alignment is None:
        return canvas
    corners = np.rint((alignment.outline + 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.polylines(canvas, [corners], True, _REGION, max(1, image.shape[0] // 400), cv2.LINE_AA, _SUBPIXEL_BITS)
    side = image.shape[0]
    beside = alignment.at_size(side)
    crop = _colour(beside.apply(image))
    wanted = reference_px(side, face.scheme)
    for index in stable_landmarks(face.scheme):
        x, y = (int(value) for value in np.rint(wanted[index]))
        cv2.drawMarker(crop, (x, y), _REFERENCE, cv2.MARKER_CROSS, max(5, side // 60), 1)
    _draw(crop, beside.to_crop(face.landmarks), face.scheme, rejected, max(1.0, side / 300))
    return np.hstack([canvas, crop])


def _draw(canvas: Canvas, points: Points, scheme: Scheme, rejected: tuple[int, ...], radius: float) -> None:
    stable = set(stable_landmarks(scheme))
    regions = {index for group in REGIONS.values() for index in group} if scheme is Scheme.MEDIAPIPE else set()
    whole = 2**_SUBPIXEL_BITS
    for index, (x, y) in enumerate(points):
        known = index in stable or index in regions
        colour = _STABLE if index in stable else _REGION if index in regions else _ANY
        colour = _REJECTED if index in rejected else colour
        centre = (round(float(x) * whole), round(float(y) * whole))
        size = round(radius * (1.0 if known else 0.6) * whole)
        cv2.circle(canvas, centre, size, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def _colour(image: Picture) -> Canvas:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
