"""The ring: cyclic order, full means full, readers never see half a frame."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import CaptureError, RingTooLarge
from capture.ring import PAGE, RingReader, RingWriter, slot_bytes_for

HEIGHT, WIDTH = 24, 33


@pytest.fixture
def ring():
    return RingWriter.create(slots=8, height_px=HEIGHT, width_px=WIDTH)


def fill(ring: RingWriter, seq: int) -> int:
    slot = ring.acquire()
    assert slot is not None
    ring.begin(slot)
    ring.pixels(slot)[:] = bytes([seq % 256]) * ring.frame_bytes
    ring.publish(slot, seq, 100 + seq, 1000 + seq, 2000 + seq)
    return slot


def test_slots_are_page_aligned_and_lie_one_behind_the_other(ring):
    assert slot_bytes_for(768, 1024) == 768 * 1024
    assert slot_bytes_for(HEIGHT, WIDTH) == PAGE
    for seq in range(3):
        fill(ring, seq)
    run = np.frombuffer(ring.span(0, 3), np.uint8).reshape(3, PAGE)
    assert run.ctypes.data % PAGE == 0
    assert run[:, 0].tolist() == [0, 1, 2]


def test_a_full_ring_gives_no_slot_until_the_oldest_is_released(ring):
    slots = [fill(ring, seq) for seq in range(8)]
    assert slots == list(range(8))
    assert ring.acquire() is None
    ring.release(3)
    assert ring.acquire() is None, "only the next slot in order may be used"
    ring.release(0)
    assert ring.acquire() == 0
    assert ring.statistics().used == 6
    assert ring.statistics().used_max == 8


def test_releasing_twice_counts_once(ring):
    slot = fill(ring, 0)
    ring.release(slot)
    ring.release(slot)
    assert ring.used == 0


def test_a_reader_sees_the_newest_frame_and_its_times(ring):
    reader = RingReader(ring.fd)
    assert reader.newest() is None
    fill(ring, 0)
    fill(ring, 7)
    found = reader.newest(step=3)
    assert found is not None
    meta, pixels = found
    assert (meta.seq, meta.frame_id, meta.device_ns, meta.host_ns) == (7, 107, 1007, 2007)
    assert pixels.shape == (HEIGHT // 3, WIDTH // 3)
    assert (pixels == 7).all()


def test_a_reader_is_told_when_a_frame_is_being_overwritten(ring):
    reader = RingReader(ring.fd)
    slot = fill(ring, 0)
    before, _ = reader.meta(slot)
    ring.begin(slot)
    assert reader.copy(slot) is None
    ring.publish(slot, 1, 1, 1, 1)
    after, _ = reader.meta(slot)
    assert after > before
    assert after % 2 == 0


def test_a_reader_cannot_write(ring):
    reader = RingReader(ring.fd)
    with pytest.raises(TypeError):
        reader.pixels(0)[0] = 1


def test_a_ring_larger_than_memory_is_refused_in_one_line():
    with pytest.raises(RingTooLarge, match="choose fewer ring_seconds"):
        RingWriter.create(slots=1 << 30, height_px=768, width_px=1024)


def test_foreign_memory_is_refused():
    fd = os.memfd_create("other")
    os.ftruncate(fd, PAGE * 4)
    with pytest.raises(CaptureError, match="not a frame ring"):
        RingReader(fd)
    os.close(fd)


@settings(max_examples=50)
@given(st.lists(st.booleans(), max_size=100))
def test_used_is_published_minus_released_whatever_the_order(steps):
    ring = RingWriter.create(slots=5, height_px=2, width_px=2)
    in_use: list[int] = []
    for seq, publish in enumerate(steps):
        if publish:
            slot = ring.acquire()
            assert (slot is None) == (len(in_use) == 5)
            if slot is not None:
                fill(ring, seq)
                in_use.append(slot)
        elif in_use:
            ring.release(in_use.pop(0))
        assert ring.used == len(in_use)
    os.close(ring.fd)
