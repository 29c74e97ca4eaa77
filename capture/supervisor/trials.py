"""The supervisor's book of trials: what camera and recorder said of each, put together into one result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from capture.messages import End, Finished, Start, TrialEnded, TrialStarted
from capture.session import Session
from capture.statistics import CameraStatistics, CaptureStatistics, Gap, LossLedger

_CLEAN_REASONS = ("frames", "duration", "operator", "signal", "protocol")
_REMEDIES = {
    "ring": "the ring ran full because the disk or this machine did not keep up: record slower, or find what else runs",
    "disk": "the disk is full or failed: make room, or choose another disk with --out",
    "camera lost": "the camera stopped answering: check its power and its cables",
}
"""What to say for a trial that ended for another reason."""


@dataclass(frozen=True)
class TrialResult:
    """One finished trial."""

    name: str
    recording: Path
    frames: int
    """Frames on disk."""
    fps: float
    seconds: float
    losses: LossLedger
    bytes: int
    write_mb_s: float
    clock_residual_ns: float | None
    reason: str
    error: str = ""
    exact: bool = True
    """False where the camera process died: what it lost at its end nobody knows."""
    gaps: tuple[Gap, ...] = ()
    """Stretches in which the camera was away."""
    camera_cpu_s: float = 0.0
    """Processor time of the camera process during the trial; with the simulated camera it makes the frames, too."""
    recorder_cpu_s: float = 0.0

    def summary(self) -> str:
        """One line for the operator."""
        lost = f"{self.losses.total} lost" if self.losses.total else "nothing lost"
        if not self.exact:
            lost += " that is known of"
        text = f"{self.name}: {self.frames} frames in {self.seconds:.3f} s, {lost}"
        if self.gaps:
            away_s = sum(gap.seconds for gap in self.gaps)
            about = sum(gap.frames for gap in self.gaps)
            text += f", of these about {about:,} not taken while the camera was away for {away_s:.1f} s"
        if self.error:
            return f"{text}; ended early: {self.error}"
        return text

    def as_finished(self) -> Finished:
        """What whoever asked for the trial is told."""
        return Finished("", str(self.recording), self.frames, self.bytes, self.losses.disk, self.write_mb_s, self.error)

    def as_json(self) -> dict[str, Any]:
        """The figures as `--json` prints them."""
        return {
            "recording": str(self.recording),
            "frames": self.frames,
            "fps": round(self.fps, 3),
            "seconds": round(self.seconds, 6),
            "lost": msgspec.to_builtins(self.losses),
            "gaps": [{"seconds": round(gap.seconds, 6), **msgspec.to_builtins(gap)} for gap in self.gaps],
            "bytes": self.bytes,
            "write_mb_s": round(self.write_mb_s, 1),
            "clock": {"residual_ns": self.clock_residual_ns},
            "cpu_ms_per_frame": {
                "camera": round(self.camera_cpu_s * 1e3 / max(self.frames, 1), 4),
                "recorder": round(self.recorder_cpu_s * 1e3 / max(self.frames, 1), 4),
            },
        }


class TrialBook:
    """Keeps the running trial and the results of those before; writes both to the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.results: list[TrialResult] = []
        self.name = ""
        self._path = Path()
        self._running = False
        self._started_ns = 0
        self._start: Start | None = None
        self._elapsed_s = 0.0
        self._ended: TrialEnded | None = None
        self._finished: Finished | None = None

    @property
    def running(self) -> bool:
        """Whether a trial was begun and is not complete."""
        return self._running

    @property
    def camera_is_done(self) -> bool:
        """Whether the camera process has ended the trial."""
        return self._ended is not None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the trial started, or its length when it is over."""
        if self._running and self._started_ns and self._ended is None:
            return (time.monotonic_ns() - self._started_ns) / 1e9
        return self._elapsed_s

    def begin(self, kind: str = "", stimulus: str | None = None) -> tuple[str, Path]:
        """Open a new trial of this kind; returns its name and where its recording goes."""
        self.name = self._session.next_trial_name()
        self._path = self._session.begin_trial(self.name, kind=kind, stimulus=stimulus)
        self._running = True
        self._started_ns = 0
        self._start = None
        self._elapsed_s = 0.0
        self._ended = None
        self._finished = None
        return self.name, self._path

    def started(self, message: TrialStarted) -> None:
        """The camera process began to record."""
        self._started_ns = message.host_ns
        self._start = message.start

    def camera_ended(self, message: TrialEnded) -> None:
        """The camera process counted the trial."""
        self._ended = message
        self._elapsed_s = message.seconds

    def recorder_finished(self, message: Finished) -> None:
        """The recorder closed the recording."""
        self._finished = message
        # On a storage machine it lies elsewhere than was planned here.
        self._path = Path(message.path or self._path)

    def recorder_gone(self, error: str) -> None:
        """The recorder will not close the recording any more; what it flushed is valid."""
        self._finished = Finished("", str(self._path), 0, 0, 0, 0.0, error)

    def end_for_dead_camera(self, last: CameraStatistics, error: str) -> End:
        """An `end` in place of the one that the camera process can no longer send."""
        return End(
            series="",
            frames=last.frames,
            losses=last.losses,
            lost_ids={},
            producer={"delivered": None, "underrun": None, "surplus": 0},
            clock={"source": "none"},
            reason=error,
            host_ns=time.monotonic_ns(),
            exact=False,
            gaps=last.gaps,
        )

    @property
    def instead_of_camera(self) -> tuple[Start | End, ...]:
        """What a camera process that died would have told a recorder that does not know the trial or its end yet."""
        if not self._running or self._ended is None or self._ended.end.exact or self._finished is not None:
            return ()
        return (self._ended.end,) if self._start is None else (self._start, self._ended.end)

    def complete(self, shown: CaptureStatistics) -> TrialResult | None:
        """The result, once both sides have spoken; also goes into the session, with what the monitor showed last."""
        ended, finished = self._ended, self._finished
        if not self._running or ended is None or finished is None:
            return None
        end = ended.end
        error = finished.error or ("" if end.reason in _CLEAN_REASONS else _REMEDIES.get(end.reason, end.reason))
        result = TrialResult(
            name=self.name,
            recording=self._path,
            frames=finished.frames,
            fps=ended.fps,
            seconds=ended.seconds,
            losses=msgspec.structs.replace(end.losses, disk=finished.lost_disk),
            bytes=finished.bytes,
            write_mb_s=finished.write_mb_s,
            clock_residual_ns=end.clock.get("residual_ns"),
            reason=end.reason,
            error=error,
            exact=end.exact,
            gaps=end.gaps,
            camera_cpu_s=shown.camera.trial_cpu_s,
            recorder_cpu_s=shown.recorder.trial_cpu_s,
        )
        self._session.end_trial(
            self.name,
            seconds=result.seconds,
            frames=result.frames,
            fps=result.fps,
            lost=msgspec.to_builtins(result.losses),
            reason=end.reason,
            monitor={
                "frames": shown.recorder.frames,
                "losses": msgspec.to_builtins(shown.losses),
                "gaps": msgspec.to_builtins(shown.camera.gaps),
            },
        )
        self._running = False
        self.results.append(result)
        return result
