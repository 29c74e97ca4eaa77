"""Which engine runs a network: the one asked for, or the best that works here, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

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


def choose_engine(
    bundle: Bundle, name: str = "auto", *, threads: int = 0, without: Collection[str] = ()
) -> EngineChoice:
    """An engine that has answered a first clip.

    Args:
        bundle: Whose network.
        name: An engine, or `auto`: TensorRT, then ONNX Runtime on a graphics card, then OpenVINO, then ONNX Runtime on
            the processor, then torch.
        threads: Of the processor; 0 leaves that to the engine.
        without: Engines that `auto` passes over.

    Raises:
        BadInput: There is no engine of this name.
        EngineUnavailable: The engine asked for cannot run here, or none can; says why.
    """
    if name in ENGINES:
        engine = ready(bundle, _makers(bundle, threads)[name])
        return EngineChoice(engine, f"{engine.reason}, as asked for")
    if name != "auto":
        raise BadInput(f"no engine is called {name!r}; there are auto, {', '.join(ENGINES)}")
    makers = _makers(bundle, threads)
    on_card = {"onnxruntime on a card": lambda: OnnxRuntimeEngine(bundle, providers=gpu_providers())}
    candidates = {"tensorrt": makers["tensorrt"], **(on_card if gpu_providers() else {}), **makers}
    problems = []
    for candidate, make in candidates.items():
        if candidate.split()[0] in without:
            continue
        try:
            engine = ready(bundle, make)
        except EngineUnavailable as error:
            problems.append(str(error))
            continue
        return EngineChoice(engine, "; ".join([engine.reason, *problems]))
    raise EngineUnavailable(f"no engine can run {bundle.path}: {'; '.join(problems) or 'none is left'}")


def ready(bundle: Bundle, make: Callable[[], Engine]) -> Engine:
    """Make an engine and have it answer a clip of zeros: what breaks at the first clip is known before it counts.

    Raises:
        EngineUnavailable: It cannot be made, or gives no answer; names the engine.
    """
    try:
        engine = make()
    except EngineUnavailable:
        raise
    # Libraries for graphics cards raise whatever their drivers hand them.
    except Exception as error:
        raise EngineUnavailable(f"an engine cannot be made ready: {_line(error)}") from error
    try:
        logits = engine.infer(np.zeros(bundle.record.recipe.shape, np.float32))
    except Exception as error:
        raise EngineUnavailable(f"{engine.name} fails at the first clip: {_line(error)}") from error
    wanted = (len(bundle.record.labels),)
    if logits.shape != wanted or not np.isfinite(logits).all():
        raise EngineUnavailable(f"{engine.name} gives no answer to the first clip: {wanted[0]} finite numbers are due")
    return engine


def _makers(bundle: Bundle, threads: int) -> dict[str, Callable[[], Engine]]:
    """In the order in which `auto` tries them."""
    return {
        "tensorrt": lambda: _tensorrt(bundle),
        "openvino": lambda: OpenVinoEngine(bundle, threads=threads),
        "onnxruntime": lambda: OnnxRuntimeEngine(bundle, threads=threads),
        "torch": lambda: _torch(bundle),
    }


def _tensorrt(bundle: Bundle) -> Engine:
    from realtime.engines.tensorrt_engine import TensorRtEngine  # noqa: PLC0415 - loads the graphics card's libraries

    return TensorRtEngine(bundle)


def _torch(bundle: Bundle) -> Engine:
    from realtime.engines.torch_engine import TorchEngine  # noqa: PLC0415 - loads torch

    return TorchEngine(bundle)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
