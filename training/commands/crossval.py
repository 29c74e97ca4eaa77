"""`dfme-train crossval`: every fold of one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import Progress, print_json
from training.commands import options

EPILOG = """
OUT holds a run for every seed and fold, pooled.npz with all predictions, and result.json. The same command goes on
where it was stopped.

Examples:

  dfme-train crossval --data synthetic --recipe small --folds 5 --out runs/cv

  dfme-train crossval --data /data/DFME --recipe paper-i3d --seeds 3 --accelerator gpu --out runs/i3d

  dfme-train crossval --data /data/CASME2 --recipe small --protocol loso --out runs/loso --json
"""


def crossval(
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Folder of the runs and the result.")],
    recipe: options.RecipeName = "small",
    model: options.Model = None,
    size: options.Size = None,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    width: options.Width = None,
    seed: options.Seed = 0,
    seeds: Annotated[int, typer.Option(help="Repetitions with other seeds, for intervals.", min=1)] = 1,
    protocol: Annotated[options.Protocol, typer.Option(help="How samples are parted.")] = options.Protocol.SUBJECT,
    folds: Annotated[int, typer.Option(help="Folds.", min=2)] = 10,
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
    """Train and test on every fold; scores by fold, their mean, pooled, and with intervals over seeds."""
    options.need_torch()
    from training.crossval import Plan, cross_validate
    from training.protocol import LEAKAGE_WARNING

    plan = Plan(
        recipe=options.Changes(model, size, epochs, batch, width, seed).applied(recipe),
        source=options.source_of(data, dataset, cache, finder, jobs),
        folder=out,
        protocol=protocol.value,
        folds=folds,
        seeds=seeds,
        machine=options.machine_of(accelerator, devices, workers),
        init=init,
    )
    if protocol is options.Protocol.RANDOM:
        typer.echo(f"warning: {LEAKAGE_WARNING}", err=True)
    with Progress("training", "steps") as progress:
        result = cross_validate(plan, progress.update)
    intervals = {name: result.interval(name) for name in ("accuracy", "uf1", "uar")}
    if as_json:
        print_json(
            {
                "out": str(out),
                "mean": options.as_dict(result.mean),
                "pooled": options.as_dict(result.all_pooled),
                "intervals": {name: [found.low, found.high] for name, found in intervals.items()},
                "folds": [[options.as_dict(scores) for scores in seed_folds] for seed_folds in result.folds],
                "baseline": options.as_dict(result.baseline),
                "confusion": [list(row) for row in result.confusion],
                "samples": result.samples,
                "subjects": result.subjects,
            }
        )
        return
    typer.echo(f"{out}: {result.samples:,} samples of {result.subjects} subjects, {protocol.value} folds")
    for number, scores in enumerate(result.folds[0], start=1):
        typer.echo(f"  fold {number:<3} {scores}")
    typer.echo(f"  mean     {result.mean}")
    typer.echo(f"  pooled   {result.all_pooled}")
    typer.echo(f"  constant {result.baseline}")
    if seeds > 1:
        for name, found in intervals.items():
            typer.echo(f"  {name} over {seeds} seeds: {found.mean:.4f} ({found.low:.4f} to {found.high:.4f})")
    options.show_confusion(result.table)
