"""Runs the cells of a reproduction on a Ray cluster; every machine must see the same folders."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from expression.errors import BadInput, ExpressionError
from training.crossval import Result, cross_validate
from training.datasets.source import Source
from training.material import crop_plan, gather
from training.recipe import Recipe
from training.reproduce import AfterCell, Cell, Progress, Reproduction

_LONGEST: Final = 300
RETRIES: Final = 2
"""How often a cell is begun again whose process or machine has died; it goes on from its last epoch."""


@dataclass(frozen=True)
class Share:
    """What a cell asks the cluster for."""

    cpus: int
    gpus: int

    @classmethod
    def of(cls, accelerator: str, machines: Sequence[tuple[int, int]]) -> Share:
        """One graphics card and its part of the processors, or one processor where no card is wanted or there is none.

        Args:
            accelerator: `auto`, `cpu` or `gpu`.
            machines: Processors and graphics cards of each machine of the cluster.

        Raises:
            BadInput: There is no graphics card and one is wanted.
        """
        parts = [cpus // gpus for cpus, gpus in machines if gpus]
        if accelerator == "gpu" and not parts:
            raise BadInput("the Ray cluster has no graphics card: leave --accelerator away, or add a machine with one")
        if accelerator == "cpu" or not parts:
            return cls(1, 0)
        return cls(max(1, min(parts)), 1)


def reproduce_on_cluster(
    job: Reproduction,
    address: str,
    *,
    progress: Progress = lambda done, total, text: None,
    after_cell: AfterCell = lambda results: None,
) -> dict[Cell, Result | None]:
    """Run all cells that are not finished, as many at a time as the cluster has room for.

    Args:
        job: What and how; its folders lie on storage that all machines share.
        address: Of the cluster, such as `ray://head:10001`, `head:6379` or `auto`.
        progress: Told about crops and cells.
        after_cell: Told what is finished, after every cell.

    Raises:
        BadInput: Ray is not installed, there is no cluster at the address, or it lacks what is asked for.
        ExpressionError: A cell failed; the others are kept.
    """
    # Ray tells of workers that died where results go; the last line there may be JSON.
    with contextlib.redirect_stdout(sys.stderr):
        return _run(job, address, progress, after_cell)


def _run(job: Reproduction, address: str, progress: Progress, after_cell: AfterCell) -> dict[Cell, Result | None]:
    ray = _connected(address)
    try:
        machines = [
            (int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0)))
            for node in ray.nodes()
            if node["Alive"]
        ]
        share = Share.of(job.machine.accelerator, machines)
        job = _anywhere(job)
        _prepare_on_cluster(ray, job, min(job.source.jobs, max(cpus for cpus, _ in machines)), progress)
        run = ray.remote(num_cpus=share.cpus, num_gpus=share.gpus, max_retries=RETRIES)(cross_validate)
        waiting = {run.remote(job.plan(cell)): cell for cell in job.cells}
        failed = []
        progress(0, len(job.cells), "cells")
        while waiting:
            (done, *_), _ = ray.wait(list(waiting), num_returns=1)
            cell = waiting.pop(done)
            try:
                ray.get(done)
            except ray.exceptions.RayError as error:
                failed.append(f"{cell.name}: {_reason(error)}")
            progress(len(job.cells) - len(waiting), len(job.cells), "cells")
            after_cell(job.results())
    finally:
        ray.shutdown()
    if failed:
        raise ExpressionError(f"{len(failed)} of {len(job.cells)} cells failed; start again to go on ({failed[0]})")
    return job.results()


def _connected(address: str) -> Any:
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise BadInput("a cluster needs Ray, not installed here: ./install.sh --with cluster") from None
    try:
        # What workers print stays in Ray's logs.
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    # Ray wraps what its transport raises in classes of its own, which differ from version to version.
    except (ConnectionError, ImportError, RuntimeError, ValueError, AssertionError, TimeoutError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"there is no Ray cluster at {address} ({line}): ray start --head begins one") from error
    return ray


def _anywhere(job: Reproduction) -> Reproduction:
    """The same job with absolute paths: processes of a cluster work in folders of their own."""
    source = job.source
    data = source.data if source.named else str(Path(source.data).absolute())
    source = replace(source, data=data, cache=source.cache.absolute() if source.cache else None)
    return replace(
        job,
        source=source,
        out=job.out.absolute(),
        init=tuple((model, path.absolute()) for model, path in job.init),
    )


def _prepare_on_cluster(ray: Any, job: Reproduction, cpus: int, progress: Progress) -> None:
    """Make the crops of all cells first: cells that run side by side would each make the same ones."""
    unfinished = [cell for cell, result in job.results().items() if result is None]
    recipes = {crop_plan(recipe, job.source.finder): recipe for recipe in map(job.recipe, unfinished)}
    prepare = ray.remote(num_cpus=cpus, max_retries=RETRIES)(_prepare)
    waiting = [prepare.remote(job.source, recipe) for recipe in recipes.values()]
    total = len(waiting)
    while waiting:
        progress(total - len(waiting), total, "aligning faces")
        done, waiting = ray.wait(waiting, num_returns=1)
        try:
            ray.get(done)
        except ray.exceptions.RayError as error:
            raise ExpressionError(f"crops cannot be made on the cluster ({_reason(error)})") from error


def _prepare(source: Source, recipe: Recipe) -> int:
    """How many samples can be used."""
    return len(gather(source, recipe).samples)


def _reason(error: Exception) -> str:
    """The last line of what Ray tells: the error itself, below its trace."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return shorten(lines[-1].strip(), _LONGEST, placeholder=" …")
