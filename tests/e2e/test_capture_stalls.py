"""A recorder that stands still: shorter than the ring costs nothing, longer is ended or counted, as the file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from capture.recording.reader import Recording
from capture.recording.verify import verify


@pytest.fixture
def hardware(tmp_path):
    """Makes a hardware file for the simulated camera with a ring of this length and behaviour."""

    def make(seconds: float, when_full: str) -> Path:
        file = tmp_path / "ring.toml"
        file.write_text(
            f'name = "Short ring"\nproducer = "simulator"\nrate_fps = 500\nexposure_us = 1500\n'
            f'ring_seconds = {seconds}\nwhen_ring_full = "{when_full}"\n'
        )
        return file

    return make


class Idle:
    """Holds when a process has used no processor time for a while; a camera at 500 frames a second always does."""

    def __init__(self, process: psutil.Process) -> None:
        self.process = process
        self.used = -1.0
        self.unchanged = 0

    def __call__(self) -> bool:
        used = sum(self.process.cpu_times()[:2])
        self.unchanged = self.unchanged + 1 if used == self.used else 0
        self.used = used
        return self.unchanged > 25


class HasWorked:
    """Holds when a process has used this much processor time since this was made."""

    def __init__(self, process: psutil.Process, seconds: float) -> None:
        self.process = process
        self.until = sum(process.cpu_times()[:2]) + seconds

    def __call__(self) -> bool:
        return sum(self.process.cpu_times()[:2]) >= self.until


def stall(journey, process, out: Path, until) -> None:
    """Stop the recorder in the middle of a trial until what `until` makes of the camera's process holds."""
    journey.second_shard(out)
    recorder = journey.child(process.pid, "capture.processes.recorder")
    camera = journey.child(process.pid, "capture.processes.camera")
    recorder.suspend()
    try:
        journey.wait_for(until(camera))
    finally:
        recorder.resume()


def test_a_stall_shorter_than_the_ring_costs_nothing(journey, hardware, tmp_path):
    out = tmp_path / "out"
    with journey.start("--hw", hardware(4.0, "stop"), "--frames", 2500, "--out", out) as process:
        # The camera goes on working while the recorder stands: its processor time tells how long.
        stall(journey, process, out, lambda camera: HasWorked(camera, 0.3))
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    path = journey.recording(out)
    report = verify(path)
    assert report.ok, report.problems
    assert np.diff(Recording.open(path).frame_id.astype(np.int64)).tolist() == [1] * 2499


def test_a_stall_longer_than_the_ring_ends_the_trial_before_a_frame_is_lost(journey, hardware, tmp_path):
    out = tmp_path / "out"
    with journey.start("--hw", hardware(1.5, "stop"), "--out", out) as process:
        stall(journey, process, out, Idle)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the ring ran full" in err.splitlines()[-1]
    path = journey.recording(out)
    report = verify(path)
    assert report.ok, report.problems
    end = Recording.open(path).raw_attributes["ledger"]["end"]
    assert end["reason"] == "ring"
    assert Recording.open(path).attributes.state == "complete"


def test_what_a_stall_longer_than_the_ring_costs_stands_in_all_four_places(journey, hardware, tmp_path):
    out = tmp_path / "out"
    with journey.start("--hw", hardware(0.5, "lose"), "--frames", 2500, "--out", out) as process:
        stall(journey, process, out, lambda camera: HasWorked(camera, 0.5))
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    path = journey.recording(out)
    report = verify(path)
    assert report.ok, report.problems
    recording = Recording.open(path)
    lost = recording.raw_attributes["ledger"]["end"]["losses"]["ring"]
    ids = recording.frame_id.astype(np.int64)
    assert lost > 0
    assert int(ids[-1] - ids[0] + 1 - len(ids)) == lost
    assert f"{lost} lost" in err
    journey.assert_every_stamp_matches(path)
