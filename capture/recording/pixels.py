"""Where a recording's pixels come from: Zarr shards (plain or packed) or a lossless video, one frame at a time."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Protocol

import av
import google_crc32c
import msgspec
import numpy as np
import numpy.typing as npt
from numcodecs.blosc import Blosc  # type: ignore[import-untyped]  # the package ships no types

from capture.errors import RecordingInvalid
from capture.recording.attributes import read_json
from capture.recording.files import open_regular
from capture.recording.layout import ALIGNMENT, MISSING, ShardGeometry, shard_path

Frames = npt.NDArray[np.uint8]
VIDEO_NAME = "frames.mkv"
VIDEO_FPS = 25
"""Playback rate of transcoded videos: 40 ms a frame is exact in Matroska's milliseconds, so that seeking is exact."""
BLOSC_CODEC: dict[str, Any] = {
    "name": "blosc",
    "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "bitshuffle", "typesize": 1, "blocksize": 0},
}
_DIRECT_FROM_BYTES = 4 << 20
_MAX_SIDE_PX = 65_536
MAX_FRAME_BYTES = 2**28
"""More than any sensor has pixels; a file that says more would have memory taken for what is not in it."""
_MAX_FRAMES_PER_SHARD = 10_000
_MAX_LENGTH = 2**48
_REPAIR = "run `dfme-session repair`"


def possible_frame(height_px: int, width_px: int) -> bool:
    """Whether a camera can have frames of this size."""
    sides = 0 < height_px <= _MAX_SIDE_PX and 0 < width_px <= _MAX_SIDE_PX
    return sides and height_px * width_px <= MAX_FRAME_BYTES


class Pixels(Protocol):
    """Gives the frame at a position of the recording's time axis."""

    geometry: ShardGeometry
    length: int
    """Length of the time axis as the metadata has it; not every position need hold a frame."""

    def read(self, positions: npt.NDArray[np.int64], out: Frames) -> None:
        """Fill `out`, uint8 (len(positions), height, width), with the frames at ascending `positions`.

        Raises:
            RecordingInvalid: A frame is not there or cannot be read.
        """


class _Grid(msgspec.Struct):
    chunk_shape: tuple[int, int, int]


class _ChunkGrid(msgspec.Struct):
    name: str
    configuration: _Grid


class _ArrayMetadata(msgspec.Struct):
    """The parts of `frames/zarr.json` that decide where a frame lies."""

    zarr_format: int
    shape: tuple[Annotated[int, msgspec.Meta(ge=0)], int, int]
    data_type: str
    chunk_grid: _ChunkGrid
    codecs: list[dict[str, Any]]


class ShardedPixels:
    """Pixels in Zarr shards with the index at the start, one frame per inner chunk."""

    def __init__(self, recording: Path) -> None:
        self.recording = recording
        self.geometry, self.length, self.packed = read_frames_metadata(recording)
        self._indexes: dict[int, npt.NDArray[np.uint64]] = {}
        self._lock = Lock()

    def read(self, positions: npt.NDArray[np.int64], out: Frames) -> None:
        """Fill `out` with the frames at ascending `positions`."""
        per_shard = self.geometry.frames_per_shard
        shards = positions // per_shard
        for start in np.flatnonzero(np.diff(shards, prepend=-1)):
            shard = int(shards[start])
            stop = start + int(np.searchsorted(shards[start:], shard, side="right"))
            self._read_shard(shard, positions[start:stop] - shard * per_shard, out[start:stop])

    def present(self, shard: int) -> npt.NDArray[np.bool_]:
        """Which frames the index of `shard` has, bool (frames_per_shard,).

        Raises:
            RecordingInvalid: The shard is missing or its index is torn.
        """
        present: npt.NDArray[np.bool_] = self._index(shard)[:, 0] != MISSING
        return present

    def _read_shard(self, shard: int, slots: npt.NDArray[np.int64], out: Frames) -> None:
        index = self._index(shard)
        places = index[slots]
        absent = np.flatnonzero(places[:, 0] == MISSING)
        path = shard_path(self.recording, shard)
        if len(absent):
            frame = shard * self.geometry.frames_per_shard + int(slots[absent[0]])
            raise RecordingInvalid(f"frame {frame} is not in the index of {path}: {_REPAIR}")
        fd = _open(path, direct=not self.packed and _worth_direct(out, places[:, 0]))
        try:
            if self.packed:
                for (offset, size), image in zip(places.tolist(), out, strict=True):
                    self._unpack(fd, path, offset, size, image)
                return
            if np.any(places[:, 1] != self.geometry.frame_bytes):
                raise RecordingInvalid(f"the index of {path} gives a frame a wrong length: {_REPAIR}")
            # Neighbours lie end to end where a frame fills its slot, and are then read in one call.
            steps = np.diff(places[:, 0].astype(np.int64))
            starts = np.concatenate(([0], np.flatnonzero(steps != self.geometry.frame_bytes) + 1, [len(places)]))
            for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
                read_exactly(fd, out[first:last].data.cast("B"), int(places[first, 0]), path)
        finally:
            os.close(fd)

    def _unpack(self, fd: int, path: Path, offset: int, size: int, image: Frames) -> None:
        if size > 2 * self.geometry.frame_bytes + 4096:
            raise RecordingInvalid(f"the index of {path} gives a frame a wrong length: restore the file from a copy")
        packed = bytearray(size)
        read_exactly(fd, memoryview(packed), offset, path)
        # Blosc's header holds the unpacked length, which decides how much it writes.
        if size < 16 or int.from_bytes(packed[4:8], "little") != image.nbytes:
            raise RecordingInvalid(f"{path} holds a damaged frame at byte {offset}: restore the file from a copy")
        try:
            Blosc().decode(packed, out=image)
        except (RuntimeError, ValueError) as error:
            raise RecordingInvalid(f"{path} holds a damaged frame at byte {offset}: {error}") from None

    def _index(self, shard: int) -> npt.NDArray[np.uint64]:
        with self._lock:
            index = self._indexes.get(shard)
        if index is None:
            index = read_index(shard_path(self.recording, shard), self.geometry)
            with self._lock:
                if len(self._indexes) >= 64:
                    self._indexes.pop(next(iter(self._indexes)))
                self._indexes[shard] = index
        return index


class VideoPixels:
    """Pixels in an FFV1 video in which every frame is a key frame."""

    def __init__(self, folder: Path, geometry: ShardGeometry, length: int) -> None:
        self.path = folder / VIDEO_NAME
        self.geometry = geometry
        self.length = length
        self._lock = Lock()
        self._next = -1
        try:
            # One protocol and one format, so that neither the name nor the content can make FFmpeg open something else.
            name, only = f"file:{self.path.absolute()}", {"protocol_whitelist": "file"}
            self._container = av.open(name, format="matroska", options=only)
            self._stream = self._container.streams.video[0]
        except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
            raise RecordingInvalid(f"cannot open {self.path}: {error}") from None
        decoder = self._stream.codec_context
        if decoder is None or decoder.name != "ffv1" or not self._stream.time_base:
            raise RecordingInvalid(f"{self.path} is not a video that dfme made: restore it from a copy")
        if (decoder.height, decoder.width) != (geometry.height_px, geometry.width_px):
            raise RecordingInvalid(f"{self.path} has another frame size than its recording: restore it from a copy")
        decoder.thread_type = "SLICE"

    def read(self, positions: npt.NDArray[np.int64], out: Frames) -> None:
        """Fill `out` with the frames at ascending `positions`."""
        with self._lock:
            for position, image in zip(positions.tolist(), out, strict=True):
                image[:] = self._decode(position)

    def _decode(self, position: int) -> Frames:
        base = self._stream.time_base
        try:
            if not base:
                raise OverflowError
            if position != self._next:
                self._container.seek(round(position / VIDEO_FPS / base), stream=self._stream)
                self._frames = self._container.decode(self._stream)
            for frame in self._frames:
                number = round((frame.pts or 0) * base * VIDEO_FPS)
                if number == position:
                    self._next = position + 1
                    return self._pixels(frame)
                if number > position:
                    break
        except (av.error.FFmpegError, OSError) as error:
            self._next = -1
            raise RecordingInvalid(f"{self.path}: frame {position} cannot be decoded: {error}") from None
        except OverflowError:
            pass
        self._next = -1
        raise RecordingInvalid(f"{self.path} has no frame {position}: restore it from a copy")

    def _pixels(self, frame: av.VideoFrame) -> Frames:
        """The pixels of a decoded frame, uint8 (height, width), without the decoder's row padding."""
        size = (self.geometry.height_px, self.geometry.width_px)
        # Every frame of a stream can change its size and its format.
        if frame.format.name != "gray" or (frame.height, frame.width) != size:
            self._next = -1
            raise RecordingInvalid(f"{self.path} holds a frame of another kind: restore it from a copy")
        return np.asarray(frame.to_ndarray(), dtype=np.uint8)


def read_frames_metadata(recording: Path) -> tuple[ShardGeometry, int, bool]:
    """Geometry, length of the time axis, and whether frames are packed, from `frames/zarr.json`.

    Raises:
        RecordingInvalid: The metadata is missing or describes something else than our layout.
    """
    path = recording / "frames" / "zarr.json"
    content = read_json(path)
    try:
        metadata = msgspec.convert(content, _ArrayMetadata)
        length, height, width = metadata.shape
        per_shard, shard_height, shard_width = metadata.chunk_grid.configuration.chunk_shape
        (codec,) = metadata.codecs
        inner = codec["configuration"]
        packed = any(step.get("name") == "blosc" for step in inner["codecs"])
        ours = (
            metadata.zarr_format == 3
            and metadata.data_type == "uint8"
            and metadata.chunk_grid.name == "regular"
            and codec["name"] == "sharding_indexed"
            and inner["index_location"] == "start"
            and list(inner["chunk_shape"]) == [1, height, width]
            and [step["name"] for step in inner["codecs"]] in (["bytes"], ["bytes", "blosc"])
            and [step["name"] for step in inner["index_codecs"]] == ["bytes", "crc32c"]
            and (shard_height, shard_width) == (height, width)
            and possible_frame(height, width)
            and 0 < per_shard <= _MAX_FRAMES_PER_SHARD
            and length <= _MAX_LENGTH
        )
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        ours = False
    if not ours:
        raise RecordingInvalid(f"{path} does not describe frames of a dfme recording: restore it from a copy")
    return ShardGeometry(height, width, per_shard), length, packed


def read_index(path: Path, geometry: ShardGeometry) -> npt.NDArray[np.uint64]:
    """Offset and length of each frame of a shard, uint64 (frames_per_shard, 2), `MISSING` where there is none.

    Raises:
        RecordingInvalid: The shard is missing, or its index is torn or damaged.
    """
    fd = _open(path)
    try:
        block = os.pread(fd, geometry.index_bytes, 0)
    except OSError as error:
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
    finally:
        os.close(fd)
    body, stored = block[:-4], block[-4:]
    if len(block) != geometry.index_bytes or google_crc32c.value(body) != int.from_bytes(stored, "little"):
        raise RecordingInvalid(f"the index of {path} is torn: {_REPAIR}")
    return np.frombuffer(body, "<u8").reshape(-1, 2)


def read_exactly(fd: int, target: memoryview, offset: int, path: Path) -> None:
    """Fill `target` from `offset`.

    Raises:
        RecordingInvalid: The file ends before, or the disk cannot read it.
    """
    while target:
        try:
            count = os.preadv(fd, [target], offset)
        except (OSError, OverflowError) as error:
            raise RecordingInvalid(f"cannot read {path} at byte {offset}: {error}") from None
        if count == 0:
            raise RecordingInvalid(f"{path} ends at byte {offset}, inside a frame: {_REPAIR}")
        target = target[count:]
        offset += count


def _worth_direct(out: Frames, offsets: npt.NDArray[np.uint64]) -> bool:
    """Whether to read past the page cache: long walks do, which would only fill it with what nobody asks for again."""
    aligned = out.ctypes.data % ALIGNMENT == 0 and out[0].nbytes % ALIGNMENT == 0 and not (offsets % ALIGNMENT).any()
    return aligned and out.nbytes >= _DIRECT_FROM_BYTES


def _open(path: Path, *, direct: bool = False) -> int:
    try:
        return open_regular(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))
    except OSError as error:
        if direct and error.errno == errno.EINVAL and path.is_file():
            return _open(path)
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
