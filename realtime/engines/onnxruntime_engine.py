"""ONNX Runtime: on a GPU by its TensorRT-RTX plugin or CUDA where those are installed, else on the processor."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from expression.bundle import INPUT_NAME, OUTPUT_NAME, Bundle
from expression.clip_input import Clip
from realtime.engines.engine import EngineUnavailable, Logits

GPU_PROVIDERS: Final = ("NvTensorRTRTXExecutionProvider", "TensorrtExecutionProvider", "CUDAExecutionProvider")
"""The fastest first."""
_PROCESSOR: Final = "CPUExecutionProvider"
_QUIET: Final = 3


class OnnxRuntimeEngine:
    """Runs a bundle's network with ONNX Runtime.

    Args:
        bundle: Whose network.
        provider: One of ONNX Runtime's; None takes the fastest that is there and works.
        threads: Of the processor; 0 leaves that to ONNX Runtime.

    Raises:
        EngineUnavailable: ONNX Runtime is not installed, or no provider can load the network.
    """

    name: Final = "onnxruntime"

    def __init__(self, bundle: Bundle, *, provider: str | None = None, threads: int = 0) -> None:
        library = _library()
        there = library.get_available_providers()
        wanted = (provider,) if provider is not None else (*(p for p in GPU_PROVIDERS if p in there), _PROCESSOR)
        options = library.SessionOptions()
        options.log_severity_level = _QUIET
        options.intra_op_num_threads = threads
        path = bundle.network()
        problems = []
        for name in wanted:
            try:
                session = library.InferenceSession(str(path), options, providers=[name])
            except Exception as error:
                problems.append(f"{name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
                continue
            if name in session.get_providers():
                break
            problems.append(f"{name} does not work here")
        else:
            raise EngineUnavailable(f"onnxruntime cannot load {path}: {'; '.join(problems)}")
        self._session: Any = session
        self.provider = name
        where = "the processor" if name == _PROCESSOR else name.removesuffix("ExecutionProvider")
        without = f" ({'; '.join(problems)})" if problems else ""
        self.reason = f"ONNX Runtime {library.__version__} on {where}, float32{without}"

    @property
    def on_gpu(self) -> bool:
        """Whether a graphics card does the work."""
        return self.provider != _PROCESSOR

    def infer(self, clip: Clip) -> Logits:
        """See `Engine.infer`."""
        (logits,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: np.ascontiguousarray(clip[None])})
        return np.asarray(logits, np.float32).reshape(-1)


def gpu_providers() -> tuple[str, ...]:
    """Providers for graphics cards that this ONNX Runtime brings; empty where it is not installed."""
    try:
        there = _library().get_available_providers()
    except EngineUnavailable:
        return ()
    return tuple(name for name in GPU_PROVIDERS if name in there)


def _library() -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra: who does not use it does not need it
    except ImportError as error:
        raise EngineUnavailable("onnxruntime is not installed: pip install 'dfme[onnx]'") from error
    return onnxruntime
