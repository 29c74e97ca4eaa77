"""Cross-validation of one recipe: every fold of every seed, restartable, summed up as tables need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from capture.recording.files import write_whole
from expression.errors import BadInput
from training.datasets.sample import classes_of
from training.datasets.source import Source
from training.fit import fit
from training.machine import Machine
from training.material import gather
from training.metrics import Interval, Scores, constant_baseline, mean_scores
from training.predictions import Predictions, pooled
from training.protocol import ProtocolName, Split, make_splits
from training.recipe import Recipe

RESULT_FILE: Final = "result.json"
POOLED_FILE: Final = "pooled.npz"
Progress = Callable[[int, int, str], None]
"""Told about epochs of all folds and seeds."""
_HERE: Final = Machine()


@dataclass(frozen=True)
class Plan:
    """What is to be cross-validated, and where it is kept."""

    recipe: Recipe
    source: Source
    folder: Path
    protocol: ProtocolName = "subject"
    folds: int = 10
    seeds: int = 1
    """Repetitions with other first weights, orders and folds."""
    machine: Machine = _HERE
    init: Path | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`result.json`: scores of a cross-validation."""

    recipe: str
    """As JSON, to be known again."""
    protocol: str
    folds: tuple[tuple[Scores, ...], ...]
    """Of each seed, of each fold."""
    pooled: tuple[Scores, ...]
    """Of each seed, over the predictions of all its folds together."""
    confusion: tuple[tuple[int, ...], ...]
    """Of all seeds, by true and said class."""
    baseline: Scores
    """Of always saying what is most frequent in training, over the same folds."""
    best_epochs: tuple[tuple[int, ...], ...]
    samples: int
    subjects: int
    data: str
    simulated: bool = False

    @property
    def mean(self) -> Scores:
        """Mean over folds and seeds: what the paper's tables give."""
        return mean_scores([scores for seed in self.folds for scores in seed])

    @property
    def all_pooled(self) -> Scores:
        """Mean over seeds of the pooled scores."""
        return mean_scores(self.pooled)

    def interval(self, name: str, *, of_pooled: bool = False) -> Interval:
        """Over seeds, of `accuracy`, `uf1` or `uar`."""
        per_seed = self.pooled if of_pooled else [mean_scores(seed) for seed in self.folds]
        return Interval.of([float(getattr(scores, name)) for scores in per_seed])

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """The confusion matrix."""
        return np.array(self.confusion, np.int64)


def read_result(folder: Path) -> Result | None:
    """The result in a folder; None where there is none yet.

    Raises:
        BadInput: It is damaged.
    """
    try:
        return msgspec.json.decode((folder / RESULT_FILE).read_bytes(), type=Result)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder / RESULT_FILE} cannot be read ({error}): remove it and start again") from error


def cross_validate(plan: Plan, progress: Progress = lambda done, total, text: None) -> Result:
    """Train and test every fold; what is finished already is read.

    Raises:
        BadInput: The data cannot be parted so, or the folder holds another recipe's result.
    """
    there = read_result(plan.folder)
    if there is not None:
        _same(there, plan)
        return there
    read = plan.source.read()
    if read[0]:
        # Too few subjects or emotions are told before all faces are aligned.
        make_splits(read[0], plan.protocol, folds=plan.folds, seed=plan.recipe.seed)
    material = gather(plan.source, plan.recipe, progress=progress, read=read)
    dataset = material.dataset(plan.recipe, progress)
    classes = classes_of(material.samples)
    by_seed: list[list[Predictions]] = []
    epochs: list[list[int]] = []
    parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    all_splits = [
        make_splits(material.samples, plan.protocol, folds=plan.folds, seed=plan.recipe.seed + repetition)
        for repetition in range(plan.seeds)
    ]
    total = plan.recipe.epochs * sum(map(len, all_splits))
    finished = 0
    for repetition, splits in enumerate(all_splits):
        recipe = plan.recipe.changed(seed=plan.recipe.seed + repetition)
        said: list[Predictions] = []
        best: list[int] = []
        for split in splits:
            base = finished

            def tell(done: int, _total: int, text: str, base: int = base, number: int = split.number) -> None:
                progress(base + done, total, f"fold {number + 1}: {text}")

            fitted = fit(
                recipe,
                dataset,
                material.samples,
                split,
                plan.folder / _name(repetition, split),
                machine=plan.machine,
                init=plan.init,
                source=plan.source,
                progress=tell,
            )
            finished += recipe.epochs
            said.append(fitted.test)
            best.append(fitted.best_epoch)
            parts.append((classes[np.concatenate([split.train, split.validation])], classes[split.test]))
        by_seed.append(said)
        epochs.append(best)
    result = Result(
        recipe=plan.recipe.model_dump_json(),
        protocol=plan.protocol,
        folds=tuple(tuple(part.scores for part in seed) for seed in by_seed),
        pooled=tuple(pooled(seed).scores for seed in by_seed),
        confusion=_rows(sum((pooled(seed).confusion for seed in by_seed), np.zeros((), np.int64))),
        baseline=Scores.of(constant_baseline(parts)),
        best_epochs=tuple(map(tuple, epochs)),
        samples=len(material.samples),
        subjects=material.statistics.subjects,
        data=plan.source.data,
        simulated=plan.source.simulated,
    )
    pooled([part for seed in by_seed for part in seed]).write(plan.folder / POOLED_FILE)
    write_whole(plan.folder / RESULT_FILE, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return result


def _name(repetition: int, split: Split) -> str:
    return f"seed{repetition}/fold{split.number:02d}"


def _rows(table: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in table)


def _same(result: Result, plan: Plan) -> None:
    wanted: Sequence[object] = (plan.recipe.model_dump_json(), plan.protocol, plan.source.data, plan.seeds)
    if (result.recipe, result.protocol, result.data, len(result.folds)) != tuple(wanted):
        raise BadInput(f"{plan.folder} holds the result of another recipe or data set: choose another --out")
