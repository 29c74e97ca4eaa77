"""A camera that goes away, slows down or loses frames and time, as the operator and the recording are told of it."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from capture.recording.clip import clip
from capture.recording.reader import Recording
from capture.recording.verify import verify
from capture.session import Session

pytestmark = pytest.mark.beside_others


class Fault:
    """Runs `dfme-capture` on the simulated camera with something wrong, and reads what it left."""

    def __init__(self, journey, out: Path) -> None:
        self._journey = journey
        self.out = out
        self.truth_log = out / "truth.tsv"

    def options(self, *features: str) -> list[str]:
        told = ("SimulationSource=Stamped", f"SimulationTruthLog={self.truth_log}", *features)
        return [
            "--no-tui",
            "--no-live",
            "--json",
            "--out",
            str(self.out / "data"),
            *(part for feature in told for part in ("--set", feature)),
        ]

    def run(self, *arguments: object, features: tuple[str, ...]) -> dict:
        hardware = () if "--hw" in arguments else ("--hw", self.hardware())
        done = self._journey.run(*self.options(*features), *hardware, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def hardware(self, **keys: object) -> Path:
        # Small frames: what is tried here is the camera and not the disk.
        small = {"rate_fps": 500, "exposure_us": 1500, "width_px": 256, "height_px": 192}
        lines = {"name": '"Faulty"', "producer": '"simulator"', **small, **keys}
        file = self.out / "faulty.toml"
        file.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
        return file

    @property
    def recording(self) -> Recording:
        return Recording.open(self._journey.recording(self.out / "data"))

    @property
    def truth(self) -> np.ndarray:
        """Every exposure there was: id, host ns, device ns."""
        return np.loadtxt(self.truth_log, dtype=np.int64, delimiter="\t", skiprows=1)

    def events(self, *kinds: str) -> list[dict[str, str]]:
        (log,) = (self.out / "data").glob("*/events.tsv")
        with log.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return [row for row in rows if row["trial_type"] in kinds]

    def verified(self):
        """The verdict on the recording, with what the session says the monitor showed."""
        path = self.recording.path
        report = verify(path, monitor=Session.open(path).monitor_of(path))
        assert report.ok, report.problems
        return report


@pytest.fixture
def fault(journey, tmp_path) -> Fault:
    return Fault(journey, tmp_path)


UNPLUGGED = ("FaultDisconnectAfterFrames=1000", "FaultDisconnectDuration=900", "FaultDisconnectTimes=1")


@pytest.mark.parametrize("keeps_clock", [False, True], ids=["power cut", "cable pulled"])
def test_a_camera_that_comes_back_is_recorded_again_and_the_gap_is_said(fault, journey, record_property, keeps_clock):
    result = fault.run(
        *("--frames", 1800),
        features=(*UNPLUGGED, f"FaultDisconnectKeepsClock={str(keeps_clock).lower()}", "FaultClockDrift=50"),
    )
    recording, truth = fault.recording, fault.truth
    journey.assert_every_stamp_matches(recording.path)
    assert recording.frame_id.tolist() == [*range(1000), *range(800)], "ids start over with the connection"
    # What the camera knows of its own gap: the exposures around it.
    silence_s = (truth[1000, 1] - truth[999, 1]) / 1e9
    (gap,) = result["gaps"]
    late = abs(gap["length_ns"] / 1e9 - silence_s) * 500
    assert gap["frames"] == pytest.approx(silence_s * 500 - 1, abs=1.5 + late), "good to the delay of a frame"
    assert gap["clock"] == ("device" if keeps_clock else "host")
    if keeps_clock:
        assert gap["frames"] == pytest.approx(silence_s * 500 - 1, abs=2)
    assert result["lost"] == {"camera": gap["frames"], "incomplete": 0, "ring": 0, "disk": 0}
    again_s = float(silence_s) - 0.9
    record_property("recording_again_s_after_return", round(again_s, 3))
    assert again_s < 2, "usually a tenth of a second"

    report = fault.verified()
    assert [place.away for place in report.places] == [None, gap["frames"], gap["frames"], gap["frames"]]
    lost, back = fault.events("camera_lost", "camera_back")
    assert lost["text"].startswith("camera lost: ")
    assert back["text"].startswith("camera back after ")
    assert f"about {gap['frames']:,} frames not taken" in back["text"]
    assert int(back["frames"]) == gap["frames"]
    assert float(back["duration"]) == pytest.approx(gap["seconds"], abs=1e-5)
    assert int(back["host_ns"]) == gap["to_host_ns"] == int(recording.host_ns[1000])

    # The clock of the camera that is back is on a line of its own where it was reset, and on the same where not.
    error = recording.times_ns() - truth[: len(recording), 1]
    assert np.abs(error).max() < 1_000_000
    segments = recording.attributes.clock.get("segments", [])
    assert [s["from_host_ns"] for s in segments] == ([] if keeps_clock else [0, int(recording.host_ns[1000])])
    assert len(fault.events("clock")) == (0 if keeps_clock else 1)

    piece = fault.out / "piece.zarr"
    clip(recording.path, piece, frames=(990, 1010))
    assert verify(piece).ok, "a clip over the gap knows of it"


def test_a_camera_that_goes_away_again_and_again_is_waited_for_each_time(fault, journey):
    features = ("FaultDisconnectAfterFrames=400", "FaultDisconnectDuration=300", "FaultDisconnectTimes=3")
    result = fault.run("--frames", 1500, features=features)
    assert len(result["gaps"]) == 3
    assert result["frames"] == 1500
    assert result["lost"]["camera"] == sum(gap["frames"] for gap in result["gaps"])
    journey.assert_every_stamp_matches(fault.recording.path)
    fault.verified()


def test_frames_lost_on_both_sides_of_a_gap_keep_their_causes(fault):
    losses = ("FaultFrameIdGapEvery=100", "FaultFrameIdGapLength=3", "FaultIncompleteEvery=70")
    result = fault.run("--frames", 1500, features=(*UNPLUGGED, *losses))
    ids = fault.recording.frame_id.astype(np.int64)
    edge = int(np.flatnonzero(np.diff(ids) < 0)[0]) + 1
    missing = sum(int(part[-1] - part[0] + 1 - len(part)) for part in (ids[:edge], ids[edge:]))
    away = result["gaps"][0]["frames"]
    # The first and the last of a connection may have been lost, too; no id shows that, but the camera said so.
    assert 0 <= result["lost"]["camera"] - away + result["lost"]["incomplete"] - missing <= 1
    fault.verified()
    for kind, cause in (
        ("lost_camera", result["lost"]["camera"] - away),
        ("lost_incomplete", result["lost"]["incomplete"]),
    ):
        rows = fault.events(kind)
        assert sum(int(row["frames"]) for row in rows) == cause, "the last line comes even at the trial's end"
        named = sum(b - a + 1 for row in rows for a, b in map(ids_of, row["frame_ids"].split()))
        assert named == cause


def ids_of(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


@pytest.mark.alone
def test_a_duration_ends_by_the_hosts_clock_while_the_camera_is_away(fault):
    result = fault.run("--duration", 2.5, features=("FaultDisconnectAfterFrames=1000",))
    (gap,) = result["gaps"]
    assert not gap["returned"]
    assert result["frames"] == 1000
    assert result["frames"] + gap["frames"] == pytest.approx(1250, abs=1)
    assert fault.recording.attributes.ledger.end.reason == "duration"
    fault.verified()


def test_ctrl_c_while_the_camera_is_away_ends_cleanly(fault, journey):
    command = [*journey.command, *fault.options("FaultDisconnectAfterFrames=500"), "--hw", str(fault.hardware())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        journey.wait_for(lambda: fault.events("camera_lost"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["frames"] == 500
    assert fault.recording.attributes.ledger.end.reason == "signal"
    fault.verified()


def test_a_camera_that_stays_away_ends_the_trial_when_patience_is_over(fault, journey):
    hardware = fault.hardware(reconnect_seconds=1)
    done = journey.run(*fault.options("FaultDisconnectAfterFrames=500"), "--hw", hardware)
    assert done.returncode == 1
    assert "camera stopped answering" in done.stderr or "did not come back within 1 s" in done.stderr
    recording = fault.recording
    assert len(recording) == 500
    assert recording.attributes.ledger.end.reason == "camera lost"
    assert recording.attributes.gaps[0].returned is False
    fault.verified()


def test_a_camera_slower_than_asked_is_said_once_with_the_remedy_and_once_when_it_is_back(fault):
    slow = ("FaultSlowAfterFrames=500", "FaultSlowFrames=1400", "FaultSlowExposure=2500")
    result = fault.run("--frames", 4200, features=slow)
    assert result["lost"]["camera"] == 0
    warning, recovery = fault.events("rate")
    assert warning["level"] == "warning"
    assert "of 500 frames a second" in warning["text"]
    assert "its exposure of 2500 µs allows at most 400" in warning["text"]
    assert recovery["level"] == "info"
    assert "back at its rate" in recovery["text"]


def test_a_clock_that_steps_and_ids_that_start_over_have_lines_at_the_frame_that_shows_it(fault):
    features = (
        *("FaultFrameIdBits=16", "FaultFrameIdStart=65236", "FaultClockStepAfterFrames=600", "FaultClockStep=20000"),
        "FaultClockDrift=50",
    )
    fault.run("--frames", 1500, features=features)
    (clock,) = fault.events("clock")
    assert "stepped by +20.0" in clock["text"]
    recording = fault.recording
    stepped = int(np.argmax(np.abs(np.diff(recording.device_ns.astype(np.int64)) - 2_000_000))) + 1
    assert int(clock["host_ns"]) == int(recording.host_ns[stepped])
    (ids,) = fault.events("ids")
    assert "0 follows 65,535" in ids["text"]
    assert int(ids["host_ns"]) == int(recording.host_ns[300])


def test_ptp_is_read_during_the_trial_and_a_change_is_an_event(fault):
    features = ("FaultPtpLossAfterFrames=800", "FaultPtpLossFrames=100000", "FaultClockDrift=20")
    hardware = fault.hardware(ptp="true")
    fault.run("--hw", hardware, "--frames", 2800, features=features)
    ptp = fault.recording.attributes.clock["ptp"]
    assert ptp["enabled"] is True
    assert ptp["readings"][0][1:3] == ["Slave", "Locked"]
    assert ptp["readings"][-1][1:3] == ["Listening", "Unknown"]
    (change,) = fault.events("ptp")
    assert change["level"] == "warning"
    assert "Slave, servo Locked became Listening, servo Unknown" in change["text"]
    assert fault.verified().frames == 2800
