"""Makes probabilities honest: one temperature, and a probability below which the answer is `not sure`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from training.metrics import Scores, confusion_matrix

_COLDEST, _HOTTEST = 0.05, 20.0
_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_STEPS: Final = 60
SHIFTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the log prior that `best_shift` tries."""
LEAST_ANSWERED: Final = 0.5
"""A model that is not sure of more than half of what it sees is of no use in a readout."""

Logits = npt.NDArray[np.floating]
Classes = npt.NDArray[np.int64]


def best_shift(logits: Logits, classes: Classes, counts: Sequence[int] | Classes) -> npt.NDArray[np.float64]:
    """What is added to the logits of a model that has seen all classes alike, so that UF1 is greatest.

    A share of the log of how frequent each class is (A. K. Menon et al.: Long-Tail Learning via Logit Adjustment, ICLR
    2021, section 4.2): none of it is best for UAR, all of it for accuracy.

    Args:
        logits: (samples, classes) of validation samples.
        classes: (samples,) what is true.
        counts: (classes,) training samples of each class.

    Returns:
        (classes,); the smallest share among equals.
    """
    frequent = np.maximum(np.asarray(counts, np.float64), 0.5)
    prior = np.log(frequent / frequent.sum())
    number = len(frequent)
    scores = [
        Scores.of(confusion_matrix(classes, (logits + share * prior).argmax(axis=1), number)).uf1 for share in SHIFTS
    ]
    return np.asarray(SHIFTS[int(np.argmax(scores))] * prior, np.float64)


@dataclass(frozen=True)
class Calibration:
    """What a bundle needs beside the network, and how good it is on the samples that it was chosen on."""

    temperature: float
    unsure_below: float
    error: float
    """Expected calibration error before."""
    error_after: float
    answered: float
    """Share of samples with an answer."""
    accuracy_answered: float


def log_probabilities(logits: Logits, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """(samples, classes) log of the softmax."""
    scaled = np.asarray(logits, np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)), np.float64)


def negative_log_likelihood(logits: Logits, classes: Classes, temperature: float = 1.0) -> float:
    """Mean over samples."""
    return float(-log_probabilities(logits, temperature)[np.arange(len(classes)), classes].mean())


def best_temperature(logits: Logits, classes: Classes) -> float:
    """The temperature of least negative log-likelihood (C. Guo et al., ICML 2017, section 4.2), by golden section."""
    low, high = math.log(_COLDEST), math.log(_HOTTEST)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        losses = [negative_log_likelihood(logits, classes, math.exp(at)) for at in (left, right)]
        low, high = (low, right) if losses[0] < losses[1] else (left, high)
    return math.exp((low + high) / 2)


def calibration_error(logits: Logits, classes: Classes, temperature: float = 1.0, bins: int = 10) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over equally wide bins of confidence."""
    shares = np.exp(log_probabilities(logits, temperature))
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == classes
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (place == number).mean() * abs(confidence[place == number].mean() - right[place == number].mean())
        for number in range(bins)
        if (place == number).any()
    ]
    return float(sum(gaps))


def best_refusal(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """The probability below which saying nothing is better.

    A right answer counts one, a wrong one minus one, none nothing (C. K. Chow: On Optimum Recognition Error and Reject
    Tradeoff, 1970, with equal costs); at least half of the samples are answered.
    """
    order = np.argsort(-confidence, kind="stable")
    gain = np.cumsum(np.where(right[order], 1, -1))
    least = max(1, math.ceil(LEAST_ANSWERED * len(confidence)))
    answered = int(np.argmax(gain[least - 1 :])) + least
    if answered == len(confidence):
        return 0.0
    ranked = confidence[order]
    return float((ranked[answered - 1] + ranked[answered]) / 2)


def calibrate(logits: Logits, classes: Classes) -> Calibration:
    """Choose temperature and refusal on validation samples: (samples, classes) logits and (samples,) classes."""
    temperature = best_temperature(logits, classes)
    shares = np.exp(log_probabilities(logits, temperature))
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == classes
    unsure_below = best_refusal(confidence, right)
    answered = confidence >= unsure_below
    return Calibration(
        temperature=temperature,
        unsure_below=unsure_below,
        error=calibration_error(logits, classes),
        error_after=calibration_error(logits, classes, temperature),
        answered=float(answered.mean()),
        accuracy_answered=float(right[answered].mean()),
    )
