"""What a dead camera process left in the ring: every frame that was whole, in order, and nothing else."""

from __future__ import annotations

import google_crc32c
import pytest

from capture.messages import Start
from capture.processes.salvage import left_in_ring
from capture.ring import RingReader, RingWriter

SLOTS = 8


@pytest.fixture
def ring():
    return RingWriter.create(slots=SLOTS, height_px=16, width_px=16)


def put(ring: RingWriter, seq: int) -> None:
    slot = ring.acquire()
    assert slot is not None
    ring.begin(slot)
    ring.pixels(slot)[:] = bytes([seq % 251]) * ring.frame_bytes
    ring.publish(slot, seq, 500 + seq, 1000 + seq, 2000 + seq)
    ring.release(slot)


def trial(ring: RingWriter) -> Start:
    published = ring.statistics().published
    return Start("series", "session", "trial-001", "trial-001.zarr", 16, 16, 500.0, 1, published=published)


def left(ring: RingWriter, start: Start, first_seq: int) -> list[int]:
    return [image.seq for image in left_in_ring(RingReader(ring.fd), start, first_seq)]


@pytest.mark.parametrize("preview", [0, 1, 3, 8, 21])
def test_frames_behind_the_last_one_told_are_found_wherever_the_ring_stood(ring, preview):
    for seq in range(preview):
        put(ring, seq)
    start = trial(ring)
    for seq in range(7):
        put(ring, seq)
    assert left(ring, start, 4) == [4, 5, 6]
    assert left(ring, start, 7) == []


def test_a_frame_is_as_the_camera_process_would_have_told_of_it(ring):
    for seq in range(3):
        put(ring, seq)
    start = trial(ring)
    put(ring, 0)
    (image,) = left_in_ring(RingReader(ring.fd), start, 0)
    pixels = bytes(ring.frame_bytes)
    assert (image.series, image.seq, image.slot) == ("series", 0, 3)
    assert (image.frame_id, image.device_ns, image.host_ns) == (500, 1000, 2000)
    assert image.crc32c == google_crc32c.value(pixels)


def test_what_was_overwritten_is_not_offered(ring):
    start = trial(ring)
    for seq in range(SLOTS + 3):
        put(ring, seq)
    assert left(ring, start, 0) == list(range(3, SLOTS + 3))


def test_frames_of_the_trial_before_are_none_of_this_one(ring):
    for seq in range(5):
        put(ring, seq)
    start = trial(ring)
    put(ring, 0)
    put(ring, 1)
    assert left(ring, start, 0) == [0, 1]
    assert left(ring, start, 2) == []


def test_a_frame_that_was_being_copied_is_left_out(ring):
    start = trial(ring)
    for seq in range(3):
        put(ring, seq)
    slot = ring.acquire()
    assert slot is not None
    ring.begin(slot)
    ring.pixels(slot)[:10] = bytes(10)
    assert left(ring, start, 0) == [0, 1, 2]
