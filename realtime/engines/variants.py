"""Every way in which an engine can run a network, for those who compare them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from expression.bundle import INT8_FILE, Bundle
from realtime.engines.engine import Engine, EngineUnavailable
from realtime.engines.onnxruntime_engine import OnnxRuntimeEngine, gpu_providers
from realtime.engines.openvino_engine import OpenVinoEngine, Precision

_PROCESSOR: Final = ("CPUExecutionProvider",)


@dataclass(frozen=True)
class Variant:
    """An engine with a precision or a device."""

    engine: str
    """One of `ENGINES`."""
    kind: str
    """Precision or device; empty where the engine has one way only."""
    make: Callable[[Bundle, int], Engine]
    """For a bundle and a number of threads, 0 for the engine's own choice; raises `EngineUnavailable`."""

    @property
    def name(self) -> str:
        """Such as `openvino int8`."""
        return f"{self.engine} {self.kind}".strip()


def _tensorrt(bundle: Bundle, threads: int) -> Engine:
    from realtime.engines.tensorrt_engine import TensorRtEngine  # noqa: PLC0415 - loads the graphics card's libraries

    return TensorRtEngine(bundle)


def _onnxruntime(bundle: Bundle, threads: int, *, on_card: bool) -> Engine:
    providers = gpu_providers() if on_card else _PROCESSOR
    return OnnxRuntimeEngine(bundle, providers=providers, threads=threads)


def _openvino(bundle: Bundle, threads: int, *, precision: str) -> Engine:
    if precision == "int8" and INT8_FILE not in bundle.record.files:
        raise EngineUnavailable(f"openvino needs {INT8_FILE} for int8, which {bundle.path} does not hold")
    return OpenVinoEngine(bundle, precision=cast(Precision, precision), threads=threads)


def _torch(bundle: Bundle, threads: int) -> Engine:
    from realtime.engines.torch_engine import TorchEngine  # noqa: PLC0415 - loads torch

    return TorchEngine(bundle)


VARIANTS: Final = (
    Variant("tensorrt", "", _tensorrt),
    Variant("onnxruntime", "gpu", partial(_onnxruntime, on_card=True)),
    Variant("openvino", "int8", partial(_openvino, precision="int8")),
    Variant("openvino", "bf16", partial(_openvino, precision="bf16")),
    Variant("openvino", "f32", partial(_openvino, precision="f32")),
    Variant("onnxruntime", "cpu", partial(_onnxruntime, on_card=False)),
    Variant("torch", "", _torch),
)
