"""What is exported says what was trained, in any batch, and nothing of the machine that it was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from expression.bundle import ONNX_FILE
from training.export import write_onnx
from training.models import build_model
from training.onnx_network import OnnxNetwork


@pytest.fixture(scope="module")
def exported(recipe, tmp_path_factory):
    torch.manual_seed(4)
    network = build_model("i3d", channels=recipe.clip.channel_count, width=0.125).eval()
    path = tmp_path_factory.mktemp("bundle") / ONNX_FILE
    write_onnx(network, recipe, path)
    return network, path


def test_it_says_what_pytorch_says_whatever_the_batch(exported, recipe):
    network, path = exported
    onnx = OnnxNetwork(path)
    for clips in (1, 3):
        batch = np.random.default_rng(clips).normal(0, 1, (clips, *recipe.clip.shape)).astype(np.float32)
        with torch.no_grad():
            wanted = network(torch.from_numpy(batch)).numpy()
        assert wanted.shape == (clips, 7)
        np.testing.assert_allclose(onnx(batch), wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())


def test_no_path_of_the_machine_is_in_the_file(exported):
    _, path = exported
    content = path.read_bytes()
    assert b"stack_trace" not in content
    for folder in (Path(torch.__file__).parents[1], Path(__file__).parents[2]):
        assert str(folder).encode() not in content
