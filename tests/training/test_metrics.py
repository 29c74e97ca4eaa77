"""Metrics against scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from training.metrics import Interval, Scores, confusion_matrix, constant_baseline

ANSWERS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=40)
@given(ANSWERS)
def test_scores_are_those_of_scikit_learn(answers):
    truth, said = map(np.array, zip(*answers, strict=True))
    scores = Scores.of(confusion_matrix(truth, said))
    assert scores.accuracy == pytest.approx(accuracy_score(truth, said))
    assert scores.uf1 == pytest.approx(f1_score(truth, said, average="macro"))
    assert scores.uar == pytest.approx(balanced_accuracy_score(truth, said))


def test_the_constant_baseline_says_the_most_frequent_class_of_each_training_part():
    train = np.array([2, 2, 5])
    table = constant_baseline([(train, np.array([2, 5])), (np.array([5, 5, 2]), np.array([2, 2]))])
    assert table[2, 2] == 1
    assert table[5, 2] == 1
    assert table[2, 5] == 2
    assert table.sum() == 4


def test_no_samples_have_no_scores():
    assert math.isnan(Scores.of(np.zeros((7, 7))).uf1)


def test_intervals_over_seeds_are_students():
    interval = Interval.of([0.4, 0.5, 0.6])
    half = 4.303 * 0.1 / math.sqrt(3)
    assert (interval.mean, interval.high - interval.mean) == (pytest.approx(0.5), pytest.approx(half))
    assert Interval.of([0.3]) == Interval(0.3, 0.3, 0.3, 1)
