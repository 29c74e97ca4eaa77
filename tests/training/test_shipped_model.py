"""The model that comes along: small, whole, and honest about what it was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import realtime
from expression.bundle import CARD_FILE, Bundle
from training.onnx_network import OnnxNetwork

FOLDER = Path(realtime.__file__).parent / "models" / "simulated-i3d"


def test_it_says_everywhere_that_it_is_simulated_and_is_small():
    bundle = Bundle.open(FOLDER)
    assert bundle.record.simulated
    assert "SIMULATED" in (FOLDER / CARD_FILE).read_text()
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 30e6
    assert bundle.record.metrics["UF1"] > 0.5


@pytest.mark.parametrize("int8", [False, True])
def test_it_answers_one_clip_and_several_alike(int8):
    bundle = Bundle.open(FOLDER)
    network = OnnxNetwork(bundle.network(int8=int8))
    clips = np.random.default_rng(0).normal(0, 0.5, (3, *bundle.record.recipe.shape)).astype(np.float32)
    together = network(clips)
    assert together.shape == (3, 7)
    np.testing.assert_allclose(network(clips[1:2])[0], together[1], atol=1e-3)
    assert sum(bundle.read(together[0]).probabilities.values()) == pytest.approx(1)
