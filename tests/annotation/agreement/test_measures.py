"""Agreement figures, against other people's implementations on many random cases."""

from __future__ import annotations

import warnings

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from annotation.agreement import (
    TwoByTwo,
    cohen_kappa,
    fleiss_kappa,
    fleiss_kappa_interval,
    icc_agreement,
    icc_one_way,
    krippendorff_alpha,
    reading,
    unit_reliability,
)

CASES = 1000


def random_labels(generator: np.random.Generator, *, missing: bool = False) -> np.ndarray:
    """(coders, clips) labels that agree more or less, as floats; nan where a coder is missing."""
    coders, clips = generator.integers(2, 9), generator.integers(2, 40)
    labels = int(generator.integers(2, 9))
    truth = generator.integers(0, labels, clips)
    guesses = generator.integers(0, labels, (coders, clips))
    ratings = np.where(generator.random((coders, clips)) < generator.random(), truth, guesses).astype(float)
    if missing:
        ratings[generator.random((coders, clips)) < generator.uniform(0, 0.6)] = np.nan
    return ratings


def counts_of(ratings: np.ndarray) -> np.ndarray:
    return np.stack([(ratings == label).sum(0) for label in range(9)], axis=1)


def test_fleiss_kappa_is_that_of_statsmodels():
    generator = np.random.default_rng(1)
    compared = 0
    for _ in range(CASES):
        ratings = random_labels(generator)
        if len(np.unique(ratings)) < 2:
            continue
        expected = reference_fleiss(aggregate_raters(ratings.T.astype(int))[0])
        assert fleiss_kappa(counts_of(ratings)) == pytest.approx(expected, abs=1e-12)
        compared += 1
    assert compared > 0.9 * CASES


def test_fleiss_kappa_with_missing_coders_lies_near_alpha():
    """No reference takes unequal numbers; alpha differs by its small sample term alone, which vanishes."""
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 8, 4000)
    ratings = np.where(generator.random((7, 4000)) < 0.6, truth, generator.integers(0, 8, (7, 4000))).astype(float)
    complete = fleiss_kappa(counts_of(ratings))
    ratings[generator.random(ratings.shape) < 0.3] = np.nan

    assert fleiss_kappa(counts_of(ratings)) == pytest.approx(krippendorff_alpha(ratings), abs=2e-3)
    assert fleiss_kappa(counts_of(ratings)) == pytest.approx(complete, abs=0.02)


@pytest.mark.parametrize("level", ["nominal", "interval"])
def test_alpha_is_that_of_the_krippendorff_package_with_missing_coders(level):
    generator = np.random.default_rng(3)
    compared = missing = 0
    for _ in range(CASES):
        ratings = random_labels(generator, missing=True)
        if level == "interval":
            ratings = ratings * generator.uniform(0.1, 50) + generator.uniform(0, 1e5)
        pairable = ratings[:, (~np.isnan(ratings)).sum(0) >= 2]
        if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
            assert np.isnan(krippendorff_alpha(ratings, level))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = krippendorff.alpha(reliability_data=ratings, level_of_measurement=level)
        assert krippendorff_alpha(ratings, level) == pytest.approx(expected, abs=1e-7)
        compared += 1
        missing += bool(np.isnan(ratings).any())
    assert compared > 0.9 * CASES
    assert missing > 0.8 * CASES


def test_cohen_kappa_is_that_of_scikit_learn():
    generator = np.random.default_rng(4)
    compared = 0
    for _ in range(CASES):
        first, second = random_labels(generator)[:2].astype(int)
        yes_a, yes_b = first % 2 == 1, second % 2 == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels, units = cohen_kappa_score(first, second), cohen_kappa_score(yes_a, yes_b)
        assert cohen_kappa(first, second) == pytest.approx(labels, abs=1e-12, nan_ok=True)
        assert TwoByTwo.of(yes_a, yes_b).kappa == pytest.approx(units, abs=1e-12, nan_ok=True)
        compared += not np.isnan(labels)
    assert compared > 0.9 * CASES


def test_icc_is_that_of_an_analysis_of_variance():
    """Shrout and Fleiss 1979, Table 2: six targets, four judges; ICC(2,1) = .29 and ICC(1,1) = .17."""
    judged = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    assert icc_agreement(judged) == pytest.approx(0.2898, abs=1e-4)
    assert icc_one_way(judged) == pytest.approx(0.1657, abs=1e-4)

    generator = np.random.default_rng(5)
    for _ in range(100):
        clips, coders = generator.integers(2, 20), generator.integers(2, 6)
        ratings = (
            generator.normal(0, 1, (clips, 1))
            + generator.normal(0, 1, coders)
            + generator.normal(0, 1, (clips, coders))
        )
        assert icc_agreement(ratings) == pytest.approx(_icc_by_projection(ratings), abs=1e-9)
        with_gap = np.vstack([ratings, np.full(coders, np.nan)])
        with_gap[-1, 0] = 3.0
        assert icc_agreement(with_gap) == icc_agreement(ratings)
        assert icc_one_way(generator.permuted(ratings, axis=1)) == pytest.approx(icc_one_way(ratings), abs=1e-9)


def _icc_by_projection(ratings: np.ndarray) -> float:
    """Mean squares from least squares fits of nested linear models."""
    clips, coders = ratings.shape
    clip, coder = np.divmod(np.arange(ratings.size), coders)
    y, one = ratings.ravel(), np.ones((ratings.size, 1))
    dummies = {"clip": np.eye(clips)[clip], "coder": np.eye(coders)[coder]}

    def residual(*terms: str) -> float:
        design = np.hstack([one, *(dummies[term] for term in terms)])
        return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())

    rest = residual("clip", "coder") / ((clips - 1) * (coders - 1))
    of_clips = (residual("coder") - residual("clip", "coder")) / (clips - 1)
    of_coders = (residual("clip") - residual("clip", "coder")) / (coders - 1)
    return (of_clips - rest) / (of_clips + (coders - 1) * rest + coders / clips * (of_coders - rest))


def test_icc_of_relative_durations_sees_disagreement_that_absolute_frames_hide():
    generator = np.random.default_rng(6)
    starts = np.arange(50)[:, None] * 1000.0
    durations = 60 + generator.normal(0, 3, (50, 5))

    assert icc_agreement(starts + durations) > 0.999
    assert icc_agreement(durations) < 0.2


def test_r_is_pooled_and_per_clip_and_zero_over_zero_is_agreement():
    first = [{"AU4", "AU7"}, set(), {"L-AU12"}, {"AU1"}]
    second = [{"AU4"}, set(), {"AU12"}, {"AU1"}]

    found = unit_reliability(first, second)

    assert found.per_clip.tolist() == [2 / 3, 1.0, 0.0, 1.0]
    assert found.pooled == 2 * 2 / 7
    assert found.mean == pytest.approx(2 / 3)
    assert unit_reliability([set()], [set()]).pooled == 1.0
    assert np.isnan(unit_reliability([], []).pooled)


def test_the_interval_holds_kappa_and_narrows_with_more_clips():
    generator = np.random.default_rng(7)
    truth = generator.integers(0, 8, 800)
    ratings = np.where(generator.random((7, 800)) < 0.85, truth, generator.integers(0, 8, (7, 800)))
    few, many = (fleiss_kappa_interval(counts_of(ratings[:, :n])) for n in (50, 800))

    assert few.low < few.value < few.high
    assert many.high - many.low < 0.5 * (few.high - few.low)
    assert many == fleiss_kappa_interval(counts_of(ratings))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Kappa of coders who know the label with probability q and else guess among equal labels is q squared."""
    generator = np.random.default_rng(8)
    covered = 0
    for trial in range(200):
        truth = generator.integers(0, 8, 100)
        knows = generator.random((7, 100)) < 0.8
        ratings = np.where(knows, truth, generator.integers(0, 8, (7, 100)))
        interval = fleiss_kappa_interval(counts_of(ratings), draws=400, seed=trial)
        covered += interval.low <= 0.64 <= interval.high
    assert covered >= 180


@pytest.mark.parametrize(
    ("kappa", "word"),
    [
        (-0.3, "poor"), (0.0, "poor"), (0.01, "slight"), (0.2, "slight"), (0.204, "slight"), (0.21, "fair"),
        (0.6, "moderate"), (0.72, "substantial"), (0.81, "almost perfect"), (1.0, "almost perfect"),
        (float("nan"), "not defined"),
    ],
)  # fmt: skip
def test_kappa_is_read_in_the_papers_words(kappa, word):
    assert reading(kappa) == word


def test_what_is_not_defined_is_nan():
    assert np.isnan(fleiss_kappa([[0, 7], [0, 7]]))
    assert np.isnan(fleiss_kappa(np.zeros((0, 8))))
    assert np.isnan(fleiss_kappa([[1, 0], [0, 1]]))
    assert np.isnan(krippendorff_alpha([[1.0, np.nan], [np.nan, 2.0]]))
    assert np.isnan(cohen_kappa([1, 1], [1, 1]))
    assert np.isnan(icc_agreement(np.ones((5, 3))))
    assert np.isnan(icc_one_way(np.ones((5, 3))))
