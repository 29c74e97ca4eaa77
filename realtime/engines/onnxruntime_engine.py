"""ONNX Runtime: on a graphics card by its TensorRT-RTX plugin or CUDA where installed, else on the processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from expression.bundle import INPUT_NAME, OUTPUT_NAME, Bundle
from expression.clip_input import Clip
from realtime.engines.engine import EngineUnavailable, Logits

TENSORRT_RTX: Final = "NvTensorRTRTXExecutionProvider"
GPU_PROVIDERS: Final = (TENSORRT_RTX, "TensorrtExecutionProvider", "CUDAExecutionProvider")
"""The fastest first."""
_PROCESSOR: Final = "CPUExecutionProvider"
_QUIET: Final = 3


class OnnxRuntimeEngine:
    """Runs a bundle's network with ONNX Runtime.

    Args:
        bundle: Whose network.
        providers: Of ONNX Runtime, the first that works is taken; None takes the fastest that is there.
        threads: Of the processor; 0 leaves that to ONNX Runtime.

    Raises:
        EngineUnavailable: ONNX Runtime is not installed, or no provider can load the network.
    """

    name: Final = "onnxruntime"

    def __init__(self, bundle: Bundle, *, providers: Sequence[str] | None = None, threads: int = 0) -> None:
        library = _library()
        wanted = (*gpu_providers(), _PROCESSOR) if providers is None else providers
        path = bundle.network()
        _, problem = _plugin_devices(library)
        problems = [problem] if problem else []
        for name in wanted:
            try:
                session = _session(library, str(path), name, threads)
            # ONNX Runtime has an exception class for each status, and none above them.
            except Exception as error:
                problems.append(f"{name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
                continue
            if name in session.get_providers():
                break
            problems.append(f"{name} does not work here")
        else:
            why = "; ".join(problems) or "it has no provider for a graphics card"
            raise EngineUnavailable(f"onnxruntime cannot load {path}: {why}")
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
    """Providers for graphics cards that this ONNX Runtime has or can load; empty where it is not installed."""
    try:
        library = _library()
    except EngineUnavailable:
        return ()
    there = set(library.get_available_providers())
    devices, _ = _plugin_devices(library)
    if devices:
        there.add(TENSORRT_RTX)
    return tuple(name for name in GPU_PROVIDERS if name in there)


def _session(library: Any, path: str, provider: str, threads: int) -> Any:
    options = library.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    devices, _ = _plugin_devices(library) if provider == TENSORRT_RTX else ([], "")
    if devices:
        options.add_provider_for_devices(devices[:1], {})
        return library.InferenceSession(path, options)
    return library.InferenceSession(path, options, providers=[provider])


def _plugin_devices(library: Any) -> tuple[list[Any], str]:
    """Graphics cards that the TensorRT-RTX plugin serves, and why there are none although it is installed.

    The plugin is a package of its own, that ONNX Runtime is told of once a process.
    """
    if not hasattr(library, "register_execution_provider_library"):
        return [], ""

    def served() -> list[Any]:
        return [device for device in library.get_ep_devices() if device.ep_name == TENSORRT_RTX]

    if devices := served():
        return devices, ""
    try:
        import onnxruntime_ep_nv_tensorrt_rtx as plugin  # noqa: PLC0415 - an extra; loads the card's libraries
    except ImportError:
        return [], ""
    try:
        library.register_execution_provider_library(plugin.get_ep_name(), plugin.get_library_path())
    # Without driver or card this fails in the loader, and the second time because there was a first.
    except Exception as error:
        return [], f"{TENSORRT_RTX}: {str(error).rsplit(' with error: ', 1)[-1]}"
    return served(), ""


def _library() -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra: who does not use it does not need it
    except ImportError as error:
        raise EngineUnavailable("onnxruntime is not installed: ./install.sh --with onnx") from error
    return onnxruntime
