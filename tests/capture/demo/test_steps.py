"""A command that fails is named with its step and its log, and the folder of a study must be empty."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capture.demo.steps import StepFailed, Steps
from capture.errors import CaptureError


def test_what_a_command_says_is_kept(tmp_path, capfd):
    steps = Steps(tmp_path, 1, {})
    (tmp_path / "study").mkdir()
    done = steps.run("Participants", "dfme-elicit", "participant", "add", "--study", "study")
    assert len(done.said) == 6
    assert done.command == "dfme-elicit participant add --study study"
    assert steps.done == [done]
    assert "[ 1/1] Participants: dfme-elicit participant add" in capfd.readouterr().err
    assert (tmp_path / "log" / "01-dfme-elicit.out").read_text().strip() == done.said


def test_a_command_that_fails_is_named_with_its_step_and_its_log(tmp_path):
    steps = Steps(tmp_path, 1, {})
    with pytest.raises(StepFailed) as failed:
        steps.run("Check", "dfme-session", "verify", "nothing here")
    said = str(failed.value)
    assert said.startswith("Check failed: ")
    assert "command: dfme-session verify 'nothing here'" in said
    log = tmp_path / "log" / "01-dfme-session.log"
    assert str(log) in said
    assert said.removeprefix("Check failed: ").split(" (command")[0] in log.read_text()
    assert steps.done == []


def test_what_goes_wrong_for_those_who_use_a_command_is_told_with_its_name(tmp_path):
    (tmp_path / "study").mkdir()
    steps = Steps(tmp_path, 1, {})

    def work() -> None:
        with steps.serving("Coding", "dfme-annotate", "serve", "study", "--port", "0", "--json") as said:
            assert said["url"].startswith("http://127.0.0.1:")
            raise CaptureError("no work")

    with pytest.raises(StepFailed, match=r"Coding failed: no work.*dfme-annotate serve study"):
        work()


def test_a_folder_that_is_not_empty_is_refused_in_one_line(tmp_path):
    (tmp_path / "there").write_text("something")
    command = [sys.executable, "-P", "-m", "capture.session_cli", "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path} is not empty: choose another --out, or remove it\n"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
