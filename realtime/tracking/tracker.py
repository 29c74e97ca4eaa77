"""Whose face is read, and whether it can be: looks a few times a second and remembers in between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from expression.errors import FaceCutOff, FaceNotFound, FaceTooSmall, FaceTurned, FaceUnusable
from expression.face import Alignment, Face, FaceFinder, Scheme, align
from expression.face.detect import Picture
from expression.motion import FLOW_SIZE_PX

LOOK_EVERY_S: Final = {Scheme.MEDIAPIPE: 0.25, Scheme.DLIB: 0.25, Scheme.EYES: 0.5}
"""Cascades take three times as long as MediaPipe."""
_LOST_AFTER: Final = 2
"""Looks in a row without the face, or with a second one, that settle it: cascades overlook a face now and then, and
take a shirt for one."""
_SECOND_FACE_SHARE: Final = 0.35
"""Height of a second face against the participant's from which it counts: smaller ones are pictures on a wall."""


class FaceState(StrEnum):
    """What the readout says of the face."""

    SEARCHING = "searching"
    FOUND = "found"
    LOST = "no face"
    SECOND = "second face"
    TURNED = "turned away"
    TOO_SMALL = "too small"
    CUT_OFF = "cut off"


@dataclass(frozen=True)
class Sighting:
    """What one look has shown."""

    state: FaceState
    face: Face | None = None
    alignment: Alignment | None = None
    """Of this frame; None where no expression can be read."""


class FaceTracker:
    """Looks for the participant's face.

    Args:
        finder: Finds faces in single pictures.
        size_px: Side of the crop that its alignments make.
    """

    def __init__(self, finder: FaceFinder, size_px: int = FLOW_SIZE_PX) -> None:
        self._finder = finder
        self._size_px = size_px
        self._misses = 0
        self._seconds = 0
        self.state = FaceState.SEARCHING
        self.every_s = LOOK_EVERY_S[finder.scheme]

    def look(self, frame: Picture) -> Sighting:
        """Search one frame. The state changes to worse only after two looks that agree."""
        faces = self._finder.find(frame)
        sighting = self._judged(faces, frame)
        if sighting.state in (FaceState.FOUND, FaceState.SECOND):
            self._misses = 0
            second = sighting.state is FaceState.SECOND
            self._seconds = self._seconds + 1 if second else 0
            settled = not second or self._seconds >= _LOST_AFTER or self.state is FaceState.SECOND
            if settled:
                self.state = sighting.state
            elif self.state is not FaceState.FOUND:
                self.state = FaceState.SEARCHING
            return sighting
        self._misses += 1
        if self.state is not FaceState.FOUND or self._misses >= _LOST_AFTER:
            self.state = sighting.state
        return sighting

    def _judged(self, faces: tuple[Face, ...], frame: Picture) -> Sighting:
        if not faces:
            return Sighting(FaceState.LOST)
        face = faces[0]
        try:
            alignment = align(face, frame, size_px=self._size_px)
        except FaceUnusable as error:
            return Sighting(_STATE_OF.get(type(error), FaceState.LOST), face)
        rival = any(other.box.height >= _SECOND_FACE_SHARE * face.box.height for other in faces[1:])
        return Sighting(FaceState.SECOND if rival else FaceState.FOUND, face, alignment)


_STATE_OF: Final[dict[type[FaceUnusable], FaceState]] = {
    FaceNotFound: FaceState.LOST,
    FaceTurned: FaceState.TURNED,
    FaceTooSmall: FaceState.TOO_SMALL,
    FaceCutOff: FaceState.CUT_OFF,
}
