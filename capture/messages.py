"""The message grammar between our processes: msgpack structs with a version, refused when the major is unknown.

Frames follow start / image / end on the recording path. Everything else (statistics, events, commands)
goes over the supervisor's hub. Pixels never travel between local processes; `Image` names a ring slot.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from capture.elicited import Elicited
from capture.errors import MessageRefused
from capture.statistics import (
    CameraStatistics,
    CaptureStatistics,
    ElicitationStatistics,
    Gap,
    LiveStatistics,
    LossLedger,
    RecorderStatistics,
)

PROTOCOL_MAJOR = 1
PROTOCOL_MINOR = 2


Count = Annotated[int, msgspec.Meta(ge=0)]
Side = Annotated[int, msgspec.Meta(ge=1, le=65_536)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class Start(msgspec.Struct, frozen=True, tag="start"):
    """A trial begins: everything that the recorder must know before the first frame."""

    series: str
    """Unique name of this run of frames; every later message repeats it."""
    session: str
    trial: str
    path: str
    """Folder of the recording, `….zarr`."""
    height_px: Side
    width_px: Side
    rate_fps: Rate
    host_ns: Count
    attributes: dict[str, Any] = {}
    """Camera description, features as set and as read back; goes into the recording as it is."""
    published: int = 0
    """Frames that the ring had seen when the trial began."""
    protocol: tuple[int, int] = (PROTOCOL_MAJOR, PROTOCOL_MINOR)


class Image(msgspec.Struct, frozen=True, tag="image"):
    """One frame is complete in ring slot `slot`; the slot is the recorder's until it is released."""

    series: str
    seq: Count
    """Position in the recording, from 0, without gaps."""
    frame_id: Count
    device_ns: Count
    host_ns: Count
    crc32c: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    """Of the pixels, taken when the frame left the camera's buffer: whatever damages it later is found."""
    slot: Count


class End(msgspec.Struct, frozen=True, tag="end"):
    """A trial ends: what the camera process counted."""

    series: str
    frames: int
    losses: LossLedger
    lost_ids: dict[str, list[tuple[int, int]]]
    """Per cause, inclusive ranges of frame ids (at most 1,000 ranges are kept)."""
    producer: dict[str, int | None]
    """`delivered`, `underrun` and `surplus` (delivered after the planned end, not part of the trial)."""
    clock: dict[str, Any]
    reason: str
    """Why the trial ended: `frames`, `duration`, `operator`, `protocol`, `ring`, `disk`, `camera lost`, `signal`."""
    host_ns: int = 0
    exact: bool = True
    """False where the supervisor says it in place of a camera process that has died."""
    gaps: tuple[Gap, ...] = ()
    """Stretches in which the camera was away; what they cost is in `losses.camera`, and not in `lost_ids`."""


class Release(msgspec.Struct, frozen=True, tag="release"):
    """The recorder gives slots back; `durable` is the last frame that would survive a crash."""

    slots: list[Count]
    durable: int


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The recorder closed a recording, or gave up on it (`error` says why)."""

    series: str
    path: str
    frames: int
    bytes: int
    lost_disk: int
    write_mb_s: float
    error: str = ""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A process is up and ready for work."""

    process: Literal["camera", "recorder", "monitor", "live", "elicitation"]
    pid: int
    protocol: tuple[int, int] = (PROTOCOL_MAJOR, PROTOCOL_MINOR)


class Event(msgspec.Struct, frozen=True, tag="event"):
    """One line for the operator's event log and `events.tsv`."""

    host_ns: int
    level: Literal["info", "warning", "error"]
    source: str
    text: str
    kind: str = "note"
    """What sort of event it is: `trial_type` in `events.tsv`."""
    duration_s: float | None = None
    frames: int | None = None
    """Frames that it is about."""
    frame_ids: tuple[tuple[int, int], ...] = ()
    """Their ids, as inclusive ranges, as far as they are known; at most a few."""
    trial: str | None = None
    """Trial that it belongs to; None for the one that runs or ran last."""
    elicited: Elicited | None = None
    """What it says of a stimulus or an answer."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A process cannot go on; `exit_code` is what the command should end with."""

    process: str
    error: str
    exit_code: int = 1


class TrialStarted(msgspec.Struct, frozen=True, tag="trial_started"):
    """The camera process began a trial."""

    series: str
    trial: str
    host_ns: int
    start: Start | None = None
    """What it told the recorder."""


class TrialEnded(msgspec.Struct, frozen=True, tag="trial_ended"):
    """The camera process ended a trial; a copy of what it told the recorder."""

    trial: str
    end: End
    seconds: float
    """From the first to the last frame, plus one frame, in device time where the camera has one."""
    fps: float


class StartTrial(msgspec.Struct, frozen=True, tag="start_trial"):
    """Supervisor to camera: begin this trial."""

    trial: str
    path: str
    session: str
    max_frames: int | None = None
    max_seconds: float | None = None


class StopTrial(msgspec.Struct, frozen=True, tag="stop_trial"):
    """Supervisor to camera, elicitation to supervisor: end the trial with the frames exposed so far."""

    reason: str = "operator"


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Supervisor to a process: end cleanly."""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """Monitor to supervisor: the operator pressed a key. What concerns the participant's session is passed on to it."""

    name: Literal["start_trial", "stop_trial", "marker", "still", "quit", "pause", "next", "penalty"]
    text: str = ""
    host_ns: int = 0
    """When a marker's key was pressed (CLOCK_MONOTONIC); 0 for now."""


class CameraReport(msgspec.Struct, frozen=True, tag="camera_report"):
    """Ten times a second from the camera process."""

    statistics: CameraStatistics


class RecorderReport(msgspec.Struct, frozen=True, tag="recorder_report"):
    """Ten times a second from the recorder process."""

    statistics: RecorderStatistics


class LiveReport(msgspec.Struct, frozen=True, tag="live_report"):
    """From the live service."""

    statistics: LiveStatistics


class SessionOpened(msgspec.Struct, frozen=True, tag="session_opened"):
    """Supervisor to elicitation: camera and recorder are ready, the participant's session may begin."""

    path: str
    """The session folder."""


class Planned(msgspec.Struct, frozen=True, tag="planned"):
    """Elicitation to supervisor: what the participant will be shown."""

    name: str
    """Of the protocol."""
    protocol_sha256: str
    seed: int
    stimuli: tuple[str, ...]


class TrialWanted(msgspec.Struct, frozen=True, tag="trial_wanted"):
    """Elicitation to supervisor: record a trial. `TrialStarted` answers once frames come; `Finished` comes last."""

    kind: str
    """What is recorded: `baseline` or `stimulus`."""
    stimulus: str | None = None


class TrialRefused(msgspec.Struct, frozen=True, tag="trial_refused"):
    """Supervisor to elicitation: that trial cannot be recorded."""

    reason: str


class ElicitationReport(msgspec.Struct, frozen=True, tag="elicitation_report"):
    """From the elicitation process, some times a second."""

    statistics: ElicitationStatistics


class ElicitationEnded(msgspec.Struct, frozen=True, tag="elicitation_ended"):
    """Elicitation to supervisor: the participant's session is over; `complete` where nothing of it is left."""

    complete: bool


class CaptureReport(msgspec.Struct, frozen=True, tag="capture_report"):
    """Ten times a second from the supervisor to the monitor."""

    statistics: CaptureStatistics


Message = (
    Start
    | Image
    | End
    | Release
    | Finished
    | Hello
    | Event
    | Failed
    | TrialStarted
    | TrialEnded
    | StartTrial
    | StopTrial
    | Quit
    | Command
    | CameraReport
    | RecorderReport
    | LiveReport
    | CaptureReport
    | SessionOpened
    | Planned
    | TrialWanted
    | TrialRefused
    | ElicitationReport
    | ElicitationEnded
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """One message as msgpack bytes."""
    return _encoder.encode(message)


def decode(data: bytes | memoryview) -> Message:
    """The message in `data`.

    Raises:
        MessageRefused: The bytes are not one of our messages, or its major version is not ours.
    """
    try:
        message = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageRefused(f"not a message of protocol {PROTOCOL_MAJOR}: {error}") from None
    protocol = getattr(message, "protocol", None)
    if protocol is not None and protocol[0] != PROTOCOL_MAJOR:
        raise MessageRefused(
            f"the peer speaks protocol {protocol[0]}.{protocol[1]}, this is {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}: "
            "install the same dfme version on both sides"
        )
    return message
