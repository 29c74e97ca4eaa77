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
from capture.simulator.bank_file import FrameBank
from capture.simulator.person import FRAMES_TO_BEGIN, PersonOnCamera
from capture.simulator.stamp import read_stamp


@pytest.fixture
def person(journey, monkeypatch, tmp_path):
    """The operator's own environment, with a cache that is still empty."""
    monkeypatch.setenv("DFME_SIMULATOR_PICTURE", "person")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return journey


def result_of(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_person_is_shown_and_rendered_on_while_nothing_is_lost(person, tmp_path):
    cache = tmp_path / "cache" / "dfme" / "banks"
    with PersonOnCamera(cache) as first_start:
        # Longer than an operator would wait: test machines are busy.
        first_start.wait(patience_s=150)
        begun = first_start.frames_ready
        assert begun >= FRAMES_TO_BEGIN

    arguments = ["--no-tui", "--no-live", "--json", "--fps", 500, "--duration", 4, "--out", tmp_path / "out"]
    done = person.run(*arguments)
    result = result_of(done)
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert result["frames"] == 2000
    assert "the simulated person is rendered in the background" in done.stderr
    assert "test picture" not in done.stderr

    recording = Recording.open(Path(result["recording"]))
    report = verify(Path(result["recording"]))
    assert report.ok, report.problems
    person.assert_every_stamp_matches(Path(result["recording"]))
    played = [stamp.picture for i in range(2000) if (stamp := read_stamp(recording.frame(i))) is not None]
    assert np.abs(np.diff(played)).max() <= 1, "played to and fro, without a jump"
    assert max(played) >= FRAMES_TO_BEGIN - 1
    pictures = np.stack([recording.frame(i)[1:] for i in (0, 7, 1999)]).astype(int)
    assert pictures.std(axis=(1, 2)).min() > 20
    changes = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))
    assert (changes > 0).all()
    assert (changes < 12).all(), "one person, moving little"

    # Nobody goes on with the rendering, and what there is stays for the next start.
    assert not [process for process in psutil.process_iter() if _renders(process, first_start.path)]
    with FrameBank.open(first_start.path) as bank:
        assert bank.frames_ready >= begun


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
