"""Computes motion curves one after the other, the one asked for last first, and knows how far each is."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from annotation.motion.curve import MotionCurve
from capture.errors import CaptureError
from capture.recording.frame_pictures import FramePictures

_KEPT: Final = 16


@dataclass(frozen=True)
class CurveState:
    """What is known of a recording's curve."""

    state: Literal["ready", "computing", "none"]
    progress: float
    reason: str = ""
    curve: MotionCurve | None = None


@dataclass(frozen=True)
class _Job:
    key: int
    recording: Path
    rate_fps: float
    out: Path


class MotionWorker:
    """One thread that waits for one child process at a time. Files outlive it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[_Job] = []
        self._progress: dict[int, float] = {}
        self._failed: dict[int, str] = {}
        self._curves: dict[int, MotionCurve] = {}
        self._child: subprocess.Popen[str] | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="motion curves", daemon=True)
        self._thread.start()

    def curve(self, key: int, recording: Path, rate_fps: float) -> CurveState:
        """The curve of a recording, or how far it is; the first call has it computed.

        Args:
            key: Number of the recording.
            recording: Where it lies.
            rate_fps: Its rate.
        """
        with self._changed:
            if (known := self._curves.get(key)) is not None:
                return CurveState("ready", 1.0, curve=known)
            if key in self._failed:
                return CurveState("none", 0.0, self._failed[key])
            if key in self._progress:
                self._sooner(key)
                return CurveState("computing", self._progress[key])
        try:
            out = self.place(key, recording)
        except CaptureError as error:
            with self._changed:
                self._failed[key] = str(error)
            return CurveState("none", 0.0, str(error))
        curve = MotionCurve.read(out)
        with self._changed:
            if curve is not None:
                self._keep(key, curve)
                return CurveState("ready", 1.0, curve=curve)
            if key not in self._progress:
                self._progress[key] = 0.0
                self._waiting.append(_Job(key, recording, rate_fps, out))
                self._changed.notify_all()
        return CurveState("computing", 0.0)

    def place(self, key: int, recording: Path) -> Path:
        """The file of a recording's curve; another one when the recording has changed.

        Raises:
            RecordingInvalid: There is no recording.
        """
        return self._folder / f"{key}-{FramePictures(recording, cache_bytes=0).version}.npz"

    def forget(self, key: int) -> None:
        """Remove the curve of a recording that is gone: it is made from the participant's pictures."""
        with self._changed:
            self._curves.pop(key, None)
            self._failed.pop(key, None)
        for file in self._folder.glob(f"{key}-*.npz"):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop; the curve being computed is given up."""
        with self._changed:
            self._stopping = True
            if self._child is not None:
                self._child.terminate()
            self._changed.notify_all()
        self._thread.join()

    def _sooner(self, key: int) -> None:
        """Somebody looks at it now."""
        for index, job in enumerate(self._waiting):
            if job.key == key:
                self._waiting.append(self._waiting.pop(index))
                return

    def _keep(self, key: int, curve: MotionCurve) -> None:
        while len(self._curves) >= _KEPT:
            self._curves.pop(next(iter(self._curves)))
        self._curves[key] = curve

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._waiting)
                if self._stopping:
                    return
                job = self._waiting.pop()
                job.out.parent.mkdir(parents=True, exist_ok=True)
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "annotation.motion", str(job.recording), str(job.rate_fps), str(job.out)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    errors="replace",
                )
            self._follow(job, self._child)

    def _follow(self, job: _Job, child: subprocess.Popen[str]) -> None:
        problem = ""
        with child:
            for line in child.stdout or ():
                done, _, total = line.partition(" ")
                if done.isdigit():
                    with self._changed:
                        self._progress[job.key] = int(done) / max(1, int(total))
                else:
                    problem = line.strip()
        curve = MotionCurve.read(job.out) if child.returncode == 0 else None
        with self._changed:
            self._child = None
            self._progress.pop(job.key, None)
            if curve is not None:
                self._keep(job.key, curve)
            elif not self._stopping:
                self._failed[job.key] = problem or f"the motion curve ended with status {child.returncode}"
