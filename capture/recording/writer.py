"""Writes one recording: frames with O_DIRECT into preallocated Zarr shards, index and per-frame values right behind.

After every `flush_frames` frames the index block and the per-frame arrays of the running shard are rewritten, so that
a process that is killed loses at most the frames since then, and any Zarr v3 reader opens what is there.
"""

from __future__ import annotations

import errno
import itertools
import json
import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import google_crc32c
import msgspec
import numpy as np
import numpy.typing as npt

from capture.errors import CaptureError, FolderUnusable, NoSpace
from capture.recording.files import read_document
from capture.recording.layout import (
    PER_FRAME,
    ShardGeometry,
    group_metadata,
    shard_path,
    value_path,
    write_json,
    write_metadata,
)


class WriterStatistics(msgspec.Struct, frozen=True):
    """What a writer has put on disk so far."""

    frames: int
    bytes: int
    """Pixel bytes."""
    last_durable: int
    """Sequence number of the last frame that a reader would find after a kill; -1 before the first flush."""
    direct_io: bool
    resumed_at: int
    """Frames that were on disk when the writer opened the recording; 0 for a new one."""


@dataclass
class _Shard:
    """One open shard file with the values of its frames."""

    number: int
    fd: int
    direct: bool
    values: dict[str, npt.NDArray[Any]]
    value_fds: dict[str, int]

    def close(self) -> None:
        for fd in (self.fd, *self.value_fds.values()):
            os.close(fd)


class RecordingWriter:
    """Appends frames to a new recording.

    `append` writes pixels; `flush` makes them visible to readers; `close` trims the files to exact lengths. The writer
    owns its folder. It is used by one thread; a helper thread of its own prepares the next shard ahead of need.

    Raises:
        FolderUnusable: The recording exists already, or its folder cannot be made.
        NoSpace: The disk is full (from the constructor, `append` or `flush`); what was flushed before stays valid.
        CaptureError: The disk refuses for another reason; likewise.
    """

    def __init__(
        self, path: Path, geometry: ShardGeometry, *, flush_frames: int, attributes: Mapping[str, Any]
    ) -> None:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise FolderUnusable(f"{path} exists already: a recording is never written over") from None
        except OSError as error:
            raise FolderUnusable(f"cannot make {path}: {error.strerror}") from error
        with _disk_errors(path):
            write_json(path / "zarr.json", group_metadata(attributes))
        self._open(path, geometry, flush_frames, 0)

    @classmethod
    def resume(cls, path: Path, geometry: ShardGeometry, *, flush_frames: int) -> Self:
        """Go on with a recording whose writer was killed, behind the last frame that it made durable.

        Raises:
            NoSpace: The disk is full.
        """
        writer = cls.__new__(cls)
        writer._open(path, geometry, flush_frames, _durable_frames(path, geometry))
        return writer

    def _open(self, path: Path, geometry: ShardGeometry, flush_frames: int, frames: int) -> None:
        self.path = path
        self.geometry = geometry
        self._flush_frames = max(1, flush_frames)
        self._frames = self._flushed = self._resumed_at = frames
        self._direct = True
        self._aligned_index = memoryview(mmap.mmap(-1, geometry.data_start))
        self._preparer = ThreadPoolExecutor(1, thread_name_prefix="next-shard")
        self._next: Future[_Shard] | None = None
        number = frames // geometry.frames_per_shard
        try:
            self._shard = self._prepare(number, frames % geometry.frames_per_shard)
        except BaseException:
            self._preparer.shutdown()
            raise

    @property
    def flush_due(self) -> bool:
        """Whether enough frames were appended since the last flush."""
        return self._frames - self._flushed >= self._flush_frames

    def append(self, pixels: memoryview, values: Mapping[str, Sequence[int] | npt.NDArray[Any]]) -> None:
        """Write frames that lie one behind the other in memory.

        Args:
            pixels: `count * geometry.stride` bytes, page-aligned; each frame padded to the stride.
            values: For each of `PER_FRAME` the frames' values (count,); each `host_ns` greater than 0.
        """
        stride = self.geometry.stride
        count = len(values["host_ns"])
        done = 0
        while done < count:
            shard = self._shard_for_next_frame()
            index = self._frames % self.geometry.frames_per_shard
            part = min(count - done, self.geometry.frames_per_shard - index)
            with _disk_errors(self.path):
                _write_all(shard.fd, pixels[done * stride : (done + part) * stride], self.geometry.offset(index))
            for name, column in shard.values.items():
                column[index : index + part] = values[name][done : done + part]
            self._frames += part
            done += part
            if index + part == self.geometry.frames_per_shard:
                self.flush()

    def flush(self) -> None:
        """Rewrite index and per-frame values of the running shard: all frames appended are now readable."""
        if self._flushed == self._frames:
            return
        shard = self._shard
        used = self._frames - shard.number * self.geometry.frames_per_shard
        present = np.arange(self.geometry.frames_per_shard) < used
        with _disk_errors(self.path):
            self._aligned_index[:] = self.geometry.index_block(present)
            _write_all(shard.fd, self._aligned_index, 0)
            for name in PER_FRAME:
                _write_all(shard.value_fds[name], shard.values[name].data.cast("B"), 0)
        self._flushed = self._frames

    def drop_unflushed(self) -> list[int]:
        """Give up the frames that a failing disk keeps from being flushed; returns their ids.

        They are counted no more, so that what `close` writes holds for the frames before them.
        """
        shard = self._shard
        first = shard.number * self.geometry.frames_per_shard
        gone = slice(self._flushed - first, self._frames - first)
        ids: list[int] = shard.values["frame_id"][gone].tolist()
        for values in shard.values.values():
            values[gone] = 0
        self._frames = self._flushed
        return ids

    def close(self, attributes: Mapping[str, Any]) -> None:
        """Flush, trim every file to its exact length, sync, and write the final attributes.

        A step that fails keeps none of the others from being tried: what was flushed before becomes a closed recording
        wherever the disk still allows it. The first failure is raised at the end.
        """
        steps = (
            self.flush,
            self._discard_prepared,
            self._trim,
            self._sync,
            self._shard.close,
            lambda: write_metadata(self.path, self.geometry, self._flushed),
            lambda: write_json(
                self.path / "zarr.json", group_metadata({**attributes, "values_crc32c": self._values_checksums()})
            ),
        )
        failures: list[CaptureError] = []
        for step in steps:
            try:
                with _disk_errors(self.path):
                    step()
            except CaptureError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _trim(self) -> None:
        used = self._flushed - self._shard.number * self.geometry.frames_per_shard
        os.ftruncate(self._shard.fd, self.geometry.shard_bytes(used))

    def _sync(self) -> None:
        for fd in (self._shard.fd, *self._shard.value_fds.values()):
            os.fsync(fd)

    def _values_checksums(self) -> dict[str, int]:
        """Of each per-frame array over all frames, as they lie on the disk."""
        checksums = dict.fromkeys(PER_FRAME, 0)
        for number in range(-(-self._flushed // self.geometry.frames_per_shard)):
            used = min(self._flushed - number * self.geometry.frames_per_shard, self.geometry.frames_per_shard)
            for name, dtype in PER_FRAME.items():
                chunk = value_path(self.path, name, number).read_bytes()
                checksums[name] = google_crc32c.extend(checksums[name], chunk[: used * dtype.itemsize])
        return checksums

    def statistics(self) -> WriterStatistics:
        """What is on disk so far."""
        return WriterStatistics(
            frames=self._frames,
            bytes=self._frames * self.geometry.frame_bytes,
            last_durable=self._flushed - 1,
            direct_io=self._direct,
            resumed_at=self._resumed_at,
        )

    def _shard_for_next_frame(self) -> _Shard:
        number = self._frames // self.geometry.frames_per_shard
        if number != self._shard.number:
            prepared = self._next.result() if self._next is not None else self._prepare(number)
            self._next = None
            full, self._shard = self._shard, prepared
            full.close()
        elif self._next is None:
            self._next = self._preparer.submit(self._prepare, number + 1)
        return self._shard

    def _prepare(self, number: int, used: int = 0) -> _Shard:
        """Make and preallocate a shard file and the chunk files of its values; keep the first `used` frames."""
        path = shard_path(self.path, number)
        shard: _Shard | None = None
        with _disk_errors(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                shard = _Shard(number, *_open_direct(path), {}, {})
                self._fill_in(shard, used)
                # Readers see frames up to this length only, so it is there before the first of them. Not synced: a kill
                # does not need it, and the recorder may wait for this thread.
                write_metadata(self.path, self.geometry, (number + 1) * self.geometry.frames_per_shard, sync=False)
            except OSError:
                if shard is not None:
                    shard.close()
                if not used:
                    self._remove(number)
                raise
        self._direct = shard.direct
        return shard

    def _fill_in(self, shard: _Shard, used: int) -> None:
        """Allocate the shard, and write an index and values that have the first `used` frames."""
        os.posix_fallocate(shard.fd, 0, self.geometry.shard_bytes(self.geometry.frames_per_shard))
        block = memoryview(mmap.mmap(-1, self.geometry.data_start))
        block[:] = self.geometry.index_block(np.arange(self.geometry.frames_per_shard) < used)
        _write_all(shard.fd, block, 0)
        for name, dtype in PER_FRAME.items():
            chunk = value_path(self.path, name, shard.number)
            chunk.parent.mkdir(parents=True, exist_ok=True)
            fd = shard.value_fds[name] = os.open(chunk, os.O_CREAT | os.O_RDWR, 0o644)
            values = shard.values[name] = np.zeros(self.geometry.frames_per_shard, dtype)
            values[:used] = np.frombuffer(os.pread(fd, used * dtype.itemsize, 0), dtype)
            os.pwrite(fd, values.tobytes(), 0)

    def _remove(self, number: int) -> None:
        """Remove the files of a shard that holds no frame."""
        shard = shard_path(self.path, number)
        for file in (shard, *(value_path(self.path, name, number) for name in PER_FRAME)):
            with suppress(OSError):
                file.unlink()
        for folder in (shard.parent, shard.parent.parent):
            with suppress(OSError):
                folder.rmdir()

    def _discard_prepared(self) -> None:
        """Remove the shard that was prepared but not needed."""
        self._preparer.shutdown(wait=True)
        if self._next is None or self._next.exception() is not None:
            return
        spare = self._next.result()
        spare.close()
        self._remove(spare.number)


def written_before(path: Path, series: str) -> tuple[str, int] | None:
    """State and frames of the recording at `path`, where an earlier writer began it for this very series.

    The state is `recording` where that writer never closed it, with 0 frames said, and `complete` where it did.
    """
    try:
        ours = json.loads(read_document(path / "zarr.json"))["attributes"]["dfme"]
        return (str(ours["state"]), int(ours.get("frames", 0))) if ours["series"] == series else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _durable_frames(path: Path, geometry: ShardGeometry) -> int:
    """Frames from the first on that were flushed: those with `host_ns` > 0."""
    frames = 0
    for number in itertools.count():
        try:
            chunk = value_path(path, "host_ns", number).read_bytes()
        except FileNotFoundError:
            return frames
        times = np.frombuffer(chunk[: len(chunk) // 8 * 8], PER_FRAME["host_ns"])[: geometry.frames_per_shard]
        written = int(np.argmax(times == 0)) if (times == 0).any() else len(times)
        frames += written
        if written < geometry.frames_per_shard:
            return frames
    return frames


def _open_direct(path: Path) -> tuple[int, bool]:
    """Open a file with O_DIRECT, or without where the file system refuses it; says which."""
    flags = os.O_CREAT | os.O_RDWR
    try:
        return os.open(path, flags | os.O_DIRECT, 0o644), True
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags, 0o644), False


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    """`pwrite` until all of `data` is written."""
    while data:
        written = os.pwrite(fd, data, offset)
        data = data[written:]
        offset += written


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one clear line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"no space left for {path}: make room or choose another disk with --out") from error
        raise CaptureError(
            f"cannot write {error.filename or path}: {error.strerror or error}: "
            "check the disk (`dmesg` says more), or choose another one with --out"
        ) from error
