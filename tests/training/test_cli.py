"""`dfme-train` as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from capture.console import run_command
from training.cli import app

TRAIN = [sys.executable, "-P", "-m", "training.cli"]


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRAIN, *map(str, arguments)], capture_output=True, text=True, timeout=170, check=False)


def test_a_small_data_set_is_made_and_summed_up_in_one_json_line(tmp_path):
    out = tmp_path / "set"
    arguments = ["--subjects", 1, "--clips-per-subject", 1, "--fps", 30, "--seed", 2, "--jobs", 1, "--out", out]
    done = train("synthesize", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["recordings"] == result["subjects"] == sum(result["micro"].values()) == 1
    assert result["rate_fps"] == 30
    assert result["frames"] == len(list((out / "train_data" / "sub0001_01").iterdir()))

    again = train("synthesize", *arguments)
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
def test_bad_usage_is_one_line_and_status_2(tmp_path, arguments, word):
    done = train("synthesize", "--out", tmp_path / "set", "--json", *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert word in line
    assert json.loads(done.stdout.splitlines()[-1])["exit_status"] == 2
    assert not (tmp_path / "set").exists()


def test_help_shows_examples():
    done = train("synthesize", "--help")
    assert done.returncode == 0
    assert "Examples" in done.stdout
    assert "dfme-train synthesize" in done.stdout


def test_a_folder_that_cannot_be_made_is_named():
    done = train("synthesize", "--out", Path("/proc/nowhere"), "--subjects", 1)
    assert done.returncode == 2
    assert "/proc/nowhere" in done.stderr


@pytest.mark.parametrize("command", ["fit", "crossval", "evaluate", "reproduce", "export", "from-sessions", "bayes"])
def test_every_command_has_examples(command):
    done = train(command, "--help")
    assert done.returncode == 0
    assert f"dfme-train {command}" in done.stdout.split("Examples")[1]


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
def test_what_cannot_be_done_is_one_line_and_status_2(tmp_path, monkeypatch, capsys, arguments, word):
    # In this process: a new one takes seconds to import torch.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run_command(app, [*arguments, "--json"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    (line,) = said.err.strip().splitlines()
    assert word in line
    assert json.loads(said.out.splitlines()[-1])["exit_status"] == 2


def test_the_best_of_all_models_is_told():
    done = train("bayes", "--part", "C", "--json")
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout.splitlines()[-1])
    assert 0.5 < best["by_uf1"]["uf1"] < 1
