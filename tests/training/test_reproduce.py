"""The paper's cells: run one by one, stopped and gone on with, and told in one report."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from expression.errors import BadInput
from expression.paper import MODEL_SETUPS
from training.catalogue import PAPER_NETWORKS
from training.crossval import RESULT_FILE, read_result
from training.datasets.crops import CropStore
from training.datasets.source import Source
from training.material import crop_plan
from training.report import write_report
from training.reproduce import ALL_CELLS, Cell, Reproduction, choose_cells, reproduce


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def job(tmp_path, samples, monkeypatch, fill):
    monkeypatch.setattr(Source, "read", lambda self: (samples, ()))
    job = Reproduction(
        source=Source("made", cache=tmp_path / "crops"),
        out=tmp_path / "out",
        cells=(
            Cell("I3D", "baseline"),
            Cell("I3D", "class-resampling"),
            Cell("I3D", "uniform-key-frames"),
            Cell("I3D", "class-balanced-loss"),
        ),
        folds=2,
        changes=(("size_px", 32), ("crop_px", 32), ("epochs", 1), ("width", 0.125), ("batch", 8)),
    )
    for cell in job.cells:
        fill(CropStore(tmp_path / "crops", crop_plan(job.recipe(cell))), samples)
    return job


class Stopped(Exception):
    pass


def test_a_stopped_reproduction_goes_on_and_its_report_has_every_cell(job):
    seen = []

    def stop(results):
        seen.append([cell.name for cell, result in results.items() if result is not None])
        write_report(job, results)
        raise Stopped

    with pytest.raises(Stopped):
        reproduce(job, after_cell=stop)
    assert seen == [["I3D-baseline"]]
    assert "Not finished: I3D-class-resampling" in (job.out / "report.md").read_text()

    first = (job.out / "cells" / "I3D-baseline" / RESULT_FILE).stat().st_mtime_ns
    results = reproduce(job)
    assert (job.out / "cells" / "I3D-baseline" / RESULT_FILE).stat().st_mtime_ns == first
    assert all(results.values())

    page = write_report(job, results).read_text()
    text = (job.out / "report.md").read_text()
    for cell in job.cells:
        row = f"{100 * results[cell].mean.accuracy:.2f} | {100 * cell.paper.accuracy:.2f}"
        assert row in text
    for number in (7, 8, 9, 11):
        assert f"Table {number}" in page
    assert page.count("data:image/png;base64,") == 3
    assert "size_px 32" in page


def test_results_add_up(job):
    cell = job.cells[0]
    reproduce(Reproduction(job.source, job.out, (cell,), folds=2, seeds=2, changes=job.changes))
    result = read_result(job.out / "cells" / cell.name)
    assert [len(folds) for folds in result.folds] == [2, 2]
    assert result.table.sum() == 2 * result.samples
    interval = result.interval("accuracy")
    assert interval.low <= result.mean.accuracy <= interval.high
    assert result.all_pooled.accuracy == pytest.approx(np.trace(result.table) / result.table.sum())


def test_recipes_of_the_cells_are_the_papers():
    job = Reproduction(Source("x"), None)
    for cell in ALL_CELLS:
        recipe = job.recipe(cell)
        setup = MODEL_SETUPS[cell.model]
        assert (recipe.model, recipe.size_px) == (PAPER_NETWORKS[cell.model], setup.input_px)
        assert (recipe.optimizer, recipe.momentum, recipe.learning_rate) == ("sgd", 0.9, setup.learning_rate)
        assert (recipe.batch, recipe.schedule, recipe.step_epochs, recipe.frames) == (32, "step", 10, 16)
        assert recipe.resample == (cell.setting == "class-resampling")
        assert recipe.loss == ("class-balanced" if cell.setting == "class-balanced-loss" else "cross-entropy")
        assert recipe.sampling == ("uniform" if cell.setting == "uniform-key-frames" else "adaptive-halves")


def test_any_part_of_the_tables_can_be_chosen():
    assert len(choose_cells()) == 16
    assert {cell.setting for cell in choose_cells(tables=[9])} == {"baseline", "class-balanced-loss"}
    assert [cell.name for cell in choose_cells(["P3D"], ["baseline"])] == ["P3D-baseline"]
    for wrong in (["I3D", "X3D"], [], []), ([], ["mixup"], []), ([], [], [10]):
        with pytest.raises(BadInput):
            choose_cells(*wrong)
