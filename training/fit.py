"""Trains one model on one split: resumable, deterministic with a seed, the epoch chosen on validation subjects."""

from __future__ import annotations

import gc
import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader

from capture.recording.files import write_whole
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput, ExpressionError
from training.calibrate import best_shift
from training.clips import ClipDataset, EpochSampler, subset
from training.datasets.sample import Sample
from training.datasets.source import Source
from training.losses import make_loss
from training.machine import Machine
from training.models import LoadReport, build_model, load_checkpoint
from training.module import Recogniser
from training.predictions import Predictions
from training.protocol import Split
from training.quiet import quiet
from training.recipe import Recipe, recipe_of
from training.run_facts import RunFacts

RECIPE_FILE: Final = "recipe.json"
PREDICTIONS_FILE: Final = "test.npz"
VALIDATION_FILE: Final = "validation.npz"
SHIFT_FILE: Final = "shift.json"
"""What is added to the outputs, where the recipe adjusts them to how frequent classes are."""
LOG_FILE: Final = "log/metrics.csv"
"""Losses and scores of each epoch; of earlier starts of a run that was stopped: `metrics.1.csv` and so on."""
_LAST, _BEST = "last.ckpt", "best.ckpt"
_HERE: Final = Machine()
Progress = Callable[[int, int, str], None]
"""Told how many epochs are done, of how many, and how good the last one was."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained model and what it says."""

    folder: Path
    checkpoint: Path
    """The epoch that was best on the validation samples."""
    best_epoch: int
    validation: Predictions
    test: Predictions
    init: LoadReport | None = None


def fit(
    recipe: Recipe,
    dataset: ClipDataset,
    samples: Sequence[Sample],
    split: Split,
    folder: Path,
    *,
    machine: Machine = _HERE,
    init: Path | None = None,
    source: Source | None = None,
    progress: Progress = lambda done, total, text: None,
) -> Fitted:
    """Train, choose the epoch on the validation samples, and say what is said of the test samples.

    A run that was stopped goes on from its last epoch; a finished one is read.

    Args:
        recipe: How.
        dataset: All samples, unchanged.
        samples: The same ones.
        split: Which are for what.
        folder: Of this run.
        machine: Where.
        init: Checkpoint to start from.
        source: Where the samples are from, for the card of the model.
        progress: Told about epochs.

    Raises:
        BadInput: The folder holds a run of another recipe, or the checkpoint does not fit.
        ExpressionError: Training failed.
    """
    _claim(folder, recipe)
    facts = RunFacts.of(source, samples, dataset, split, recipe.seed)
    facts.enter(folder)
    facts.write(folder)
    done = folder / PREDICTIONS_FILE
    network, report = make_network(recipe), None
    if done.exists():
        checkpoint, epoch = load_best(network, folder)
        return Fitted(
            folder, checkpoint, epoch, Predictions.read(folder / VALIDATION_FILE), Predictions.read(done), None
        )
    if machine.threads:
        torch.set_num_threads(machine.threads)
    if init is not None and not (folder / _LAST).exists():
        report = load_checkpoint(network, init)
    trained = _train(recipe, network, dataset, split, folder, machine, progress)
    # Trainer and module hold each other: without this, optimisers of many runs pile up until memory is short.
    gc.collect()
    checkpoint, epoch = load_best(network, folder)
    checked, tested = (
        predict(network, subset(dataset, indices), recipe, trained, machine.workers)
        for indices in (split.validation, split.test)
    )
    if recipe.adjust_priors:
        counts = np.bincount(dataset.classes[split.train], minlength=len(BASIC_EMOTIONS))
        shift = best_shift(checked, dataset.classes[split.validation], counts)
        write_whole(folder / SHIFT_FILE, json.dumps(shift.tolist()).encode())
        checked, tested = (np.asarray(logits + shift, np.float32) for logits in (checked, tested))
    validation, test = (
        Predictions.of([samples[int(index)] for index in indices], logits)
        for indices, logits in ((split.validation, checked), (split.test, tested))
    )
    validation.write(folder / VALIDATION_FILE)
    test.write(done)
    # Nothing goes on from it any more, and with its optimiser it is the larger part of a run.
    (folder / _LAST).unlink(missing_ok=True)
    return Fitted(folder, checkpoint, epoch, validation, test, report)


def make_network(recipe: Recipe) -> nn.Module:
    """A new network; its first weights follow from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_model(recipe.model, len(BASIC_EMOTIONS), recipe.clip.channel_count, width=recipe.width)
    if recipe.norm_momentum is not None:
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
                layer.momentum = recipe.norm_momentum
    return network


def load_best(network: nn.Module, folder: Path) -> tuple[Path, int]:
    """Load the best epoch of a run into `network`; its checkpoint and number.

    Raises:
        BadInput: The folder holds none.
    """
    path = folder / _BEST
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state = {name.removeprefix("network."): v for name, v in content["state_dict"].items() if "network." in name}
        network.load_state_dict(state)
    except (OSError, KeyError, RuntimeError, EOFError) as error:
        raise BadInput(f"{path} is no trained model of this recipe ({str(error).splitlines()[0]})") from error
    return path, int(content["epoch"])


def final_network(recipe: Recipe, folder: Path) -> tuple[nn.Module, int]:
    """The network of a finished run as it is to be used, and its epoch: the best one, outputs adjusted.

    Raises:
        BadInput: The folder holds none.
    """
    network = make_network(recipe)
    _, epoch = load_best(network, folder)
    if recipe.adjust_priors:
        try:
            shift = torch.tensor(json.loads((folder / SHIFT_FILE).read_text()), dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise BadInput(f"{folder / SHIFT_FILE} cannot be read ({error}): train again") from error
        with torch.no_grad():
            network.get_parameter(f"{network.head}.bias").add_(shift)
    return network, epoch


def read_recipe(folder: Path) -> Recipe:
    """The recipe of a run.

    Raises:
        BadInput: The folder holds no run.
    """
    path = folder / RECIPE_FILE
    try:
        return recipe_of(json.loads(path.read_text()), str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(f"{folder} holds no training run: it has no {RECIPE_FILE}") from None
    except ValueError as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


@torch.no_grad()
def predict(
    network: nn.Module, dataset: ClipDataset, recipe: Recipe, device: torch.device | str = "cpu", workers: int = 0
) -> npt.NDArray[np.float32]:
    """(samples, classes) logits in the order of the data set."""
    network = network.to(device).eval()
    loader = DataLoader(dataset, batch_size=recipe.batch, num_workers=workers)
    parts = [network(clips.to(device)).float().cpu().numpy() for clips, _ in loader]
    if not parts:
        return np.empty((0, len(BASIC_EMOTIONS)), np.float32)
    return np.concatenate(parts)


class _Reporter(Callback):
    """Tells of an epoch when its checkpoint is on disk: with the next one's start, or at the end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._first: int | None = None

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if self._first is None:
            self._first = trainer.current_epoch
        self._tell(trainer)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._tell(trainer)

    def _tell(self, trainer: lightning.Trainer) -> None:
        done = trainer.current_epoch
        if self._first is None or done <= self._first:
            return
        loss, uf1 = (float(trainer.callback_metrics.get(name, "nan")) for name in ("train_loss", "val_uf1"))
        self._progress(done, trainer.max_epochs or done, f"training (loss {loss:.3f}, validation UF1 {uf1:.3f})")


def _train(
    recipe: Recipe,
    network: nn.Module,
    dataset: ClipDataset,
    split: Split,
    folder: Path,
    machine: Machine,
    progress: Progress,
) -> torch.device:
    best = ModelCheckpoint(
        folder, "best", monitor="val_uf1", mode="max", save_weights_only=True, enable_version_counter=False
    )
    # Every epoch, to go on from; Lightning's own `save_last` follows the best one.
    last_one = ModelCheckpoint(folder, "last", enable_version_counter=False)
    last = folder / _LAST
    with quiet():
        trainer = lightning.Trainer(
            accelerator=machine.accelerator,
            devices=machine.devices,
            precision=recipe.precision,
            max_epochs=recipe.epochs,
            accumulate_grad_batches=recipe.accumulate,
            gradient_clip_val=recipe.clip_gradient or None,
            deterministic="warn",
            callbacks=[best, last_one, _Reporter(progress)],
            logger=[CSVLogger(folder, "log", version=""), TensorBoardLogger(str(folder), "tensorboard", version="")],
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            # `EpochSampler` knows of several processes by itself; Lightning's would hide the epoch from it.
            use_distributed_sampler=False,
        )
        if trainer.is_global_zero:
            _keep_log(folder)
        loaders = _loaders(recipe, dataset, split, machine.workers, trainer.world_size)
        counts = np.bincount(dataset.classes[split.train], minlength=len(BASIC_EMOTIONS))
        loss = make_loss(recipe.loss, counts, beta=recipe.beta, gamma=recipe.gamma, smoothing=recipe.smoothing)
        left_out = trainer.world_size if loaders[0].drop_last else 0
        module = Recogniser(recipe, network, loss, len(split.train) - left_out)
        if last.exists():
            _check(last, module)
        try:
            trainer.fit(module, *loaders, ckpt_path=last if last.exists() else None)
        except SystemExit:
            # Lightning's way to say that it was interrupted.
            raise KeyboardInterrupt from None
    if not (folder / _BEST).exists():
        raise ExpressionError(f"training in {folder} wrote no model")
    return module.device


def _loaders(
    recipe: Recipe, dataset: ClipDataset, split: Split, workers: int, processes: int
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Of training and validation clips; what all processes load makes a batch."""
    parts = recipe.accumulate * processes
    if recipe.batch % parts:
        raise BadInput(
            f"a batch of {recipe.batch} cannot be parted into {parts} equal ones, for {processes} devices: give another"
        )
    size = recipe.batch // parts
    augment = recipe.augment if recipe.augment != type(recipe.augment)() else None
    training = subset(dataset, split.train, augment, recipe.seed)
    sampler = EpochSampler(training.classes, resample=recipe.resample, seed=recipe.seed)
    # A last batch of one clip has no spread to normalise by.
    each = math.ceil(len(training) / processes)
    alone = each % size == 1 and each > 1
    options: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    return (
        DataLoader(training, size, sampler=sampler, drop_last=alone, **options),
        DataLoader(subset(dataset, split.validation), size, **options),
    )


def _check(path: Path, module: nn.Module) -> None:
    """See that a checkpoint is whole and of this network before training goes on from it."""
    try:
        names = set(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["state_dict"])
    except (OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise BadInput(
            f"{path} is damaged ({str(error).splitlines()[0]}): remove it, and this run begins anew"
        ) from error
    if names != set(module.state_dict()):
        raise BadInput(f"{path} was written by another version of this software: choose another --out")


def _keep_log(folder: Path) -> None:
    """Move the log of an earlier start aside: the logger would begin the file anew."""
    log = folder / LOG_FILE
    if log.exists():
        log.rename(log.with_suffix(f".{len(list(log.parent.glob(f'{log.stem}.*.csv'))) + 1}.csv"))


def _claim(folder: Path, recipe: Recipe) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECIPE_FILE
    if path.exists():
        if read_recipe(folder) != recipe:
            raise BadInput(f"{folder} holds a run of another recipe: go on with the same, or choose another --out")
        return
    write_whole(path, recipe.model_dump_json(indent=1).encode() + b"\n")
