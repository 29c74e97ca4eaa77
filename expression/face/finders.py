"""Which face finder is used: MediaPipe where its model is to be had, else the cascades; plug-ins by their file."""

from __future__ import annotations

from pathlib import Path

from expression.errors import BadInput, ModelUnavailable
from expression.face.cascades import CascadeFinder
from expression.face.detect import FaceFinder
from expression.face.mediapipe_landmarks import MediaPipeFinder
from expression.face.models import FACE_LANDMARKER, locate

_CASCADES = "OpenCV cascades, eye centres only"


def best_finder(prefer: str = "auto", *, download: bool = True) -> FaceFinder:
    """The best face finder that runs here. Its `reason` says which one it is and how to get a better one.

    Args:
        prefer: `auto`; `mediapipe` or `cascades` to have just that; or the path of an ONNX plug-in, see
            `expression.face.onnx_detector`.
        download: Whether the model may be fetched. With `False` the choice takes no longer than a checksum.

    Raises:
        ModelUnavailable: What was asked for by name cannot be had. `auto` never raises this.
        BadInput: `prefer` names nothing that is known.
    """
    if prefer == "cascades":
        return CascadeFinder(reason=f"face: {_CASCADES}, as asked for")
    if prefer in {"auto", "mediapipe"}:
        found = locate(FACE_LANDMARKER, download=download)
        problem = found.reason
        if found.path is not None:
            try:
                return MediaPipeFinder(found.path, reason=f"face: MediaPipe, 478 landmarks ({found.reason})")
            except ModelUnavailable as error:
                problem = str(error)
        if prefer == "mediapipe":
            raise ModelUnavailable(problem)
        return CascadeFinder(
            reason=f"face: {_CASCADES}, because MediaPipe's 478 landmarks are not to be had: {problem}"
        )
    if prefer.endswith((".onnx", ".toml")):
        from expression.face.onnx_detector import OnnxFinder  # noqa: PLC0415 - only who plugs one in reads its contract

        return OnnxFinder.from_file(Path(prefer))
    raise BadInput(
        f"no face finder is called {prefer!r}; there are auto, mediapipe, cascades, and ONNX plug-ins (.onnx, .toml)"
    )
