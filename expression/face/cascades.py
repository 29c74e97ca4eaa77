"""Face and eyes by the cascades that OpenCV brings along: what runs where no model file can be had."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from expression.face.detect import Box, Closing, Face, Picture, checked, ranked
from expression.face.reference import Points, Scheme

FACE_CASCADE: Final = "haarcascade_frontalface_default.xml"
EYE_CASCADES: Final = ("haarcascade_eye.xml", "haarcascade_eye_tree_eyeglasses.xml")
"""The second was trained on eyes behind glasses; candidates of both compete."""

_SEARCH_PX: Final = 320
"""Longer side of the picture in which faces are searched."""
_SMALLEST: Final = 0.2
"""Smallest face, against the shorter side of the picture."""
_FACE_PX: Final = 180
"""Width to which a face is brought for the search of its eyes, so that they have the size the cascades know."""

_USUAL_EYES: Final = np.array([(0.325, 0.412), (0.675, 0.412)], np.float32)
"""Where the eyes lie in a box of the face cascade, as shares of it."""
_OFF_EYE: Final = np.array([(0.065, 0.05), (0.0, 0.05)], np.float32)
"""How far the middle between an eye's corners lies from the middle of the cascades' box, as shares of the eyes'
distance: the boxes take in some of the brow, and those of right eyes some of the temple. The same, to 0.01, on a
filmed face and on twelve simulated ones, against MediaPipe."""
_SPREAD: Final = 0.05
"""How far from there eyes commonly are (one standard deviation)."""
_DISTANCE: Final = (0.26, 0.52)
"""Smallest and greatest distance of two eyes, as shares of the box's width."""
_MOST_TILT_DEG: Final = 22.0


@dataclass(frozen=True)
class _Eye:
    x: float
    y: float
    size: float
    support: int
    """Number of overlapping hits."""


class CascadeFinder(Closing):
    """Haar cascades for the face, then for a plausible pair of eyes in it.

    Where one eye or both are not found (closed, hair, glasses), they are placed by the usual proportions of a face,
    and the face says `guessed`. Head pose is not told.
    """

    scheme: Final = Scheme.EYES

    def __init__(self, *, reason: str = "OpenCV cascades, eye centres only") -> None:
        self.reason = reason
        self._face = _cascade(FACE_CASCADE)
        self._eyes = tuple(_cascade(name) for name in EYE_CASCADES)

    def find(self, image: Picture) -> tuple[Face, ...]:
        """See `FaceFinder.find`."""
        height, width = checked(image).shape
        scale = min(1.0, _SEARCH_PX / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1.0 else image
        smallest = max(24, round(_SMALLEST * min(size)))
        found, _, weights = self._face.detectMultiScale3(
            small, scaleFactor=1.1, minNeighbors=4, minSize=(smallest, smallest), outputRejectLevels=True
        )
        faces = []
        for box, weight in zip(found, weights, strict=True):
            x, y, side = int(box[0]) * width / size[0], int(box[1]) * height / size[1], int(box[2]) / scale
            eyes, guessed = self._find_eyes(image, x, y, side)
            # Weights of this cascade run from about 0 to 10.
            score = 1.0 / (1.0 + math.exp(-(float(weight) - 2.0)))
            faces.append(Face(Box(x, y, side, side), eyes, Scheme.EYES, score=score, guessed=guessed))
        return ranked(faces, image.shape)

    def _find_eyes(self, image: Picture, x: float, y: float, side: float) -> tuple[Points, bool]:
        """Eye centres (2, 2) in pixels of the picture, and whether any of them is a guess."""
        left, top = max(0, int(x)), max(0, int(y + 0.1 * side))
        right, bottom = min(image.shape[1], int(x + side)), min(image.shape[0], int(y + 0.65 * side))
        part = image[top:bottom, left:right]
        zoom = _FACE_PX / side
        size = max(1, round(part.shape[1] * zoom)), max(1, round(part.shape[0] * zoom))
        part = np.asarray(
            cv2.resize(part, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR), np.uint8
        )
        eyes = [
            _Eye((ex + ew / 2) / zoom + left - x, (ey + eh / 2) / zoom + top - y, ew / zoom, int(support))
            for cascade in self._eyes
            for (ex, ey, ew, eh), support in zip(*_hits(cascade, part), strict=True)
        ]
        shares = [_Eye(eye.x / side, eye.y / side, eye.size / side, eye.support) for eye in eyes]
        centres, guessed = choose_eyes(shares)
        corner = np.array([x, y], np.float32)
        return (corner + centres * side - 0.5).astype(np.float32), guessed


def choose_eyes(candidates: list[_Eye]) -> tuple[Points, bool]:
    """The most plausible pair among candidates, in shares of the face box.

    Brows, nostrils, the rims of glasses and mouth corners are taken for eyes as well, so a pair has to be as far
    apart, as level, as equal in size and as near to its usual place as eyes are.

    Returns:
        (2, 2) float32 right and left eye, and True where one or both are a guess.
    """
    rights = [eye for eye in candidates if 0.12 <= eye.x <= 0.5 and 0.2 <= eye.y <= 0.56]
    lefts = [eye for eye in candidates if 0.5 <= eye.x <= 0.88 and 0.2 <= eye.y <= 0.56]
    pairs = [pair for pair in itertools.product(rights, lefts) if _plausible(*pair)]
    if pairs:
        right, left = min(pairs, key=lambda pair: _oddness(pair[0], 0) + _oddness(pair[1], 1))
        distance = math.hypot(left.x - right.x, left.y - right.y)
        return np.array([(right.x, right.y), (left.x, left.y)], np.float32) + _OFF_EYE * distance, False
    for side, eyes in enumerate((rights, lefts)):
        near = [eye for eye in eyes if _off(eye, side) <= 3.0]
        if near:
            best = min(near, key=lambda eye: _oddness(eye, side))
            return _USUAL_EYES + (np.array([best.x, best.y], np.float32) - _USUAL_EYES[side]), True
    return _USUAL_EYES.copy(), True


def _plausible(right: _Eye, left: _Eye) -> bool:
    dx, dy = left.x - right.x, left.y - right.y
    level = abs(dy) <= math.tan(math.radians(_MOST_TILT_DEG)) * dx
    equal = max(right.size, left.size) <= 1.8 * min(right.size, left.size)
    return _DISTANCE[0] <= math.hypot(dx, dy) <= _DISTANCE[1] and level and equal


def _off(eye: _Eye, side: int) -> float:
    return math.hypot(eye.x - float(_USUAL_EYES[side, 0]), eye.y - float(_USUAL_EYES[side, 1])) / _SPREAD


def _oddness(eye: _Eye, side: int) -> float:
    return 0.5 * _off(eye, side) ** 2 - 0.5 * math.log(eye.support)


def _hits(cascade: cv2.CascadeClassifier, part: Picture) -> tuple[list[tuple[int, ...]], list[int]]:
    boxes, supports = cascade.detectMultiScale2(
        part, scaleFactor=1.07, minNeighbors=3, minSize=(28, 28), maxSize=(68, 68)
    )
    # Threads hand in their hits in any order.
    order = sorted((tuple(int(v) for v in box), int(support)) for box, support in zip(boxes, supports, strict=True))
    return [box for box, _ in order], [support for _, support in order]


def _cascade(name: str) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
    if cascade.empty():
        raise RuntimeError(f"this OpenCV ({cv2.__version__}) does not bring {name}; install opencv-contrib-python 4.x")
    return cascade
