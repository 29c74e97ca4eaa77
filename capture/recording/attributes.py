"""What a recording says about itself in its Zarr attributes, checked and typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from capture.clock import ClockFit, clock_fit_from_attributes
from capture.errors import RecordingInvalid
from capture.recording.files import nested_deeper, read_document
from capture.recording.layout import FORMAT_VERSION
from capture.recording.ledger import KEPT_RANGES
from capture.statistics import Gap, LossLedger

Count = Annotated[int, msgspec.Meta(ge=0)]
IdRange = tuple[Count, Count]
"""First and last frame id, both included."""


class Producer(msgspec.Struct, frozen=True):
    """The GenTL producer's own counters; None where it has none."""

    delivered: int | None = None
    underrun: int | None = None
    surplus: int | None = None
    """Delivered after the planned end, and so not part of the trial."""
    unfetched: int | None = None
    """Delivered, and gone with the camera before they could be fetched; part of a gap."""


class EndLedger(msgspec.Struct, frozen=True):
    """What the `end` message said: the camera process's side of the ledger."""

    frames: Count
    losses: LossLedger = LossLedger()
    lost_ids: dict[str, list[IdRange]] = {}
    producer: Producer = Producer()
    reason: str = ""
    exact: bool = True
    """False where the supervisor wrote it in place of a camera process that had died."""
    gaps: tuple[Gap, ...] = ()
    """Stretches in which the camera was away; what they cost is in `losses.camera`, and not in `lost_ids`."""


class RecorderLedger(msgspec.Struct, frozen=True):
    """What the recorder counted."""

    frames: Count
    lost_disk: Count = 0
    lost_ids: list[Count] = []
    """Ids of the frames that could not be written (at most 1,000)."""


class Ledger(msgspec.Struct, frozen=True):
    """Both sides of the loss ledger that stand in the recording; None where the trial never got that far."""

    end: EndLedger | None = None
    recorder: RecorderLedger | None = None


class Repair(msgspec.Struct, frozen=True):
    """What `repair` had to leave out."""

    frames_dropped: Count = 0
    """Frames whose pixels no longer have their checksum."""
    lost_ids: list[IdRange] = []


class Source(msgspec.Struct, frozen=True):
    """Where a clip or a transcoded recording comes from."""

    recording: str
    operation: str
    series: str = ""
    frames: tuple[Count, Count] | None = None
    """First frame and the one behind the last, in the source."""
    lost_ids: list[IdRange] = []
    """Frame ids that the source had lost inside this range, whatever the cause."""
    gaps: tuple[Gap, ...] = ()
    """Stretches inside this range in which the camera was away."""


class RecordingAttributes(msgspec.Struct, frozen=True):
    """The `dfme` attributes of a recording."""

    format: str
    software: str = ""
    session: str = ""
    trial: str = ""
    series: str = ""
    state: str = "recording"
    """`recording` while open or after a kill, `complete` after a clean end, `repaired`."""
    camera: dict[str, Any] = {}
    features: dict[str, Any] = {}
    rate_fps: float = 0.0
    height_px: Count = 0
    width_px: Count = 0
    frames: Count | None = None
    clock: dict[str, Any] = {}
    values_crc32c: dict[str, Annotated[int, msgspec.Meta(ge=0, lt=2**32)]] = {}
    """Checksum of each per-frame array over all frames, as its bytes lie on disk; empty before a clean end."""
    ledger: Ledger = Ledger()
    repair: Repair | None = None
    source: Source | None = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Stretches in which the camera was away, in order."""
        if self.ledger.end is not None:
            return self.ledger.end.gaps
        return self.source.gaps if self.source is not None else ()

    @property
    def clock_fit(self) -> ClockFit | None:
        """The line from device time to CLOCK_MONOTONIC, or None where none was stored or it is not usable."""
        return clock_fit_from_attributes(self.clock)

    def lost_id_ranges(self) -> tuple[list[IdRange], bool]:
        """Frame ids that the ledger has as lost, whatever the cause, and whether that is all of them."""
        by_cause: list[list[IdRange]] = []
        if self.ledger.end is not None:
            by_cause.extend(self.ledger.end.lost_ids.values())
        if self.ledger.recorder is not None:
            by_cause.append([(i, i) for i in self.ledger.recorder.lost_ids])
        if self.repair is not None:
            by_cause.append(self.repair.lost_ids)
        if self.source is not None:
            by_cause.append(self.source.lost_ids)
        return [r for ranges in by_cause for r in ranges], all(len(ranges) < KEPT_RANGES for ranges in by_cause)


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        RecordingInvalid: The file is missing, cannot be read or is not JSON.
    """
    try:
        # Strict: no NaN, no number that overflows, no half of a surrogate pair.
        content = msgspec.json.decode(read_document(path))
        if isinstance(content, dict | list) and nested_deeper(content, 60):
            raise ValueError
        return content
    except FileNotFoundError:
        raise RecordingInvalid(f"{path} is missing: give the path of a recording or of its session folder") from None
    except OSError as error:
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise RecordingInvalid(f"{path} is not JSON: the file is damaged, restore it from a copy") from None


def raw_attributes(group: Path) -> dict[str, Any]:
    """The `dfme` attributes of the Zarr group at `group` as they stand in the file.

    Raises:
        RecordingInvalid: There is no such group, or it is not a recording.
    """
    content = read_json(group / "zarr.json")
    attributes = content.get("attributes") if isinstance(content, dict) else None
    ours = attributes.get("dfme") if isinstance(attributes, dict) else None
    if not isinstance(ours, dict):
        raise RecordingInvalid(f"{group} is not a dfme recording: its zarr.json has no `dfme` attributes")
    return ours


def parse_attributes(group: Path, content: dict[str, Any]) -> RecordingAttributes:
    """The `dfme` attributes `content` of the recording at `group`, typed.

    Raises:
        RecordingInvalid: A field has the wrong type, or the format's major version is not ours.
    """
    try:
        attributes = msgspec.convert(content, RecordingAttributes)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RecordingInvalid(f"{group / 'zarr.json'} is damaged: {error}") from None
    if attributes.format.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise RecordingInvalid(
            f"{group} has format {attributes.format!r}, this dfme reads {FORMAT_VERSION}: "
            "install the dfme that it was made with"
        )
    return attributes


class MonitorLedger(msgspec.Struct, frozen=True):
    """The last figures that the operator saw, as `session.json` keeps them."""

    frames: Count
    """Frames on disk."""
    losses: LossLedger = LossLedger()
    gaps: tuple[Gap, ...] = ()
