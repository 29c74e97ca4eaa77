"""Walks through a recording in blocks of frames, the next block being read while the last one is worked on."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import google_crc32c
import numpy as np
import numpy.typing as npt

from capture.errors import RecordingInvalid
from capture.recording.reader import Recording

Progress = Callable[[int, int], None]
"""Told now and then how much is done, and how much there is, in frames."""
BLOCK_BYTES = 8 << 20


def silent(_done: int, _total: int) -> None:
    """A `Progress` that says nothing."""


@dataclass(frozen=True)
class Block:
    """Frames `start` to `stop` of a recording; `frames` is only valid until the next block is asked for."""

    start: int
    stop: int
    frames: npt.NDArray[np.uint8]
    """uint8 (stop - start, height, width), page-aligned."""
    error: RecordingInvalid | None = None
    """Why the frames could not be read; a block with an error has one frame and no meaningful pixels."""


def blocks(recording: Recording, start: int = 0, stop: int | None = None) -> Iterator[Block]:
    """Frames `start` to `stop` (all by default) in blocks of a few megabytes.

    Where a frame of a block cannot be read, the block comes frame by frame, with the error at the frame that has it.
    """
    stop = len(recording) if stop is None else stop
    frame_bytes = recording.geometry.frame_bytes
    size = max(1, BLOCK_BYTES // frame_bytes)
    shape = (size, recording.height_px, recording.width_px)
    buffers = [np.frombuffer(mmap.mmap(-1, size * frame_bytes), np.uint8).reshape(shape) for _ in range(2)]
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        ahead: Future[npt.NDArray[np.uint8]] | None = None
        for number, first in enumerate(range(start, stop, size)):
            last = min(first + size, stop)
            now = ahead or reader.submit(recording.frames, first, last, buffers[number % 2])
            ahead = None
            error = now.exception()
            if last < stop and not error:
                ahead = reader.submit(recording.frames, last, min(last + size, stop), buffers[(number + 1) % 2])
            if not error:
                yield Block(first, last, now.result())
            elif isinstance(error, RecordingInvalid):
                yield from _frame_by_frame(recording, first, last, buffers[number % 2])
            else:
                raise error


def _frame_by_frame(recording: Recording, start: int, stop: int, buffer: npt.NDArray[np.uint8]) -> Iterator[Block]:
    for frame in range(start, stop):
        try:
            yield Block(frame, frame + 1, recording.frames(frame, frame + 1, buffer))
        except RecordingInvalid as error:
            yield Block(frame, frame + 1, buffer[:1], error)


def checksums(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """crc32c of each frame's pixels; frames uint8 (frames, height, width), result uint32 (frames,)."""
    return np.fromiter((google_crc32c.value(frame) for frame in frames), np.uint32, count=len(frames))


def checked_blocks(recording: Recording, start: int = 0, stop: int | None = None) -> Iterator[Block]:
    """As `blocks`, each frame compared with its checksum.

    Raises:
        RecordingInvalid: A frame cannot be read or its pixels are not those that were recorded.
    """
    for block in blocks(recording, start, stop):
        if block.error is not None:
            raise block.error
        wrong = np.flatnonzero(checksums(block.frames) != recording.crc32c[block.start : block.stop])
        if len(wrong):
            raise RecordingInvalid(
                f"{recording.path}: frame {block.start + int(wrong[0])} does not match its checksum: "
                "see `dfme-session verify`"
            )
        yield block
