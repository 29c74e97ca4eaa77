"""How good the best of all models can be on simulated data: it sees every action unit, and still has to guess.

The generator draws an emotion by the class counts of a part of DFME and then a set of units by the emotion; strength
and timing do not depend on the emotion. So the units are all that can be known, and the best answer to each set of
units follows from the generator's own tables, without a simulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.action_units import CodedUnit, Side
from expression.emotions import BASIC_EMOTIONS
from expression.paper import Part
from expression.synthetic.expressions import RARE_SHARE, rare_units, unit_sets
from training.metrics import Scores

Signature = frozenset[tuple[int, bool]]
"""Units by FACS number and whether they act on one half alone; which half tells nothing."""
Shares = npt.NDArray[np.float64]

_ROUNDS: Final = 200
_STARTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best possible answers."""

    joint: Shares
    """(signatures, classes): how often a set of units and an emotion occur together; all sum to one."""
    signatures: Mapping[Signature, int]
    """Row of each set of units."""
    most_likely: npt.NDArray[np.int64]
    """(signatures,) the answer of greatest accuracy."""
    balanced: npt.NDArray[np.int64]
    """(signatures,) the answer of greatest UF1."""

    @property
    def by_accuracy(self) -> Scores:
        """Of always naming the most likely emotion: no model is right more often."""
        return Scores.of(self.confusion(self.most_likely))

    @property
    def by_uf1(self) -> Scores:
        """Of the answers that UF1 is greatest with."""
        return Scores.of(self.confusion(self.balanced))

    def confusion(self, answers: npt.NDArray[np.int64]) -> Shares:
        """(classes, classes) shares by true and named emotion."""
        table = np.zeros((self.joint.shape[1],) * 2)
        for said in range(len(table)):
            table[:, said] = self.joint[answers == said].sum(axis=0)
        return table

    def answer(self, units: Iterable[CodedUnit]) -> int:
        """Class that the UF1-optimal observer names for these units."""
        return int(self.balanced[self.signatures[signature(units)]])


def signature(units: Iterable[CodedUnit]) -> Signature:
    """What the units tell."""
    return frozenset((int(coded.unit), coded.side is not Side.BOTH) for coded in units)


def optimum(part: Part) -> Optimum:
    """The best possible answers where emotions come as often as in a part of DFME, `others` left out."""
    priors = np.array([part.counts[emotion] for emotion in BASIC_EMOTIONS], np.float64)
    priors /= priors.sum()
    rows: dict[Signature, Shares] = {}
    for number, emotion in enumerate(BASIC_EMOTIONS):
        for chosen, probability in zip(*unit_sets(emotion), strict=True):
            base = frozenset((int(pattern.unit), pattern.one_sided) for pattern in chosen)
            rare = rare_units(emotion, [pattern.unit for pattern in chosen])
            _add(rows, base, number, priors[number] * probability * (1 - RARE_SHARE))
            for unit in rare:
                share = priors[number] * probability * RARE_SHARE / len(rare)
                _add(rows, base | {(int(unit), False)}, number, share)
    joint = np.stack(list(rows.values()))
    return Optimum(
        joint=joint,
        signatures={key: row for row, key in enumerate(rows)},
        most_likely=joint.argmax(axis=1).astype(np.int64),
        balanced=_best_for_uf1(joint, priors),
    )


def _add(rows: dict[Signature, Shares], key: Signature, number: int, share: float) -> None:
    rows.setdefault(key, np.zeros(len(BASIC_EMOTIONS)))[number] += share


def _best_for_uf1(joint: Shares, priors: Shares) -> npt.NDArray[np.int64]:
    """Answers of greatest UF1, by climbing from several starts.

    With t, n, m the shares of a class that are right, true and named, UF1 is the mean of 2 t / (n + m). Naming class k
    for a set of units with shares q changes it by 2 q_k / (n + m) - 2 t sum(q) / (n + m)^2 at first order. Answers
    follow that until they stand still; then single sets are moved as long as that helps.
    """
    best: npt.NDArray[np.intp] = joint.argmax(axis=1)
    best_uf1 = -1.0
    mass = joint.sum(axis=1)
    for power in _STARTS:
        answers: npt.NDArray[np.intp] = (joint / priors**power).argmax(axis=1)
        for _ in range(_ROUNDS):
            right, said = _right_and_said(joint, mass, answers)
            size = priors + said
            gain = 2 * joint / size - 2 * right * mass[:, None] / size**2
            again = gain.argmax(axis=1)
            if np.array_equal(again, answers):
                break
            if _uf1(joint, mass, priors, again) <= _uf1(joint, mass, priors, answers):
                break
            answers = again
        answers = _polished(joint, mass, priors, answers)
        uf1 = _uf1(joint, mass, priors, answers)
        if uf1 > best_uf1:
            best, best_uf1 = answers, uf1
    return np.asarray(best, np.int64)


def _right_and_said(joint: Shares, mass: Shares, answers: npt.NDArray[np.intp]) -> tuple[Shares, Shares]:
    classes = joint.shape[1]
    right = np.bincount(answers, joint[np.arange(len(joint)), answers], minlength=classes)
    said = np.bincount(answers, mass, minlength=classes)
    return np.asarray(right, np.float64), np.asarray(said, np.float64)


def _uf1(joint: Shares, mass: Shares, priors: Shares, answers: npt.NDArray[np.intp]) -> float:
    right, said = _right_and_said(joint, mass, answers)
    return float(np.mean(2 * right / (priors + said)))


def _polished(joint: Shares, mass: Shares, priors: Shares, answers: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Single sets are given another answer, the frequent ones first, until none is better."""
    answers = np.array(answers, np.intp)
    right, said = _right_and_said(joint, mass, answers)
    improved = True
    while improved:
        improved = False
        for row in np.argsort(-mass):
            old = answers[row]
            without_right, without_said = right.copy(), said.copy()
            without_right[old] -= joint[row, old]
            without_said[old] -= mass[row]
            base = 2 * without_right / (priors + without_said)
            taken = 2 * (without_right + joint[row]) / (priors + without_said + mass[row])
            new = int((taken - base).argmax())
            if taken[new] - base[new] > taken[old] - base[old] + 1e-15:
                answers[row] = new
                right, said = without_right, without_said
                right[new] += joint[row, new]
                said[new] += mass[row]
                improved = True
    return np.asarray(answers, np.intp)
