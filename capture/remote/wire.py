"""The grammar between a capture machine and the storage machine, with its limits. Nothing that arrives is believed.

A message is one msgpack struct; an `Image` is followed by a second part, the pixels of that frame. One frame a message:
several together were measured and gain nothing (docs/decisions/0008-*.md).
"""

from __future__ import annotations

import json
import math
import re

import msgspec

from capture.errors import MessageRefused
from capture.messages import (
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    End,
    Event,
    Finished,
    Image,
    RecorderReport,
    Start,
)

LARGEST_FRAME_BYTES = 64 * 2**20
"""Of one frame's pixels."""
LARGEST_CONTROL_BYTES = 4 * 2**20
"""Of any other message."""
CHUNK_BYTES = 2**20
"""Of a small file, in one message."""
LARGEST_FILE_BYTES = 256 * 2**20
"""Of one of the small files of a session."""
HEARTBEAT_MS = 1000
SILENCE_MS = 3000
"""A link over which nothing comes for so long, heartbeats included, is taken for cut."""
ALIVE_S = 1.0
"""The capture machine says at least this often that it is there."""
_U64 = 2**64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_FOLDERS_OF_OTHERS = frozenset({"recordings"})


class Knock(msgspec.Struct, frozen=True, tag="knock"):
    """A capture machine connects, for the first time or again."""

    capture: str
    """Unique name of this run of `dfme-capture`: who has it may go on with a trial."""
    host: str
    ring_s: float
    """How long its ring lasts, and so how long a trial waits for it to come back at least."""
    software: str = ""
    protocol: tuple[int, int] = (PROTOCOL_MAJOR, PROTOCOL_MINOR)


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The storage machine lets it in."""

    host: str
    folder: str
    """Where sessions go there; only shown."""
    protocol: tuple[int, int] = (PROTOCOL_MAJOR, PROTOCOL_MINOR)


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The storage machine cannot do what was asked; the trial, or the connection, is over."""

    reason: str


class SessionOpen(msgspec.Struct, frozen=True, tag="session_open"):
    """The session that trials and files belong to from now on."""

    session: str
    record: bytes
    """Its `session.json`."""
    folder: str
    """What tells the folder on the capture machine from all others (`session_copy.identity`)."""


class SessionFile(msgspec.Struct, frozen=True, tag="session_file"):
    """A piece of one of the small files of the session; the next follows when this is `Stored`."""

    name: str
    """Relative to the session folder: a plain name, or one in a folder."""
    size: int
    offset: int
    data: bytes


class Stored(msgspec.Struct, frozen=True, tag="stored"):
    """The file is on disk up to `offset`, or cannot be (`error`)."""

    name: str
    offset: int
    error: str = ""


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Send frames from `expected` on: the answer to `Start`, and to a frame that arrived damaged."""

    series: str
    expected: int
    window: int
    """Frames that may be on their way or unsafe at once."""


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """Frames before `done` need not be kept any more: they are safe, or counted as lost on that disk.

    `done` plus the window of `Resume` is the credit: up to there frames may be sent.
    """

    series: str
    done: int
    durable: int
    """The last frame that would survive a crash of the storage machine's process."""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """The capture machine is there and has nothing else to say."""


class Bye(msgspec.Struct, frozen=True, tag="bye"):
    """The capture machine leaves; whoever comes next may come."""


FromCapture = Knock | SessionOpen | SessionFile | Start | Image | End | Alive | Bye
FromStorage = Welcome | Refused | Resume | Acknowledge | Stored | RecorderReport | Event | Finished

_encoder = msgspec.msgpack.Encoder()
_from_capture: msgspec.msgpack.Decoder[FromCapture] = msgspec.msgpack.Decoder(FromCapture)
_from_storage: msgspec.msgpack.Decoder[FromStorage] = msgspec.msgpack.Decoder(FromStorage)
_DAMAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError)


def pack(message: FromCapture | FromStorage) -> bytes:
    """One message as msgpack bytes."""
    return _encoder.encode(message)


def from_capture(data: bytes) -> FromCapture:
    """The message of a capture machine in `data`, every value in it within its limits.

    Raises:
        MessageRefused: It is none, or of another major version.
    """
    if len(data) > LARGEST_CONTROL_BYTES:
        raise MessageRefused(f"a message of {len(data):,} bytes: at most {LARGEST_CONTROL_BYTES:,} are taken")
    try:
        message = _from_capture.decode(data)
    except _DAMAGE as error:
        raise MessageRefused(f"not a message of protocol {PROTOCOL_MAJOR}: {error}") from None
    _check_version(message, "capture machine")
    problem = _problem_of(message)
    if problem:
        raise MessageRefused(f"{type(message).__name__}: {problem}")
    return message


def from_storage(data: bytes) -> FromStorage:
    """The message of a storage machine in `data`.

    Raises:
        MessageRefused: It is none, or of another major version.
    """
    try:
        message = _from_storage.decode(data)
    except _DAMAGE as error:
        raise MessageRefused(f"not a message of protocol {PROTOCOL_MAJOR}: {error}") from None
    _check_version(message, "storage machine")
    return message


def is_plain_name(text: str) -> bool:
    """Whether `text` names something in a folder, and nothing outside it."""
    return _NAME.fullmatch(text) is not None and not text.endswith(".partial")


def is_small_file(text: str) -> bool:
    """Whether `text` may be a small file of a session: a name, or a name in one folder that is not the recordings'."""
    parts = text.split("/")
    return len(parts) <= 2 and all(is_plain_name(part) for part in parts) and parts[0] not in _FOLDERS_OF_OTHERS


def printable(text: str, length: int = 300) -> str:
    """`text` of a peer as it may go to a terminal or a log: one line, no control characters, not endless."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:length]).split())


def _check_version(message: FromCapture | FromStorage, whose: str) -> None:
    protocol = getattr(message, "protocol", None)
    if protocol is not None and protocol[0] != PROTOCOL_MAJOR:
        raise MessageRefused(
            f"the {whose} speaks protocol {protocol[0]}.{protocol[1]}, this one {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}: "
            "install the same dfme version on both"
        )


def _problem_of(message: FromCapture) -> str:
    problem = ""
    match message:
        case Image():
            problem = _problem_of_image(message)
        case Start():
            problem = _problem_of_start(message)
        case SessionFile():
            problem = _problem_of_file(message)
        case Knock(capture=name, ring_s=seconds):
            problem = _problem_of_name(name) or _problem_of_time(seconds)
        case SessionOpen(session=name):
            problem = _problem_of_name(name)
        case End(clock=clock, producer=producer):
            problem = _problem_of_content([clock, producer])
    return problem


def _problem_of_name(name: str) -> str:
    return "" if is_plain_name(name) else f"{printable(name, 60)!r} is not a plain name"


def _problem_of_time(seconds: float) -> str:
    return "" if math.isfinite(seconds) and 0 <= seconds <= 86_400 else "a length that is no time"


def _problem_of_file(piece: SessionFile) -> str:
    if not is_small_file(piece.name):
        return f"{printable(piece.name, 60)!r} is not a small file of a session"
    end = piece.offset + len(piece.data)
    fits = 0 <= piece.offset <= end <= piece.size <= LARGEST_FILE_BYTES and len(piece.data) <= CHUNK_BYTES
    return "" if fits else "a piece that does not fit its file"


def _problem_of_image(image: Image) -> str:
    # A frame without an arrival time does not count in a recording, so there is none.
    fits = (
        0 <= image.seq < 2**62
        and 0 <= image.frame_id < _U64
        and 0 <= image.device_ns < _U64
        and 0 < image.host_ns < _U64
        and 0 <= image.crc32c < 2**32
    )
    return "" if fits else "a value does not fit its array"


def _problem_of_start(start: Start) -> str:
    problem = _problem_of_name(start.session) or _problem_of_name(start.trial)
    if problem:
        return problem
    if not start.series or len(start.series) > 200:
        return "the series has no name"
    if start.height_px < 1 or start.width_px < 1 or start.height_px * start.width_px > LARGEST_FRAME_BYTES:
        return f"frames of {start.width_px} x {start.height_px}: at most {LARGEST_FRAME_BYTES:,} bytes are taken"
    if not (math.isfinite(start.rate_fps) and 0 < start.rate_fps <= 1e6):
        return "the rate is not one"
    return _problem_of_content(start.attributes)


def _problem_of_content(content: object) -> str:
    """What is to stand in a JSON file must be able to."""
    try:
        json.dumps(content)
    except (TypeError, ValueError, RecursionError):
        return "holds what JSON cannot"
    return ""
