"""`dfme-capture` as its user runs it: real processes, the simulated camera, real files."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import zarr

from capture.recording.reader import Recording
from capture.recording.verify import verify
from capture.session import Session


def capture(journey, *arguments: object) -> dict:
    done = journey.run("--no-tui", "--no-live", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("fps", [200, 300, 500])
def test_a_recording_at_the_papers_rates_is_complete_and_standard(journey, tmp_path, fps):
    result = capture(journey, "--fps", fps, "--duration", 2, "--out", tmp_path)

    path = Path(result["recording"])
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert abs(result["frames"] - 2 * fps) <= 1
    assert result["fps"] == pytest.approx(fps, rel=1e-3)
    assert result["bytes"] == result["frames"] * 768 * 1024
    assert result["clock"]["residual_ns"] is not None
    report = verify(path)
    assert report.ok, report.problems
    journey.assert_every_stamp_matches(path)

    group = zarr.open_group(path, mode="r")
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/frames/"}}
    other = tensorstore.open(store).result()
    assert group["frames"].shape == tuple(other.shape) == (result["frames"], 768, 1024)
    for i in (0, result["frames"] // 2, result["frames"] - 1):
        np.testing.assert_array_equal(group["frames"][i], other[i].read().result())
    assert np.diff(group["frame_id"][:].astype(np.int64)).tolist() == [1] * (result["frames"] - 1)


def test_device_time_maps_to_host_time_within_the_stated_residual(journey, tmp_path):
    result = capture(journey, "--fps", 500, "--duration", 3, "--out", tmp_path, "--set", "FaultClockDrift=50")
    recording = Recording.open(Path(result["recording"]))
    mapped = recording.times_ns()
    delay = recording.host_ns.astype(np.int64) - mapped
    assert np.median(delay) > -200_000, "a frame cannot arrive before it was taken"
    assert abs(recording.attributes.clock["drift_ppm"] + 50) < 20


@pytest.mark.beside_others
def test_a_number_of_frames_is_exact_and_the_surplus_is_named(journey, tmp_path):
    result = capture(journey, "--fps", 500, "--frames", 321, "--out", tmp_path)
    assert result["frames"] == 321
    end = Recording.open(Path(result["recording"])).raw_attributes["ledger"]["end"]
    assert end["producer"]["delivered"] == 321 + end["producer"]["surplus"]
    assert verify(Path(result["recording"])).ok


@pytest.mark.beside_others
def test_every_injected_loss_stands_in_the_ledger_under_its_cause(journey, tmp_path):
    faults = ["FaultFrameIdGapEvery=100", "FaultFrameIdGapLength=3", "FaultIncompleteEvery=70"]
    options = [part for fault in faults for part in ("--set", fault)]
    result = capture(journey, "--fps", 500, "--frames", 500, "--out", tmp_path, *options)

    recording = Recording.open(Path(result["recording"]))
    ids = recording.frame_id.astype(np.int64)
    missing = int(ids[-1] - ids[0] + 1 - len(ids))
    assert result["frames"] == 500
    assert result["lost"]["camera"] >= 12
    assert result["lost"]["incomplete"] >= 7
    assert missing == result["lost"]["camera"] + result["lost"]["incomplete"]
    assert verify(Path(result["recording"])).ok


@pytest.mark.beside_others
def test_another_rate_than_the_files_can_be_asked_for(journey, tmp_path):
    result = capture(journey, "--fps", 123.5, "--frames", 100, "--out", tmp_path)
    assert result["fps"] == pytest.approx(123.5, rel=1e-3)


def test_a_foreign_producer_is_recorded_without_a_gap(journey, tmp_path):
    result = capture(journey, "--hw", "viky", "--frames", 400, "--out", tmp_path)
    recording = Recording.open(Path(result["recording"]))
    assert (recording.height_px, recording.width_px) == (768, 800)
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert np.diff(recording.frame_id.astype(np.int64)).tolist() == [1] * 399
    assert verify(Path(result["recording"])).ok


@pytest.mark.beside_others
def test_the_session_folder_tells_the_whole_story(journey, tmp_path):
    result = capture(journey, "--fps", 200, "--frames", 100, "--participant", "P07", "--out", tmp_path)
    session = Session.open(Path(result["recording"]))
    assert session.path.name.endswith("_P07")
    assert session.path == Path(result["session"])
    document = json.loads((session.path / "session.json").read_text())
    (trial,) = document["trials"]
    assert trial["frames"] == 100
    assert trial["monitor"]["frames"] == 100
    events = (session.path / "events.tsv").read_text().splitlines()
    assert events[0].startswith("onset\tduration\t")
    assert any("trial-001 started" in line for line in events)


@pytest.mark.beside_others
def test_ctrl_c_ends_cleanly_with_all_data_valid(journey, tmp_path):
    with journey.start("--fps", 500, "--json", "--out", tmp_path) as process:
        journey.second_shard(tmp_path)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    result = json.loads(out.splitlines()[-1])
    report = verify(Path(result["recording"]))
    assert report.ok, report.problems
    journey.assert_every_stamp_matches(Path(result["recording"]))


@pytest.mark.beside_others
def test_a_second_command_on_the_same_camera_is_refused(journey, tmp_path):
    with journey.start("--fps", 200, "--out", tmp_path / "one") as first:
        journey.wait_for(lambda: any((tmp_path / "one").glob("*/recordings/*.zarr")))
        second = journey.run("--fps", 200, "--frames", 10, "--no-tui", "--no-live", "--out", tmp_path / "two")
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=30)
    assert second.returncode == 1
    assert one_line(second.stderr)
    assert "in use" in second.stderr or "busy" in second.stderr
    assert not list((tmp_path / "two").glob("*")), "no empty session is left behind"


@pytest.mark.beside_others
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fps", "9000"], "9000"),
        (["--fps", "-3"], "--fps"),
        (["--hw", "no_such_camera"], "no_such_camera"),
        (["--frames", "0"], "--frames"),
        (["--duration", "nan"], "--duration"),
        (["--out", "/proc/nowhere"], "/proc/nowhere"),
        (["--fps", "500", "--duration", "600000"], "GB"),
        (["--set", "Exposure"], "NAME=VALUE"),
        (["--set", "NoSuchFeature=1"], "NoSuchFeature"),
        (["--frame-bank", "nothing.mp4"], "nothing.mp4"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_input_is_one_line_that_names_it(journey, tmp_path, arguments, says):
    out = [] if "--out" in arguments else ["--out", tmp_path]
    done = journey.run("--no-tui", "--no-live", *out, *arguments)
    assert done.returncode in (1, 2)
    assert one_line(done.stderr), done.stderr
    assert says in done.stderr
    assert not list(tmp_path.glob("*")), "nothing is left behind"


@pytest.mark.beside_others
def test_a_wrong_key_in_a_hardware_file_is_named_with_its_line(journey, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "Mine"\nproducer = "simulator"\nrate_fps = 500\nexposure = 3\n')
    done = journey.run("--no-tui", "--hw", file, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert one_line(done.stderr)
    assert "mine.toml" in done.stderr
    assert "4" in done.stderr
    assert "exposure" in done.stderr


def one_line(text: str) -> bool:
    return len(text.strip().splitlines()) == 1
