"""What a face finder is, and what it finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from expression.errors import PictureUnusable
from expression.face.reference import Points, Scheme, landmarks_as

if TYPE_CHECKING:
    from collections.abc import Iterable

Picture = npt.NDArray[np.uint8]
"""(height, width) grey values."""


@dataclass(frozen=True)
class Box:
    """A rectangle in a picture, in pixels; whole numbers are pixel centres. It may reach beyond the picture."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def around(cls, points: Points) -> Box:
        """The smallest box that holds all points (N, 2)."""
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return cls(float(left), float(top), float(right - left), float(bottom - top))

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class HeadPose:
    """Where the head points, in degrees, seen from the participant.

    Yaw to their left, pitch up, roll to their left shoulder are positive. So in the picture positive yaw turns the
    face to the right, and positive roll tilts it clockwise.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, eq=False)
class Face:
    """A face in one picture."""

    box: Box
    """From the hairline (landmarks) or the forehead (cascades) to the chin."""
    landmarks: Points
    """(N, 2) float32, read-only, in pixels; whole numbers are pixel centres."""
    scheme: Scheme
    """What the landmarks are."""
    score: float | None = None
    """How sure the finder is, 0 to 1; None where it does not say."""
    pose: HeadPose | None = None
    """None where the finder cannot tell."""
    guessed: bool = False
    """True where landmarks come from the usual proportions of a face and not from the picture."""

    def __post_init__(self) -> None:
        if self.landmarks.shape != (self.scheme.size, 2):
            raise ValueError(f"{self.scheme.value} has {self.scheme.size} landmarks, not {self.landmarks.shape}")
        landmarks = np.array(self.landmarks, np.float32)
        landmarks.flags.writeable = False
        object.__setattr__(self, "landmarks", landmarks)

    @property
    def eyes(self) -> Points:
        """(2, 2) centres of the right and the left eye."""
        return landmarks_as(self.landmarks, self.scheme, Scheme.EYES)

    @property
    def eye_distance_px(self) -> float:
        """Distance of the eye centres."""
        right, left = self.eyes
        return float(np.hypot(*(left - right)))


class FaceFinder(Protocol):
    """Finds faces in single pictures. Use it as a context manager; one thread at a time."""

    @property
    def reason(self) -> str:
        """One line for the person in front: which method is in use, why, and how to get a better one. Show it once."""
        ...

    @property
    def scheme(self) -> Scheme:
        """The landmarks that its faces have."""
        ...

    def find(self, image: Picture) -> tuple[Face, ...]:
        """Find all faces, the one that is biggest and nearest to the middle first; empty where there is none.

        The same picture gives the same faces, unless the finder was made to track.

        Raises:
            PictureUnusable: `image` is not uint8 of (height, width).
            RuntimeError: The finder was closed.
        """
        ...

    def close(self) -> None:
        """Let go of threads and memory. May be called again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Closing:
    """The context manager's part of a finder."""

    def close(self) -> None:
        """Let go of threads and memory; here there are none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def checked(image: Picture) -> Picture:
    """`image` itself, if it is a picture as finders and alignments take it.

    Raises:
        PictureUnusable: Wrong type, dimensions or size.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 2 or 0 in image.shape:
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise PictureUnusable(f"a grey picture is needed, uint8 of (height, width), not {kind}; convert it first")
    return image


def ranked(faces: Iterable[Face], shape: tuple[int, ...]) -> tuple[Face, ...]:
    """Faces with the participant first: the area counts, up to halved towards the corners of the picture."""
    height, width = shape[:2]

    def rank(face: Face) -> float:
        x, y = face.box.centre
        off_centre = math.hypot(x / width - 0.5, y / height - 0.5) / math.hypot(0.5, 0.5)
        return -face.box.width * face.box.height * (1 - 0.5 * min(1.0, off_centre))

    return tuple(sorted(faces, key=rank))
