"""The stamp in a simulated frame's first pixels: id, time, picture and checksum, to prove a file end to end.

The first 64 bytes of the pixels, little endian:

    0   "DFMESTMP"
    8   u64  frame id
    16  u64  device time in ns
    24  u64  index of the picture in the source
    32  u32  crc32c of the pixels from byte 64 on
    36  u32  crc32c of bytes 0 to 35
    40  zeros
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c
import numpy as np
import numpy.typing as npt

MAGIC = b"DFMESTMP"
STAMP_BYTES = 64
_FIELDS = struct.Struct("<8sQQQI")
_OWN_CRC = struct.Struct("<I")
_RESERVED = bytes(STAMP_BYTES - _FIELDS.size - _OWN_CRC.size)


@dataclass(frozen=True)
class Stamp:
    """What a stamped frame says about itself."""

    frame_id: int
    device_ns: int
    picture: int
    """Index of the picture in the frame bank or test pattern that this frame shows."""
    pixels_crc32c: int
    """Checksum of the pixels behind the stamp, as the producer wrote it."""
    intact: bool
    """Whether the pixels behind the stamp still have that checksum."""


def pixels_crc32c(frame: npt.NDArray[np.uint8] | bytes) -> int:
    """The checksum that belongs in the stamp of `frame`: crc32c of its pixels from byte 64 on."""
    return int(google_crc32c.value(_flat(frame)[STAMP_BYTES:]))


def read_stamp(frame: npt.NDArray[np.uint8] | bytes) -> Stamp | None:
    """The stamp of `frame`, with its pixels checked against it.

    Args:
        frame: uint8 (height, width), or the same pixels row by row as bytes.

    Returns:
        None when the frame has no stamp, or one that is itself damaged.
    """
    pixels = _flat(frame)
    if pixels.size < STAMP_BYTES:
        return None
    head = pixels[:STAMP_BYTES].tobytes()
    magic, frame_id, device_ns, picture, expected = _FIELDS.unpack_from(head)
    (own_crc,) = _OWN_CRC.unpack_from(head, _FIELDS.size)
    if magic != MAGIC or own_crc != google_crc32c.value(head[: _FIELDS.size]) or not head.endswith(_RESERVED):
        return None
    return Stamp(frame_id, device_ns, picture, expected, intact=pixels_crc32c(pixels) == expected)


def write_stamp(
    frame: npt.NDArray[np.uint8],
    *,
    frame_id: int,
    device_ns: int,
    picture: int,
    checksum: int | None = None,
) -> None:
    """Stamp `frame` in place; pixels behind the stamp stay as they are.

    Args:
        frame: uint8 (height, width), contiguous and writable, at least 64 pixels.
        frame_id: Id of the frame, unsigned 64 bits, like the next two.
        device_ns: Device time of the frame in nanoseconds.
        picture: Index of the picture in the source.
        checksum: `pixels_crc32c(frame)` where it is already known; computed otherwise.

    Raises:
        ValueError: The frame is too small, not contiguous or not uint8.
    """
    pixels = _flat(frame)
    if pixels.size < STAMP_BYTES:
        raise ValueError(f"a stamp takes {STAMP_BYTES} pixels, the frame has {pixels.size}")
    fields = _FIELDS.pack(MAGIC, frame_id, device_ns, picture, pixels_crc32c(pixels) if checksum is None else checksum)
    stamp = fields + _OWN_CRC.pack(google_crc32c.value(fields)) + _RESERVED
    pixels[:STAMP_BYTES] = np.frombuffer(stamp, np.uint8)


def _flat(frame: npt.NDArray[np.uint8] | bytes) -> npt.NDArray[np.uint8]:
    """The pixels as one row; never a copy, so that writing to it writes to the frame."""
    if not isinstance(frame, np.ndarray):
        return np.frombuffer(frame, np.uint8)
    if frame.dtype != np.uint8 or not frame.flags.c_contiguous:
        raise ValueError(f"a frame is contiguous uint8 pixels, not {frame.dtype} with strides {frame.strides}")
    return frame.reshape(-1)
