"""Runs one ONNX file: with ONNX Runtime where it is installed, else with OpenCV's own."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

Floats = npt.NDArray[np.float32]
Runtime = Literal["auto", "onnxruntime", "opencv"]


class Network(Protocol):
    """A loaded network with one input."""

    runtime: str
    """What runs it."""

    def run(self, blob: Floats) -> list[Floats]:
        """All outputs for one input."""
        ...


def load(path: Path, runtime: Runtime = "auto") -> Network:
    """Load an ONNX file.

    Raises:
        BadInput: There is no such file, it is no ONNX file, or the runtime asked for cannot run it or is not installed.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    installed = importlib.util.find_spec("onnxruntime") is not None
    if runtime == "onnxruntime" and not installed:
        raise BadInput(
            "ONNX Runtime is asked for but not installed; pip install onnxruntime, or take the runtime opencv"
        )
    chosen = _OnnxRuntime if installed and runtime != "opencv" else _OpenCv
    try:
        return chosen(path)
    except (cv2.error, RuntimeError, ValueError) as error:
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise BadInput(f"{chosen.runtime} cannot run {path}: {line}") from error
    except Exception as error:
        # ONNX Runtime's errors have no common type of their own.
        if type(error).__module__.startswith("onnxruntime"):
            line = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise BadInput(f"{chosen.runtime} cannot run {path}: {line}") from error
        raise


class _OnnxRuntime:
    runtime = "ONNX Runtime"

    def __init__(self, path: Path) -> None:
        onnxruntime: Any = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Idle threads that spin would take the processor from the recorder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name

    def run(self, blob: Floats) -> list[Floats]:
        return [np.asarray(output, np.float32) for output in self._session.run(None, {self._input: blob})]


class _OpenCv:
    runtime = "OpenCV"

    def __init__(self, path: Path) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(path))
        self._outputs = self._net.getUnconnectedOutLayersNames()

    def run(self, blob: Floats) -> list[Floats]:
        self._net.setInput(blob)
        return [np.asarray(output, np.float32) for output in self._net.forward(self._outputs)]
