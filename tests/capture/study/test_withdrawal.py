"""A withdrawal: everything of a participant is found and removed, others keep theirs, a tombstone stays."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from capture.errors import BadInput
from capture.participants import Erased, Registry
from capture.study import export_bids, find_participant, remove_participant
from capture.study.bids_export import read_table


@pytest.fixture
def exported(study, tmp_path):
    export_bids(study, tmp_path / "bids", images=True)
    for name, subjects in (("seen", ["P07", "P08"]), ("unseen", ["P08"])):
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
    assert again.folders == ()
    assert remove_participant(again, exported).files == 0


def test_what_lies_elsewhere_is_listed(exported, tmp_path, add_session):
    session = add_session("P07")
    away = session.path / "recordings/trial-001.zarr"
    away.rename(tmp_path / "elsewhere.zarr")
    (tmp_path / "bids").rename(tmp_path / "sent")
    found = find_participant("P07", exported)
    assert any("storage machine" in text for text in found.elsewhere)
    assert any("find where it went" in text for text in found.elsewhere)


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
