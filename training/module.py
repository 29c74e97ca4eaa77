"""The network, its loss and its optimiser, as Lightning trains them."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from training.losses import WeightedFocalLoss
from training.metrics import Scores, confusion_matrix
from training.recipe import Recipe

WARM_UP_SHARE = 0.05
"""Share of the steps over which the learning rate rises with the cosine schedule."""


class Recogniser(lightning.LightningModule):
    """Trains one network on clips.

    Args:
        recipe: How.
        network: (batch, channels, frames, size, size) to (batch, classes).
        loss: Of logits and classes.
        clips: How many an epoch has.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, loss: WeightedFocalLoss, clips: int) -> None:
        super().__init__()
        self.recipe, self.network, self.loss, self.clips = recipe, network, loss, clips
        self._said: list[tuple[Tensor, Tensor]] = []
        forward: Any = torch.compile(network) if recipe.compile else network
        # In a tuple, so that its parameters are not found a second time.
        self._forward = (forward,)

    def forward(self, clips: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        logits: Tensor = self._forward[0](clips)
        return logits

    def on_train_epoch_start(self) -> None:
        """What dropout draws follows from seed and epoch, so that a resumed run goes on as it would have."""
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.current_epoch)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Loss of a part of a batch, weighed so that the parts add up to the mean over the batch.

        The trainer divides by how many parts a batch has, which is wrong for the last one of an epoch.
        """
        clips, classes = batch
        loss: Tensor = self.loss(self(clips), classes)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(clips))
        parts, processes = self.recipe.accumulate, self.trainer.world_size
        # Processes have equal parts of a batch; the mean over them is taken by the trainer.
        size = self.recipe.batch // processes
        left = math.ceil(self.clips / processes) - index // parts * size
        whole = min(size, max(len(clips), left))
        return loss * (len(clips) * parts / whole)

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Remember what is said of a batch."""
        clips, classes = batch
        self._said.append((self(clips).float(), classes))

    def on_validation_epoch_end(self) -> None:
        """Score what was said of all validation samples."""
        logits, classes = (torch.cat(list(part)) for part in zip(*self._said, strict=True))
        self._said.clear()
        loss = nn.functional.cross_entropy(logits, classes)
        said = logits.argmax(dim=1).cpu().numpy()
        scores = Scores.of(confusion_matrix(classes.cpu().numpy(), np.asarray(said), logits.shape[1]))
        values = {"val_loss": loss, "val_acc": scores.accuracy, "val_uf1": scores.uf1, "val_uar": scores.uar}
        # Every process has seen all validation samples; the mean makes all of them choose the same epoch.
        shown = {
            name: torch.as_tensor(value, dtype=torch.float32, device=self.device) for name, value in values.items()
        }
        self.log_dict(shown, prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """SGD with momentum and steps as in the paper, or AdamW; cosine schedules count steps."""
        recipe = self.recipe
        if recipe.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(
                self.network.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
            )
        else:
            optimizer = torch.optim.AdamW(
                self.network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
            )
        if recipe.schedule == "step":
            scheduler: Any = torch.optim.lr_scheduler.StepLR(optimizer, recipe.step_epochs, gamma=0.1)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}}
        steps = max(1, int(self.trainer.estimated_stepping_batches))
        warm = max(1, round(WARM_UP_SHARE * steps))

        def share(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
