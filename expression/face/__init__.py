"""Face geometry: where a face is, its landmarks, and the one transform by which a clip is aligned and cropped."""

from expression.face.alignment import Alignment, align
from expression.face.detect import Box, Face, FaceFinder, HeadPose
from expression.face.finders import best_finder
from expression.face.reference import (
    REGIONS,
    FaceRegion,
    Scheme,
    landmarks_as,
    reference_landmarks,
    reference_px,
    stable_landmarks,
)

__all__ = [
    "REGIONS",
    "Alignment",
    "Box",
    "Face",
    "FaceFinder",
    "FaceRegion",
    "HeadPose",
    "Scheme",
    "align",
    "best_finder",
    "landmarks_as",
    "reference_landmarks",
    "reference_px",
    "stable_landmarks",
]
