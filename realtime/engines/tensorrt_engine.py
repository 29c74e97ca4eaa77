"""TensorRT: builds an engine from the bundle's ONNX once for each card and version, and replays it as a CUDA graph."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from capture.cache import user_cache
from capture.recording.files import write_whole
from expression.bundle import INPUT_NAME, OUTPUT_NAME, Bundle
from expression.clip_input import Clip
from realtime.engines.engine import EngineUnavailable, Logits
from realtime.engines.half_precision import in_half_precision

_WORKSPACE_BYTES: Final = 2 << 30
_WARM_UPS: Final = 3


class TensorRtEngine:
    """Runs a bundle's network on an NVIDIA card, in half precision.

    Building takes a minute or more; the plan is kept in the user's cache, under the network's checksum, the card's name
    and TensorRT's version, and loaded from there in a second.

    Args:
        bundle: Whose network.

    Raises:
        EngineUnavailable: TensorRT or the CUDA bindings are not installed, there is no card, or the network cannot be
            built.
    """

    name: Final = "tensorrt"

    def __init__(self, bundle: Bundle) -> None:
        self._trt, self._cuda = _libraries()
        self._logger = self._trt.Logger(self._trt.Logger.ERROR)
        card = self._card()
        self._runtime = self._trt.Runtime(self._logger)
        self._engine = self._loaded(bundle.network(), card)
        self._context = self._engine.create_execution_context()
        self._stream = self._check(self._cuda.cudaStreamCreate())
        self._clip = np.zeros((1, *bundle.record.recipe.shape), np.float32)
        self._logits = np.zeros((1, len(bundle.record.labels)), np.float32)
        self._device_clip = self._check(self._cuda.cudaMalloc(self._clip.nbytes))
        self._device_logits = self._check(self._cuda.cudaMalloc(self._logits.nbytes))
        self._context.set_input_shape(INPUT_NAME, self._clip.shape)
        self._context.set_tensor_address(INPUT_NAME, int(self._device_clip))
        self._context.set_tensor_address(OUTPUT_NAME, int(self._device_logits))
        self._graph = self._captured()
        self.reason = f"TensorRT {self._trt.__version__} on {card}, float16, CUDA graph"

    def infer(self, clip: Clip) -> Logits:
        """See `Engine.infer`."""
        cuda = self._cuda
        self._clip[0] = clip
        to_card, to_host = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        clip_at, logits_at = self._clip.ctypes.data, self._logits.ctypes.data
        self._check(cuda.cudaMemcpyAsync(self._device_clip, clip_at, self._clip.nbytes, to_card, self._stream))
        self._check(cuda.cudaGraphLaunch(self._graph, self._stream))
        self._check(cuda.cudaMemcpyAsync(logits_at, self._device_logits, self._logits.nbytes, to_host, self._stream))
        self._check(cuda.cudaStreamSynchronize(self._stream))
        return np.array(self._logits[0], np.float32)

    def _card(self) -> str:
        properties = self._check(self._cuda.cudaGetDeviceProperties(0))
        name = properties.name
        return str(name.decode() if isinstance(name, bytes) else name)

    def _loaded(self, onnx: Path, card: str) -> Any:
        """The engine, from the cache or built now; a plan that does not load any more is built again."""
        trt = self._trt
        network_hash = hashlib.sha256(onnx.read_bytes()).hexdigest()[:16]
        label = "".join(letter if letter.isalnum() else "-" for letter in f"{card}-{trt.__version__}")
        cached = user_cache("tensorrt") / f"{network_hash}-{label}.plan"
        if cached.is_file():
            engine = self._runtime.deserialize_cuda_engine(cached.read_bytes())
            if engine is not None:
                return engine
        plan = self._built(onnx, card)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineUnavailable(f"tensorrt {trt.__version__} cannot load the engine that it built for {card}")
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_whole(cached, plan)
        return engine

    def _built(self, onnx: Path, card: str) -> bytes:
        """The serialised engine. Types are the network's own: newer versions know no other way to half precision."""
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = trt.OnnxParser(network, self._logger)
        if not parser.parse(in_half_precision(onnx)):
            problem = parser.get_error(0).desc() if parser.num_errors else "no reason given"
            raise EngineUnavailable(f"tensorrt cannot read {onnx}: {problem}")
        config = builder.create_builder_config()
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
        profile = builder.create_optimization_profile()
        for index in range(network.num_inputs):
            tensor = network.get_input(index)
            shape = (1, *tuple(tensor.shape)[1:])
            profile.set_shape(tensor.name, shape, shape, shape)
        config.add_optimization_profile(profile)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise EngineUnavailable(f"tensorrt cannot build {onnx} for {card}")
        return bytes(plan)

    def _captured(self) -> Any:
        """The inference as a CUDA graph: one launch instead of some hundred."""
        cuda = self._cuda
        for _ in range(_WARM_UPS):
            self._enqueue()
        self._check(cuda.cudaStreamSynchronize(self._stream))
        self._check(
            cuda.cudaStreamBeginCapture(self._stream, cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
        )
        self._enqueue()
        graph = self._check(cuda.cudaStreamEndCapture(self._stream))
        return self._check(cuda.cudaGraphInstantiate(graph, 0))

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(int(self._stream)):
            raise EngineUnavailable("tensorrt does not run the network: its own log says why")

    def _check(self, answer: tuple[Any, ...]) -> Any:
        """What a call of the CUDA runtime gives beside its status."""
        status, *rest = answer
        if int(status) != 0:
            raise EngineUnavailable(f"the NVIDIA card does not answer: {status}")
        return rest[0] if rest else None


def _libraries() -> tuple[Any, Any]:
    try:
        import tensorrt  # noqa: PLC0415 - an extra
    except (ImportError, OSError) as error:
        raise EngineUnavailable("tensorrt is not installed: ./install.sh --with tensorrt") from error
    try:
        from cuda.bindings import runtime  # noqa: PLC0415 - an extra
    except (ImportError, OSError) as error:
        raise EngineUnavailable("tensorrt needs CUDA's Python bindings: ./install.sh --with tensorrt") from error
    status, cards = runtime.cudaGetDeviceCount()
    if int(status) != 0 or cards < 1:
        raise EngineUnavailable("tensorrt finds no NVIDIA card")
    return tensorrt, runtime
