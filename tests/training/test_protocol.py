"""Folds: nobody is trained and tested on at once, and the epoch is chosen on people of neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from training.protocol import make_splits


def people(samples, indices):
    return {samples[index].person for index in indices}


@pytest.mark.parametrize(("protocol", "folds"), [("subject", 3), ("loso", 10)])
def test_no_subject_is_in_two_parts(samples, protocol, folds):
    splits = make_splits(samples, protocol, folds=folds)
    assert splits
    for split in splits:
        parts = [people(samples, part) for part in (split.train, split.validation, split.test)]
        assert all(parts)
        assert len(set.union(*parts)) == sum(map(len, parts))


@pytest.mark.parametrize("protocol", ["subject", "loso", "random"])
def test_every_sample_is_tested_once_and_used_in_every_fold(samples, protocol):
    splits = make_splits(samples, protocol, folds=2)
    assert sorted(np.concatenate([split.test for split in splits])) == list(range(len(samples)))
    for split in splits:
        assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(len(samples)))


def test_leaving_one_out_tests_one_subject_at_a_time(samples):
    splits = make_splits(samples, "loso")
    assert [len(people(samples, split.test)) for split in splits] == [1] * 6


def test_official_parts_are_kept_and_validation_comes_from_training(samples):
    marked = [replace(sample, split="test" if sample.subject == "s5" else "train") for sample in samples]
    (split,) = make_splits(marked, "official")
    assert people(marked, split.test) == {"made/s5"}
    assert not people(marked, split.validation) & people(marked, split.train)
    with pytest.raises(BadInput, match="does not say"):
        make_splits(samples, "official")


def test_a_seed_gives_the_same_folds_and_another_one_others(samples):
    def tests(seed):
        return [split.test.tolist() for split in make_splits(samples, folds=3, seed=seed)]

    assert tests(1) == tests(1)
    assert any(tests(1) != tests(seed) for seed in range(2, 6))


def test_too_few_subjects_are_named(samples):
    with pytest.raises(BadInput, match="7 subjects and there are 6"):
        make_splits(samples, folds=7)


def test_few_samples_of_every_emotion_are_no_reason_to_fail(samples):
    """Twelve subjects with one sample each: no emotion has as many as validation would have parts."""
    few = [
        replace(samples[0], subject=f"s{number}", name=f"s{number}", emotion=BASIC_EMOTIONS[number % 3])
        for number in range(12)
    ]
    (split, *_) = make_splits(few, "subject", folds=3)
    assert len(split.train) > 0
    assert len(split.validation) > 0
    with pytest.raises(BadInput, match="too few for 8 folds"):
        make_splits(few, "subject", folds=8)


@pytest.mark.parametrize("protocol", ["subject", "random", "loso"])
def test_one_emotion_alone_is_nothing_to_tell_apart(samples, protocol):
    happy = [replace(sample, emotion=BASIC_EMOTIONS[4]) for sample in samples]
    with pytest.raises(BadInput, match="all 18 samples show happiness"):
        make_splits(happy, protocol, folds=3)
