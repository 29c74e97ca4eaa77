"""Shared by the face tests: the model file, and the portrait that the checkout may lie beside."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PORTRAIT = Path(__file__).parents[4] / "shared" / "data" / "portrait_pexels.mp4"


@pytest.fixture(scope="session")
def model_path():
    """Path of the face landmark model; the test is skipped where it is neither offline nor in the cache."""
    from expression.face.models import FACE_LANDMARKER, locate

    found = locate(FACE_LANDMARKER, download=False)
    if found.path is None:
        pytest.skip(found.reason)
    return found.path


@pytest.fixture(scope="session")
def portrait() -> list[np.ndarray]:
    """Every 20th frame of a filmed face that looks around and blinks: grey, uint8 (360, 640)."""
    import av

    if not PORTRAIT.exists():
        pytest.skip(f"the portrait is not there: {PORTRAIT}")
    with av.open(str(PORTRAIT)) as container:
        frames = [frame.to_ndarray(format="gray") for i, frame in enumerate(container.decode(video=0)) if i % 20 == 0]
    for frame in frames:
        frame.flags.writeable = False
    return frames


@pytest.fixture(scope="session")
def tiny_onnx() -> ModuleType:
    """The module beside this one that writes small ONNX files."""
    spec = importlib.util.spec_from_file_location("tiny_onnx", Path(__file__).with_name("tiny_onnx.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
