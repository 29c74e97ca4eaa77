"""Long synthetic recordings: one Zarr v3 array (time, height, width) each, written shard by shard, restartable."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.state import FaceTrack

FRAMES_PER_SHARD: Final = 100
"""A file of about 56 MB: bit-shuffled zstd takes 4 ms a frame and keeps 71 % of it, since what is left is noise."""

Render = Callable[[FaceTrack, int, npt.NDArray[np.uint8]], None]
"""Draws frame `int` of the track into uint8 (768, 1024)."""
WriteLong = Callable[[Path, FaceTrack, Render, dict[str, Any], Callable[[int], None]], None]
"""What writes a long recording: `write_recording`, or another with the same arguments, picklable."""


def write_recording(
    path: Path,
    track: FaceTrack,
    render: Render,
    attributes: dict[str, Any],
    after_frame: Callable[[int], None],
) -> None:
    """Renders a track into the Zarr v3 array at `path`, uint8 (time, 768, 1024), one frame per inner chunk.

    Shards that are there from an earlier start are kept, but the last: it may not be whole.

    Args:
        path: Folder of the array, `….zarr`.
        track: What the face does.
        render: Draws one frame.
        attributes: Go into the array's attributes; an array with others is replaced.
        after_frame: Told the frames that are there; may raise to stop.
    """
    frames = len(track)
    array = _array(path, frames, attributes)
    first = _shards_kept(path) * FRAMES_PER_SHARD
    after_frame(first)
    block = np.empty((FRAMES_PER_SHARD, HEIGHT_PX, WIDTH_PX), np.uint8)
    for start in range(first, frames, FRAMES_PER_SHARD):
        count = min(FRAMES_PER_SHARD, frames - start)
        for offset in range(count):
            render(track, start + offset, block[offset])
            after_frame(start + offset + 1)
        array[start : start + count] = block[:count]


def _array(path: Path, frames: int, attributes: dict[str, Any]) -> zarr.Array[Any]:
    shape = (frames, HEIGHT_PX, WIDTH_PX)
    if (path / "zarr.json").is_file():
        array = zarr.open_array(path, mode="r+")
        if array.shape == shape and dict(array.attrs) == attributes:
            return array
    shutil.rmtree(path, ignore_errors=True)
    return zarr.create_array(
        path,
        shape=shape,
        dtype=np.uint8,
        chunks=(1, HEIGHT_PX, WIDTH_PX),
        shards=(FRAMES_PER_SHARD, HEIGHT_PX, WIDTH_PX),
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=1),
        dimension_names=("time", "height", "width"),
        attributes=attributes,
    )


def _shards_kept(path: Path) -> int:
    found = 0
    while (path / "c" / str(found) / "0" / "0").is_file():
        found += 1
    return max(0, found - 1)
