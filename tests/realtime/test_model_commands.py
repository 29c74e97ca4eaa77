"""`dfme-live use` and `models` as their user sees them, without a readout that runs (that is in tests/e2e)."""

from __future__ import annotations

import json
import shutil

import msgspec
import pytest

from capture.console import run_command
from expression.bundle import ONNX_FILE, Bundle
from expression.errors import BadInput
from realtime import model_commands
from realtime.cli import app
from realtime.lab_default import DEFAULT_MODEL, lab_default
from realtime.model_switch import ModelSwitch
from realtime.recognition import model_at
from tests.waiting import wait_for


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of a user who has chosen nothing yet."""
    monkeypatch.setenv("DFME_CONFIG", str(tmp_path / "settings"))
    # Nobody publishes where these tests listen.
    monkeypatch.setattr(model_commands, "_HEARS_WITHIN_S", 0.05)
    return tmp_path / "settings"


@pytest.fixture
def ours(tmp_path):
    """A model of the lab's own."""
    shutil.copytree(DEFAULT_MODEL, tmp_path / "models" / "ours")
    bundle = Bundle.open(tmp_path / "models" / "ours")
    return Bundle.seal(bundle.path, msgspec.structs.replace(bundle.record, name="ours", simulated=False)).path


@pytest.fixture
def session(tmp_path):
    folder = tmp_path / "session"
    folder.mkdir()
    (folder / "session.json").write_text("{}")
    return folder


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run_command(app, list(map(str, arguments)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def use(capsys, *arguments: object) -> dict:
    """`use` where nobody publishes."""
    code, stdout, stderr = call(capsys, "use", *arguments, "--readout", "inproc://nobody", "--json")
    assert code == 0, stderr
    return json.loads(stdout.splitlines()[-1])


def test_it_is_the_default_from_now_on_and_what_was_before_is_said(settings, ours, capsys):
    assert model_at(None) == DEFAULT_MODEL
    first = use(capsys, ours)
    assert (first["model"], first["before"], first["running"]) == ("ours", str(DEFAULT_MODEL), None)
    assert model_at(None) == ours
    again = use(capsys, "simulated-i3d")
    assert again["before"] == str(ours)
    assert model_at(None) == DEFAULT_MODEL
    assert str(DEFAULT_MODEL) not in (settings / "live_model").read_text(), "the installation may move"


def test_a_damaged_model_is_not_put_there(settings, ours, capsys):
    with (ours / ONNX_FILE).open("ab") as file:
        file.write(b"x")
    code, _, stderr = call(capsys, "use", ours)
    assert code == 2
    assert "was changed since it was exported" in stderr
    assert lab_default() is None


def test_a_default_that_has_gone_is_named_with_the_remedy(settings, ours, capsys):
    use(capsys, ours)
    shutil.rmtree(ours)
    with pytest.raises(BadInput, match="is gone: choose another"):
        model_at(None)
    _, stdout, _ = call(capsys, "models", "--json")
    rows = json.loads(stdout)["models"]
    assert [row["name"] for row in rows if row["default"]] == ["ours"]
    assert next(row["problem"] for row in rows if row["default"])


def test_a_wish_for_one_session_is_heard_there_and_changes_no_default(settings, ours, session, capsys):
    switch = ModelSwitch(session)
    said = use(capsys, ours, "--session", session)
    assert said["before"] is None
    assert lab_default() is None
    heard = []
    wait_for(lambda: heard.append(switch.wish()) or heard[-1])
    assert heard[-1] == ours


def test_a_wish_for_all_is_heard_once_and_by_a_service_that_is_started_anew(settings, ours, session, capsys):
    switch = ModelSwitch(session)
    use(capsys, ours)
    heard = []
    wait_for(lambda: heard.append(switch.wish()) or heard[-1])
    assert heard[-1] == ours
    again = ModelSwitch(session)
    heard.clear()
    wait_for(lambda: heard.append(again.wish()) or heard[-1])
    assert heard[-1] == ours


def test_the_list_tells_shipped_and_own_and_what_is_broken(settings, ours, tmp_path, capsys):
    broken = tmp_path / "models" / "broken"
    shutil.copytree(ours, broken)
    (broken / ONNX_FILE).unlink()
    code, stdout, _ = call(capsys, "models", tmp_path / "models", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(stdout)["models"]}
    assert rows["simulated-i3d"]["shipped"]
    assert rows["simulated-i3d"]["default"]
    assert not rows["ours"]["shipped"]
    assert rows["ours"]["input"] == "flow 2x16x64x64"
    assert "missing" in rows["broken"]["problem"]
    code, stdout, _ = call(capsys, "models", tmp_path / "models")
    assert "real faces" in stdout
    assert "simulated faces" in stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("use", "nowhere"), "nowhere"),
        (("use", "simulated-i3d", "--session", "nowhere"), "no session"),
        (("use", "simulated-i3d", "--engine", "steam"), "steam"),
        (("use", "simulated-i3d", "--readout", "there"), "--readout"),
        (("models", "nowhere"), "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(settings, arguments, named, capsys):
    code, _, stderr = call(capsys, *arguments)
    assert code == 2
    assert named in stderr
    assert len(stderr.splitlines()) == 1
    assert lab_default() is None
