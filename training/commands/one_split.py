"""What every command does that trains on one split: gather, part, show, train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capture.console import Progress
from expression.errors import BadInput
from training.commands import options
from training.datasets.source import Source
from training.machine import Machine
from training.recipe import Recipe

if TYPE_CHECKING:
    from training.fit import Fitted
    from training.material import Material
    from training.protocol import Split


@dataclass(frozen=True)
class Trained:
    """A finished run, and what it was made from."""

    material: Material
    split: Split
    fitted: Fitted


def train_on_split(
    chosen: Recipe,
    source: Source,
    run: Path,
    *,
    protocol: options.Protocol,
    folds: int,
    fold: int,
    seed: int,
    machine: Machine,
    init: Path | None,
    show: bool,
) -> Trained:
    """Train on one of the splits of a protocol, with progress; goes on where it was stopped.

    Args:
        chosen: The recipe.
        source: Where samples come from.
        run: Folder of the run.
        protocol: See `make_splits`.
        folds: How many there are.
        fold: Which one is tested on, from 0.
        seed: Of the folds.
        machine: Where to train.
        init: Published checkpoint to start from.
        show: Print statistics of the data before training.

    Raises:
        BadInput: There is no such fold, or the data cannot be parted so.
    """
    # torch takes seconds to import: errors before this come without it.
    from training.fit import fit
    from training.material import gather
    from training.protocol import make_splits

    read = source.read()
    if read[0]:
        # Too few subjects or emotions are told before all faces are aligned.
        make_splits(read[0], protocol.value, folds=folds, seed=seed)
    with Progress("aligning faces", "samples") as progress:
        material = gather(source, chosen, progress=progress.update, read=read)
        clips = material.dataset(chosen, progress.update)
    splits = make_splits(material.samples, protocol.value, folds=folds, seed=seed)
    if not 0 <= fold < len(splits):
        raise BadInput(f"--fold {fold}: there are folds 0 to {len(splits) - 1}")
    if show:
        options.show_material(material)
    split = splits[fold]
    with Progress("training", "epochs") as progress:
        fitted = fit(
            chosen,
            clips,
            material.samples,
            split,
            run,
            machine=machine,
            init=init,
            source=source,
            progress=progress.update,
        )
    return Trained(material, split, fitted)
