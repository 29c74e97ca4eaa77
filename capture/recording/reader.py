"""Reads a recording, plain, packed or transcoded, whole or left behind by a kill: the one reader for everything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self

import msgspec
import numpy as np
import numpy.typing as npt

from capture.clock import piecewise_clock_from_attributes
from capture.errors import BadInput, RecordingInvalid
from capture.recording.attributes import RecordingAttributes, parse_attributes, raw_attributes, read_json
from capture.recording.files import open_regular
from capture.recording.layout import PER_FRAME, ShardGeometry, value_path
from capture.recording.pixels import VIDEO_NAME, Pixels, ShardedPixels, VideoPixels, possible_frame

VALUES_NAME = "values.zarr"
"""Group with attributes and per-frame arrays beside a transcoded video."""
Codec = Literal["raw", "zstd", "ffv1"]
_SLOWEST_FPS = 1e-3
_FASTEST_FPS = 1e6
_LONGEST_NUMBER = 9
"""Digits of a chunk's number: 30 years at 500 frames a second, and every position still fits an int64."""


class Recording:
    """One trial's frames with their ids, times and checksums.

    Frames are numbered from 0 over those that count (`host_ns` > 0); positions where nothing was written are left
    out. Nothing stays open between calls except the file of a transcoded video, so a recording may be handed to
    other threads, and its files may grow meanwhile: `open` again to see more.
    """

    def __init__(self, path: Path, raw: dict[str, Any], pixels: Pixels, values: Path, codec: Codec) -> None:
        self.path = path
        self.codec: Codec = codec
        self.attributes: RecordingAttributes = parse_attributes(values, raw)
        self.raw_attributes = raw
        self.geometry: ShardGeometry = pixels.geometry
        self._pixels = pixels
        self.positions, columns = read_values(values, pixels.geometry, pixels.length)
        """Place of each frame on the recording's time axis, int64 (frames,); 0, 1, 2, ... unless frames are missing."""
        self.frame_id: npt.NDArray[np.uint64] = columns["frame_id"]
        """Frame ids as the camera counted them, uint64 (frames,)."""
        self.device_ns: npt.NDArray[np.uint64] = columns["device_ns"]
        """The camera's own time of each frame, uint64 (frames,), 0 where it has none."""
        self.host_ns: npt.NDArray[np.uint64] = columns["host_ns"]
        """CLOCK_MONOTONIC when each frame arrived, uint64 (frames,)."""
        self.crc32c: npt.NDArray[np.uint32] = columns["crc32c"]
        """Checksum of each frame's pixels, uint32 (frames,)."""
        self._clock = piecewise_clock_from_attributes(self.attributes.clock)
        self._mapped: npt.NDArray[np.int64] | None = None

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the recording at `path`: a `.zarr` group, or the folder of a transcoded video.

        A recording that was killed opens as far as it was flushed; damaged frames raise when they are read.

        Raises:
            RecordingInvalid: There is no recording, or its metadata is damaged.
        """
        path = Path(path)
        values = path / VALUES_NAME
        pixels: Pixels
        codec: Codec
        if (path / VIDEO_NAME).is_file():
            raw = raw_attributes(values)
            geometry, length = _video_geometry(values, raw)
            pixels, codec = VideoPixels(path, geometry, length), "ffv1"
        else:
            if not path.is_dir():
                raise RecordingInvalid(f"{path} is not a recording: give the path of a .zarr folder")
            values = path
            raw = raw_attributes(path)
            sharded = ShardedPixels(path)
            pixels, codec = sharded, "zstd" if sharded.packed else "raw"
        return cls(path, raw, pixels, values, codec)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def height_px(self) -> int:
        """Rows of a frame."""
        return self.geometry.height_px

    @property
    def width_px(self) -> int:
        """Columns of a frame."""
        return self.geometry.width_px

    @property
    def rate_fps(self) -> float:
        """Rate that the camera was set to, in frames a second; 0 where the file says none that a camera can have."""
        rate = self.attributes.rate_fps
        return rate if _SLOWEST_FPS <= rate <= _FASTEST_FPS else 0.0

    @property
    def seconds(self) -> float:
        """From the first frame to the last, plus one frame, in device time where the camera has one."""
        if len(self) < 2:
            return len(self) / self.rate_fps if self.rate_fps > 0 else 0.0
        clock = self._clock
        stepped = clock is not None and len(clock.segments) > 1
        times = self.times_ns("host" if not self.device_ns.all() else "mapped" if stepped else "device")
        return (int(times[-1]) - int(times[0])) / 1e9 * len(self) / (len(self) - 1)

    @property
    def disk_bytes(self) -> int:
        """Bytes that the recording's files take on disk."""
        return sum(
            os.lstat(Path(folder) / name).st_blocks * 512 for folder, _, names in os.walk(self.path) for name in names
        )

    def frame(self, i: int) -> npt.NDArray[np.uint8]:
        """Frame `i`, uint8 (height, width); negative numbers count from the end.

        Raises:
            IndexError: There is no frame `i`.
            RecordingInvalid: The frame is not in its shard's index, or cannot be read.
        """
        number = i + len(self) if i < 0 else i
        if not 0 <= number < len(self):
            raise IndexError(f"frame {i} of {self.path}, which has {len(self)} frames")
        image: npt.NDArray[np.uint8] = self.frames(number, number + 1)[0]
        return image

    def frames(self, start: int, stop: int, out: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
        """Frames `start` to `stop` (not included, cut at the end), uint8 (frames, height, width).

        Args:
            start: First frame, 0 or more.
            stop: Frame behind the last.
            out: Memory to read into, uint8 (at least stop - start, height, width), contiguous; made new when None.

        Raises:
            RecordingInvalid: A frame is not in its shard's index, or cannot be read.
        """
        positions = self.positions[max(0, start) : max(0, stop)]
        if out is None:
            out = np.empty((len(positions), self.height_px, self.width_px), dtype=np.uint8)
        pixels = out[: len(positions)]
        self._pixels.read(positions, pixels)
        return pixels

    def times_ns(self, kind: Literal["mapped", "host", "device"] = "mapped") -> npt.NDArray[np.int64]:
        """Time of each frame in nanoseconds, int64 (frames,).

        Args:
            kind: `mapped` is device time mapped to CLOCK_MONOTONIC by the stored clock lines, or arrival time where
                there are none; `host` is arrival time; `device` is the camera's own.
        """
        if kind == "host":
            return self.host_ns.astype(np.int64)
        if kind == "device":
            return self.device_ns.astype(np.int64)
        if self._mapped is None:
            clock = self._clock if len(self) and self.device_ns.all() else None
            self._mapped = clock.to_host(self.device_ns, self.host_ns) if clock else self.host_ns.astype(np.int64)
            self._mapped.flags.writeable = False
        return self._mapped

    def frame_at(self, time_ns: int) -> int:
        """The frame nearest to `time_ns` (CLOCK_MONOTONIC).

        Raises:
            BadInput: The time lies more than one frame outside the recording.
        """
        times = self.times_ns()
        margin = round(1e9 / self.rate_fps) if self.rate_fps > 0 else 0
        if not len(times) or not int(times[0]) - margin <= time_ns <= int(times[-1]) + margin:
            span = f"{times[0]} to {times[-1]} ns" if len(times) else "no frames"
            raise BadInput(f"{time_ns} ns lies outside {self.path} ({span})")
        within_int64 = min(max(time_ns, -(2**63)), 2**63 - 1)
        after = int(np.clip(np.searchsorted(times, within_int64), 1, max(1, len(times) - 1)))
        if len(times) == 1 or time_ns - int(times[after - 1]) <= int(times[after]) - time_ns:
            return after - 1
        return after

    def time_of(self, frame: int) -> int:
        """Time of a frame in nanoseconds (CLOCK_MONOTONIC).

        Raises:
            IndexError: There is no such frame.
        """
        return int(self.times_ns()[frame])


def read_values(
    group: Path, geometry: ShardGeometry, length: int
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]:
    """Positions and values of the frames that count (`host_ns` > 0) among the first `length` positions.

    Chunk files that are missing or cut short read as zeros there, as a kill may leave them.

    Raises:
        RecordingInvalid: An array is missing or is not laid out as ours.
    """
    per_shard = geometry.frames_per_shard
    for name in PER_FRAME:
        check_values_metadata(group, name, per_shard)
    positions: list[npt.NDArray[np.int64]] = []
    columns: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in PER_FRAME}
    for shard in chunk_numbers(group / "host_ns" / "c"):
        first = shard * per_shard
        if first >= length:
            break
        here = min(per_shard, length - first)
        slots = np.flatnonzero(read_value_chunk(group, "host_ns", shard, per_shard)[:here])
        if not len(slots):
            continue
        positions.append(slots + first)
        for name, parts in columns.items():
            parts.append(read_value_chunk(group, name, shard, per_shard)[slots])
    if not positions:
        return np.empty(0, np.int64), {name: np.empty(0, dtype) for name, dtype in PER_FRAME.items()}
    return np.concatenate(positions), {name: np.concatenate(parts) for name, parts in columns.items()}


def read_value_chunk(group: Path, name: str, shard: int, per_shard: int) -> npt.NDArray[Any]:
    """One chunk of a per-frame array (frames_per_shard,); zeros where the file is missing or cut short."""
    dtype = PER_FRAME[name]
    values = np.zeros(per_shard, dtype)
    path = value_path(group, name, shard)
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            content = file.read(values.nbytes)
    except FileNotFoundError:
        return values
    except OSError as error:
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
    whole = len(content) // dtype.itemsize
    values[:whole] = np.frombuffer(content, dtype, count=whole)
    return values


def chunk_numbers(folder: Path) -> list[int]:
    """Numbers of the chunks or shards in a `c` folder, ascending."""
    try:
        names = {entry.name for entry in folder.iterdir()}
    except OSError:
        return []
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal() and len(name) <= _LONGEST_NUMBER]
    # `007` is not the name of a chunk: Zarr writes numbers without zeros before them.
    return sorted({number for number in numbers if str(number) in names})


class _ValueGrid(msgspec.Struct):
    chunk_shape: tuple[int]


class _ValueChunkGrid(msgspec.Struct):
    configuration: _ValueGrid


class _ValuesMetadata(msgspec.Struct):
    shape: tuple[int]
    data_type: str
    chunk_grid: _ValueChunkGrid
    codecs: list[dict[str, Any]]


def check_values_metadata(group: Path, name: str, per_shard: int) -> int:
    """Length of the per-frame array `name`.

    Raises:
        RecordingInvalid: Its metadata is missing, or is not that of an uncompressed array chunked like the shards.
    """
    path = group / name / "zarr.json"
    content = read_json(path)
    try:
        metadata = msgspec.convert(content, _ValuesMetadata)
    except (msgspec.ValidationError, RecursionError):
        metadata = None
    if (
        metadata is None
        or metadata.data_type != PER_FRAME[name].name
        or metadata.chunk_grid.configuration.chunk_shape != (per_shard,)
        or [step.get("name") for step in metadata.codecs] != ["bytes"]
    ):
        raise RecordingInvalid(f"{path} does not describe an array of a dfme recording: run `dfme-session repair`")
    return metadata.shape[0]


def _video_geometry(values: Path, raw: dict[str, Any]) -> tuple[ShardGeometry, int]:
    """Frame size and number of frames of a transcoded recording, whose arrays are one chunk each 500 frames."""
    attributes = parse_attributes(values, raw)
    if not possible_frame(attributes.height_px, attributes.width_px):
        raise RecordingInvalid(f"{values / 'zarr.json'} has no frame size: restore it from a copy")
    geometry = ShardGeometry(attributes.height_px, attributes.width_px)
    return geometry, check_values_metadata(values, "host_ns", geometry.frames_per_shard)
