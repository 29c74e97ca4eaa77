"""Temperature and refusal, against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate import (
    best_refusal,
    best_shift,
    best_temperature,
    calibrate,
    calibration_error,
    negative_log_likelihood,
)


@pytest.fixture
def overconfident():
    """Logits that are three times what they should be."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 7))
    shares = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    classes = np.array([rng.choice(7, p=p) for p in shares])
    return 3 * honest, classes


def test_the_temperature_undoes_overconfidence(overconfident):
    logits, classes = overconfident
    assert best_temperature(logits, classes) == pytest.approx(3, rel=0.1)


def test_no_other_temperature_has_a_smaller_loss(overconfident):
    logits, classes = overconfident
    best = best_temperature(logits, classes)
    losses = [negative_log_likelihood(logits, classes, best * factor) for factor in (0.9, 1, 1.1)]
    assert losses[1] == min(losses)


def test_calibration_makes_probabilities_honest(overconfident):
    found = calibrate(*overconfident)
    assert found.error_after < 0.03 < found.error
    assert calibration_error(*overconfident, temperature=found.temperature) == pytest.approx(found.error_after)


def test_answers_that_are_wrong_more_often_than_right_are_not_given():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    right = np.array([True, True, True, False, False, False])
    assert best_refusal(confidence, right) == pytest.approx(0.65)


def test_at_least_half_is_answered():
    assert best_refusal(np.array([0.9, 0.8, 0.7, 0.6]), np.zeros(4, bool)) == pytest.approx(0.75)


def test_a_model_that_is_always_right_is_always_sure():
    assert best_refusal(np.array([0.9, 0.8]), np.ones(2, bool)) == 0.0


def test_outputs_are_shifted_towards_frequent_classes_where_that_helps():
    counts = np.array([900, 100])
    classes = np.array([0] * 90 + [1] * 10)
    undecided = np.tile([0.0, 0.5], (100, 1))
    undecided[classes == 1, 1] += 5
    shift = best_shift(undecided, classes, counts)
    assert ((undecided + shift).argmax(axis=1) == classes).all()
    sure = np.where(np.arange(2) == classes[:, None], 9.0, 0.0)
    assert best_shift(sure, classes, counts).tolist() == [0, 0]
