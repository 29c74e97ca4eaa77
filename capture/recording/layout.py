"""The recording format, version 1: where each byte of a recording lies.

A recording is a Zarr v3 group. `frames` is uint8 (time, height, width), sharded with one frame per inner chunk, no
compression, and the index at the start of each shard, so that frame `i` of a shard lies at a fixed, page-aligned
place. Four plain arrays hold one value per frame: `frame_id`, `device_ns`, `host_ns` (uint64) and `crc32c` (uint32).
Frames that count are those with `host_ns` > 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import msgspec
import numpy as np
import numpy.typing as npt

from capture.recording.files import finite, write_whole

FORMAT_VERSION = "1.0"
FRAMES_PER_SHARD = 500
ALIGNMENT = 4096
"""O_DIRECT asks for buffers, offsets and lengths in multiples of this on every disk we have seen."""
MISSING = 2**64 - 1
"""Offset and length of a chunk that is not there, in a Zarr shard index."""

PER_FRAME: dict[str, np.dtype[Any]] = {
    "frame_id": np.dtype("<u8"),
    "device_ns": np.dtype("<u8"),
    "crc32c": np.dtype("<u4"),
    "host_ns": np.dtype("<u8"),
}
"""The per-frame arrays, in the order in which they are written: `host_ns`, which makes a frame count, comes last."""


@dataclass(frozen=True)
class ShardGeometry:
    """Sizes and places within one shard of frames of `height_px` x `width_px` uint8 pixels."""

    height_px: int
    width_px: int
    frames_per_shard: int = FRAMES_PER_SHARD

    @property
    def frame_bytes(self) -> int:
        """Pixels of one frame."""
        return self.height_px * self.width_px

    @property
    def stride(self) -> int:
        """Bytes from one frame to the next: the frame rounded up to the alignment."""
        return -(-self.frame_bytes // ALIGNMENT) * ALIGNMENT

    @property
    def index_bytes(self) -> int:
        """Bytes of the shard index with its checksum, as Zarr reads it."""
        return self.frames_per_shard * 16 + 4

    @property
    def data_start(self) -> int:
        """Where frame 0 lies: behind the index, rounded up to the alignment."""
        return -(-self.index_bytes // ALIGNMENT) * ALIGNMENT

    def offset(self, index: int) -> int:
        """Where frame `index` of the shard lies."""
        return self.data_start + index * self.stride

    def shard_bytes(self, frames: int) -> int:
        """Length of a shard file that holds `frames` frames."""
        return self.data_start + frames * self.stride

    def index_block(self, present: npt.NDArray[np.bool_]) -> bytes:
        """The index block, `data_start` bytes long, for a shard in which `present` frames have been written.

        Args:
            present: bool (frames_per_shard,), True where the frame is on disk.
        """
        entries = np.full((self.frames_per_shard, 2), MISSING, dtype="<u8")
        entries[:, 0] = np.where(
            present,
            self.data_start + np.arange(self.frames_per_shard, dtype=np.uint64) * self.stride,
            MISSING,
        )
        entries[present, 1] = self.frame_bytes
        body = entries.tobytes()
        checksum = google_crc32c.value(body).to_bytes(4, "little")
        return bytes(body + checksum).ljust(self.data_start, b"\0")


def shard_path(recording: Path, shard: int) -> Path:
    """The file of shard number `shard`."""
    return recording / "frames" / "c" / str(shard) / "0" / "0"


def value_path(recording: Path, name: str, shard: int) -> Path:
    """The chunk file of a per-frame array that goes with shard number `shard`."""
    return recording / name / "c" / str(shard)


def frames_metadata(geometry: ShardGeometry, length: int) -> dict[str, Any]:
    """`zarr.json` of `frames`, for `length` frames."""
    height, width = geometry.height_px, geometry.width_px
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [length, height, width],
        "data_type": "uint8",
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [geometry.frames_per_shard, height, width]},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [
            {
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": [1, height, width],
                    "codecs": [{"name": "bytes"}],
                    "index_codecs": [little, {"name": "crc32c"}],
                    "index_location": "start",
                },
            }
        ],
        "attributes": {},
        "dimension_names": ["time", "y", "x"],
    }


def values_metadata(name: str, geometry: ShardGeometry, length: int) -> dict[str, Any]:
    """`zarr.json` of the per-frame array `name`, for `length` frames."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [length],
        "data_type": PER_FRAME[name].name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [geometry.frames_per_shard]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {},
        "dimension_names": ["time"],
    }


def group_metadata(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """`zarr.json` of the recording itself; ours is the `dfme` key of its attributes."""
    return {"zarr_format": 3, "node_type": "group", "attributes": {"dfme": dict(attributes)}}


def write_json(path: Path, content: Mapping[str, Any], *, sync: bool = True) -> None:
    """Write a JSON file whole: readers find the old content or the new, never a part.

    With `sync` the content is on the disk before it takes its name, which a power cut needs and a kill does not.
    Numbers that JSON does not have become null: some readers refuse a file with `NaN` in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Indented afterwards: json's own indenting encoder leaves reference cycles behind, and the recorder, in which the
    # garbage collector rests, writes five of these files for every shard.
    text = json.dumps(finite(content), allow_nan=False)
    write_whole(path, msgspec.json.format(text, indent=1).encode(), sync=sync)


def write_metadata(recording: Path, geometry: ShardGeometry, length: int, *, sync: bool = True) -> None:
    """Write or rewrite the `zarr.json` of `frames` and of the per-frame arrays, for `length` frames."""
    for name in PER_FRAME:
        write_json(recording / name / "zarr.json", values_metadata(name, geometry, length), sync=sync)
    write_json(recording / "frames" / "zarr.json", frames_metadata(geometry, length), sync=sync)
