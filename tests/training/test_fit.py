"""Training: the same for one seed, goes on where it was stopped, and ends in a bundle that says what it said."""

from __future__ import annotations

import csv
import gc
from collections import Counter

import numpy as np
import pytest
import torch

from expression.bundle import Bundle
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from training.clips import dataset_of
from training.evaluate import evaluate_run
from training.fit import LOG_FILE, fit
from training.module import Recogniser
from training.onnx_network import OnnxNetwork
from training.protocol import make_splits
from training.run_export import export_run
from training.run_facts import RunFacts


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def split(samples):
    return make_splits(samples, folds=3)[0]


@pytest.fixture
def dataset(store, samples, recipe):
    return dataset_of(store, samples, recipe.clip)


class Stopped(Exception):
    pass


def logged_epochs(path):
    with path.open() as lines:
        return {row["epoch"] for row in csv.DictReader(lines)}


def test_a_stopped_run_goes_on_and_ends_as_one_that_was_not(tmp_path, recipe, dataset, samples, split):
    whole = fit(recipe, dataset, samples, split, tmp_path / "whole")

    def stop(done, total, text):
        raise Stopped

    with pytest.raises(Stopped):
        fit(recipe, dataset, samples, split, tmp_path / "stopped", progress=stop)
    said = []
    resumed = fit(
        recipe, dataset, samples, split, tmp_path / "stopped", progress=lambda done, total, text: said.append(done)
    )
    assert said == [2]
    np.testing.assert_array_equal(resumed.test.logits, whole.test.logits)
    for name, epochs in (("whole", {"0", "1"}), ("stopped", {"1"})):
        assert logged_epochs(tmp_path / name / LOG_FILE) == epochs
    # What had been logged before the stop is kept.
    assert logged_epochs(tmp_path / "stopped" / "log" / "metrics.1.csv") == {"0"}

    assert not [thing for thing in gc.get_objects() if type(thing) is Recogniser], "memory of runs that ended is kept"
    assert [path.name for path in (tmp_path / "whole").glob("*.ckpt")] == ["best.ckpt"]
    again = fit(recipe, dataset, samples, split, tmp_path / "whole", progress=stop)
    np.testing.assert_array_equal(again.test.logits, whole.test.logits)

    with pytest.raises(BadInput, match="another recipe"):
        fit(recipe.changed(epochs=3), dataset, samples, split, tmp_path / "whole")


def test_a_run_becomes_a_bundle_that_says_the_same(tmp_path, recipe, dataset, samples, split):
    fitted = fit(recipe, dataset, samples, split, tmp_path / "run")
    assert [name.split("/")[1] for name in fitted.test.names] == [samples[i].name for i in split.test]
    np.testing.assert_array_equal(evaluate_run(tmp_path / "run").logits, fitted.test.logits)

    exported = export_run(tmp_path / "run", tmp_path / "bundle", name="tiny", licence="none")
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.record.subjects == RunFacts.read(tmp_path / "run").subjects
    assert not set(bundle.record.subjects) & set(fitted.test.subjects)
    assert not bundle.record.simulated
    assert exported.int8_problem == ""
    for int8, tolerance in ((False, 1e-4), (True, 0.2)):
        network = OnnxNetwork(bundle.network(int8=int8))
        batch = np.stack([dataset.clip(0, int(index)) for index in split.test])
        got = network(batch[:1])
        np.testing.assert_allclose(got[0], fitted.test.logits[0], atol=tolerance * np.abs(fitted.test.logits).max())
    reading = bundle.read(fitted.test.logits[0])
    assert set(reading.probabilities) == set(BASIC_EMOTIONS)
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert "tiny" in card
    assert f"Trained for 2 epochs; the validation subjects chose number {fitted.best_epoch + 1}." in card
    seen = Counter(samples[i].emotion for i in (*split.train, *split.validation))
    assert all(f"{emotion} {count}" in card for emotion, count in seen.items())
    assert ("Never seen" in card) == (len(seen) < len(BASIC_EMOTIONS))


def test_half_precision_trains_and_stores_whole_numbers_of_full_precision(
    tmp_path, plain_recipe, dataset, samples, split
):
    recipe = plain_recipe.changed(precision="bf16-mixed", epochs=1)
    fitted = fit(recipe, dataset, samples, split, tmp_path)
    assert np.isfinite(fitted.test.logits).all()
    state = torch.load(fitted.checkpoint, weights_only=True)["state_dict"]
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float32}


def test_movement_that_tells_the_classes_apart_is_learned(tmp_path, samples, store, plain_recipe):
    recipe = plain_recipe.changed(epochs=14, learning_rate=0.01, batch=6, smoothing=0.0)
    dataset = dataset_of(store, samples, recipe.clip)
    everything = np.arange(len(samples))
    split = make_splits(samples, folds=3)[0]
    # Tested on what it was trained on: whether it learns at all.
    seen = type(split)(0, everything, split.validation, everything)
    fitted = fit(recipe, dataset, samples, seen, tmp_path / "run")
    assert fitted.test.scores.accuracy > 0.6


def test_an_unfinished_run_is_not_exported(tmp_path, recipe):
    with pytest.raises(BadInput, match="no training run"):
        export_run(tmp_path, tmp_path / "bundle", name="x")
