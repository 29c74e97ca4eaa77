"""`dfme-train reproduce`: the paper's recognition tables by one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from capture.console import Progress, print_json
from expression.errors import BadInput
from training.commands import options

EPILOG = """
Sixteen cells: four models, each as it is (table 7), with classes drawn alike (8), with the class-balanced loss (9), and
with uniform key-frames (11). OUT/report.html and OUT/report.md are written anew after every cell; a cell that is
finished is not run again. With --size and the like the whole runs on a laptop, and the report says what was changed.

Examples:

  dfme-train reproduce --data /data/DFME --out tables --accelerator gpu --seeds 3

  dfme-train reproduce --data /data/DFME --out tables --models I3D,R3D --tables 7,8

  dfme-train reproduce --data synthetic --out trial --size 56 --epochs 2 --folds 3 --width 0.25
"""


def reproduce(
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Folder of cells and report.")],
    models: Annotated[str, typer.Option(help="Some models: R3D,P3D,D3D,I3D.")] = "",
    settings: Annotated[
        str, typer.Option(help="Some settings: baseline,class-resampling,class-balanced-loss,uniform-key-frames.")
    ] = "",
    tables: Annotated[str, typer.Option(help="Some tables: 7,8,9,11.")] = "",
    size: options.Size = None,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    width: options.Width = None,
    networks: Annotated[str, typer.Option(help="Other depths: R3D=r3d-50,P3D=p3d-199.")] = "",
    init: Annotated[list[str] | None, typer.Option(help="Checkpoint to start from, MODEL=FILE; repeatable.")] = None,
    seed: options.Seed = 0,
    seeds: Annotated[int, typer.Option(help="Repetitions with other seeds, for intervals.", min=1)] = 1,
    protocol: Annotated[options.Protocol, typer.Option(help="How samples are parted.")] = options.Protocol.SUBJECT,
    folds: Annotated[int, typer.Option(help="Folds.", min=2)] = 10,
    precision: Annotated[str | None, typer.Option(help="32-true, 16-mixed or bf16-mixed.")] = None,
    accumulate: Annotated[int | None, typer.Option(help="Parts of a batch, where memory is short.")] = None,
    ray: Annotated[str, typer.Option(help="Address of a Ray cluster that runs the cells.")] = "",
    dataset: options.Dataset = "auto",
    cache: options.Cache = None,
    finder: options.Finder = "auto",
    jobs: options.Jobs = 1,
    accelerator: options.Accelerator = "auto",
    devices: options.Devices = "auto",
    workers: options.Workers = 0,
    as_json: options.AsJson = False,
) -> None:
    """Run the paper's recognition experiments, and write one report with our figure beside the paper's."""
    options.need_torch()
    from training.protocol import LEAKAGE_WARNING
    from training.report import write_report
    from training.reproduce import Reproduction, choose_cells
    from training.reproduce import reproduce as run_cells

    changes: dict[str, Any] = {
        "size_px": size,
        "crop_px": size,
        "epochs": epochs,
        "batch": batch,
        "width": width,
        "precision": precision,
        "accumulate": accumulate,
        "seed": seed or None,
    }
    job = Reproduction(
        source=options.source_of(data, dataset, cache, finder, jobs),
        out=out,
        cells=choose_cells(_listed(models), _listed(settings), [_whole(part) for part in _listed(tables)]),
        protocol=protocol.value,
        folds=folds,
        seeds=seeds,
        changes=tuple((name, value) for name, value in changes.items() if value is not None),
        networks=tuple((choose_cells([model])[0].model, value) for model, value in _pairs(_listed(networks))),
        init=tuple((choose_cells([model])[0].model, Path(value)) for model, value in _pairs(init or [])),
        machine=options.machine_of(accelerator, devices, workers),
    )
    for cell in job.cells:
        job.recipe(cell)  # what makes no sense is said before hours of work
    if protocol is options.Protocol.RANDOM:
        typer.echo(f"warning: {LEAKAGE_WARNING}", err=True)
    with Progress("training", "steps") as progress:
        hooks: dict[str, Any] = {"progress": progress.update, "after_cell": lambda done: write_report(job, done)}
        if ray:
            from training.ray_runner import reproduce_on_cluster

            results = reproduce_on_cluster(job, ray, **hooks)
        else:
            results = run_cells(job, **hooks)
    path = write_report(job, results)
    if as_json:
        cells = {
            cell.name: {
                "ours": options.as_dict(result.mean),
                "paper": [cell.paper.accuracy, cell.paper.uf1, cell.paper.uar],
            }
            for cell, result in results.items()
            if result is not None
        }
        print_json({"out": str(out), "report": str(path), "cells": cells})
        return
    for cell, result in results.items():
        typer.echo(f"  {cell.name:<26} {result.mean if result is not None else 'not finished'}")
    typer.echo(f"{path}")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _whole(text: str) -> int:
    if not text.isdigit():
        raise BadInput(f"--tables {text!r}: give numbers, such as 7,8")
    return int(text)


def _pairs(entries: list[str]) -> list[tuple[str, str]]:
    pairs = [entry.partition("=") for entry in entries]
    wrong = [entry for entry, (_, sign, value) in zip(entries, pairs, strict=True) if not sign or not value]
    if wrong:
        raise BadInput(f"{wrong[0]!r}: write MODEL=VALUE, such as R3D=r3d-50")
    return [(model, value) for model, _, value in pairs]
