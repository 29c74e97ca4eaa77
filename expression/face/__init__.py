"""Face geometry: where a face is, its landmarks, and the one transform by which a clip is aligned and cropped."""

from expression.face.reference import (
    MOTION_SIZE_PX,
    REGIONS,
    FaceRegion,
    Scheme,
    landmarks_as,
    reference_landmarks,
    reference_px,
    stable_landmarks,
)

__all__ = [
    "MOTION_SIZE_PX",
    "REGIONS",
    "FaceRegion",
    "Scheme",
    "landmarks_as",
    "reference_landmarks",
    "reference_px",
    "stable_landmarks",
]
