"""Losses against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.losses import class_balanced_weights, make_loss

LOGITS = torch.tensor([[1.0, -0.5, 0.2], [0.1, 0.3, -1.0], [2.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
CLASSES = torch.tensor([0, 1, 2, 2])
COUNTS = (10, 200, 3000)


def shares():
    return LOGITS.double().softmax(1)[torch.arange(4), CLASSES]


def test_class_balanced_weights_are_the_papers_up_to_their_mean():
    wanted = np.array([(1 - 0.999) / (1 - 0.999**n) for n in COUNTS])
    got = class_balanced_weights(COUNTS)
    np.testing.assert_allclose(got / got[0], wanted / wanted[0], rtol=1e-9)
    assert got.mean() == pytest.approx(1)
    assert got[0] > got[1] > got[2]


def test_a_class_without_samples_has_no_weight():
    assert class_balanced_weights((5, 0, 5)).tolist() == pytest.approx([1, 0, 1])


def test_cross_entropy():
    assert make_loss("cross-entropy", COUNTS)(LOGITS, CLASSES).item() == pytest.approx(-shares().log().mean().item())


def test_focal_loss():
    p = shares()
    assert make_loss("focal", COUNTS, gamma=2)(LOGITS, CLASSES).item() == pytest.approx(
        (-((1 - p) ** 2) * p.log()).mean().item()
    )


@pytest.mark.parametrize(("name", "gamma"), [("class-balanced", 0), ("class-balanced-focal", 2)])
def test_class_balanced_losses_weigh_each_sample_by_its_class(name, gamma):
    p, weights = shares(), torch.tensor(class_balanced_weights(COUNTS))[CLASSES]
    wanted = (-weights * (1 - p) ** gamma * p.log()).mean().item()
    assert make_loss(name, COUNTS, gamma=2)(LOGITS, CLASSES).item() == pytest.approx(wanted)
