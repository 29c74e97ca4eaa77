"""Kills processes of `dfme-capture` at random moments and looks at what is left; shared by a test and a benchmark."""

from __future__ import annotations

import contextlib
import mmap
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tensorstore
import zarr

from capture.recording.reader import Recording
from capture.recording.verify import verify

FATAL = ("camera", "supervisor", "tree")
"""A trial ends with these."""
TARGETS = ("recorder", "monitor", *FATAL)
FPS = 500
MOST_MS = 100.0
"""What may be gone of the time before a kill."""
LONGEST_S = 60.0
RESTARTS = 5
"""So often the supervisor starts a recorder anew in one session."""
_LONGEST_PAUSE_S = 0.5
"""Five times as long as frames may wait for the disk to have them."""
_WATCHED_S = 0.3
_HARDWARE = f"""
name = "Simulated camera with a long ring"
producer = "simulator"
rate_fps = {FPS}
ring_seconds = 5.0
"""
"""A busy machine may need longer for a new recorder than the usual two seconds of ring last."""
_RECORDING = "capture.processes.recorder"
_CAMERA = "capture.processes.camera"


@dataclass(frozen=True)
class Kill:
    """One kill and what it cost."""

    target: str
    after_ms: float
    """From the first frame in the recording, or from the last kill, to this one."""
    frames: int
    """Frames that the recording has afterwards."""
    lost_ms: float
    """Age of its last frame at the kill; where the trial goes on, frame ids that it lacks, as time."""
    waited_ms: float
    """For how long camera and recorder had just waited for a core, or a write of ours beside theirs for the disk."""
    opens: bool
    """Whether zarr-python and tensorstore read the first and the last frame as our reader does, without repair."""
    said: bool
    """Whether `verify` says what it should: that something is missing where something may be, and nothing otherwise."""

    @property
    def as_promised(self) -> bool:
        """Whether it cost no more than it may."""
        most = 0.0 if self.target in ("recorder", "monitor") else MOST_MS + self.waited_ms
        return self.opens and self.said and self.lost_ms <= most


class Capture:
    """`dfme-capture` at 500 frames a second, on a terminal with its monitor or without."""

    def __init__(self, out: Path, *, monitor: bool) -> None:
        self.out = out
        hardware = out / "camera.toml"
        hardware.write_text(_HARDWARE)
        command = [sys.executable, "-P", "-m", "capture.cli", "--hw", str(hardware), "--no-live", "--out", str(out)]
        environment = {**os.environ, "DFME_SIMULATOR_PICTURE": "test"}
        self._screen: int | None = None
        if monitor:
            self._screen, other = pty.openpty()
            environment |= {"TERM": "xterm-256color"}
            self.process = subprocess.Popen(
                command, stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True
            )
            os.close(other)
            threading.Thread(target=self._look_away, daemon=True).start()
        else:
            null = subprocess.DEVNULL
            self.process = subprocess.Popen(
                [*command, "--no-tui"], stdin=null, stdout=null, stderr=null, env=environment
            )
        self.path = self._first_frames()
        self.disk = DiskProbe(out)
        self.family = psutil.Process(self.process.pid).children()

    def _look_away(self) -> None:
        """Read what the monitor draws, so that it never waits for its terminal."""
        with contextlib.suppress(OSError):
            while self._screen is not None and os.read(self._screen, 65_536):
                pass

    def _first_frames(self) -> Path:
        def found() -> Path | None:
            for path in self.out.glob("*/recordings/*.zarr"):
                with contextlib.suppress(Exception):  # files are made while we look
                    if len(Recording.open(path)):
                        return path
            return None

        return wait_for(found, f"no recording came up below {self.out}")

    def child(self, name: str) -> psutil.Process | None:
        """The child process that runs a module called like that."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if any(part.endswith(name) for part in process.cmdline()):
                        return process
        return None

    def victims(self, target: str) -> list[psutil.Process]:
        """The processes to kill, the supervisor first so that it cannot help the others."""
        supervisor = psutil.Process(self.process.pid)
        if target == "supervisor":
            return [supervisor]
        if target == "tree":
            return [supervisor, *supervisor.children(recursive=True)]
        child = self.child({"monitor": "capture.monitor"}.get(target, f"capture.processes.{target}"))
        return [child] if child is not None else []

    def waited_ns(self) -> int:
        """For how long camera and recorder have waited for a core so far, all their threads together."""
        waited = 0
        for name in (_CAMERA, _RECORDING):
            process = self.child(name)
            for thread in Path(f"/proc/{process.pid}/task").iterdir() if process is not None else ():
                with contextlib.suppress(OSError):
                    waited += int((thread / "schedstat").read_text().split()[1])
        return waited

    @property
    def ended(self) -> bool:
        """Whether the command has come to its end."""
        return self.process.poll() is not None

    @property
    def over(self) -> bool:
        """Whether the trial has come to its end; with the monitor the command goes on."""
        return self.ended or Recording.open(self.path).attributes.state == "complete"

    @property
    def behind_ms(self) -> float:
        """Age of the newest frame that a reader finds."""
        return (time.monotonic_ns() - int(Recording.open(self.path).host_ns[-1])) / 1e6

    def stop(self) -> int:
        """Ctrl-C, as the operator ends it; the exit status."""
        if not self.ended:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(LONGEST_S)

    def close(self) -> None:
        """End what is left."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self.victims("tree"):
                process.kill()
        self.process.wait()
        self.disk.close()
        psutil.wait_procs(self.family, timeout=LONGEST_S)
        if self._screen is not None:
            os.close(self._screen)
            self._screen = None


class DiskProbe:
    """Writes a block past the page cache now and then: how long that takes is how long anybody waits for this disk."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY | os.O_DIRECT)
        self._block = mmap.mmap(-1, mmap.PAGESIZE)
        self._took: deque[tuple[float, float]] = deque(maxlen=200)
        self._began: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(0.02):
            self._began = time.monotonic()
            os.pwrite(self._fd, self._block, 0)
            self._took.append((time.monotonic(), time.monotonic() - self._began))
            self._began = None

    def longest_ms(self) -> float:
        """The longest write of the last second, one that is not done yet among them."""
        now, began = time.monotonic(), self._began
        took = [seconds for at, seconds in list(self._took) if at > now - 1]
        return max([*took, now - began if began is not None else 0.0], default=0.0) * 1e3

    def close(self) -> None:
        """Stop writing."""
        self._over.set()
        self._thread.join()
        os.close(self._fd)


@contextlib.contextmanager
def capture(folder: Path, *, monitor: bool = False) -> Iterator[Capture]:
    """A capture that records by now; it and its recording are gone afterwards."""
    out = Path(tempfile.mkdtemp(prefix="dfme-kill-", dir=folder))
    running = Capture(out, monitor=monitor)
    try:
        yield running
    finally:
        running.close()
        shutil.rmtree(out, ignore_errors=True)


def campaign(counts: Mapping[str, int], folder: Path, chance: random.Random) -> Iterator[Kill]:
    """Kill each target so many times, as few captures as that takes: what a trial survives first, the rest at its end.

    Args:
        counts: Kills due, by target.
        folder: On the disk to be used; recordings there are removed again.
        chance: Random moments, and the order.
    """
    due = dict(counts)
    while any(due.values()):
        last = max(FATAL, key=lambda target: due.get(target, 0))
        captures = max(sum(due.get(target, 0) for target in FATAL), 1)
        row = ["recorder"] * min(-(-due.get("recorder", 0) // captures), RESTARTS)
        row += ["monitor"] * min(due.get("monitor", 0), 1)
        chance.shuffle(row)
        kills = one_capture([*row, *([last] if due.get(last) else [])], folder, chance)
        for kill in kills:
            due[kill.target] -= 1
            yield kill


def one_capture(targets: Sequence[str], folder: Path, chance: random.Random) -> list[Kill]:
    """Kill one target after the other in one trial, each at a random moment, and look at what is left.

    Where a busy machine takes longer to start a recorder than the ring lasts, the trial ends cleanly before the ring
    overflows; the kills that were still due are then left out.
    """
    pause = threading.Event()
    with capture(folder, monitor="monitor" in targets) as running:
        path = running.path
        struck: list[tuple[str, float]] = []
        killed_ns, waited_ms = 0, 0.0
        for target in targets:
            if target in FATAL:
                # Behind a recorder that was killed the next one finds a ring full of frames, and is late until it has
                # written them: a second kill then would tell of the first one.
                wait_for(lambda: running.over or running.behind_ms < MOST_MS, "no recorder caught up")
            begun = time.monotonic()
            pause.wait(chance.uniform(0.0, _LONGEST_PAUSE_S))
            if target in FATAL:
                waited_before_ns = running.waited_ns()
                pause.wait(_WATCHED_S)
            victims = running.victims(target)
            if running.over or not victims:
                break
            if target in FATAL:
                waited_ms = max(running.waited_ns() - waited_before_ns, 0) / 1e6 + running.disk.longest_ms()
            frames = len(Recording.open(path))
            killed_ns = time.monotonic_ns()
            for victim in victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
            struck.append((target, (time.monotonic() - begun) * 1e3))
            if target not in FATAL:
                wait_for(
                    lambda frames=frames: running.over or len(Recording.open(path)) > frames + 50,
                    f"the recording stood still when the {target} was killed",
                )
        last = struck[-1][0] if struck else ""
        if last not in FATAL:
            running.stop()
        running.process.wait(LONGEST_S)
        psutil.wait_procs(running.family, timeout=LONGEST_S)
        return _verdicts(struck, path, killed_ns, waited_ms)


def _verdicts(struck: Sequence[tuple[str, float]], path: Path, killed_ns: int, waited_ms: float) -> list[Kill]:
    """What the kills of one capture cost; `killed_ns` is the moment of the last."""
    recording = Recording.open(path)
    opens, report = opens_everywhere(path, recording), verify(path)
    end = recording.attributes.ledger.end
    last = struck[-1][0] if struck else ""
    if last in ("tree", "camera"):
        said = not report.ok
    else:
        said = report.ok and end is not None and end.reason in ("signal", "ring")
    kills = []
    for target, after_ms in struck:
        fatal = target in FATAL
        lost_ms = (killed_ns - int(recording.host_ns[-1])) / 1e6 if fatal else missing(recording) * 1e3 / FPS
        waited = round(waited_ms, 1) if fatal else 0.0
        kills.append(Kill(target, round(after_ms, 1), len(recording), round(lost_ms, 2), waited, opens, said))
    return kills


def missing(recording: Recording) -> int:
    """Frame ids between the first and the last frame that no frame has."""
    return int(recording.frame_id[-1]) - int(recording.frame_id[0]) + 1 - len(recording)


def opens_everywhere(path: Path, recording: Recording) -> bool:
    """Whether zarr-python and tensorstore find the first and the last frame as our reader does."""
    group = zarr.open_group(path, mode="r")
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/frames/"}}
    other = tensorstore.open(store).result()
    return all(
        np.array_equal(group["frames"][i], recording.frame(i))
        and np.array_equal(other[i].read().result(), recording.frame(i))
        for i in (0, len(recording) - 1)
    )


def wait_for(condition: Callable[[], Any], otherwise: str) -> Any:
    """What `condition` gives once it gives something."""
    deadline = time.monotonic() + LONGEST_S
    pause = threading.Event()
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        pause.wait(0.01)
    raise TimeoutError(otherwise)
