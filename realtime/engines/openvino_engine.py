"""OpenVINO: the engine for processors, with bfloat16 where the processor has it, or an INT8 network."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from expression.bundle import INT8_FILE, Bundle
from expression.clip_input import Clip
from realtime.engines.engine import EngineUnavailable, Logits

Precision = Literal["auto", "f32", "bf16", "int8"]
_DEVICE: Final = "CPU"


class OpenVinoEngine:
    """Runs a bundle's network on the processor.

    Args:
        bundle: Whose network.
        precision: `auto` takes INT8 where the bundle has it and else bfloat16 where the processor has it.
        threads: Of the processor; 0 leaves that to OpenVINO.

    Raises:
        EngineUnavailable: OpenVINO is not installed, or cannot load the network.
    """

    name: Final = "openvino"

    def __init__(self, bundle: Bundle, *, precision: Precision = "auto", threads: int = 0) -> None:
        openvino = _library()
        int8 = precision == "int8" or (precision == "auto" and INT8_FILE in bundle.record.files)
        path = bundle.network(int8=int8)
        quantised = path.name == INT8_FILE
        try:
            core = openvino.Core()
            bf16 = "BF16" in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
            if precision == "bf16" and not bf16:
                raise EngineUnavailable("openvino: this processor has no bfloat16; take f32 or int8")
            narrow = bf16 and precision in ("auto", "bf16") and not quantised
            options: dict[str, Any] = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "bf16" if narrow else "f32",
            }
            if threads:
                options["INFERENCE_NUM_THREADS"] = threads
            model = core.read_model(path)
            channels, frames, side, _ = bundle.record.recipe.shape
            model.reshape([1, channels, frames, side, side])
            self._request = core.compile_model(model, _DEVICE, options).create_infer_request()
        except RuntimeError as error:
            raise EngineUnavailable(f"openvino cannot load {path}: {_first_line(error)}") from error
        kind = "INT8" if quantised else "bfloat16" if narrow else "float32"
        self.reason = f"OpenVINO {openvino.__version__.split('-')[0]} on the processor, {kind}"

    def infer(self, clip: Clip) -> Logits:
        """See `Engine.infer`."""
        result = self._request.infer([np.ascontiguousarray(clip[None])], share_inputs=True)
        return np.array(next(iter(result.values())), np.float32).reshape(-1)


def _library() -> Any:
    try:
        import openvino  # noqa: PLC0415 - takes a third of a second, so only who uses it pays
    except ImportError as error:
        raise EngineUnavailable("openvino is not installed: pip install openvino") from error
    return openvino


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
