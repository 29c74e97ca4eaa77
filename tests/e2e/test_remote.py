"""Two machines: `dfme-capture --remote` in one network namespace, `dfme-record` in another, and a link between them."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from capture.recording.reader import Recording
from capture.recording.verify import verify
from capture.remote.keys import make_keys
from capture.session import Session
from tests.e2e.remote_lab import ADDRESS, CAPTURE, RECORD, Lab

pytestmark = pytest.mark.beside_others


@pytest.fixture
def lab(tmp_path: Path, simulator: Path) -> Iterator[Lab]:
    """Two machines that can reach each other."""
    made = Lab(tmp_path)
    try:
        made.connect()
        yield made
    finally:
        made.close()


@pytest.fixture
def hardware(tmp_path: Path) -> Path:
    """The simulated camera with a ring of ten seconds."""
    return ring_of(tmp_path, 10.0)


def ring_of(folder: Path, seconds: float) -> Path:
    file = folder / "ring.toml"
    file.write_text(
        'name = "Ring"\nproducer = "simulator"\nrate_fps = 200\nexposure_us = 1500\n'
        f'ring_seconds = {seconds}\nwhen_ring_full = "stop"\n'
    )
    return file


def ended(process: subprocess.Popen[str], status: int = 0) -> tuple[dict, str]:
    """What a `dfme-capture` said in the end: its JSON object, and its log."""
    out, err = process.communicate(timeout=150)
    assert process.returncode == status, err
    return json.loads(out.splitlines()[-1]), err


def assert_whole(lab: Lab, journey, frames: int) -> None:
    """The storage machine has every frame, in all four places and to the last pixel."""
    monitor = Session.open(lab.session).monitor_of(lab.recording)
    report = verify(lab.recording, monitor=monitor)
    assert report.ok, report.problems
    assert [place.agrees for place in report.places] == [True] * 4
    assert report.frames == frames
    recording = Recording.open(lab.recording)
    assert np.diff(recording.frame_id.astype(np.int64)).tolist() == [1] * (frames - 1)
    journey.assert_every_stamp_matches(lab.recording)


def test_a_trial_lies_on_the_storage_machine_with_all_that_belongs_to_it(lab, journey):
    record = lab.record()
    result, err = ended(lab.capture("--fps", 200, "--frames", 500, "--participant", "P07"))
    assert result["frames"] == 500
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert result["remote"] == ADDRESS
    assert Path(result["recording"]) == lab.recording
    assert "encrypted" in err
    told = lab.stop(record)
    assert (told["frames"], told["trials"][0]["damaged"], told["trials"][0]["error"]) == (500, 0, "")
    assert_whole(lab, journey, 500)
    here = Path(result["session"])
    assert lab.session.name == here.name
    assert (lab.session / "session.json").read_bytes() == (here / "session.json").read_bytes()
    assert not list(here.glob("recordings/*"))
    rows = (lab.session / "events.tsv").read_text().splitlines()
    assert len(rows) == len((here / "events.tsv").read_text().splitlines())
    assert any(row.split("\t")[0] not in ("onset", "n/a") for row in rows), "times of events count from the first frame"


def test_a_link_that_is_cut_for_seconds_costs_nothing(lab, journey, hardware):
    record = lab.record()
    process = lab.capture("--hw", hardware, "--frames", 2000)
    journey.wait_for(lambda: lab.frames_there() > 200)
    lab.cable("down")
    journey.wait_for(lambda: "is cut" in lab.events_here() and "has not been heard" in lab.log.read_text())
    lab.cable("up")
    result, err = ended(process)
    assert result["frames"] == 2000
    assert "is cut" in err
    assert "is back after" in err
    assert lab.stop(record)["trials"][0]["resumed"] >= 1
    assert_whole(lab, journey, 2000)


def test_a_cut_that_is_longer_than_the_ring_ends_the_trial_with_every_frame_that_was_taken(lab, journey, tmp_path):
    record = lab.record()
    process = lab.capture("--hw", ring_of(tmp_path, 1.5))
    journey.wait_for(lambda: lab.frames_there() > 100)
    lab.cable("down")
    sender = journey.child(process.pid, "capture.remote.sender")
    journey.wait_for(lambda: "has not been heard" in lab.log.read_text())
    assert sender.is_running()
    lab.cable("up")
    result, _ = ended(process, 1)
    assert "ring ran full" in result["error"]
    lab.stop(record)
    recording = Recording.open(lab.recording)
    assert recording.attributes.ledger.end.reason == "ring"
    assert_whole(lab, journey, len(recording))


def test_a_link_slower_than_the_camera_is_evened_out_by_the_ring(lab, journey, hardware):
    lab.shape("tbf", "rate", "1gbit", "burst", "1mb", "latency", "50ms")
    record = lab.record()
    result, _ = ended(lab.capture("--hw", hardware, "--frames", 800))
    assert result["frames"] == 800
    lab.stop(record)
    assert_whole(lab, journey, 800)


def test_a_long_link_carries_the_rate(lab, journey, hardware):
    record = lab.record()
    journey.wait_for(lambda: "listening" in lab.log.read_text())
    through = lab.lengthen(delay_ms=25)
    result, _ = ended(lab.capture("--hw", hardware, "--fps", 100, "--frames", 500, address=through))
    assert result["frames"] == 500
    lab.stop(record)
    assert_whole(lab, journey, 500)


def test_a_wrong_key_gets_nothing_and_both_sides_say_what_is_wrong(lab, journey, tmp_path):
    others = make_keys(tmp_path / "others")
    record = lab.record()
    journey.wait_for(lambda: "listening" in lab.log.read_text())
    result, _ = ended(lab.capture("--frames", 100, keys=others.capture), 1)
    assert f"no answer from {ADDRESS}" in result["error"]
    assert "its key is not the one in this machine's key file" in result["error"]

    storage_public = lab.keys.capture.read_text().split("[storage]")[1]
    stranger = tmp_path / "stranger.keys"
    stranger.write_text(others.capture.read_text().split("[storage]")[0] + "[storage]" + storage_public)
    stranger.chmod(0o600)
    result, _ = ended(lab.capture("--frames", 100, keys=stranger), 1)
    assert "does not know this machine's key" in result["error"]

    told = lab.stop(record)
    assert told["trials_total"] == 0
    assert told["refused_clients"] >= 2
    assert list(lab.out.iterdir()) == []
    log = lab.log.read_text()
    assert "without the right keys" in log
    assert "is not in" in log


def test_where_nobody_listens_the_capture_says_so(lab):
    result, _ = ended(lab.capture("--frames", 100), 1)
    assert f"no answer from {ADDRESS}: nothing listens on that port" in result["error"]


@pytest.mark.parametrize("command", [[*RECORD, "--listen"], [*CAPTURE, "--remote"]])
def test_without_keys_nothing_leaves_this_machine(command, tmp_path):
    done = subprocess.run(
        [*command, ADDRESS, "--out", str(tmp_path / "out")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "only encrypted: give --keys" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_when_the_sender_is_killed_another_goes_on_and_nothing_is_lost(lab, journey, hardware):
    record = lab.record()
    process = lab.capture("--hw", hardware, "--frames", 1600)
    for count in (200, 700):
        journey.wait_for(lambda least=count: lab.frames_there() > least)
        journey.child(process.pid, "capture.remote.sender").kill()
        journey.wait_for(lambda: journey.child(process.pid, "capture.remote.sender").is_running())
    result, err = ended(process)
    assert result["frames"] == 1600
    assert err.count("killed by signal 9; started anew") == 2
    lab.stop(record)
    assert_whole(lab, journey, 1600)


@pytest.mark.parametrize("also_dies", ["", "capture.remote.sender"], ids=["alone", "with the sender"])
def test_when_the_camera_process_is_killed_the_storage_machine_gets_all_that_is_in_the_ring(
    lab, journey, hardware, also_dies
):
    record = lab.record()
    process = lab.capture("--hw", hardware)
    journey.wait_for(lambda: lab.frames_there() > 200)
    ring = journey.ring(process.pid)
    camera = journey.child(process.pid, "capture.processes.camera")
    if also_dies:
        journey.child(process.pid, also_dies).kill()
    camera.kill()
    ended(process, 1)
    lab.stop(record)
    recording = Recording.open(lab.recording)
    assert recording.attributes.state == "complete"
    assert len(recording) == ring.published
    journey.assert_every_stamp_matches(lab.recording)


def test_when_the_storage_machine_is_killed_another_goes_on_and_nothing_is_lost(lab, journey, hardware):
    first = lab.record()
    process = lab.capture("--hw", hardware, "--frames", 1600)
    journey.wait_for(lambda: lab.frames_there() > 300)
    first.kill()
    first.communicate()
    safe = lab.frames_there()
    second = lab.record()
    result, err = ended(process)
    assert result["frames"] == 1600
    assert "goes on behind its" in err
    told = lab.stop(second)
    assert told["trials"][0]["resumed"] >= 1
    assert safe > 300
    assert_whole(lab, journey, 1600)


def test_when_the_storage_machine_is_stopped_the_trial_ends_with_all_that_was_taken(lab, journey, hardware):
    record = lab.record()
    process = lab.capture("--hw", hardware)
    journey.wait_for(lambda: lab.frames_there() > 200)
    told = lab.stop(record)
    result, _ = ended(process, 1)
    assert "dfme-record was stopped" in result["error"]
    assert told["trials_total"] == 1
    assert_whole(lab, journey, told["frames"])


def test_a_disk_that_fills_up_there_ends_the_trial_here_with_the_reason(lab, journey, hardware):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1300m", "none", lab.out], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        record = lab.record()
        result, err = ended(lab.capture("--hw", hardware), 1)
        assert "disk is full" in err
        assert "make room" in result["error"]
        told = lab.stop(record)
        assert_whole(lab, journey, told["frames"])
    finally:
        subprocess.run(["umount", "-l", lab.out], check=True)


def test_while_one_capture_is_served_another_is_sent_away(lab, journey, hardware, tmp_path):
    record = lab.record()
    first = lab.capture("--hw", hardware, "--fps", 50)
    journey.wait_for(lambda: lab.frames_there() > 50)
    result, _ = ended(lab.capture("--frames", 100, "--out", tmp_path / "second"), 1)
    assert "one capture at a time" in result["error"]
    first.send_signal(signal.SIGINT)
    frames = ended(first)[0]["frames"]
    lab.stop(record)
    assert_whole(lab, journey, frames)


def test_on_this_machine_alone_no_keys_are_needed(journey, tmp_path):
    with contextlib.closing(socket_on_loopback()) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    out = tmp_path / "storage"
    record = subprocess.Popen(
        [*RECORD, "--listen", address, "--out", str(out), "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        done = journey.run(
            *("--no-tui", "--no-live", "--frame-bank", "test", "--fps", 200, "--frames", 200),
            *("--out", tmp_path / "capture", "--remote", address),
        )
        assert done.returncode == 0, done.stderr
        assert "not encrypted" in done.stderr
        record.send_signal(signal.SIGTERM)
        said, _ = record.communicate(timeout=30)
        assert json.loads(said)["frames"] == 200
    finally:
        record.kill()
        record.communicate()


def socket_on_loopback():
    import socket

    return socket.create_server(("127.0.0.1", 0))
