"""Runs the cells of a reproduction on a Ray cluster; every machine must see the same folders."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from expression.errors import BadInput, ExpressionError
from training.crossval import Result, cross_validate
from training.reproduce import AfterCell, Cell, Progress, Reproduction


def reproduce_on_cluster(
    job: Reproduction,
    address: str,
    *,
    gpus_per_cell: float = 1.0,
    progress: Progress = lambda done, total, text: None,
    after_cell: AfterCell = lambda results: None,
) -> dict[Cell, Result | None]:
    """Run all cells that are not finished, as many at a time as the cluster has room for.

    Args:
        job: What and how; its folders lie on storage that all machines share.
        address: Of the cluster, such as `ray://head:10001` or `auto`.
        gpus_per_cell: What a cell asks for.
        progress: Told about cells.
        after_cell: Told what is finished, after every cell.

    Raises:
        BadInput: Ray is not installed, or there is no cluster at the address.
        ExpressionError: A cell failed; the others are kept.
    """
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise BadInput("a cluster needs Ray, not installed here: pip install 'dfme[cluster]'") from None
    try:
        ray.init(address=address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise BadInput(f"there is no Ray cluster at {address} ({error})") from error
    try:
        run = ray.remote(num_gpus=gpus_per_cell, max_retries=2)(cross_validate)
        waiting = {run.remote(job.plan(cell)): cell for cell in job.cells}
        failed = []
        while waiting:
            (done, *_), _ = ray.wait(list(waiting), num_returns=1)
            cell = waiting.pop(done)
            try:
                ray.get(done)
            except ray.exceptions.RayError as error:
                failed.append(f"{cell.name}: {str(error).strip().splitlines()[-1]}")
            progress(len(job.cells) - len(waiting), len(job.cells), "cells")
            after_cell(job.results())
    finally:
        ray.shutdown()
    if failed:
        raise ExpressionError(f"{len(failed)} of {len(job.cells)} cells failed; start again to go on ({failed[0]})")
    return job.results()
