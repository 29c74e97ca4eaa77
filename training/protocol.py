"""Who is trained on, who is the epoch chosen on, who is tested on: folds that share no subject, unless asked to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, StratifiedKFold

from expression.errors import BadInput
from training.datasets.sample import Sample, classes_of

ProtocolName = Literal["subject", "random", "loso", "official"]
"""How samples are parted.

- `subject`: folds of whole subjects, classes in equal shares as far as that goes.
- `random`: folds of samples, as in the paper's first version.
- `loso`: leave one subject out, as many folds as subjects.
- `official`: the training and test part that the data set names.
"""
LEAKAGE_WARNING: Final = (
    "random folds put the same subject into training and test: results look better than they are on new people; "
    "use --protocol subject"
)
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One fold: indices of samples, ascending."""

    number: int
    """From 0."""
    train: Indices
    validation: Indices
    """Of subjects in neither of the other parts (with random folds: samples of the training part)."""
    test: Indices


def make_splits(
    samples: Sequence[Sample],
    protocol: ProtocolName = "subject",
    *,
    folds: int = 10,
    seed: int = 0,
    validation_share: float = 0.15,
) -> tuple[Split, ...]:
    """Part samples into folds.

    Args:
        samples: What to part.
        protocol: How.
        folds: Number of folds with `subject` and `random`.
        seed: Other seeds part differently.
        validation_share: Share of the training part that the epoch is chosen on.

    Raises:
        BadInput: There are too few subjects, samples or emotions, or the data set names no parts.
    """
    classes = classes_of(samples)
    if len(np.unique(classes)) < 2:
        raise BadInput(
            f"all {len(samples)} samples show {samples[0].emotion}: a model needs two emotions to tell apart"
        )
    people = np.array([sample.person for sample in samples])
    grouped = protocol != "random"
    return tuple(
        _with_validation(number, pool, test, classes, people if grouped else None, seed, validation_share)
        for number, (pool, test) in enumerate(_parts(samples, classes, people, protocol, folds, seed))
    )


def _parts(
    samples: Sequence[Sample], classes: Indices, people: npt.NDArray[Any], protocol: ProtocolName, folds: int, seed: int
) -> list[tuple[Indices, Indices]]:
    subjects = len(np.unique(people))
    everything = np.arange(len(samples))
    if protocol == "official":
        parts = np.array([sample.split for sample in samples])
        if not {"train", "test"} <= set(parts):
            raise BadInput("the data set does not say which samples are for training and which for testing")
        return [(np.flatnonzero(parts == "train"), np.flatnonzero(parts == "test"))]
    if protocol == "loso":
        _need(subjects, 3, "leaving one subject out")
        return [(np.flatnonzero(people != who), np.flatnonzero(people == who)) for who in np.unique(people)]
    if folds < 2:
        raise BadInput(f"{folds} folds: give 2 or more")
    if protocol == "random":
        if int(np.bincount(classes).max(initial=0)) <= folds:
            raise BadInput(f"{len(samples)} samples are too few for {folds} random folds: give fewer, or more data")
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return _quietly(splitter, everything, classes, None)
    _need(subjects, max(folds, 3), f"{folds} folds")
    most = int(np.bincount(classes).max(initial=0))
    if most < folds:
        raise BadInput(f"no emotion has more than {most} samples, too few for {folds} folds: give fewer, or more data")
    return _quietly(StratifiedGroupKFold(folds, shuffle=True, random_state=seed), everything, classes, people)


def _need(subjects: int, least: int, what: str) -> None:
    if subjects < least:
        raise BadInput(f"{what} need {least} subjects and there are {subjects}: give fewer folds, or more data")


def _quietly(
    splitter: Any, everything: Indices, classes: Indices, people: npt.NDArray[Any] | None
) -> list[tuple[Indices, Indices]]:
    with warnings.catch_warnings():
        # A class rarer than there are folds is missing from some; that is in the results for all to see.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(everything, classes, people))
    if any(len(train) == 0 or len(test) == 0 for train, test in parts):
        raise BadInput("a fold is empty: give fewer folds")
    return parts


def _with_validation(
    number: int,
    pool: Indices,
    test: Indices,
    classes: Indices,
    people: npt.NDArray[Any] | None,
    seed: int,
    share: float,
) -> Split:
    parts = max(2, min(round(1 / share), int(np.bincount(classes[pool]).max())))
    if people is None:
        splitter: Any = StratifiedKFold(parts, shuffle=True, random_state=seed)
        keep, check = _quietly(splitter, pool, classes[pool], None)[0]
    elif len(np.unique(people[pool])) >= parts:
        splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
        keep, check = _quietly(splitter, pool, classes[pool], people[pool])[0]
    else:
        _need(len(np.unique(people[pool])), 2, "training and choosing the epoch")
        splitter = GroupShuffleSplit(1, test_size=max(share, 1 / len(np.unique(people[pool]))), random_state=seed)
        keep, check = next(splitter.split(pool, classes[pool], people[pool]))
    return Split(number, np.sort(pool[keep]), np.sort(pool[check]), np.sort(test))
