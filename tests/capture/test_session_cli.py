"""`dfme-session` as an operator or a script uses it: exit status, one line of error, one line of JSON."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

import pytest
from rich.console import Console

from capture.recording.layout import ShardGeometry, shard_path
from capture.recording.reader import Recording
from capture.session import Session
from capture.session.tables import sessions_table, trials_table
from capture.session_cli import app
from capture.statistics import LossLedger


@pytest.fixture
def run(call_command):
    """Runs `dfme-session` with these arguments."""
    return partial(call_command, app)


@pytest.fixture
def session(tmp_path, make_recording):
    """A session with one sound trial of 40 frames."""
    session = Session.create(tmp_path / "sessions", "P07")
    path = session.begin_trial("trial-001")
    shutil.move(make_recording("made.zarr"), path)
    session.end_trial(
        "trial-001",
        seconds=0.08,
        frames=40,
        fps=500.0,
        lost=LossLedger(),
        reason="frames",
        monitor={"frames": 40, "losses": {}},
    )
    return session


@pytest.fixture
def damaged(session):
    """The same, with a frame whose pixels are not what they were."""
    recording = session.recordings / "trial-001.zarr"
    with shard_path(recording, 1).open("r+b") as shard:
        shard.seek(ShardGeometry(32, 64, 16).offset(4) + 900)
        shard.write(b"\xff\x00\xff\x00")
    return session


def test_ls_shows_sessions_and_trials(run, session):
    listed = run("ls", session.path.parent)
    assert listed.status == 0
    assert session.path.name in listed.out
    assert "complete" in listed.out

    one = run("ls", session.path.parent, "--json").json["sessions"][0]
    assert (one["session"], one["participant"], one["trials"], one["frames"]) == (session.path.name, "P07", 1, 40)
    assert (one["lost"], one["state"]) == (0, "complete")
    trial = run("ls", session.path, "--json").json["trials"][0]
    assert (trial["trial"], trial["frames"], trial["seconds"], trial["state"]) == ("trial-001", 40, 0.08, "complete")


def test_ls_goes_on_past_a_damaged_session_says_what_is_wrong_and_fails(run, session):
    broken = session.path.parent / "2031-01-01T00-00-00"
    broken.mkdir()
    (broken / "session.json").write_text("{")

    result = run("ls", session.path.parent)

    assert (result.status, len(result.err.splitlines())) == (1, 1)
    assert "1 of 2 damaged" in result.err
    assert session.path.name in result.out
    (line,) = [line for line in result.out.splitlines() if "problem" in line]
    assert str(broken / "session.json") in line
    in_json = run("ls", session.path.parent, "--json")
    assert in_json.status == 1
    assert sorted(one["state"] for one in in_json.json["sessions"]) == ["complete", "damaged"]


def test_ls_fails_where_a_trial_is_damaged_in_the_session_and_above(run, session):
    (session.recordings / "trial-001.zarr" / "zarr.json").write_text("{")

    for path in (session.path, session.path.parent):
        result = run("ls", path)
        assert result.status == 1
        assert "damaged" in result.out
        (line,) = [line for line in result.out.splitlines() if "problem" in line]
        assert "trial-001.zarr" in line


def test_ls_of_an_empty_folder_says_so(run, tmp_path):
    (tmp_path / "empty").mkdir()

    result = run("ls", tmp_path / "empty")

    assert (result.status, result.out.startswith("no sessions in ")) == (0, True)


def test_tables_fit_an_80_column_terminal():
    session = {"session": "2031-05-04T10-15-00_P07", "trials": 12, "frames": 1_234_567, "seconds": 3600.0}
    session |= {"lost": 1234, "bytes": 971_000_000_000, "state": "complete recording"}
    trial = {"trial": "trial-001", "frames": 1_800_000, "seconds": 3600.0, "fps": 500.0, "lost": 12}
    trial |= {"bytes": 1_416_000_000_000, "reason": "operator", "state": "complete"}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(sessions_table([session]))
    console.print(trials_table([trial]))

    text = console.export_text()

    for part in ("2031-05-04T10-15-00_P07", "1,234,567", "971.0 GB", "trial-001", "1,800,000", "1416.0 GB", "operator"):
        assert part in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_info_describes_session_and_recording(run, session):
    recording = session.recordings / "trial-001.zarr"

    assert run("info", session.path, "--json").json["recordings"][0]["trial"] == "trial-001"
    figures = run("info", recording, "--json").json
    assert (figures["frames"], figures["width_px"], figures["height_px"], figures["codec"]) == (40, 64, 32, "raw")
    assert figures["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    text = run("info", recording).out
    assert "latch, residual 0.1 us" in text
    assert "40 of 64 x 32 pixels" in text
    assert "P07" in run("info", session.path).out


def test_verify_of_a_sound_session_is_ok_in_four_places(run, session):
    result = run("verify", session.path)
    assert result.status == 0
    assert result.out.startswith("ok  trial-001.zarr: 40 frames")
    for place in ("producer", "monitor", "end message", "recording"):
        assert place in result.out

    report = run("verify", session.path, "--json").json
    assert report["ok"]
    assert [place["agrees"] for place in report["recordings"][0]["places"]] == [True] * 4


def test_verify_of_a_damaged_recording_fails_and_names_it(run, damaged):
    recording = damaged.recordings / "trial-001.zarr"

    result = run("verify", recording)
    assert result.status == 1
    assert "NOT OK  trial-001.zarr" in result.out
    assert "crc32c: 1 frames differ from what was recorded (20)" in result.out

    result = run("verify", recording, "--json")
    assert (result.status, result.json["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("events.tsv", b"onset\t", b"onsat\t"),
        ("events.tsv", b"\twarning\t", b"\twarn*ng\t"),
        ("events.json", b"{", b"["),
        ("events.json", b'"onset"', b'"onsit"'),
    ],
)
def test_verify_of_a_session_finds_damage_in_its_event_log(run, session, name, old, new):
    session.log_event(host_ns=12, level="warning", source="recorder", text="slow")
    assert run("verify", session.path).status == 0
    file = session.path / name
    assert old in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(old, new, 1))

    result = run("verify", session.path)

    assert result.status == 1
    assert result.err.startswith("error: ")
    assert name in result.err
    assert run("verify", session.path, "--json").json["session_problems"]


def test_verify_looks_at_all_recordings_even_when_one_cannot_be_opened(run, session):
    broken = session.recordings / "trial-000.zarr"
    broken.mkdir()

    result = run("verify", session.path, "--json")

    assert result.status == 1
    assert [report["ok"] for report in result.json["recordings"]] == [True, False]


def test_repair_then_verify_is_ok(run, damaged):
    repaired = run("repair", damaged.path, "--json")
    assert repaired.status == 0
    assert repaired.json["recordings"][0]["frames_dropped"] == 1

    assert run("verify", damaged.path).status == 0
    again = run("repair", damaged.path)
    assert again.out.startswith("trial-001.zarr: nothing to repair, 39 frames")


def test_clip_cuts_draws_and_films(run, session, tmp_path):
    result = run(
        "clip", session.path, "--frames", "10:20", "--out", tmp_path / "c.zarr", "--png", tmp_path / "p", "--mp4",
        tmp_path / "c.mp4",
    )  # fmt: skip

    assert result.status == 0
    assert "plays 16.7 times slower than life" in result.out
    assert Recording.open(tmp_path / "c.zarr").frame_id.tolist() == list(range(110, 120))
    assert len(list((tmp_path / "p").iterdir())) == 10

    by_time = run("clip", session.path, "--seconds", "0.02:", "--out", tmp_path / "d.zarr", "--json").json
    assert (by_time["first"], by_time["stop"]) == (10, 40)


def test_transcode_packs_beside_the_recording(run, session):
    result = run("transcode", session.path / "recordings" / "trial-001.zarr")
    assert result.status == 0
    assert "every byte read back and compared" in result.out
    assert (session.recordings / "trial-001.ffv1" / "frames.mkv").exists()

    report = run("transcode", session.recordings / "trial-001.zarr", "--codec", "zstd", "--json").json
    assert report["verified"]
    assert run("verify", session.path).status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["verify"],
        ["verify", "{tmp}/nothing"],
        ["verify", "{tmp}"],
        ["ls", "{tmp}/nothing"],
        ["info", "{tmp}"],
        ["clip", "{recording}", "--frames", "1:2"],
        ["clip", "{recording}", "--out", "{tmp}/x.zarr"],
        ["clip", "{recording}", "--frames", "1-2", "--out", "{tmp}/x.zarr"],
        ["clip", "{recording}", "--frames", "1:2", "--seconds", "1:2", "--out", "{tmp}/x.zarr"],
        ["clip", "{recording}", "--frames", "30:90", "--out", "{tmp}/x.zarr"],
        ["clip", "{recording}", "--seconds", "nan:inf", "--out", "{tmp}/x.zarr"],
        ["clip", "{recording}", "--frames", "1:2", "--out", "{tmp}/x"],
        ["clip", "{recording}", "--frames", "1:2", "--out", "{recording}"],
        ["transcode", "{recording}", "--codec", "mp3"],
        ["transcode", "{recording}", "--out", "{recording}", "--codec", "zstd"],
    ],
)
def test_bad_usage_is_one_line_and_status_2(run, session, tmp_path, arguments):
    places = {"tmp": tmp_path, "recording": session.recordings / "trial-001.zarr"}

    result = run(*[argument.format(**places) for argument in arguments])

    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 1


def test_an_error_is_the_json_object_too(run, tmp_path):
    result = run("verify", tmp_path / "nothing", "--json")

    assert result.status == 2
    assert result.json == {"error": result.err.removeprefix("error: ").rstrip(), "exit_status": 2}


def test_a_session_with_several_recordings_must_be_told_which(run, session, make_recording):
    shutil.move(make_recording("second.zarr"), session.begin_trial("trial-002"))

    result = run("transcode", session.path)

    assert result.status == 2
    assert "2 recordings, say which: trial-001.zarr, trial-002.zarr" in result.err


def test_a_packed_copy_beside_the_only_trial_leaves_no_doubt_which_is_meant(run, session, tmp_path):
    run("transcode", session.path)

    result = run("clip", session.path, "--frames", ":5", "--out", tmp_path / "c.zarr", "--json")

    assert result.status == 0
    assert result.json["source"] == str(session.recordings / "trial-001.zarr")


def test_no_colour_where_nobody_looks(run, session):
    assert "\x1b" not in run("verify", session.path).out


def test_ctrl_c_leaves_nothing_half_made(make_recording, tmp_path):
    source = make_recording(size=(768, 1024), count=60, stamped=False)
    out = tmp_path / "packed.ffv1"
    partial = tmp_path / "packed.ffv1.partial" / "frames.mkv"
    command = [sys.executable, "-m", "capture.session_cli", "transcode", str(source), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not partial.exists():
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)

    assert process.returncode == 130
    assert error == "error: interrupted; everything written so far is valid\n"
    assert not out.exists()
    assert not partial.parent.exists()
