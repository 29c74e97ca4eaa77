"""A withdrawal: everything of a participant is found and removed, others keep theirs, a tombstone stays."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from capture.cache import crops_of
from capture.console import run_command
from capture.errors import BadInput, CaptureError
from capture.participants import Erased, Registry
from capture.remote.storage_note import StorageNote, write_storage_note
from capture.session.claim import claim_session
from capture.session_cli import app
from capture.study import export_bids, find_participant, remove_participant
from capture.study.bids_export import read_table
from capture.study.export_ledger import enter_copy, enter_trained


@pytest.fixture
def exported(study, tmp_path):
    export_bids(study, tmp_path / "bids", images=True)
    # Training names the data set as well.
    for name, subjects in (("seen", ["dfme/P07", "dfme/P08"]), ("unseen", ["dfme/P08"])):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "bundle.json").write_text(json.dumps({"name": name, "subjects": subjects}))
    return study


def test_everything_is_found(exported, tmp_path):
    found = find_participant("P07", exported, [tmp_path / "models"])
    assert [path.name for path in found.sessions] == [p.name for p in exported.glob("*_P07")]
    assert {path.relative_to(tmp_path / "bids").as_posix() for path in found.exports} == {
        "sub-P07",
        "sourcedata/sub-P07",
    }
    assert found.models == (tmp_path / "models" / "seen",)
    assert found.elsewhere == ()


def test_everything_is_removed_and_a_tombstone_stays(exported, tmp_path):
    found = find_participant("P07", exported)
    removal = remove_participant(found, exported)
    assert (removal.sessions, removal.failed) == (1, [])
    assert removal.bytes > 40 * 1000
    known = Registry(exported).participants()["P07"]
    assert known.erased
    assert not known.may_be_recorded
    assert isinstance(Registry(exported).entries()[-1], Erased)
    assert list(exported.rglob("*P07*")) + list((tmp_path / "bids").rglob("*P07*")) == []
    assert [row["participant_id"] for row in read_table(tmp_path / "bids/participants.tsv")] == ["sub-P08"]
    assert len(list(exported.glob("*_P08/recordings/trial-001.zarr"))) == 1
    assert (tmp_path / "bids/sub-P08").is_dir()


def test_a_second_withdrawal_finds_nothing_and_does_no_harm(exported):
    remove_participant(find_participant("P07", exported), exported)
    again = find_participant("P07", exported)
    assert (again.folders, again.tables) == ((), ())
    assert remove_participant(again, exported).files == 0


def test_what_lies_elsewhere_is_listed(exported, tmp_path, add_session):
    session = add_session("P07")
    away = session.path / "recordings/trial-001.zarr"
    away.rename(tmp_path / "elsewhere.zarr")
    (tmp_path / "bids").rename(tmp_path / "sent")
    found = find_participant("P07", exported)
    assert any("storage machine" in text for text in found.elsewhere)
    assert any("find where it went" in text for text in found.elsewhere)


def test_copies_that_were_cut_out_of_recordings_are_found(study, tmp_path, capsys):
    recording = next(study.glob("*_P07/recordings/*.zarr"))
    copies = tmp_path / "for_a_talk"
    copies.mkdir()
    _session_command("clip", recording, "--frames", "0:10", "--mp4", copies / "smile.mp4", "--png", copies / "smile")
    _session_command("clip", recording, "--frames", "0:10", "--out", recording.with_name("inside.zarr"))
    others = next(study.glob("*_P08/recordings/*.zarr"))
    _session_command("clip", others, "--frames", "0:10", "--png", copies / "other")
    found = find_participant("P07", study)
    assert set(found.exports) == {copies / "smile.mp4", copies / "smile"}
    remove_participant(found, study)
    assert [path.name for path in copies.iterdir()] == ["other"]


def test_what_was_made_anew_in_the_same_place_for_others_stays(study, tmp_path):
    for participant in ("P07", "P08"):
        enter_copy(next(study.glob(f"*_{participant}/recordings/*.zarr")), tmp_path / "newest.png", "pictures")
    (tmp_path / "newest.png").write_bytes(b"of P08")
    assert find_participant("P07", study).exports == ()
    assert find_participant("P08", study).exports == (tmp_path / "newest.png",)


def test_models_are_known_by_the_ledger_wherever_they_are(study, tmp_path):
    for name, subjects in (("ours", ["dfme/P07"]), ("theirs", ["dfme/P08"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({"subjects": subjects}))
        assert enter_trained(study, tmp_path / name, subjects)
    found = find_participant("P07", study)
    assert found.models == (tmp_path / "ours",)
    assert found.elsewhere == ()
    remove_participant(found, study)
    assert (tmp_path / "ours").is_dir()
    assert any("train it again" in text for text in Registry(study).participant("P07").left_over)
    assert not enter_trained(tmp_path / "no_study_here", tmp_path / "ours", ["dfme/P07"])


def test_crops_for_training_are_removed(study, tmp_path, monkeypatch):
    monkeypatch.setenv("DFME_CACHE", str(tmp_path / "cache"))
    for name in ("P07", "P08"):
        folder = tmp_path / "cache" / "crops" / crops_of(name)
        folder.mkdir(parents=True)
        (folder / "crop.npz").write_bytes(b"face")
    found = find_participant("P07", study)
    assert found.caches == (tmp_path / "cache" / "crops" / crops_of("P07"),)
    remove_participant(found, study)
    assert [place.name for place in (tmp_path / "cache" / "crops").iterdir()] == [crops_of("P08")]


def test_the_storage_machine_is_named_with_the_command_to_run_there(study, tmp_path):
    session = next(study.glob("*_P07"))
    storage = tmp_path / "storage"
    shutil.copytree(session, storage / session.name)
    shutil.rmtree(session / "recordings/trial-001.zarr")
    write_storage_note(session, StorageNote("vault", "tcp://10.0.0.2:5599", str(storage)))
    write_storage_note(storage / session.name, StorageNote(socket.gethostname(), "tcp://10.0.0.2:5599", str(storage)))
    found = find_participant("P07", study)
    command = f"dfme-session withdraw P07 --study {storage}"
    assert found.elsewhere == (f"on vault (tcp://10.0.0.2:5599): {command}",)
    remove_participant(found, study)
    again = find_participant("P07", study)
    assert again.elsewhere == found.elsewhere

    # And there: no registry, no ledger, and nothing that lies elsewhere.
    there = find_participant("P07", storage)
    assert (there.sessions, there.elsewhere) == ((storage / session.name,), ())
    assert remove_participant(there, storage).failed == []
    assert [path.name for path in storage.iterdir()] == ["participants.jsonl"]


def test_a_session_that_is_running_must_end_first(study):
    session = next(study.glob("*_P07"))
    held = claim_session(session)
    with pytest.raises(CaptureError, match="is in use"):
        claim_session(session)
    found = find_participant("P07", study)
    assert found.running == (f"the session {session} is running",)
    with pytest.raises(CaptureError, match=r"running: end that first; nothing was removed"):
        remove_participant(found, study)
    known = Registry(study).participant("P07")
    assert session.is_dir()
    assert known.withdrawn is None
    held.close()
    assert remove_participant(find_participant("P07", study), study).failed == []


def test_a_ledger_cannot_send_the_removal_elsewhere(exported, tmp_path):
    (tmp_path / "precious").mkdir()
    ledger = exported / "exports.jsonl"
    ledger.write_text(ledger.read_text().replace('["sub-P07",', '["../precious","","sub-P07",'))
    found = find_participant("P07", exported)
    assert {path.name for path in found.exports} == {"sub-P07"}
    remove_participant(found, exported)
    assert (tmp_path / "precious").is_dir()
    assert (tmp_path / "bids/sub-P08").is_dir()


def test_somebody_unknown_is_refused(exported):
    with pytest.raises(BadInput, match="no participant 'P99'"):
        find_participant("P99", exported)


def _session_command(*arguments):
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        run_command(app, [str(argument) for argument in arguments])
    signal.signal(signal.SIGTERM, handler)
    assert not ended.value.code


def test_the_command_lists_first_and_removes_when_told(exported, tmp_path):
    def withdraw(*more):
        command = [sys.executable, "-P", "-m", "capture.session_cli", "withdraw", "P07", "--study", str(exported)]
        arguments = [*command, "--models", str(tmp_path / "models"), "--json", *more]
        done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    code, listed = withdraw("--dry-run")
    assert code == 0
    assert listed["must_be_retrained"] == [str(tmp_path / "models/seen")]
    assert listed["removed"] is None
    assert len(list(exported.glob("*_P07"))) == 1
    code, done = withdraw()
    assert code == 0
    assert done["sessions"] == listed["sessions"]
    assert done["removed"]["sessions"] == 1
    assert list(exported.glob("*_P07")) == []
