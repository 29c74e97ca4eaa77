"""Clips as training feeds them: what the live service sees, changed at random, the same for one seed."""

from __future__ import annotations

import numpy as np
import pytest

from expression.clip_input import clip_input
from expression.errors import ExpressionError
from expression.keyframes import KeyFrames
from training.augment import altered, jittered
from training.clips import EpochSampler, dataset_of, subset
from training.recipe import Augmentation


@pytest.fixture
def dataset(store, samples, recipe):
    return dataset_of(store, samples, recipe.clip)


def test_an_unchanged_clip_is_what_the_live_service_sees(store, samples, recipe, dataset):
    crops = store.load(samples[4])
    seen = clip_input(recipe.clip, crops.at(recipe.clip.frame_numbers(samples[4].key_frames)))
    # Frames in between lead the search for the head's movement a little elsewhere.
    assert np.abs(dataset.clip(0, 4) - seen).mean() < 0.05 * np.abs(seen).mean()
    assert np.abs(seen).max() > 0.5


def test_brightness_is_exactly_what_the_live_service_sees(store, samples, recipe):
    grey = recipe.changed(channels="rgb", scale=0.25)
    dataset = dataset_of(store, samples, grey.clip)
    crops = store.load(samples[0]).at(grey.clip.frame_numbers(samples[0].key_frames))
    np.testing.assert_array_equal(dataset.clip(0, 0), clip_input(grey.clip, crops))


def test_seed_epoch_and_sample_make_a_clip(dataset, recipe):
    part = subset(dataset, np.arange(6), recipe.augment, seed=1)
    np.testing.assert_array_equal(part.clip(2, 3), part.clip(2, 3))
    assert not np.array_equal(part.clip(2, 3), part.clip(3, 3))
    other = subset(dataset, np.arange(6), recipe.augment, seed=2)
    assert not np.array_equal(part.clip(2, 3), other.clip(2, 3))


def test_a_moved_onset_takes_off_what_had_moved_by_then(dataset, samples):
    prepared = dataset.prepared[0]
    from training.clips import clip_of

    late = KeyFrames(20, 30, 60)
    whole, part = clip_of(prepared, dataset.recipe), clip_of(prepared, dataset.recipe, late)
    assert np.abs(part[:, 0]).max() == 0
    assert np.abs(part).sum() < np.abs(whole).sum()


def test_crops_that_are_gone_are_named(dataset):
    dataset.prepared[0].planes.unlink()
    with pytest.raises(ExpressionError, match="prepare the data again"):
        dataset.clip(0, 0)


def test_mirroring_flow_turns_it_round():
    clip = np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32)
    flip = Augmentation(flip=True)
    results = [altered(np.random.default_rng(seed), clip, flip, is_flow=True) for seed in range(20)]
    mirrored = clip[..., ::-1] * np.array([-1, 1], np.float32)[:, None, None, None]
    kinds = [np.array_equal(result, clip) + 2 * np.array_equal(result, mirrored) for result in results]
    assert set(kinds) == {1, 2}


def test_turning_the_picture_turns_the_flow():
    clip = np.zeros((2, 1, 32, 32), np.float32)
    clip[0] = 1
    turned = altered(np.random.default_rng(3), clip, Augmentation(turn_deg=30), is_flow=True)
    middle = turned[:, 0, 16, 16]
    assert np.hypot(*middle) == pytest.approx(1, abs=1e-5)
    assert abs(middle[1]) > 0.05


def test_moved_key_frames_stay_in_order():
    rng = np.random.default_rng(0)
    moved = [jittered(rng, KeyFrames(3, 20, 50), 0.3) for _ in range(200)]
    assert len({m.onset for m in moved}) > 5
    assert all(0 <= m.onset <= m.peak <= m.offset for m in moved)


def test_resampling_draws_every_class_alike():
    classes = np.array([0] * 900 + [1] * 90 + [2] * 10)
    sampler = EpochSampler(classes, resample=True, seed=0)
    counts = np.zeros(3)
    for epoch in range(5):
        sampler.set_epoch(epoch)
        counts += np.bincount(classes[[index for _, index in sampler]], minlength=3)
    np.testing.assert_allclose(counts / counts.sum(), 1 / 3, atol=0.03)


def test_without_resampling_each_sample_comes_once_in_an_order_of_the_epoch():
    sampler = EpochSampler(np.zeros(30, int), seed=0)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(index for _, index in first) == sorted(index for _, index in second) == list(range(30))
    assert [index for _, index in first] != [index for _, index in second]
    sampler.set_epoch(0)
    assert list(sampler) == first


@pytest.mark.parametrize("resample", [False, True])
def test_processes_that_train_together_have_equal_parts_of_one_order(monkeypatch, resample):
    sampler = EpochSampler(np.arange(11) % 3, resample=resample, seed=4)
    sampler.set_epoch(2)
    alone = [index for _, index in sampler]
    parts = []
    for process in range(3):
        monkeypatch.setattr("training.clips._processes", lambda process=process: (process, 3))
        assert len(sampler) == 4
        parts.append(list(sampler))
    assert {epoch for part in parts for epoch, _ in part} == {2}
    # What is left over at the end is filled up from the beginning.
    assert [part[turn][1] for turn in range(4) for part in parts] == [*alone, alone[0]]
