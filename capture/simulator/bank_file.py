"""The file format of frame banks: frames rendered once, which the simulated camera maps and loops by time.

A bank, little endian:

    0     "DFMEBANK"
    8     u32  version, 1
    12    u32  width in px
    16    u32  height in px
    20    u32  stride: bytes from one frame to the next, the frame rounded up to 4096
    24    f64  rate in frames per second
    32    u64  frames planned
    40    u64  frames ready; grows while the bank is rendered, perhaps while it is played
    48    u64  offset of the first frame, a multiple of 4096
    4096  u32  crc32c of each frame's pixels from byte 64 on (the first 64 bytes make room for the stamp)
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from capture.errors import BadInput, FolderUnusable, NoSpace
from capture.simulator.stamp import STAMP_BYTES, pixels_crc32c

BLOCK = 4096
_MAGIC = b"DFMEBANK"
_VERSION = 1
_HEADER = struct.Struct("<8sIIIIdQQQ")
_READY_OFFSET = 40
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_MAX_SIDE_PX = 65536
_MAX_FRAME_BYTES = 2**28
_MAX_FRAMES = 2**31
_MAX_RATE_FPS = 100_000.0
_FREE_MARGIN_BYTES = 64 * 1024**2


class FrameBankError(BadInput):
    """A frame bank is damaged, not one at all, or does not fit the camera."""


@dataclass(frozen=True)
class BankGeometry:
    """Sizes and places within one bank."""

    width_px: int
    height_px: int
    rate_fps: float
    frames: int
    """Frames planned; the file has room for as many."""
    data_offset: int

    @classmethod
    def planned(cls, width_px: int, height_px: int, rate_fps: float, frames: int) -> BankGeometry:
        """The geometry of a new bank: its frames lie right behind the checksums."""
        return cls(width_px, height_px, rate_fps, frames, BLOCK + _blocks(frames * _U32.size))

    @property
    def frame_bytes(self) -> int:
        """Pixels of one frame."""
        return self.width_px * self.height_px

    @property
    def stride_bytes(self) -> int:
        """Bytes from one frame to the next."""
        return _blocks(self.frame_bytes)

    @property
    def file_bytes(self) -> int:
        """Length of the file."""
        return self.data_offset + self.frames * self.stride_bytes

    def header(self, frames_ready: int) -> bytes:
        """The header, for a bank with `frames_ready` frames in it."""
        return _HEADER.pack(
            _MAGIC,
            _VERSION,
            self.width_px,
            self.height_px,
            self.stride_bytes,
            self.rate_fps,
            self.frames,
            frames_ready,
            self.data_offset,
        )

    def fault(self) -> str:
        """What is impossible about these values, or an empty string."""
        sides = 0 < self.width_px <= _MAX_SIDE_PX and 0 < self.height_px <= _MAX_SIDE_PX
        if not sides or self.frame_bytes > _MAX_FRAME_BYTES:
            return (
                f"the frame size is {self.width_px}x{self.height_px}, sides may be 1 to {_MAX_SIDE_PX} px "
                f"and frames {_MAX_FRAME_BYTES / 1e6:.0f} million pixels"
            )
        if self.frame_bytes < STAMP_BYTES:
            return f"a frame of {self.width_px}x{self.height_px} has no room for the stamp of {STAMP_BYTES} pixels"
        if not 0 < self.rate_fps <= _MAX_RATE_FPS:
            return f"the rate is {self.rate_fps:g} fps"
        if not 0 < self.frames <= _MAX_FRAMES:
            return f"{self.frames} frames are planned"
        if self.data_offset % BLOCK or not BLOCK + self.frames * _U32.size <= self.data_offset < 2**62:
            return f"its frames begin at byte {self.data_offset}"
        return ""


class FrameBankWriter:
    """Renders a bank frame by frame; it can be read and played at any moment, and stays valid when rendering stops."""

    def __init__(self, path: Path, fd: int, geometry: BankGeometry) -> None:
        self.path = path
        self.geometry = geometry
        self.frames_ready = 0
        self._fd = fd

    @classmethod
    def create(cls, path: Path, width_px: int, height_px: int, rate_fps: float, frames: int) -> Self:
        """Begin a bank with room for `frames` frames; the file is sparse until they are there.

        Raises:
            FrameBankError: A size, the rate or the count is out of range.
            NoSpace: The disk has no room for all the frames.
            FolderUnusable: The file cannot be made.
        """
        geometry = BankGeometry.planned(width_px, height_px, rate_fps, frames)
        if fault := geometry.fault():
            raise FrameBankError(f"cannot make the frame bank {path}: {fault}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(path.parent).free
            if geometry.file_bytes + _FREE_MARGIN_BYTES > free:
                raise NoSpace(
                    f"the frame bank {path} needs {geometry.file_bytes / 1e6:.0f} MB, {free / 1e6:.0f} MB are free: "
                    "make room, or take fewer frames"
                )
            # A camera may be playing the old file: it keeps its inode, where truncating would kill it.
            path.unlink(missing_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise FolderUnusable(f"cannot make the frame bank {path}: {error.strerror}") from error
        os.ftruncate(fd, geometry.file_bytes)
        os.pwrite(fd, geometry.header(0), 0)
        return cls(path, fd, geometry)

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Go on with a bank that is not whole; frames from the first damaged one on are made again.

        Raises:
            FrameBankError: The file is not a bank, or damaged.
        """
        with FrameBank.open(path) as bank:
            geometry, ready = bank.geometry, bank.frames_ready
            # After a power cut the count may have reached the disk before the pixels did.
            sound = next((i for i in range(ready) if pixels_crc32c(bank.frame(i)) != bank.checksum(i)), ready)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise FrameBankError(f"cannot open the frame bank {path}: {error.strerror}") from error
        writer = cls(path, fd, geometry)
        writer.frames_ready = sound
        if sound < ready:
            _write_all(fd, _U64.pack(sound), _READY_OFFSET)
        return writer

    def flush(self) -> None:
        """Wait until what was appended is on the disk."""
        os.fdatasync(self._fd)

    def append(self, frame: npt.NDArray[np.uint8]) -> None:
        """Add one frame, uint8 (height, width).

        Raises:
            ValueError: The frame has another shape or type, or the bank is full.
            NoSpace: The disk filled up; the frames before stay valid.
        """
        geometry = self.geometry
        if frame.shape != (geometry.height_px, geometry.width_px) or frame.dtype != np.uint8:
            raise ValueError(f"a frame of this bank is uint8 {(geometry.height_px, geometry.width_px)}")
        if self.frames_ready == geometry.frames:
            raise ValueError(f"the bank was planned for {geometry.frames} frames")
        frame = np.ascontiguousarray(frame)
        index = self.frames_ready
        try:
            _write_all(self._fd, frame.data.cast("B"), geometry.data_offset + index * geometry.stride_bytes)
            _write_all(self._fd, _U32.pack(pixels_crc32c(frame)), BLOCK + index * _U32.size)
            # Last, so that whoever plays the bank meanwhile never sees a frame that is not whole.
            _write_all(self._fd, _U64.pack(index + 1), _READY_OFFSET)
        except OSError as error:
            raise NoSpace(f"{self.path}: frame {index} cannot be written ({error.strerror}): make room") from error
        self.frames_ready = index + 1

    def close(self) -> None:
        """Let go of the file; what was appended is in it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FrameBank:
    """A bank to read from. Frames are read, not mapped: a file cut short under us is an error, not a crash."""

    def __init__(self, path: Path, fd: int, geometry: BankGeometry) -> None:
        self.path = path
        self.geometry = geometry
        self._fd = fd

    @classmethod
    def open(cls, path: Path) -> FrameBank:
        """Open a bank, finished or still being rendered, and check every value of its header.

        Raises:
            FrameBankError: The file cannot be read, is no bank, or its header contradicts itself or the file's length.
        """
        try:
            # Without waiting: opening a pipe blocks until somebody writes into it.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise FrameBankError(
                f"cannot open the frame bank {path}: {getattr(error, 'strerror', None) or error}"
            ) from error
        try:
            return cls(path, fd, _checked_geometry(path, fd))
        except BaseException:
            os.close(fd)
            raise

    @property
    def frames_ready(self) -> int:
        """Frames that can be read now."""
        (ready,) = _U64.unpack(self._read(_U64.size, _READY_OFFSET))
        return min(int(ready), self.geometry.frames)

    def frame(self, index: int) -> npt.NDArray[np.uint8]:
        """Frame `index`, uint8 (height, width), a copy.

        Raises:
            IndexError: There is no such frame yet.
            FrameBankError: The file became too short.
        """
        geometry = self.geometry
        self._require(index)
        pixels = self._read(geometry.frame_bytes, geometry.data_offset + index * geometry.stride_bytes)
        return np.frombuffer(pixels, np.uint8).reshape(geometry.height_px, geometry.width_px)

    def checksum(self, index: int) -> int:
        """The stored crc32c of the pixels of frame `index` from byte 64 on; raises like `frame`."""
        self._require(index)
        return int(_U32.unpack(self._read(_U32.size, BLOCK + index * _U32.size))[0])

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require(self, index: int) -> None:
        if not 0 <= index < self.frames_ready:
            raise IndexError(f"{self.path} has frames 0 to {self.frames_ready - 1}, not {index}")

    def _read(self, length: int, offset: int) -> bytes:
        data = os.pread(self._fd, length, offset)
        if len(data) != length:
            raise FrameBankError(f"the frame bank {self.path} was cut short while it was read: make it again")
        return data


def _blocks(size: int) -> int:
    """`size` rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def _write_all(fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of `data`; a disk that fills up takes a part first."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _checked_geometry(path: Path, fd: int) -> BankGeometry:
    """The geometry in the header of an open bank, when nothing about it is impossible."""
    try:
        header = os.pread(fd, _HEADER.size, 0) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError as error:
        raise FrameBankError(f"cannot read the frame bank {path}: {error.strerror}") from error
    if len(header) != _HEADER.size or not header.startswith(_MAGIC):
        raise FrameBankError(f"{path} is not a frame bank")
    _, version, width_px, height_px, stride, rate_fps, frames, ready, data_offset = _HEADER.unpack(header)
    if version != _VERSION:
        raise FrameBankError(
            f"{path} is a frame bank of version {version}, this reads version {_VERSION}: make it again"
        )
    geometry = BankGeometry(width_px, height_px, rate_fps, frames, data_offset)
    fault = geometry.fault()
    if not fault and stride != geometry.stride_bytes:
        fault = f"frames of {width_px}x{height_px} lie {stride} bytes apart, not {geometry.stride_bytes}"
    if not fault and ready > frames:
        fault = f"{ready} frames are ready of {frames}"
    length = os.fstat(fd).st_size
    if not fault and length < geometry.file_bytes:
        fault = f"the file has {length} bytes of {geometry.file_bytes}"
    if fault:
        raise FrameBankError(f"the frame bank {path} is damaged: {fault}; make it again")
    return geometry
