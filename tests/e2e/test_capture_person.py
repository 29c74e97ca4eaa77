"""`dfme-capture` without further ado: a person in front of the simulated camera, rendered while it records."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest

from capture.recording.reader import Recording
from capture.recording.verify import verify


@pytest.fixture
def person(journey, monkeypatch, tmp_path):
    """The operator's own environment, with a cache that is still empty."""
    monkeypatch.setenv("DFME_SIMULATOR_PICTURE", "person")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return journey


def result_of(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_first_start_shows_a_person_while_it_renders_and_loses_nothing(person, tmp_path):
    arguments = ["--no-tui", "--no-live", "--json", "--fps", 500, "--duration", 4, "--out", tmp_path / "first"]
    done = person.run(*arguments)
    result = result_of(done)
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert result["frames"] == 2000
    report = verify(Path(result["recording"]))
    assert report.ok, report.problems
    person.assert_every_stamp_matches(Path(result["recording"]))
    if "test picture" in done.stderr:
        pytest.skip("this machine is too busy to render a person in time")
    assert "the simulated person is rendered in the background" in done.stderr
    recording = Recording.open(Path(result["recording"]))
    pictures = np.stack([recording.frame(i)[1:] for i in range(0, 2000, 250)]).astype(int)
    assert pictures.std(axis=(1, 2)).min() > 20
    changes = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))
    assert (changes > 0).all()
    assert (changes < 12).all(), "one person, moving little; the test picture would change much more"

    # What the first start rendered is there, and nobody goes on with it.
    (bank,) = (tmp_path / "cache" / "dfme" / "banks").glob("person-*.bank")
    assert not [process for process in psutil.process_iter() if _renders(process, bank)]
    again = person.run(*arguments[:-2], "--out", tmp_path / "again")
    assert result_of(again)["frames"] == 2000
    assert "rendering the simulated person" not in again.stderr.split("trial-001 started")[0]


def _renders(process: psutil.Process, bank: Path) -> bool:
    try:
        return str(bank) in process.cmdline()
    except psutil.Error:
        return False


def test_a_disk_without_room_for_the_person_records_the_test_picture_and_says_so(person, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    done = person.run("--no-tui", "--no-live", "--json", "--fps", 300, "--frames", 100, "--out", tmp_path)
    assert result_of(done)["frames"] == 100
    (line,) = [line for line in done.stderr.splitlines() if "test picture" in line]
    assert "no person could be rendered" in line


@pytest.mark.parametrize("choice", [["--frame-bank", "test"], ["--set", "SimulationSource=Stamped"]])
def test_who_asks_for_the_test_picture_gets_it_at_once(person, tmp_path, choice):
    done = person.run("--no-tui", "--no-live", "--json", "--frames", 100, "--out", tmp_path / "out", *choice)
    assert result_of(done)["frames"] == 100
    assert not (tmp_path / "cache").exists()
    assert "person" not in done.stderr


def test_a_picture_that_there_is_not_is_refused(person, monkeypatch, tmp_path):
    monkeypatch.setenv("DFME_SIMULATOR_PICTURE", "cat")
    done = person.run("--frames", 1, "--out", tmp_path)
    assert done.returncode == 2
    assert "DFME_SIMULATOR_PICTURE=cat" in done.stderr
