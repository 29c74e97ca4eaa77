"""The ring of frames: one anonymous shared-memory block of page-aligned slots, passed between processes by descriptor.

The block is a memfd, so nothing is left behind when every process that maps it is gone, killed or not.
One process writes (the camera), any number read. Slots are used in cyclic order, so frames that follow each
other lie beside each other, and the recorder can hand several to the disk in one call.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import psutil

from capture.errors import CaptureError, RingTooLarge

PAGE = mmap.PAGESIZE
_MAGIC = 0x474E_4952_454D_4644
_VERSION = 1
_HEADER = struct.Struct("<7Q")  # magic, version, slots, height, width, slot bytes, frames published
_PUBLISHED_OFFSET = 6 * 8
_META = struct.Struct("<5Q")  # version (odd while written), seq, frame id, device ns, host ns
_META_BYTES = 64
_U64 = struct.Struct("<Q")
_MEMORY_SHARE = 0.8
"""Share of the free memory that a ring may take."""


def slot_bytes_for(height_px: int, width_px: int) -> int:
    """Bytes from one slot to the next: one uint8 frame, rounded up to whole pages."""
    return -(-height_px * width_px // PAGE) * PAGE


@dataclass(frozen=True)
class FrameMeta:
    """What is known of one frame beside its pixels."""

    seq: int
    frame_id: int
    device_ns: int
    host_ns: int


class RingStatistics(msgspec.Struct, frozen=True):
    """Slots of the ring, and how many hold frames that nobody released yet."""

    slots: int
    used: int
    used_max: int
    published: int


class _Mapped:
    """The mapped block and its geometry."""

    def __init__(self, fd: int, *, writable: bool, populate: bool) -> None:
        self.fd = fd
        size = os.fstat(fd).st_size
        access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if populate else 0)
        self._map = mmap.mmap(fd, size, flags=flags, prot=access)
        magic, version, slots, height, width, slot_bytes, _ = _HEADER.unpack_from(self._map, 0)
        if magic != _MAGIC or version != _VERSION:
            raise CaptureError("the shared memory handed over is not a frame ring of this version")
        self.slots: int = slots
        self.height_px: int = height
        self.width_px: int = width
        self.slot_bytes: int = slot_bytes
        self.frame_bytes = height * width
        self._first_slot = PAGE + -(-slots * _META_BYTES // PAGE) * PAGE
        self._view = memoryview(self._map)

    def pixels(self, slot: int) -> memoryview:
        """The pixel bytes of `slot`, `height * width` of them; valid while the ring is open."""
        start = self._first_slot + slot * self.slot_bytes
        return self._view[start : start + self.frame_bytes]

    def span(self, slot: int, count: int) -> memoryview:
        """`count` whole slots from `slot` on, padding included: page-aligned, fit for O_DIRECT.

        Raises:
            CaptureError: The ring does not have them; what lies behind it is nobody's pixels.
        """
        if slot < 0 or slot + count > self.slots:
            raise CaptureError(f"slots {slot} to {slot + count - 1} are not in a ring of {self.slots}")
        start = self._first_slot + slot * self.slot_bytes
        return self._view[start : start + count * self.slot_bytes]

    @property
    def published(self) -> int:
        """Frames published since the ring was made."""
        return int(_U64.unpack_from(self._map, _PUBLISHED_OFFSET)[0])

    def close(self) -> None:
        """Unmap the block; views handed out before must be gone."""
        self._view.release()
        self._map.close()


class RingWriter(_Mapped):
    """The camera's side: acquire a slot, fill it, publish it; slots come back by `release`.

    Invariants: a slot is either free or in use. `acquire` hands out slots in cyclic order and only free ones;
    a slot acquired is published or abandoned before the next is acquired; only published slots are released.

    Args:
        fd: The ring's descriptor.
        populate: Map every page now. Whoever streams must: left to the first lap of the ring, the page faults cost
            more than the copies, and frames are lost above some 1,500 a second.
    """

    def __init__(self, fd: int, *, populate: bool = False) -> None:
        super().__init__(fd, writable=True, populate=populate)
        self._in_use = bytearray(self.slots)
        self._next = 0
        self._used = 0
        self._used_max = 0
        self._count = 0

    @classmethod
    def create(cls, *, slots: int, height_px: int, width_px: int) -> RingWriter:
        """A new ring.

        Raises:
            RingTooLarge: The machine has not enough free memory for it.
        """
        slot_bytes = slot_bytes_for(height_px, width_px)
        size = PAGE + -(-slots * _META_BYTES // PAGE) * PAGE + slots * slot_bytes
        available = psutil.virtual_memory().available
        # Asked first: the kernel hands out pages until it kills somebody, it does not refuse.
        if size > available * _MEMORY_SHARE:
            raise RingTooLarge(
                f"a ring of {slots} frames takes {size / 1e9:.2f} GB and {available / 1e9:.2f} GB of memory are free: "
                "choose fewer ring_seconds in the hardware file"
            )
        fd = os.memfd_create("dfme-ring", os.MFD_CLOEXEC)
        os.ftruncate(fd, size)
        os.pwrite(fd, _HEADER.pack(_MAGIC, _VERSION, slots, height_px, width_px, slot_bytes, 0), 0)
        return cls(fd)

    def acquire(self) -> int | None:
        """The next slot in cyclic order, or None when it is still in use: the ring is full."""
        slot = self._next
        return None if self._in_use[slot] else slot

    def begin(self, slot: int) -> None:
        """Mark `slot` as being written, so that a reader of the old frame notices."""
        offset = PAGE + slot * _META_BYTES
        version = _U64.unpack_from(self._map, offset)[0]
        _U64.pack_into(self._map, offset, version | 1)

    def publish(self, slot: int, seq: int, frame_id: int, device_ns: int, host_ns: int) -> None:
        """Make the frame in `slot` visible to readers and keep it until `release`."""
        offset = PAGE + slot * _META_BYTES
        version = _U64.unpack_from(self._map, offset)[0]
        self._count += 1
        _META.pack_into(self._map, offset, (version | 1) + 1, seq, frame_id, device_ns, host_ns)
        _U64.pack_into(self._map, _PUBLISHED_OFFSET, self._count)
        self._in_use[slot] = 1
        self._next = slot + 1 if slot + 1 < self.slots else 0
        self._used += 1
        self._used_max = max(self._used_max, self._used)

    def release(self, slot: int) -> None:
        """Give `slot` back; a slot that is free already stays free, and one that is none is left alone."""
        if 0 <= slot < self.slots and self._in_use[slot]:
            self._in_use[slot] = 0
            self._used -= 1

    @property
    def used(self) -> int:
        """Slots that hold frames which nobody released yet."""
        return self._used

    def reset_maximum(self) -> None:
        """Start counting the most slots in use anew."""
        self._used_max = self._used

    def statistics(self) -> RingStatistics:
        """How full the ring is."""
        return RingStatistics(self.slots, self._used, self._used_max, self._count)


class RingReader(_Mapped):
    """Anybody else's side: look at slots without holding them back; `populate` as for the writer."""

    def __init__(self, fd: int, *, populate: bool = False) -> None:
        super().__init__(fd, writable=False, populate=populate)

    def meta(self, slot: int) -> tuple[int, FrameMeta]:
        """The version of the slot (odd while it is being written) and what is known of its frame."""
        version, *values = _META.unpack_from(self._map, PAGE + slot * _META_BYTES)
        return version, FrameMeta(*values)

    def newest(self, step: int = 1) -> tuple[FrameMeta, npt.NDArray[np.uint8]] | None:
        """The newest frame, every `step`-th pixel of it, copied; uint8 (height / step, width / step).

        None before the first frame, or when the writer overtook the copy (ask again later).
        """
        published = self.published
        if published == 0:
            return None
        return self.copy((published - 1) % self.slots, step)

    def copy(self, slot: int, step: int = 1) -> tuple[FrameMeta, npt.NDArray[np.uint8]] | None:
        """A copy of the frame in `slot`, or None when it changed meanwhile."""
        version, meta = self.meta(slot)
        if version & 1 or version == 0:
            return None
        frame = np.frombuffer(self.pixels(slot), np.uint8).reshape(self.height_px, self.width_px)
        copied = frame[::step, ::step].copy()
        return (meta, copied) if self.meta(slot)[0] == version else None
