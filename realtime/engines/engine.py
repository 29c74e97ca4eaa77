"""What an inference engine is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from expression.clip_input import Clip
from expression.errors import ExpressionError

Logits = npt.NDArray[np.float32]


class EngineUnavailable(ExpressionError):
    """An engine cannot run here, or not this network; names the engine and what is missing."""


class Engine(Protocol):
    """A network that is ready to run. One thread at a time."""

    @property
    def name(self) -> str:
        """`openvino`, `onnxruntime`, `tensorrt` or `torch`."""
        ...

    @property
    def reason(self) -> str:
        """One line: the device, the precision, and what was not to be had."""
        ...

    def infer(self, clip: Clip) -> Logits:
        """Outputs for one clip.

        Args:
            clip: (channels, frames, size, size) float32, as `expression.clip_input.clip_input` makes it.

        Returns:
            (classes,) float32, before the softmax.
        """
        ...
