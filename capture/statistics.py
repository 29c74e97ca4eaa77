"""What each capture process says about itself: frozen figures, sent ten times a second and drawn by the monitor."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

RING_GREEN_BELOW = 0.04
"""Ring fill below which all is well (SpikeGLX's long-used thresholds)."""
RING_RED_ABOVE = 0.20
"""Ring fill above which the operator is warned."""
RING_STOP_AT = 0.95
"""Ring fill at which the trial is stopped cleanly, before the ring can overflow."""


class LossLedger(msgspec.Struct, frozen=True):
    """Frames lost in one trial, by cause. Each is counted where it happens."""

    camera: int = 0
    """Frames that the camera or its producer skipped (id gap, underrun), and those that a camera which was away did not
    take (an estimate, see `Gap`)."""
    incomplete: int = 0
    """Frames that arrived with missing pixels."""
    ring: int = 0
    """Frames that found no free slot."""
    disk: int = 0
    """Frames that could not be written."""

    @property
    def total(self) -> int:
        """All frames lost."""
        return self.camera + self.incomplete + self.ring + self.disk


class Gap(msgspec.Struct, frozen=True):
    """A stretch of a trial in which the camera was away.

    Frame ids start over when a camera is opened anew, so that they do not tell what was missed: `frames` is an
    estimate, the length of the gap times the rate before it. It is part of `LossLedger.camera`.
    """

    from_host_ns: int
    """Arrival of the last frame before it; the trial's start where there was none."""
    to_host_ns: int
    """Arrival of the first frame behind it; the trial's end where the camera did not come back."""
    frames: int
    """Frames that were not taken, about."""
    length_ns: int
    """Time between the exposures on both sides, about: the last frame before it may have arrived late."""
    rate_fps: float
    """What `frames` was reckoned with: the rate measured before the gap, or the one asked for."""
    clock: Literal["device", "host"] = "host"
    """Which clock measured the length: the camera's where it ran on, so that the estimate is good to a frame."""
    last_id: int | None = None
    """Frame id in front of it."""
    first_id: int | None = None
    """Frame id behind it."""
    returned: bool = True
    """False where the trial ended before the camera was back."""

    @property
    def seconds(self) -> float:
        """Length in host time."""
        return (self.to_host_ns - self.from_host_ns) / 1e9


class CameraState(StrEnum):
    """Where the camera process is."""

    STARTING = "starting"
    PREVIEW = "preview"
    RECORDING = "recording"
    LOST = "lost"
    STOPPED = "stopped"


class RecorderState(StrEnum):
    """Where the recorder process is."""

    STARTING = "starting"
    IDLE = "idle"
    RECORDING = "recording"
    FAILED = "failed"
    STOPPED = "stopped"


class CameraStatistics(msgspec.Struct, frozen=True):
    """Figures of the camera process; trial figures restart with each trial."""

    state: CameraState = CameraState.STARTING
    camera: str = ""
    """Vendor, model and serial number, as the operator would say it."""
    simulated: bool = False
    rate_asked_fps: float = 0.0
    rate_measured_fps: float = 0.0
    """Over the last second, from device timestamps where the camera has them."""
    frames: int = 0
    """Frames of this trial that went into the ring."""
    losses: LossLedger = LossLedger()
    """`disk` stays 0 here: the recorder counts it."""
    gaps: tuple[Gap, ...] = ()
    """Stretches of this trial in which the camera was away."""
    lost_s: float | None = None
    """How long the camera has been away, while it is waited for."""
    patience_s: float = 0.0
    """How long it is waited for in all; 0: not at all."""
    last_frame_id: int = 0
    ring_slots: int = 0
    ring_used: int = 0
    ring_used_max: int = 0
    """Most slots in use at once in this trial."""
    producer_delivered: int | None = None
    """The GenTL producer's own count; None where it has none."""
    producer_underrun: int | None = None
    clock_source: str = ""
    """`latch`, `arrival` or `` before the first fit."""
    clock_residual_ns: float | None = None
    cpu_s: float = 0.0
    """Processor time of the process since it started, in seconds."""
    trial_cpu_s: float = 0.0
    """Of that, since the trial began; with the simulated camera it makes the frames, too."""


class RecorderStatistics(msgspec.Struct, frozen=True):
    """Figures of the recorder process; trial figures restart with each trial."""

    state: RecorderState = RecorderState.STARTING
    recording: str = ""
    """Path of the recording being written, or of the last one."""
    frames: int = 0
    """Frames of this trial on disk."""
    bytes: int = 0
    """Pixel bytes of this trial on disk."""
    lost_disk: int = 0
    queued: int = 0
    """Frames in the ring that wait for the disk."""
    write_mb_s: float = 0.0
    """Over the last second."""
    disk_free_bytes: int = 0
    disk_total_bytes: int = 0
    direct_io: bool = True
    """False where the file system has no O_DIRECT and writes go through the page cache."""
    last_durable: int = -1
    """Sequence number of the last frame that a reader would find after a crash; -1 before the first."""
    cpu_s: float = 0.0
    """Processor time of the process since it started, in seconds."""
    trial_cpu_s: float = 0.0
    """Of that, since the trial began."""


class LiveSpot(msgspec.Struct, frozen=True):
    """One expression, as the readout tells of it."""

    host_ns: int
    """CLOCK_MONOTONIC of its apex."""
    kind: Literal["micro", "macro"]
    emotion: str
    """An emotion, `not sure`, or empty where no model is at hand."""
    probabilities: tuple[tuple[str, float], ...] = ()
    """The likeliest first."""
    length_ms: float = 0.0
    latency_ms: float = 0.0
    """From its end to the readout."""
    side_px: int = 0
    """Of the two pictures; 0 where there are none."""
    onset_picture: bytes = b""
    """Grey values, line by line."""
    apex_picture: bytes = b""


class LiveStatistics(msgspec.Struct, frozen=True):
    """Figures of the live service: frames looked at, and expressions spotted; frames are those of trials."""

    running: bool = False
    frames_analysed: int = 0
    frames_skipped: int = 0
    """Frames that were not looked at, since the service was too slow, away, or not up yet."""
    spotted: int = 0
    state: str = ""
    """What it does: `starting`, `watching`, `movement`, or what is wrong with the face, such as `no face`."""
    model: str = ""
    """Name of the model, empty where there is none."""
    engine: str = ""
    """What runs it."""
    simulated: bool = False
    """The model was trained on faces that do not exist."""
    behind_ms: float = 0.0
    """Age of the frame that was looked at last."""
    latency_ms: float | None = None
    """From the end of an expression to its readout, the greatest but one per cent, over the session."""
    binning: int = 1
    """Frames that are averaged before movement is measured."""
    position: int = 0
    """Frames of the ring that were dealt with; where a successor goes on."""
    publishes: str = ""
    """Endpoint at which results are published."""
    recent: tuple[LiveSpot, ...] = ()
    """The last expressions, the newest first."""
    cpu_s: float = 0.0
    """Processor time of the process since it started, in seconds."""
    bundle: str = ""
    """Folder of the model that is in use; empty where there is none."""


class ElicitationStatistics(msgspec.Struct, frozen=True):
    """Where a participant's session is."""

    protocol: str = ""
    phase: str = ""
    """Kind of the step that goes on, such as `stimulus`; `starting`, `paused` or `finished` between steps."""
    step: int = 0
    """Number of the step, from 1."""
    steps: int = 0
    stimulus: str = ""
    """Stimulus id that the step belongs to."""
    stimulus_number: int = 0
    """From 1; 0 outside of stimuli."""
    stimuli: int = 0
    left_s: float | None = None
    """How long the step still lasts; None where the participant or the operator ends it."""
    waits_for: str = ""
    """`participant` or `operator`, where a step is theirs to end."""
    pausing: bool = False
    """The session pauses when the step is over, or is paused."""
    penalty: bool = False
    """The long questionnaire comes when the step is over."""
    dropped: int = 0
    """Frames of stimuli that were not shown, over the session."""


class CaptureStatistics(msgspec.Struct, frozen=True):
    """The whole, as the supervisor knows it; what the monitor draws."""

    host_ns: int = 0
    """CLOCK_MONOTONIC when this was put together."""
    session: str = ""
    trial: str = ""
    """Name of the trial that runs, or of the last one; empty before the first."""
    trial_elapsed_s: float = 0.0
    trial_limit_s: float | None = None
    """Planned length; None when the operator stops the trial."""
    trial_open: bool = False
    """Whether a trial was begun and has not ended; it also waits for a camera that went away."""
    frame_bytes: int = 0
    camera: CameraStatistics = CameraStatistics()
    recorder: RecorderStatistics = RecorderStatistics()
    live: LiveStatistics = LiveStatistics()
    elicitation: ElicitationStatistics | None = None
    """None where no session by a protocol is run."""

    @property
    def losses(self) -> LossLedger:
        """The ledger over both processes."""
        return msgspec.structs.replace(self.camera.losses, disk=self.recorder.lost_disk)

    @property
    def ring_fill(self) -> float:
        """Share of the ring in use, 0 to 1."""
        return self.camera.ring_used / self.camera.ring_slots if self.camera.ring_slots else 0.0

    @property
    def disk_time_left_s(self) -> float | None:
        """Seconds of recording that fit on the disk at the rate asked; None before both are known."""
        bytes_per_s = self.frame_bytes * self.camera.rate_asked_fps
        if bytes_per_s <= 0 or self.recorder.disk_total_bytes <= 0:
            return None
        return self.recorder.disk_free_bytes / bytes_per_s
