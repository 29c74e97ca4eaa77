"""The cells of the paper's recognition tables: which there are, and how all of them are run, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from expression.errors import BadInput
from expression.paper import RESULTS, ModelName, Setting
from expression.paper import Result as PaperResult
from training.crossval import Plan, Result, cross_validate, read_result
from training.datasets.source import Source
from training.machine import Machine
from training.protocol import ProtocolName
from training.recipe import Recipe, paper_recipe

TABLES: Final[Mapping[int, Setting]] = {
    7: "baseline",
    8: "class-resampling",
    9: "class-balanced-loss",
    11: "uniform-key-frames",
}
"""What each table adds; all compare with the baseline."""
_HERE: Final = Machine()
Progress = Callable[[int, int, str], None]
AfterCell = Callable[[Mapping["Cell", Result | None]], None]


@dataclass(frozen=True)
class Cell:
    """One row of the paper's tables."""

    model: ModelName
    setting: Setting

    @property
    def name(self) -> str:
        """`I3D-baseline`."""
        return f"{self.model}-{self.setting}"

    @property
    def paper(self) -> PaperResult:
        """What the paper has there."""
        return next(row for row in RESULTS if (row.model, row.setting) == (self.model, self.setting))


ALL_CELLS: Final = tuple(Cell(row.model, row.setting) for row in RESULTS)


@dataclass(frozen=True)
class Reproduction:
    """What is to be run, and how."""

    source: Source
    out: Path
    cells: tuple[Cell, ...] = ALL_CELLS
    protocol: ProtocolName = "subject"
    folds: int = 10
    seeds: int = 1
    changes: tuple[tuple[str, Any], ...] = ()
    """Values of all recipes that differ from the paper's, such as a smaller size."""
    networks: tuple[tuple[ModelName, str], ...] = ()
    """Depths that stand for the paper's models."""
    init: tuple[tuple[ModelName, Path], ...] = ()
    """Checkpoints to start from."""
    machine: Machine = _HERE

    def recipe(self, cell: Cell) -> Recipe:
        """How a cell is trained."""
        values = dict(self.changes)
        if cell.model != "I3D":
            values.pop("width", None)
        return paper_recipe(cell.model, cell.setting, network=dict(self.networks).get(cell.model)).changed(**values)

    def plan(self, cell: Cell) -> Plan:
        """The cross-validation of a cell."""
        return Plan(
            recipe=self.recipe(cell),
            source=self.source,
            folder=self.out / "cells" / cell.name,
            protocol=self.protocol,
            folds=self.folds,
            seeds=self.seeds,
            machine=self.machine,
            init=dict(self.init).get(cell.model),
        )

    def results(self) -> dict[Cell, Result | None]:
        """What is finished."""
        return {cell: read_result(self.out / "cells" / cell.name) for cell in self.cells}


def choose_cells(
    models: Sequence[str] = (), settings: Sequence[str] = (), tables: Sequence[int] = ()
) -> tuple[Cell, ...]:
    """The cells of these models, settings and tables; empty means all.

    A table brings the baseline that it compares with.

    Raises:
        BadInput: The paper has no such model, setting or table.
    """
    known_models = tuple(dict.fromkeys(cell.model for cell in ALL_CELLS))
    known_settings = tuple(dict.fromkeys(cell.setting for cell in ALL_CELLS))
    wrong_model = [name for name in models if name not in known_models]
    wrong_setting = [name for name in settings if name not in known_settings]
    wrong_table = [number for number in tables if number not in TABLES]
    if wrong_model:
        raise BadInput(f"the paper has no model {wrong_model[0]!r}: give {', '.join(known_models)}")
    if wrong_setting:
        raise BadInput(f"the paper has no setting {wrong_setting[0]!r}: give {', '.join(known_settings)}")
    if wrong_table:
        raise BadInput(f"table {wrong_table[0]} has no results of recognition: give {', '.join(map(str, TABLES))}")
    wanted = {*settings, *(TABLES[number] for number in tables), *(["baseline"] if tables else [])}
    return tuple(
        cell for cell in ALL_CELLS if (not models or cell.model in models) and (not wanted or cell.setting in wanted)
    )


def reproduce(
    job: Reproduction,
    *,
    progress: Progress = lambda done, total, text: None,
    after_cell: AfterCell = lambda results: None,
) -> dict[Cell, Result | None]:
    """Run all cells that are not finished, here and one after the other.

    Args:
        job: What and how.
        progress: Told about epochs of the cell at work.
        after_cell: Told what is finished, after every cell.

    Raises:
        BadInput: Something cannot be run so; what is finished is kept.
    """
    for number, cell in enumerate(job.cells, start=1):
        label = f"cell {number} of {len(job.cells)}, {cell.name}"

        def tell(done: int, total: int, text: str, label: str = label) -> None:
            progress(done, total, f"{label}: {text}")

        cross_validate(job.plan(cell), tell)
        after_cell(job.results())
    return job.results()
