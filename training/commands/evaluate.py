"""`dfme-train evaluate`: scores a run, a bundle on data, or the best that simulated data allow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import Progress, print_json
from training.commands import options

EPILOG = """
A run is scored on its own test samples. A bundle is scored on all samples of --data whose subjects it has not seen.

Examples:

  dfme-train evaluate runs/first

  dfme-train evaluate models/lab --data synthetic --json
"""


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a run or of a bundle.")],
    data: Annotated[str | None, typer.Option(help="Data to score a bundle on; see dfme-train fit --help.")] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Score the bundle's INT8 network.")] = False,
    all_subjects: Annotated[
        bool, typer.Option("--all-subjects", help="Score subjects as well that the bundle was trained on.")
    ] = False,
    dataset: options.Dataset = "auto",
    cache: options.Cache = None,
    finder: options.Finder = "auto",
    jobs: options.Jobs = 1,
    as_json: options.AsJson = False,
) -> None:
    """Accuracy, UF1, UAR and the confusion matrix of a trained model."""
    options.need_torch()
    from training.evaluate import evaluate_bundle, evaluate_run

    source = options.source_of(data, dataset, cache, finder, jobs) if data is not None else None
    with Progress("scoring", "samples") as progress:
        if source is None:
            said = evaluate_run(model)
        else:
            said = evaluate_bundle(model, source, int8=int8, all_subjects=all_subjects, progress=progress.update)
    if as_json:
        people = len(set(said.subjects))
        confusion = said.confusion.tolist()
        print_json(
            {**options.as_dict(said.scores), "samples": len(said.names), "subjects": people, "confusion": confusion}
        )
        return
    typer.echo(f"{model}: {len(said.names)} samples of {len(set(said.subjects))} subjects")
    typer.echo(f"  {said.scores}")
    options.show_confusion(said.confusion)
