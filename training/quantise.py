"""Quantises an ONNX network to INT8 with calibration clips, by NNCF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import onnx

from expression.bundle import INPUT_NAME
from expression.clip_input import Clip
from training.quiet import quiet


def quantise(source: Path, target: Path, clips: Sequence[Clip]) -> str:
    """Write an INT8 network.

    Args:
        source: ONNX file in float32.
        target: Where to.
        clips: Of the kind that it will see; some hundred are enough.

    Returns:
        Why it could not be done, in one line; empty where it was.
    """
    with quiet(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            import nncf  # noqa: PLC0415 - takes seconds to import

            data = nncf.Dataset([{INPUT_NAME: clip[None]} for clip in clips])
            quantised = nncf.quantize(onnx.load(str(source)), data, subset_size=len(clips))
            onnx.save(quantised, str(target))
        # NNCF raises what its backends raise.
        except Exception as error:
            target.unlink(missing_ok=True)
            return f"NNCF: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
    return ""
