"""What is left when a process of `dfme-capture` is killed, stopped, or loses its terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading

import numpy as np
import psutil
import pytest
import zarr

from capture.recording.reader import Recording
from capture.recording.repair import repair
from capture.recording.verify import verify


@pytest.mark.beside_others
def test_when_the_supervisor_is_killed_the_recording_is_closed_by_itself(journey, tmp_path):
    with journey.start("--fps", 500, "--out", tmp_path) as process:
        journey.second_shard(tmp_path)
        process.kill()
        process.communicate()
    path = journey.recording(tmp_path)
    journey.wait_for(lambda: Recording.open(path).attributes.state == "complete")
    journey.assert_every_stamp_matches(path)
    assert Recording.open(path).raw_attributes["ledger"]["end"]["reason"] == "signal"


@pytest.mark.beside_others
@pytest.mark.parametrize("also_dies", ["", "capture.processes.recorder"], ids=["alone", "with the recorder"])
def test_when_the_camera_process_is_killed_all_that_it_had_put_into_the_ring_is_kept(journey, tmp_path, also_dies):
    with journey.start("--fps", 500, "--out", tmp_path) as process:
        journey.second_shard(tmp_path)
        ring = journey.ring(process.pid)
        camera = journey.child(process.pid, "capture.processes.camera")
        if also_dies:
            journey.child(process.pid, also_dies).kill()
        camera.kill()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "camera process was killed by signal 9" in err.splitlines()[-1]
    assert "nothing lost that is known of" in err
    path = journey.recording(tmp_path)
    recording = Recording.open(path)
    assert recording.attributes.state == "complete"
    assert len(recording) == ring.published, "without preview only the trial's frames are in the ring"
    assert np.diff(recording.frame_id.astype(np.int64)).tolist() == [1] * (len(recording) - 1)
    journey.assert_every_stamp_matches(path)
    (problem,) = verify(path).problems
    assert "which frames were lost after the last one is unknown" in problem


@pytest.mark.beside_others
def test_a_camera_that_is_not_waited_for_ends_the_trial_with_all_it_delivered(journey, tmp_path):
    hardware = tmp_path / "impatient.toml"
    hardware.write_text('name = "Impatient"\nproducer = "simulator"\nrate_fps = 500\nreconnect_seconds = 0\n')
    done = journey.run(
        *("--hw", hardware, "--no-tui", "--no-live", "--out", tmp_path, "--set", "SimulationSource=Stamped"),
        *("--set", "FaultDisconnectAfterFrames=700"),
    )
    assert done.returncode == 1
    assert "stopped answering" in done.stderr.splitlines()[-1]
    path = journey.recording(tmp_path)
    report = verify(path)
    assert report.ok, report.problems
    recording = Recording.open(path)
    assert len(recording) == 700
    assert recording.attributes.state == "complete"
    assert recording.raw_attributes["ledger"]["end"]["reason"] == "camera lost"
    journey.assert_every_stamp_matches(path)


def test_when_the_recorder_is_killed_another_goes_on_and_nothing_is_lost(journey, tmp_path):
    with journey.start("--fps", 500, "--frames", 2600, "--out", tmp_path) as process:
        for shard in (1, 3):
            journey.wait_for(lambda number=shard: any(tmp_path.glob(f"*/recordings/*.zarr/frames/c/{number + 1}")))
            journey.child(process.pid, "capture.processes.recorder").kill()
            journey.wait_for(lambda: journey.child(process.pid, "capture.processes.recorder").is_running())
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err.count("killed by signal 9; started anew") == 2
    path = journey.recording(tmp_path)
    report = verify(path)
    assert report.ok, report.problems
    recording = Recording.open(path)
    assert len(recording) == 2600
    assert np.diff(recording.frame_id.astype(np.int64)).tolist() == [1] * 2599
    journey.assert_every_stamp_matches(path)


@pytest.mark.beside_others
def test_a_whole_tree_that_is_killed_leaves_a_recording_that_opens_and_can_be_repaired(journey, tmp_path):
    with journey.start("--fps", 500, "--out", tmp_path) as process:
        journey.second_shard(tmp_path)
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in tree:
            member.kill()
        process.communicate()
    psutil.wait_procs(tree, timeout=10)
    path = journey.recording(tmp_path)
    assert Recording.open(path).attributes.state == "recording"
    journey.assert_every_stamp_matches(path)
    frames = zarr.open_group(path, mode="r")["frames"]
    counted = len(Recording.open(path))
    np.testing.assert_array_equal(frames[counted - 1], Recording.open(path).frame(counted - 1))
    assert not verify(path).ok
    repair(path)
    assert Recording.open(path).attributes.state == "repaired"
    assert len(Recording.open(path)) >= counted
    journey.assert_every_stamp_matches(path)


@pytest.mark.beside_others
def test_a_supervisor_that_is_stopped_for_a_while_costs_nothing(journey, tmp_path):
    with journey.start("--fps", 500, "--frames", 1500, "--out", tmp_path) as process:
        journey.wait_for(lambda: any(tmp_path.glob("*/recordings/*.zarr/frames/c/1")))
        process.send_signal(signal.SIGSTOP)
        path = journey.recording(tmp_path)
        journey.wait_for(lambda: len(Recording.open(path)) == 1500)
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    report = verify(path)
    assert report.ok, report.problems
    assert np.diff(Recording.open(path).frame_id.astype(np.int64)).tolist() == [1] * 1499


LEAVE_SCREEN = b"\x1b[?1049l"


class Terminal:
    """A terminal of 80x24 with `dfme-capture` and its monitor on it."""

    def __init__(self, command: list[str]) -> None:
        self.end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        # Only its controlling terminal sends a process Ctrl-C.
        owner = ["setsid", "--ctty", *command]
        self.process = subprocess.Popen(owner, stdin=other, stdout=other, stderr=other, env=environment)
        os.close(other)
        self.shown = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                self.shown += os.read(self.end, 65536)
            except OSError:
                return

    def press(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.beside_others
def test_the_operator_starts_stops_marks_and_quits_by_keys(journey, tmp_path):
    terminal = Terminal([*journey.command, "--fps", "200", "--no-live", "--out", str(tmp_path)])
    try:
        events = tmp_path.glob("*/events.tsv")
        journey.wait_for(lambda: b"RECORDING" in terminal.shown)
        log = next(events)
        terminal.press("m")
        journey.wait_for(lambda: "\tmarker\t" in log.read_text())
        terminal.press("s")
        journey.wait_for(lambda: list(log.parent.glob("stills/*.png")))
        terminal.press(" ")
        journey.wait_for(lambda: "nothing lost" in log.read_text())
        journey.wait_for(lambda: b"PREVIEW" in terminal.shown)
        before = len(terminal.shown)
        terminal.press(" ")
        journey.wait_for(lambda: "trial-002 started" in log.read_text())
        journey.wait_for(lambda: b"RECORDING" in terminal.shown[before:])
        terminal.press("q")
        journey.wait_for(lambda: b"Stop the trial" in terminal.shown)
        terminal.press("y")
        assert terminal.process.wait(30) == 0
    finally:
        terminal.close()
    for trial in ("trial-001", "trial-002"):
        report = verify(log.parent / "recordings" / f"{trial}.zarr")
        assert report.ok, report.problems


@pytest.mark.beside_others
def test_when_the_monitor_is_killed_the_recording_goes_on_until_ctrl_c(journey, tmp_path):
    terminal = Terminal([*journey.command, "--fps", "200", "--no-live", "--out", str(tmp_path)])
    try:
        journey.wait_for(lambda: b"RECORDING" in terminal.shown)
        assert not termios.tcgetattr(terminal.end)[3] & termios.ISIG, "the monitor takes every key"
        journey.child(terminal.process.pid, "capture.monitor").kill()
        journey.wait_for(lambda: b"recording goes on" in terminal.shown)
        assert LEAVE_SCREEN in terminal.shown
        path = journey.recording(tmp_path)
        frames = len(Recording.open(path))
        journey.wait_for(lambda: len(Recording.open(path)) > frames + 100)
        terminal.press("\x03")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    report = verify(path)
    assert report.ok, report.problems
    assert Recording.open(path).attributes.ledger.end.reason == "signal"
