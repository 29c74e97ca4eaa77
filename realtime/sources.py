"""Frames to replay: our recordings, Zarr arrays of (time, height, width), and video files."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import av
import numpy as np
import numpy.typing as npt
import zarr

from capture.errors import BadInput
from capture.recording.reader import Recording

Frames = npt.NDArray[np.uint8]
_BLOCK: Final = 50
_AHEAD: Final = 3
"""Blocks that are read while others are looked at."""
_ASSUMED_FPS: Final = 200.0


@dataclass(frozen=True)
class Block:
    """Frames that follow each other."""

    first: int
    times_s: npt.NDArray[np.float64]
    frames: Frames
    """(N, height, width) uint8."""


class FrameSource(Protocol):
    """Something that frames can be read from, once and in order."""

    @property
    def rate_fps(self) -> float:
        """Nominal frames a second."""
        ...

    @property
    def count(self) -> int:
        """How many frames there are, as far as that is known before they are read."""
        ...

    @property
    def note(self) -> str:
        """What had to be assumed; empty where nothing was."""
        ...

    def blocks(self) -> Iterator[Block]:
        """All frames.

        Raises:
            BadInput: They cannot be read.
        """
        ...


class RecordingSource:
    """One of our recordings; the camera's own times are kept where it has them."""

    note: Final = ""

    def __init__(self, path: Path) -> None:
        self._recording = recording = Recording.open(path)
        self.rate_fps = float(recording.rate_fps) if recording.rate_fps > 0 else _ASSUMED_FPS
        self.count = len(recording)
        device = recording.device_ns.astype(np.int64)
        # As live: the camera's clock, or the frame's number where it has none.
        self._times_s = device / 1e9 if len(device) and device.all() else np.arange(self.count) / self.rate_fps

    def blocks(self) -> Iterator[Block]:
        """See `FrameSource.blocks`."""
        for first in range(0, self.count, _BLOCK):
            frames = self._recording.frames(first, first + _BLOCK)
            yield Block(first, self._times_s[first : first + len(frames)], frames)


class ArraySource:
    """A Zarr array (time, height, width) of uint8; its attribute `rate_fps` says how fast."""

    def __init__(self, path: Path, array: zarr.Array[Any], fps: float | None) -> None:
        if array.ndim != 3 or array.dtype != np.uint8 or 0 in array.shape:
            raise BadInput(
                f"{path} holds {array.dtype} of {array.shape}: frames are uint8 of (time, height, width), at least one"
            )
        self._array = array
        self.count = int(array.shape[0])
        told = fps if fps is not None else array.attrs.get("rate_fps", array.attrs.get("fps"))
        self.rate_fps = float(told) if isinstance(told, int | float) and told > 0 else _ASSUMED_FPS
        self.note = "" if told else f"{path.name} does not say its rate; taken for {_ASSUMED_FPS:g} fps (--fps)"

    def blocks(self) -> Iterator[Block]:
        """See `FrameSource.blocks`."""
        for first in range(0, self.count, _BLOCK):
            frames = np.asarray(self._array[first : first + _BLOCK], np.uint8)
            yield Block(first, np.arange(first, first + len(frames)) / self.rate_fps, frames)


class VideoSource:
    """A video file, by PyAV; colours become grey."""

    def __init__(self, path: Path, fps: float | None) -> None:
        self._path = path
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise BadInput(f"{path} holds no video")
                stream = container.streams.video[0]
                rate = stream.average_rate or stream.guessed_rate
                seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
                frames = stream.frames
        except (av.FFmpegError, OSError) as error:
            raise BadInput(f"{path} is neither a recording, nor a Zarr array, nor a video that can be read") from error
        self.rate_fps = fps or (float(rate) if rate else _ASSUMED_FPS)
        self.count = int(frames or round(seconds * self.rate_fps))
        slow = self.rate_fps < 100
        self.note = f"{self.rate_fps:g} frames a second are few for micro-expressions" if slow else ""

    def blocks(self) -> Iterator[Block]:
        """See `FrameSource.blocks`."""
        first = 0
        held: list[Frames] = []
        try:
            with av.open(str(self._path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for frame in container.decode(stream):
                    held.append(np.ascontiguousarray(frame.to_ndarray(format="gray"), np.uint8))
                    if len(held) == _BLOCK:
                        yield self._block(first, held)
                        first += len(held)
                        held = []
        except (av.FFmpegError, OSError) as error:
            raise BadInput(f"{self._path} cannot be decoded beyond frame {first + len(held)}: {error}") from error
        if held:
            yield self._block(first, held)

    def _block(self, first: int, held: list[Frames]) -> Block:
        return Block(first, np.arange(first, first + len(held)) / self.rate_fps, np.stack(held))


def open_source(path: Path, fps: float | None = None) -> FrameSource:
    """The frames at a path.

    Args:
        path: A recording of ours, a Zarr array or group with one, or a video.
        fps: Nominal rate, where the file does not say it.

    Raises:
        BadInput: There is nothing, or nothing that frames can be read from.
        RecordingInvalid: It is a recording of ours, and damaged.
    """
    if not path.exists():
        raise BadInput(f"{path} is not there: give a recording, a Zarr array, or a video")
    if path.is_file():
        return VideoSource(path, fps)
    try:
        node = zarr.open(path, mode="r")
    except Exception as error:
        if (path / "values.zarr").is_dir():
            return RecordingSource(path)
        raise BadInput(f"{path} is neither a recording, nor a Zarr array, nor a video") from error
    if isinstance(node, zarr.Array):
        return ArraySource(path, node, fps)
    if "host_ns" in node and "frames" in node:
        return RecordingSource(path)
    arrays = [array for _, array in node.arrays() if array.ndim == 3 and array.dtype == np.uint8]
    if len(arrays) == 1:
        return ArraySource(path, arrays[0], fps)
    raise BadInput(f"{path} holds {len(arrays)} arrays of (time, height, width) uint8: name the one to replay")


def read_ahead(source: FrameSource) -> Iterator[Block]:
    """The source's blocks, read by a thread of its own while the caller works on those before."""
    blocks: queue.Queue[Block | BaseException | None] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def put(item: Block | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                blocks.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for block in source.blocks():
                if not put(block):
                    return
        except BaseException as error:
            put(error)
        else:
            put(None)

    reader = threading.Thread(target=read, name="read ahead", daemon=True)
    reader.start()
    try:
        while (item := blocks.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        reader.join()
