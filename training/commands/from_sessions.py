"""`dfme-train from-sessions`: from exported annotations to a model that the live service loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import Progress, print_json
from training.commands import options

EPILOG = """
DIR is what dfme-annotate export wrote (or dfme-train synthesize, or a DFME release). OUT becomes the bundle; its run
lies in OUT.run, so that the same command goes on where it was stopped. One part of the subjects is kept for testing.

Examples:

  dfme-annotate export --out coded && dfme-train from-sessions coded --out models/lab --licence "our lab only"

  dfme-train from-sessions coded --out models/lab --folds 5 --epochs 30 && dfme-live --model models/lab
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
    folds: Annotated[int, typer.Option(help="One of so many parts of the subjects is tested on.")] = 5,
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
    from training.fit import fit
    from training.material import gather
    from training.protocol import make_splits
    from training.run_export import export_run

    chosen = options.Changes(model, size, epochs, batch, width, seed).applied(recipe)
    source = options.source_of(str(folder), "auto", cache, finder, jobs)
    with Progress("aligning faces", "samples") as progress:
        material = gather(source, chosen, progress=progress.update)
        clips = material.dataset(chosen, progress.update)
    split = make_splits(material.samples, "subject", folds=folds, seed=seed)[0]
    if not as_json:
        options.show_material(material)
    run = out.with_name(out.name + ".run")
    machine = options.machine_of(accelerator, devices, workers)
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
    done = export_run(run, out, name=out.name, licence=licence, int8=int8)
    if as_json:
        print_json(
            {
                "out": str(out),
                "run": str(run),
                "test": options.as_dict(fitted.test.scores),
                "files": dict(done.bytes),
                "int8_problem": done.int8_problem or None,
                "data": options.statistics_dict(material),
            }
        )
        return
    typer.echo(f"{out}: a bundle for dfme-live; on {len(set(fitted.test.subjects))} subjects kept apart")
    typer.echo(f"  {fitted.test.scores}")
    if done.int8_problem:
        typer.echo(f"  no INT8 network: {done.int8_problem}")
