"""`dfme-train from-sessions`: from exported annotations to a model that the live service loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import print_json
from training.commands import options
from training.commands.one_split import train_on_split

EPILOG = """
DIR is what dfme-annotate export wrote (or dfme-train synthesize, or a DFME release). OUT becomes the bundle; its run
lies in OUT.run, so that the same command goes on where it was stopped. One part of the subjects is kept for testing.

Examples:

  dfme-annotate export /data/study1 --out coded

  dfme-train from-sessions coded --out models/lab --licence "our lab only"

  dfme-train from-sessions coded --out models/lab --folds 5 --epochs 30

  dfme-capture --fps 500 --live-model models/lab
"""


def from_sessions(
    folder: Annotated[Path, typer.Argument(help="Folder of exported annotations.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle.")],
    recipe: options.RecipeName = "small",
    model: options.Model = None,
    size: options.Size = None,
    epochs: options.Epochs = None,
    batch: options.Batch = None,
    width: options.Width = None,
    seed: options.Seed = 0,
    folds: Annotated[int, typer.Option(help="One of so many parts of the subjects is tested on.", min=2)] = 5,
    init: Annotated[Path | None, typer.Option(help="Published checkpoint to start from.")] = None,
    licence: Annotated[str, typer.Option(help="Under which terms the model may be used.")] = "",
    int8: Annotated[bool, typer.Option(help="Quantise as well.")] = True,
    cache: options.Cache = None,
    finder: options.Finder = "auto",
    jobs: options.Jobs = 1,
    accelerator: options.Accelerator = "auto",
    devices: options.Devices = "auto",
    workers: options.Workers = 0,
    as_json: options.AsJson = False,
) -> None:
    """Train on a lab's own coded recordings, test on subjects kept apart, and write a bundle."""
    options.need_torch()
    from training.run_export import export_run

    run = out.with_name(out.name + ".run")
    trained = train_on_split(
        options.Changes(model, size, epochs, batch, width, seed).applied(recipe),
        options.source_of(str(folder), "auto", cache, finder, jobs),
        run,
        protocol=options.Protocol.SUBJECT,
        folds=folds,
        fold=0,
        seed=seed,
        machine=options.machine_of(accelerator, devices, workers),
        init=init,
        show=not as_json,
    )
    tested = trained.fitted.test
    done = export_run(run, out, name=out.name, licence=licence, int8=int8)
    if as_json:
        print_json(
            {
                "out": str(out),
                "run": str(run),
                "test": options.as_dict(tested.scores),
                "files": dict(done.bytes),
                "int8_problem": done.int8_problem or None,
                "data": options.statistics_dict(trained.material),
            }
        )
        return
    typer.echo(f"{out}: a bundle for dfme-live; on {len(set(tested.subjects))} subjects kept apart")
    typer.echo(f"  {tested.scores}")
    if done.int8_problem:
        typer.echo(f"  no INT8 network: {done.int8_problem}")
