"""Keeps the advice of libraries to their own developers off the screen of whoever trains a model."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TALKATIVE: Final = (
    *("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"),
    *("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "nncf"),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings and remarks; errors are raised as ever."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
