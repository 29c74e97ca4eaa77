"""A run remembers whose data it has seen, and tells the study that the data is from."""

from __future__ import annotations

import json

import pytest

from capture.participants import Registry
from capture.study import find_participant
from training.clips import dataset_of
from training.datasets.source import Source
from training.protocol import make_splits
from training.run_facts import RunFacts


@pytest.fixture
def facts_of(store, samples, recipe):
    split = make_splits(samples, folds=3)[0]
    return lambda data: RunFacts.of(Source(str(data)), samples, dataset_of(store, samples, recipe.clip), split)


def test_a_run_is_entered_in_the_ledger_of_the_study_that_its_data_is_from(tmp_path, facts_of):
    study, data, run = (tmp_path / name for name in ("study", "data", "run"))
    for folder in (study, data, run):
        folder.mkdir()
    (data / "manifest.json").write_text(json.dumps({"study": "ours", "sessions": str(study)}))
    facts = facts_of(data)
    facts.enter(run)
    facts.write(run)
    assert RunFacts.read(run).study == str(study)
    seen = facts.subjects[0].rpartition("/")[2]
    for name in (seen, "P99"):
        Registry(study).add(name)
    assert find_participant(seen, study).models == (run,)
    assert find_participant("P99", study).models == ()


def test_a_study_that_is_not_here_does_not_keep_from_training(tmp_path, facts_of):
    (tmp_path / "manifest.json").write_text(json.dumps({"sessions": str(tmp_path / "elsewhere")}))
    facts_of(tmp_path).enter(tmp_path / "run")
    assert not (tmp_path / "elsewhere").exists()
    assert facts_of(tmp_path / "nothing").study == ""
