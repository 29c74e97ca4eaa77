"""Which engine runs a network: the one asked for, or the best that works here, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from expression.bundle import Bundle
from expression.errors import BadInput
from realtime.engines.engine import Engine, EngineUnavailable
from realtime.engines.onnxruntime_engine import OnnxRuntimeEngine, gpu_providers
from realtime.engines.openvino_engine import OpenVinoEngine

EngineName = Literal["auto", "tensorrt", "openvino", "onnxruntime", "torch"]
ENGINES: Final = get_args(EngineName)[1:]


@dataclass(frozen=True)
class EngineChoice:
    """An engine, and why it is this one."""

    engine: Engine
    reason: str


def choose_engine(bundle: Bundle, name: str = "auto", *, threads: int = 0) -> EngineChoice:
    """An engine that is ready to run.

    Args:
        bundle: Whose network.
        name: An engine, or `auto`: TensorRT, then ONNX Runtime on a graphics card, then OpenVINO, then ONNX Runtime on
            the processor.
        threads: Of the processor; 0 leaves that to the engine.

    Raises:
        BadInput: There is no engine of this name.
        EngineUnavailable: The engine asked for cannot run here, or none can; says why.
    """
    makers: dict[str, Callable[[], Engine]] = {
        "tensorrt": lambda: _tensorrt(bundle),
        "openvino": lambda: OpenVinoEngine(bundle, threads=threads),
        "onnxruntime": lambda: OnnxRuntimeEngine(bundle, threads=threads),
        "torch": lambda: _torch(bundle),
    }
    if name in makers:
        engine = makers[name]()
        return EngineChoice(engine, f"{engine.reason}, as asked for")
    if name != "auto":
        raise BadInput(f"no engine is called {name!r}; there are auto, {', '.join(ENGINES)}")
    problems = []
    order = ["tensorrt", *(["onnxruntime"] if gpu_providers() else []), "openvino", "onnxruntime", "torch"]
    for candidate in order:
        try:
            engine = makers[candidate]()
        except EngineUnavailable as error:
            problems.append(str(error))
            continue
        without = f"; {problems[0]}" if problems else ""
        return EngineChoice(engine, f"{engine.reason}{without}")
    raise EngineUnavailable(f"no engine can run {bundle.path}: {'; '.join(problems)}")


def _tensorrt(bundle: Bundle) -> Engine:
    from realtime.engines.tensorrt_engine import TensorRtEngine  # noqa: PLC0415 - loads the graphics card's libraries

    return TensorRtEngine(bundle)


def _torch(bundle: Bundle) -> Engine:
    from realtime.engines.torch_engine import TorchEngine  # noqa: PLC0415 - loads torch

    return TorchEngine(bundle)
