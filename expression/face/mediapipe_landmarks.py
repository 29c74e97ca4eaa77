"""MediaPipe FaceLandmarker as a face finder: 478 landmarks and the pose of the head."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import ModelUnavailable
from expression.face.detect import Box, Closing, Face, HeadPose, Picture, checked, ranked
from expression.face.models import FACE_LANDMARKER, locate
from expression.face.reference import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHATTER: Final = (
    b"WARNING: Logging before InitGoogle()",
    b"WARNING: All log messages before absl::InitializeLog()",
    b"I0000",
    b"W0000",
    b"INFO:",
)
_STDERR: Final = 2
_redirecting = threading.Lock()


class MediaPipeFinder(Closing):
    """MediaPipe FaceLandmarker (Tasks interface), on the processor.

    Each picture is taken by itself and gives the same landmarks whenever it is shown. With `track`, a face is followed
    from picture to picture instead: a little faster and smoother, and no longer a function of the picture alone. Use
    that for display, and not for what is compared with training.
    """

    scheme: Final = Scheme.MEDIAPIPE

    def __init__(
        self, model: Path | None = None, *, max_faces: int = 3, track: bool = False, fps: float = 30.0, reason: str = ""
    ) -> None:
        """Load the model.

        Args:
            model: The file `face_landmarker.task`; None looks it up, see `expression.face.models.locate`.
            max_faces: At most this many faces are found. Tracking searches anew while there are fewer.
            track: Follow faces through pictures that are shown in order.
            fps: Rate of those pictures.
            reason: What `reason` is to say; by default where the model comes from.

        Raises:
            ModelUnavailable: There is no model file, or MediaPipe cannot load it.
        """
        if model is None:
            found = locate(FACE_LANDMARKER)
            if found.path is None:
                raise ModelUnavailable(found.reason)
            model, reason = found.path, reason or f"MediaPipe, 478 landmarks ({found.reason})"
        self.reason = reason or f"MediaPipe, 478 landmarks ({model})"
        self._track = track
        self._step_ms = 1000.0 / fps
        self._shown = 0
        landmarker = _load(model, max_faces, track)
        self._landmarker: Any = landmarker
        self._release = weakref.finalize(self, _release, landmarker)

    def find(self, image: Picture) -> tuple[Face, ...]:
        """See `FaceFinder.find`."""
        if self._landmarker is None:
            raise RuntimeError("the finder was closed")
        import mediapipe  # noqa: PLC0415 - takes a second, so only who uses it pays

        colour = cv2.cvtColor(checked(image), cv2.COLOR_GRAY2RGB)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=colour)
        if self._track:
            result = self._landmarker.detect_for_video(picture, round(self._shown * self._step_ms) + self._shown)
            self._shown += 1
        else:
            result = self._landmarker.detect(picture)
        height, width = image.shape
        faces = []
        for points, matrix in zip(result.face_landmarks, result.facial_transformation_matrixes, strict=True):
            landmarks = np.array([(point.x * width, point.y * height) for point in points], np.float32) - 0.5
            faces.append(Face(Box.around(landmarks), landmarks, Scheme.MEDIAPIPE, pose=pose_of(np.asarray(matrix))))
        return ranked(faces, image.shape)

    def close(self) -> None:
        """Let go of MediaPipe's threads."""
        self._landmarker = None
        self._release()


def pose_of(matrix: npt.NDArray[np.floating[Any]]) -> HeadPose:
    """Angles of a rotation as MediaPipe gives it.

    Args:
        matrix: (4, 4) or (3, 3), face to camera, x to the right of the picture, y up, z towards the camera.
    """
    rotation = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return HeadPose(
        yaw_deg=math.degrees(math.atan2(rotation[0, 2], rotation[2, 2])),
        pitch_deg=math.degrees(math.asin(np.clip(rotation[1, 2], -1.0, 1.0))),
        roll_deg=math.degrees(math.atan2(-rotation[1, 0], rotation[1, 1])),
    )


def _load(model: Path, max_faces: int, track: bool) -> Any:
    try:
        with quiet_stderr():
            from mediapipe.tasks import python as tasks  # noqa: PLC0415
            from mediapipe.tasks.python import vision  # noqa: PLC0415

            options = vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
                running_mode=vision.RunningMode.VIDEO if track else vision.RunningMode.IMAGE,
                num_faces=max_faces,
                output_facial_transformation_matrixes=True,
            )
            return vision.FaceLandmarker.create_from_options(options)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        line = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelUnavailable(f"MediaPipe cannot load {model}: {line}") from error


def _release(landmarker: Any) -> None:
    try:
        landmarker.close()
    except RuntimeError:
        # At the interpreter's end its thread is gone already. Without a handle its destructor does not try again, in
        # vain and with a traceback; the system takes the memory back.
        landmarker._handle = None


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what MediaPipe's C++ parts log while they start; whatever is not known chatter is passed on afterwards.

    Their log has no switch from Python. The redirection holds for the whole process, for the third of a second that
    loading takes.
    """
    with _redirecting, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        saved = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not line.startswith(_CHATTER):
                    os.write(_STDERR, line)
