"""`dfme-train` as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial

import pytest

from training.cli import app

TRAIN = [sys.executable, "-P", "-m", "training.cli"]


def train_apart(*arguments: object) -> subprocess.CompletedProcess[str]:
    """In a process of its own."""
    return subprocess.run([*TRAIN, *map(str, arguments)], capture_output=True, text=True, timeout=170, check=False)


@pytest.fixture
def train(call_command):
    """Runs `dfme-train` with these arguments."""
    return partial(call_command, app)


def test_a_small_data_set_is_made_and_summed_up_in_one_json_line(tmp_path):
    out = tmp_path / "set"
    arguments = ["--subjects", 1, "--clips-per-subject", 1, "--fps", 30, "--seed", 2, "--jobs", 1, "--out", out]
    done = train_apart("synthesize", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["recordings"] == result["subjects"] == sum(result["micro"].values()) == 1
    assert result["rate_fps"] == 30
    assert result["frames"] == len(list((out / "train_data" / "sub0001_01").iterdir()))

    again = train_apart("synthesize", *arguments)
    assert again.returncode == 0
    assert "1 clips of 1 subjects" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--subjects", "0"], "0 subjects"),
        (["--fps", "-5"], "-5 frames a second"),
        (["--part", "Q"], "Q"),
        (["--jobs", "0"], "--jobs 0"),
        (["--long", "--minutes", "1000"], "1000 minutes"),
        (["--seed", "many"], "--seed"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path, train, arguments, word):
    ended = train("synthesize", "--out", tmp_path / "set", "--json", *arguments)
    assert ended.status == 2
    assert word in ended.error
    assert ended.json["exit_status"] == 2
    assert not (tmp_path / "set").exists()


def test_a_folder_that_cannot_be_made_is_named(train):
    ended = train("synthesize", "--out", "/proc/nowhere", "--subjects", 1)
    assert ended.status == 2
    assert "/proc/nowhere" in ended.error


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["fit", "--data", "/nowhere", "--out", "x"], "/nowhere"),
        (["fit", "--data", "simulated:lots", "--out", "x"], "SUBJECTSxCLIPS"),
        (["fit", "--data", "simulated:4x2", "--recipe", "best", "--out", "x"], "paper-i3d"),
        (["fit", "--data", "simulated:4x2", "--model", "r3d-18", "--width", "0.5", "--out", "x"], "width"),
        (["evaluate", "/nowhere"], "/nowhere"),
        (["export", "/nowhere", "--out", "x"], "/nowhere"),
        (["reproduce", "--data", "/nowhere", "--out", "x", "--tables", "10"], "table 10"),
        (["from-sessions", "/nowhere", "--out", "x"], "/nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(tmp_path, monkeypatch, train, arguments, word):
    monkeypatch.chdir(tmp_path)
    ended = train(*arguments, "--json")
    assert ended.status == 2
    assert word in ended.error
    assert ended.json["exit_status"] == 2


def test_the_best_of_all_models_is_told(train):
    ended = train("bayes", "--part", "C", "--json")
    assert ended.status == 0, ended.err
    assert 0.5 < ended.json["by_uf1"]["uf1"] < 1
