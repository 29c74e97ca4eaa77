"""A session whose recordings go to the storage machine: what that leaves out is said first, and the rest goes on."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from capture.recording.verify import verify
from capture.remote.storage_note import read_storage_note
from capture.session import Session
from capture.study import find_participant

pytestmark = pytest.mark.alone
RECORD = [sys.executable, "-P", "-m", "capture.record_cli"]


@pytest.fixture
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_the_replay_is_left_out_and_the_session_completes(study, free_port):
    study.write_protocol(each='[[each]]\nkind = "self_report"\ntext = "Please mark every expression."\n', count=1)
    (study.folder / "stimuli.tsv").write_text("stim_id\ttarget_emotion\tduration_s\na\tfear\t2\n")
    storage, address = study.folder / "storage", f"tcp://127.0.0.1:{free_port}"
    command = [*RECORD, "--listen", address, "--out", storage]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as record:
        assert "listening on" in record.stderr.readline()
        done = study.run("--remote", address, "--json")
        record.terminate()
        record.communicate(timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["elicitation"]["finished"]
    warned, left_out = (
        done.stderr.index(text)
        for text in (f"recordings go to {address}", "no self-report on a: there is no recording of trial-002")
    )
    assert warned < done.stderr.index("baseline, ") < left_out
    assert "was ended early" not in done.stderr

    # The recordings are there, span what was shown, and a withdrawal knows where to find them.
    session = study.session()
    assert session.recording_paths() == []
    there = Session.open(storage / session.path.name)
    assert [verify(path, monitor=there.monitor_of(path)).ok for path in there.recording_paths()] == [True, True]
    shown = there.frame_at("a", 1.0)
    assert abs(there.stimulus_at(shown.trial, shown.frame).time_s - 1.0) < 0.05
    assert read_storage_note(session.path).folder == str(storage)
    (elsewhere,) = find_participant("P07", study.out).elsewhere
    assert elsewhere.endswith(f"dfme-session withdraw P07 --study {storage}")
