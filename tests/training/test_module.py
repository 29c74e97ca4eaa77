"""Steps of training: parts of a batch, learning rates, and nothing stored twice."""

from __future__ import annotations

import lightning
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from expression.emotions import BASIC_EMOTIONS
from training.losses import make_loss
from training.module import Recogniser
from training.quiet import quiet
from training.recipe import paper_recipe

CLIPS = 10


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, len(BASIC_EMOTIONS)))


def batches(size):
    rng = torch.Generator().manual_seed(1)
    clips = torch.randn(CLIPS, 3, 4, generator=rng)
    classes = torch.randint(0, len(BASIC_EMOTIONS), (CLIPS,), generator=rng)
    return DataLoader(TensorDataset(clips, classes), size)


def trained(recipe, seen=lambda module: None):
    loss = make_loss(recipe.loss, np.arange(1, 8), beta=recipe.beta)
    module = Recogniser(recipe, network(), loss, CLIPS)
    module.on_train_batch_start = lambda batch, index: seen(module)
    with quiet():
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=recipe.epochs,
            accumulate_grad_batches=recipe.accumulate,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, batches(recipe.batch // recipe.accumulate))
    return module


@pytest.mark.parametrize("loss", ["cross-entropy", "class-balanced"])
def test_parts_of_a_batch_add_up_to_the_step_of_the_whole(loss):
    """Ten clips in batches of eight: the last batch has fewer parts than the others."""
    recipe = paper_recipe("I3D").changed(epochs=2, batch=8, learning_rate=0.5, loss=loss)
    whole = trained(recipe).network.state_dict()
    for parts in (2, 4, 8):
        state = trained(recipe.changed(accumulate=parts)).network.state_dict()
        for name, value in whole.items():
            torch.testing.assert_close(state[name], value, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(whole["1.weight"], network()[1].weight, atol=0.05)


def test_the_learning_rate_falls_to_a_tenth_every_ten_epochs():
    rates = []
    recipe = paper_recipe("D3D").changed(epochs=21, batch=10)
    trained(recipe, lambda module: rates.append(module.optimizers().param_groups[0]["lr"]))
    assert rates == pytest.approx([0.05] * 10 + [0.005] * 10 + [0.0005])


def test_a_cosine_of_the_steps_ends_near_nought():
    rates = []
    recipe = paper_recipe("I3D").changed(epochs=10, batch=4, accumulate=2, schedule="cosine", learning_rate=1.0)
    trained(recipe, lambda module: rates.append(module.optimizers().param_groups[0]["lr"]))
    # Three steps an epoch, of five parts; two of the thirty have the greatest rate, where warming up ends.
    assert len(rates) == 50
    steps = [rate for number, rate in enumerate(rates) if number % 5 in (0, 2, 4)]
    assert set(steps) == set(rates)
    assert steps.index(max(steps)) == 1
    assert steps[2:] == sorted(steps[2:], reverse=True)
    assert max(rates) == pytest.approx(1)
    assert rates[-1] < 0.02


def test_parameters_are_stored_once():
    module = Recogniser(paper_recipe("I3D"), network(), make_loss("cross-entropy", [1] * 7), 1)
    assert set(module.state_dict()) == {"network.1.weight", "network.1.bias"}
