"""The time of every frame against what the simulated camera knows, while its clock drifts and steps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from capture.recording.reader import Recording
from capture.recording.verify import verify

STEP_AFTER = 1000


def record(journey, out: Path, *features: str, frames: int = 2100) -> tuple[dict, Recording, np.ndarray]:
    """Runs a trial; gives its result line, the recording, and the truth (frames, 3): id, host ns, device ns."""
    truth_log = out / "truth.tsv"
    options = [part for feature in (*features, f"SimulationTruthLog={truth_log}") for part in ("--set", feature)]
    done = journey.run(
        *("--no-tui", "--no-live", "--json", "--fps", 500, "--frames", frames, "--out", out / "data"), *options
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    recording = Recording.open(Path(result["recording"]))
    lines = (line.split("\t") for line in truth_log.read_text().splitlines())
    truth = np.array([[int(v) for v in line[:3]] for line in lines if line[0].isdecimal()], dtype=np.int64)
    # The log goes on over previews; the trial's frames are told by their device times as well as their ids.
    known = {(row[0], row[2]): i for i, row in enumerate(truth.tolist())}
    pairs = zip(recording.frame_id.tolist(), recording.device_ns.tolist(), strict=True)
    return result, recording, truth[[known[pair] for pair in pairs]]


def rms(error_ns: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error_ns.astype(np.float64) ** 2)))


@pytest.mark.parametrize("step_us", [20_000, -20_000])
def test_a_frame_has_its_true_time_before_at_and_after_a_step_of_the_clock(journey, tmp_path, step_us):
    faults = ("FaultClockDrift=50", "FaultJitter=1000", f"FaultClockStepAfterFrames={STEP_AFTER}")
    result, recording, truth = record(journey, tmp_path, *faults, f"FaultClockStep={step_us}")

    error = recording.times_ns() - truth[:, 1]
    stepped = int(np.argmax(np.abs(np.diff(truth[:, 2]) - 2_000_000))) + 1
    parts = {"before": slice(0, stepped), "around": slice(stepped - 5, stepped + 5), "after": slice(stepped, None)}
    errors = {name: rms(error[part]) for name, part in parts.items()}
    assert max(errors.values()) < 200_000, errors
    assert np.abs(error).max() < 1_000_000, "no frame is given to the wrong side of the step"

    clock = recording.attributes.clock
    assert [s["from_host_ns"] for s in clock["segments"]] == [0, int(recording.host_ns[stepped])]
    assert abs(clock["drift_ppm"] + 50) < 20
    assert rms(error) < 2 * result["clock"]["residual_ns"], "what is stated is honest"
    assert recording.seconds == pytest.approx(len(recording) / 500, rel=1e-3)
    assert verify(recording.path).ok


def test_a_clock_that_is_reset_changes_neither_the_duration_nor_the_rate(journey, tmp_path):
    out = tmp_path / "data"
    faults = ("FaultClockStepAfterFrames=600", "FaultClockStep=-1000000")
    options = [part for fault in faults for part in ("--set", fault)]
    done = journey.run(*("--no-tui", "--no-live", "--json", "--fps", 500, "--duration", 3, "--out", out), *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["frames"] == pytest.approx(1500, abs=25), "to the delay of the one frame that showed the reset"
    assert result["fps"] == pytest.approx(500, rel=0.02)
    recording = Recording.open(Path(result["recording"]))
    assert len(recording.attributes.clock["segments"]) == 2
    interval = np.diff(recording.times_ns())
    assert np.abs(interval - 2_000_000).max() < 1_000_000


@pytest.mark.beside_others
def test_ids_that_start_over_are_counted_on_both_sides(journey, tmp_path):
    faults = ("FaultFrameIdBits=16", "FaultFrameIdStart=65236", "FaultFrameIdGapEvery=299", "FaultFrameIdGapLength=4")
    options = [part for fault in faults for part in ("--set", fault)]
    done = journey.run("--no-tui", "--no-live", "--json", "--fps", 500, "--frames", 500, "--out", tmp_path, *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    recording = Recording.open(Path(result["recording"]))
    # The camera skipped 0 as well. It was never seen, so that it may be an id which this camera does not use.
    assert recording.attributes.ledger.end.lost_ids["camera"] == [(65_535, 65_535), (1, 2)]
    assert result["lost"]["camera"] == 3
    assert verify(recording.path).ok
