"""`dfme-train fit`: trains one model on one split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import print_json
from training.commands import options
from training.commands.one_split import train_on_split

EPILOG = """
OUT holds the recipe, the checkpoint best.ckpt (and last.ckpt until it is finished), log/metrics.csv, tensorboard, and
what was said of validation and test samples. The same command goes on where it was stopped.

Examples:

  dfme-train fit --data synthetic --recipe small --folds 5 --out runs/first

  dfme-train fit --data simulated:12x6 --epochs 2 --size 32 --width 0.125 --folds 3 --out runs/tiny --json

  dfme-train fit --data /data/DFME --recipe paper-i3d --init rgb_imagenet.pt --accelerator gpu --out runs/i3d
"""


def fit(
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    recipe: options.RecipeName = "small",
    model: options.Model = None,
    size: options.Size = None,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    width: options.Width = None,
    seed: options.Seed = 0,
    protocol: Annotated[options.Protocol, typer.Option(help="How samples are parted.")] = options.Protocol.SUBJECT,
    folds: Annotated[int, typer.Option(help="Folds; one of them is tested on.", min=2)] = 10,
    fold: Annotated[int, typer.Option(help="Which one, from 0.", min=0)] = 0,
    init: Annotated[Path | None, typer.Option(help="Published checkpoint to start from.")] = None,
    dataset: options.Dataset = "auto",
    cache: options.Cache = None,
    finder: options.Finder = "auto",
    jobs: options.Jobs = 1,
    accelerator: options.Accelerator = "auto",
    devices: options.Devices = "auto",
    workers: options.Workers = 0,
    as_json: options.AsJson = False,
) -> None:
    """Train a model, choose the epoch on validation subjects, and test it on subjects it has never seen."""
    options.need_torch()
    from training.protocol import LEAKAGE_WARNING

    if protocol is options.Protocol.RANDOM:
        typer.echo(f"warning: {LEAKAGE_WARNING}", err=True)
    chosen = options.Changes(model, size, epochs, batch, width, seed).applied(recipe)
    trained = train_on_split(
        chosen,
        options.source_of(data, dataset, cache, finder, jobs),
        out,
        protocol=protocol,
        folds=folds,
        fold=fold,
        seed=seed,
        machine=options.machine_of(accelerator, devices, workers),
        init=init,
        show=not as_json,
    )
    split, fitted = trained.split, trained.fitted
    if as_json:
        print_json(
            {
                "out": str(out),
                "best_epoch": fitted.best_epoch,
                "samples": {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)},
                "validation": options.as_dict(fitted.validation.scores),
                "test": options.as_dict(fitted.test.scores),
                "init": str(fitted.init) if fitted.init else None,
                "data": options.statistics_dict(trained.material),
            }
        )
        return
    if fitted.init:
        typer.echo(f"  from {init}: {fitted.init}")
    typer.echo(f"{out}: best epoch {fitted.best_epoch + 1} of {chosen.epochs}, chosen on validation subjects")
    typer.echo(f"  validation  {fitted.validation.scores}")
    typer.echo(f"  test        {fitted.test.scores}")
    options.show_confusion(fitted.test.confusion)
