"""Other writers, each used the way its documentation recommends for speed, fed with the same frames as ours.

Run as a program it prints one JSON line: per writer the median of several runs, and as `disk_limit` the best of bare
O_DIRECT writing in batches of 1, 2 and 4 frames. The clock runs from the first frame until everything is on the disk.
"""

from __future__ import annotations

import argparse
import errno
import json
import mmap
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

PAGE = mmap.PAGESIZE
MAX_BYTES = 12_000_000_000
"""No run leaves more than this on the disk."""
FASTEST_FPS = 5000
"""Files are laid out for this rate at most; no disk here comes near it with frames of 1024x768."""
FRAMES_PER_SHARD = 500


class Peer(Protocol):
    """A writer under test: opened once, given frames in order, closed once."""

    name: str

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """Get ready for up to `frames` frames of uint8 (height, width) under `folder`; not timed."""

    def write(self, frame: Frame) -> None:
        """Take one contiguous, page-aligned frame; it stays unchanged until `close` has returned."""

    def close(self) -> None:
        """Return when all frames are on the disk, not only in the page cache."""


@dataclass(frozen=True)
class Result:
    """What one run gave."""

    fps: float
    mb_s: float
    cpu_us_per_frame: float
    """Processor time of this process with all its threads; the kernel's own write-back threads are not in it."""
    frames: int
    seconds: float


class Direct:
    """O_DIRECT into a preallocated file, `batch` frames to a call: nothing in between, so this is the disk's limit."""

    def __init__(self, batch: int) -> None:
        self.name = f"o_direct_x{batch}"
        self._batch = batch

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """One file, its blocks reserved."""
        if height * width % PAGE:
            raise ValueError(f"O_DIRECT takes frames of whole pages; {width}x{height} is none")
        self._fd = os.open(folder / "frames.raw", os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o644)
        os.posix_fallocate(self._fd, 0, frames * height * width)
        self._waiting: list[Frame] = []
        self._offset = 0

    def write(self, frame: Frame) -> None:
        """A call for each full batch, straight from the frames."""
        self._waiting.append(frame)
        if len(self._waiting) == self._batch:
            self._flush()

    def close(self) -> None:
        """Write what is left, and have the disk confirm."""
        self._flush()
        os.fdatasync(self._fd)
        os.close(self._fd)

    def _flush(self) -> None:
        if self._waiting:
            wanted = sum(frame.nbytes for frame in self._waiting)
            written = os.pwritev(self._fd, [frame.data for frame in self._waiting], self._offset)
            if written != wanted:
                raise OSError(errno.ENOSPC, f"{written} of {wanted} bytes written")
            self._offset += written
            self._waiting.clear()


class Buffered:
    """One `write` a frame through the page cache, as a plain program would."""

    name = "buffered_write"

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """One file, empty."""
        self._file = (folder / "frames.raw").open("wb", buffering=0)

    def write(self, frame: Frame) -> None:
        """Copy the frame into the page cache."""
        self._file.write(frame.data)

    def close(self) -> None:
        """Wait for the page cache to reach the disk."""
        os.fdatasync(self._file.fileno())
        self._file.close()


class AcquireZarr:
    """acquire-zarr, one frame a chunk, shards of 500, no compression: its streaming interface, frame by frame."""

    name = "acquire_zarr"

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """A stream whose time axis grows."""
        import acquire_zarr as aqz

        def dimension(name: str, kind: Any, size: int, chunk: int, shard: int) -> Any:
            return aqz.Dimension(name=name, kind=kind, array_size_px=size, chunk_size_px=chunk, shard_size_chunks=shard)

        kinds = aqz.DimensionType
        array = aqz.ArraySettings(
            dimensions=[
                dimension("time", kinds.TIME, 0, 1, FRAMES_PER_SHARD),
                dimension("y", kinds.SPACE, height, height, 1),
                dimension("x", kinds.SPACE, width, width, 1),
            ],
            data_type=aqz.DataType.UINT8,
        )
        settings = aqz.StreamSettings(store_path=str(folder / "frames.zarr"), arrays=[array])
        self._folder = folder
        self._stream = aqz.ZarrStream(settings)

    def write(self, frame: Frame) -> None:
        """Queue a copy for its threads."""
        self._stream.append(frame)

    def close(self) -> None:
        """Let it finish its shards, then wait for the disk."""
        self._stream.close()
        _to_disk(self._folder)


class H5pyDirectChunk:
    """h5py, one frame a chunk, handed to the file without HDF5's filters and type conversion."""

    name = "h5py_direct_chunk"

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """A file in the newest format, chunks on page boundaries."""
        import h5py

        self._folder = folder
        self._file = h5py.File(
            folder / "frames.h5", "w", libver="latest", alignment_threshold=PAGE, alignment_interval=PAGE
        )
        dataset = self._file.create_dataset("frames", (frames, height, width), "uint8", chunks=(1, height, width))
        self._dataset = dataset.id
        self._written = 0

    def write(self, frame: Frame) -> None:
        """Append the chunk as it is."""
        self._dataset.write_direct_chunk((self._written, 0, 0), frame)
        self._written += 1

    def close(self) -> None:
        """Close the file, then wait for the disk."""
        self._file.close()
        _to_disk(self._folder)


class TensorStore:
    """tensorstore, Zarr v3, one frame a chunk: asynchronous writes without a copy of the frame, 16 under way."""

    name = "tensorstore"
    _under_way = 16

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """An array of one file a frame."""
        import tensorstore

        self._folder = folder
        self._array = tensorstore.open(
            {
                "driver": "zarr3",
                "kvstore": {"driver": "file", "path": str(folder / "frames.zarr")},
                "metadata": {
                    "shape": [frames, height, width],
                    "data_type": "uint8",
                    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, height, width]}},
                    "codecs": [{"name": "bytes"}],
                },
                # Each chunk file would be synced by itself; `close` syncs them all, which is faster.
                "context": {"file_io_sync": False},
                "create": True,
            }
        ).result()
        self._futures: deque[Any] = deque()
        self._written = 0

    def write(self, frame: Frame) -> None:
        """Begin to write; wait only for the oldest of 16."""
        if len(self._futures) == self._under_way:
            self._futures.popleft().result()
        target = self._array[self._written]
        self._futures.append(target.write(frame, can_reference_source_data_indefinitely=True))
        self._written += 1

    def close(self) -> None:
        """Wait for all writes, then for the disk."""
        while self._futures:
            self._futures.popleft().result()
        _to_disk(self._folder)


class ZarrPython:
    """zarr-python, one frame a chunk without compression, written in blocks so that it can overlap the chunks."""

    name = "zarr_python"
    _block = 16

    def open(self, folder: Path, frames: int, height: int, width: int) -> None:
        """An array of one file a frame."""
        import zarr

        self._folder = folder
        self._array: Any = zarr.create_array(
            store=folder / "frames.zarr",
            shape=(frames, height, width),
            chunks=(1, height, width),
            dtype="uint8",
            compressors=None,
            # Without this, every frame is compared with the fill value first.
            config={"write_empty_chunks": True},
        )
        self._waiting: list[Frame] = []
        self._written = 0

    def write(self, frame: Frame) -> None:
        """Assign a block when 16 frames are there."""
        self._waiting.append(frame)
        if len(self._waiting) == self._block:
            self._flush()

    def close(self) -> None:
        """Assign what is left, then wait for the disk."""
        self._flush()
        _to_disk(self._folder)

    def _flush(self) -> None:
        if self._waiting:
            end = self._written + len(self._waiting)
            self._array[self._written : end] = np.stack(self._waiting)
            self._written = end
            self._waiting.clear()


DIRECT_BATCHES = (1, 2, 4)
PEERS: dict[str, Callable[[], Peer]] = {
    "buffered_write": Buffered,
    "acquire_zarr": AcquireZarr,
    "h5py_direct_chunk": H5pyDirectChunk,
    "tensorstore": TensorStore,
    "zarr_python": ZarrPython,
}
"""Everybody but the disk's limit, by name."""


def page_aligned_frames(count: int, height: int, width: int) -> list[Frame]:
    """`count` frames, uint8 (height, width), each beginning on a page; of noise, so that nothing can shrink them."""
    stride = -(-height * width // PAGE) * PAGE
    block = np.frombuffer(mmap.mmap(-1, count * stride), np.uint8).reshape(count, stride)
    noise = np.random.default_rng(0)
    frames = []
    for row in block:
        row[:] = np.frombuffer(noise.bytes(stride), np.uint8)
        frames.append(row[: height * width].reshape(height, width))
    return frames


def measure(peer: Peer, frames: Sequence[Frame], seconds: float, folder: Path, max_bytes: int = MAX_BYTES) -> Result:
    """Write `frames` over and over for `seconds`, then wait for the disk; all of that is the time that counts.

    Args:
        peer: The writer.
        frames: Page-aligned frames, all uint8 of one shape; used in turn.
        seconds: How long to feed frames; waiting for the disk comes on top.
        folder: On the disk to be measured; what is written there is removed again.
        max_bytes: The run ends early when it has written this much, or half of what is free.

    Raises:
        OSError: ENOSPC where the disk has room for less than a second's worth.
    """
    height, width = frames[0].shape
    room = min(max_bytes, shutil.disk_usage(folder).free // 2)
    planned = min(room // frames[0].nbytes, int(seconds * FASTEST_FPS) + 1)
    if planned < FRAMES_PER_SHARD:
        raise OSError(errno.ENOSPC, f"{folder} has room for {planned} frames: make room, or measure elsewhere")
    place = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=folder))
    try:
        peer.open(place, planned, height, width)
        # Whoever wrote before must not be paid for here.
        os.sync()
        written = 0
        cpu_before = _cpu_s()
        begin = time.perf_counter()
        while written < planned and time.perf_counter() - begin < seconds:
            peer.write(frames[written % len(frames)])
            written += 1
        peer.close()
        took = time.perf_counter() - begin
        cpu = _cpu_s() - cpu_before
    finally:
        shutil.rmtree(place)
    fps = written / took
    return Result(
        fps=round(fps, 1),
        mb_s=round(fps * frames[0].nbytes / 1e6, 1),
        cpu_us_per_frame=round(cpu / written * 1e6, 1),
        frames=written,
        seconds=round(took, 3),
    )


def disk_limit(frames: Sequence[Frame], seconds: float, folder: Path) -> Result:
    """The best of bare O_DIRECT writing in batches of 1, 2 and 4 frames, `seconds` each."""
    return max(
        (measure(Direct(batch), frames, seconds, folder) for batch in DIRECT_BATCHES), key=lambda result: result.fps
    )


def median(results: Sequence[Result]) -> Result:
    """The run in the middle by frame rate; of two, the slower."""
    fps = statistics.median_low(result.fps for result in results)
    return next(result for result in results if result.fps == fps)


def _to_disk(folder: Path) -> None:
    """Wait until what was written under `folder` is on the disk."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    if len(files) > FRAMES_PER_SHARD:
        # One file a frame: thousands of syncs would take longer than one for the whole machine.
        os.sync()
        return
    for file in files:
        fd = os.open(file, os.O_RDONLY)
        os.fdatasync(fd)
        os.close(fd)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure every writer that is installed, in turns so that all see the same disk, and print one JSON line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to be measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="per run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=[*PEERS], default=[*PEERS], help="leave others out")
    asked = parser.parse_args()
    frames = page_aligned_frames(64, 768, 1024)
    everybody: dict[str, Callable[[], Peer]] = {f"o_direct_x{n}": partial(Direct, n) for n in DIRECT_BATCHES}
    everybody |= {name: PEERS[name] for name in asked.only}
    results: dict[str, list[Result]] = {name: [] for name in everybody}
    missing: dict[str, str] = {}
    for _ in range(asked.runs):
        for name, make in everybody.items():
            try:
                results[name].append(measure(make(), frames, asked.seconds, asked.folder))
            except ImportError as error:
                missing[name] = f"not installed: {error.name}"
    medians = {name: asdict(median(runs)) for name, runs in results.items() if runs}
    limit = max((medians[f"o_direct_x{batch}"] for batch in DIRECT_BATCHES), key=lambda found: found["fps"])
    print(json.dumps({"frame": "1024x768 uint8", "runs": asked.runs, "disk_limit": limit, **medians, **missing}))


if __name__ == "__main__":
    main()
