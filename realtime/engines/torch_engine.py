"""PyTorch: runs the exported program of a bundle, for machines that have torch and a card that nothing else drives."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from expression.bundle import TORCH_FILE, Bundle
from expression.clip_input import Clip
from realtime.engines.engine import EngineUnavailable, Logits


class TorchEngine:
    """Runs a bundle's `model.pt2` with torch.

    Args:
        bundle: Whose network.

    Raises:
        EngineUnavailable: torch is not installed, or the bundle has no exported program.
    """

    name: Final = "torch"

    def __init__(self, bundle: Bundle) -> None:
        if TORCH_FILE not in bundle.record.files:
            raise EngineUnavailable(f"torch needs {TORCH_FILE}, which {bundle.path} does not hold: take another engine")
        try:
            import torch  # noqa: PLC0415 - an extra, and seconds to load
        except ImportError as error:
            raise EngineUnavailable("torch is not installed: ./install.sh --with training") from error
        self._torch: Any = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._network: Any = torch.export.load(bundle.path / TORCH_FILE).module().to(self._device)
        except (OSError, RuntimeError, ValueError) as error:
            line = (str(error) or type(error).__name__).splitlines()[0]
            raise EngineUnavailable(f"torch cannot load {bundle.path / TORCH_FILE}: {line}") from error
        where = torch.cuda.get_device_name() if self._device == "cuda" else "the processor"
        self.reason = f"torch {torch.__version__} on {where}, float32"

    def infer(self, clip: Clip) -> Logits:
        """See `Engine.infer`."""
        torch = self._torch
        with torch.inference_mode():
            logits = self._network(torch.from_numpy(np.ascontiguousarray(clip[None])).to(self._device))
        return np.asarray(logits.cpu().numpy(), np.float32).reshape(-1)
