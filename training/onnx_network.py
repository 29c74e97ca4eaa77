"""Runs an exported network, so that what is shipped is what is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from expression.errors import ExpressionError


class OnnxNetwork:
    """An ONNX file on this machine's processor, in full precision.

    Raises:
        ExpressionError: OpenVINO cannot load it.
    """

    def __init__(self, path: Path) -> None:
        try:
            core = openvino.Core()
            options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
            self._compiled: Any = core.compile_model(core.read_model(path), "CPU", options)
        except RuntimeError as error:
            raise ExpressionError(f"{path} cannot be loaded ({str(error).strip().splitlines()[-1]})") from error

    def __call__(self, clips: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Clips (batch, channels, frames, size, size) to logits (batch, classes)."""
        return np.array(self._compiled(np.ascontiguousarray(clips))[0], np.float32)
