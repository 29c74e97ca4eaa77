"""What training minimises: cross-entropy, weighted by classes or by how hard a sample is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import Tensor, nn

from training.catalogue import LossName


def class_balanced_weights(
    counts: Sequence[int] | npt.NDArray[np.int64], beta: float = 0.999
) -> npt.NDArray[np.float64]:
    """Weights (1 - beta) / (1 - beta^n) of classes with n samples each, scaled to a mean of one over the classes.

    Y. Cui et al.: Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, equation 2. A class without
    samples has no weight.
    """
    n = np.asarray(counts, np.float64)
    present = n > 0
    # 1 - beta^n without losing digits where beta^n is near one.
    effective = -np.expm1(n * np.log(beta))
    weights = np.divide(1 - beta, effective, out=np.zeros_like(n), where=present)
    return np.asarray(weights * present.sum() / weights.sum(), np.float64)


class WeightedFocalLoss(nn.Module):
    """Mean over the batch of w_y (1 - p_y)^gamma (-log p_y).

    T.-Y. Lin et al.: Focal Loss for Dense Object Detection, ICCV 2017, equation 5, with softmax in place of the
    sigmoid. gamma 0 and no weights is cross-entropy. The mean is over samples, not over weights, as in Cui et al.
    """

    weights: Tensor | None

    def __init__(
        self, weights: npt.NDArray[np.float64] | None = None, gamma: float = 0.0, smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.smoothing = smoothing
        self.register_buffer("weights", None if weights is None else torch.tensor(weights, dtype=torch.float32))

    def forward(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Logits (batch, classes), classes (batch,) int64; the mean as a scalar."""
        logits = logits.float()
        loss = F.cross_entropy(logits, classes, reduction="none", label_smoothing=self.smoothing)
        if self.gamma:
            right = logits.softmax(dim=1).gather(1, classes[:, None])[:, 0]
            loss = loss * (1 - right) ** self.gamma
        if self.weights is not None:
            loss = loss * self.weights[classes]
        return loss.mean()


def make_loss(
    name: LossName,
    counts: Sequence[int] | npt.NDArray[np.int64],
    *,
    beta: float = 0.999,
    gamma: float = 2.0,
    smoothing: float = 0.0,
) -> WeightedFocalLoss:
    """The loss of a recipe.

    Args:
        name: Which.
        counts: Training samples of each class.
        beta: Of the class-balanced weights.
        gamma: Of the focal factor.
        smoothing: Share of each label that is given to all classes.
    """
    weights = class_balanced_weights(counts, beta) if name.startswith("class-balanced") else None
    return WeightedFocalLoss(weights, gamma if name.endswith("focal") else 0.0, smoothing)
