"""Specification of the stamp in a simulated frame's first pixels."""

from __future__ import annotations

import struct

import google_crc32c
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.simulator.stamp import STAMP_BYTES, pixels_crc32c, read_stamp, write_stamp

U64 = st.integers(0, 2**64 - 1)


def noise(height_px: int = 6, width_px: int = 40) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (height_px, width_px), np.uint8)


@given(frame_id=U64, device_ns=U64, picture=U64)
def test_what_was_stamped_is_read_back(frame_id: int, device_ns: int, picture: int) -> None:
    frame = noise()
    write_stamp(frame, frame_id=frame_id, device_ns=device_ns, picture=picture)
    stamp = read_stamp(frame)
    assert stamp is not None
    assert (stamp.frame_id, stamp.device_ns, stamp.picture) == (frame_id, device_ns, picture)
    assert stamp.intact
    assert read_stamp(frame.tobytes()) == stamp


def test_the_bytes_lie_where_the_format_says() -> None:
    frame = noise()
    write_stamp(frame, frame_id=0x0102, device_ns=3_000_000_000, picture=9)
    head = frame.reshape(-1)[:STAMP_BYTES].tobytes()
    fields = b"DFMESTMP" + struct.pack("<QQQI", 0x0102, 3_000_000_000, 9, google_crc32c.value(frame.tobytes()[64:]))
    assert head == fields + struct.pack("<I", google_crc32c.value(fields)) + bytes(24)


def test_pixels_behind_the_stamp_are_left_alone() -> None:
    frame = noise()
    write_stamp(frame, frame_id=1, device_ns=2, picture=3)
    assert np.array_equal(frame.reshape(-1)[STAMP_BYTES:], noise().reshape(-1)[STAMP_BYTES:])


def test_a_known_checksum_is_taken_as_it_is() -> None:
    frame = noise()
    write_stamp(frame, frame_id=1, device_ns=2, picture=3, checksum=pixels_crc32c(frame))
    computed = noise()
    write_stamp(computed, frame_id=1, device_ns=2, picture=3)
    assert np.array_equal(frame, computed)


@given(position=st.integers(0, noise().size - 1), bit=st.integers(0, 7))
def test_every_flipped_bit_is_noticed(position: int, bit: int) -> None:
    frame = noise()
    write_stamp(frame, frame_id=1, device_ns=2, picture=3)
    frame.reshape(-1)[position] ^= 1 << bit
    stamp = read_stamp(frame)
    if position < STAMP_BYTES:
        assert stamp is None
    else:
        assert stamp is not None
        assert not stamp.intact


@pytest.mark.parametrize("frame", [noise(), np.zeros((6, 40), np.uint8), noise(1, 63), b"", b"DFMESTMP"])
def test_a_frame_without_a_stamp_has_none(frame: npt.NDArray[np.uint8] | bytes) -> None:
    assert read_stamp(frame) is None


def test_a_frame_of_64_pixels_can_be_stamped_and_a_smaller_one_cannot() -> None:
    frame = noise(8, 8)
    write_stamp(frame, frame_id=1, device_ns=2, picture=3)
    stamp = read_stamp(frame)
    assert stamp is not None
    assert stamp.intact
    with pytest.raises(ValueError, match="64 pixels"):
        write_stamp(noise(7, 9), frame_id=1, device_ns=2, picture=3)


def test_a_frame_that_is_not_contiguous_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        write_stamp(noise()[:, ::2], frame_id=1, device_ns=2, picture=3)
