"""The best possible observer, against the generator itself."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from expression.action_units import ActionUnit, CodedUnit, Side
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.paper import PARTS
from expression.synthetic.expressions import sample_units
from training.bayes import optimum, signature
from training.metrics import Scores, confusion_matrix


@pytest.fixture(scope="module")
def best():
    return optimum(PARTS[2])


def test_shares_sum_to_one_and_emotions_come_as_in_the_part(best):
    counts = np.array([PARTS[2].counts[emotion] for emotion in BASIC_EMOTIONS])
    np.testing.assert_allclose(best.joint.sum(axis=0), counts / counts.sum(), rtol=1e-9)


def test_the_table_is_what_the_generator_draws(best):
    rng = np.random.default_rng(0)
    number = BASIC_EMOTIONS.index(Emotion.SURPRISE)
    drawn = Counter(signature(sample_units(rng, Emotion.SURPRISE)) for _ in range(4000))
    share = best.joint[:, number] / best.joint[:, number].sum()
    for units, count in drawn.most_common(5):
        assert count / 4000 == pytest.approx(share[best.signatures[units]], abs=0.025)


def test_no_one_is_right_more_often_and_no_one_has_a_greater_uf1(best):
    assert best.by_accuracy.accuracy == pytest.approx(best.joint.max(axis=1).sum())
    assert best.by_uf1.uf1 >= best.by_accuracy.uf1
    rng = np.random.default_rng(1)
    for _ in range(300):
        other = best.balanced.copy()
        rows = rng.integers(0, len(other), 3)
        other[rows] = rng.integers(0, len(BASIC_EMOTIONS), 3)
        assert Scores.of(best.confusion(other)).uf1 <= best.by_uf1.uf1 + 1e-12


def test_drawn_samples_are_answered_as_well_as_computed(best):
    rng = np.random.default_rng(2)
    priors = best.joint.sum(axis=0)
    truth = rng.choice(len(BASIC_EMOTIONS), 3000, p=priors)
    said = np.array([best.answer(sample_units(rng, BASIC_EMOTIONS[number])) for number in truth])
    assert Scores.of(confusion_matrix(truth, said)).uf1 == pytest.approx(best.by_uf1.uf1, abs=0.03)


def test_which_half_of_the_face_tells_nothing():
    left, right = (CodedUnit(ActionUnit.LIP_CORNER_PULLER, side) for side in (Side.LEFT, Side.RIGHT))
    assert signature([left]) == signature([right]) != signature([CodedUnit(ActionUnit.LIP_CORNER_PULLER)])
