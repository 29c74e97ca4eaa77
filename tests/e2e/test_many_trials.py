"""Trial after trial in one tree of processes: nothing that a trial takes is kept.

`DFME_MANY_TRIALS=200` for the whole of it; the suite takes fewer.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from dataclasses import astuple
from pathlib import Path

import numpy as np
import psutil
import pytest
import zmq

from capture.messages import Command, encode
from capture.recording.reader import Recording
from capture.recording.verify import verify
from tests.e2e.resources import Counts, family, held

pytestmark = pytest.mark.beside_others

TRIALS = int(os.environ.get("DFME_MANY_TRIALS") or 40)
WARM_UP = max(10, TRIALS // 4)
"""Trials after which every cache of every library has what it keeps."""
MOST_KB_PER_TRIAL = 150.0
"""Less than one frame, and a thousandth of the camera's buffers."""
HARDWARE = """
name = "Simulated camera, small"
producer = "simulator"
rate_fps = 200
width_px = 512
height_px = 384
buffers = 200
"""


class Operator:
    """Starts and stops trials as the monitor does, by messages to the hub of a capture on a terminal."""

    def __init__(self, journey, out: Path) -> None:
        self.journey, self.out = journey, out
        hardware = out / "camera.toml"
        hardware.write_text(HARDWARE)
        self._screen, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [*journey.command, "--hw", str(hardware), "--no-live", "--out", str(out)],
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "DFME_SIMULATOR_PICTURE": "test"},
        )  # fmt: skip
        os.close(terminal)
        threading.Thread(target=self._look_away, daemon=True).start()
        journey.wait_for(lambda: len(self.trials()) == 1)
        self.processes = family(self.process.pid)
        task = json.loads(Path(self.processes["camera"].cmdline()[-1]).read_text())
        self._context: zmq.Context = zmq.Context()
        self._hub = self._context.socket(zmq.DEALER)
        self._hub.connect(task["hub"])

    def _look_away(self) -> None:
        try:
            while os.read(self._screen, 65_536):
                pass
        except OSError:
            return

    def trials(self) -> list[dict]:
        (document,) = self.out.glob("*/session.json")
        return json.loads(document.read_text())["trials"]

    def start(self) -> None:
        number = len(self.trials()) + 1
        self._hub.send(encode(Command("start_trial")))
        self.journey.wait_for(lambda: len(self.trials()) == number)

    def stop(self) -> dict:
        """Stop the trial once it has some frames, and wait for the last line about it; what the session says of it."""
        folder = next(self.out.glob("*/session.json")).parent
        path = folder / self.trials()[-1]["recording"]
        self.journey.wait_for(lambda: len(Recording.open(path)) > 0)
        self._hub.send(encode(Command("stop_trial")))
        self.journey.wait_for(lambda: self.trials()[-1].get("seconds") is not None)
        # Only then is the log no longer rewritten, for which the supervisor has a file open.
        said = f"\t{self.trials()[-1]['name']}: "
        self.journey.wait_for(lambda: said in (folder / "events.tsv").read_text())
        return {**self.trials()[-1], "path": path}

    def close(self) -> None:
        self._hub.send(encode(Command("quit")))
        try:
            self.process.wait(30)
        finally:
            self._hub.close(linger=0)
            self._context.term()
            self.process.kill()
            self.process.wait()
            os.close(self._screen)


@pytest.fixture
def operator(journey, tmp_path):
    operator = Operator(journey, tmp_path)
    yield operator
    operator.close()


@pytest.mark.timeout(900)
def test_nothing_that_a_trial_takes_is_kept(operator, journey):
    looks: dict[str, list] = {name: [] for name in operator.processes}
    for number in range(1, TRIALS + 1):
        if number > 1:
            operator.start()
        trial = operator.stop()
        if number in (1, TRIALS):
            report = verify(trial["path"])
            assert report.ok, report.problems
        if number >= WARM_UP and (number - WARM_UP) % 5 == 0:
            for name, process in operator.processes.items():
                looks[name].append((number, held(process)))

    assert set(family(operator.process.pid)) == set(looks), "every process is the one that began"
    for name, taken in looks.items():
        numbers, memory = [n for n, _ in taken], [one.private_mb for _, one in taken]
        slope_kb = float(np.polyfit(numbers, memory, 1)[0]) * 1024
        print(f"{name}: {memory[0]} to {memory[-1]} MB, {slope_kb:.1f} kB a trial, {taken[-1][1].counts}")  # noqa: T201
        assert slope_kb < MOST_KB_PER_TRIAL, f"{name} grows: {memory}"
        no_more_than(taken[0][1].counts, name, operator.processes[name], journey)


def no_more_than(first: Counts, name: str, process: psutil.Process, journey) -> None:
    """A process has come back to what it had open; a file that is open for a moment is not waited for in vain."""
    last = first

    def back() -> bool:
        nonlocal last
        last = held(process).counts
        return all(now <= before for now, before in zip(astuple(last), astuple(first), strict=True))

    try:
        journey.wait_for(back, seconds=5)
    except AssertionError:
        pytest.fail(f"{name} had {first} open after {WARM_UP} trials, {last} after {TRIALS}")
