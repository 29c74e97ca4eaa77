"""Which frames of the ring are looked at, and that what is left out is counted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from capture.ring import RingReader, RingWriter
from realtime.ring_follower import RingFollower

SLOTS = 20


@pytest.fixture
def ring() -> Iterator[RingWriter]:
    writer = RingWriter.create(slots=SLOTS, height_px=8, width_px=16)
    yield writer
    writer.close()


@pytest.fixture
def follow(ring):
    readers = []

    def make(resume_at: int | None = None) -> RingFollower:
        readers.append(RingReader(ring.fd))
        return RingFollower(readers[-1], resume_at)

    return make


def shoot(ring: RingWriter, count: int, first_seq: int = 0) -> None:
    for seq in range(first_seq, first_seq + count):
        slot = ring.acquire()
        assert slot is not None
        ring.begin(slot)
        np.frombuffer(ring.pixels(slot), np.uint8)[:] = seq % 256
        ring.publish(slot, seq, seq + 1000, seq * 10, seq * 10)
        ring.release(slot)


def take_all(follower: RingFollower) -> list[int]:
    numbers = []
    while (frame := follower.next()) is not None:
        assert (frame.pixels == frame.meta.seq % 256).all()
        numbers.append(frame.number if frame.recorded else -1)
        assert follower.done(frame)
    return numbers


def test_frames_of_a_trial_come_in_order_with_their_numbers_in_the_recording(ring, follow):
    follower = follow()
    shoot(ring, 5)
    assert take_all(follower) == [-1] * 5
    follower.begin_trial(ring.published)
    shoot(ring, 7)
    assert take_all(follower) == list(range(7))
    assert (follower.analysed, follower.skipped) == (7, 0)


def test_frames_that_came_before_the_trial_was_announced_are_gone_back_to(ring, follow):
    follower = follow()
    begins_at = ring.published
    shoot(ring, 6)
    assert take_all(follower) == [-1] * 6
    follower.begin_trial(begins_at)
    assert take_all(follower) == list(range(6))


def test_who_is_too_slow_leaves_frames_out_and_counts_them(ring, follow):
    follower = follow()
    follower.begin_trial(0)
    shoot(ring, 4)
    assert take_all(follower) == [0, 1, 2, 3]
    shoot(ring, 100, first_seq=4)
    numbers = take_all(follower)
    assert numbers[-1] == 103
    assert follower.analysed + follower.skipped == 104
    assert len(numbers) < SLOTS


def test_frames_behind_the_end_of_a_trial_are_none_of_it(ring, follow):
    follower = follow()
    follower.begin_trial(0)
    shoot(ring, 10)
    follower.end_trial(6)
    assert take_all(follower) == [0, 1, 2, 3, 4, 5, -1, -1, -1, -1]
    assert not follower.in_trial
    assert follower.analysed == 6


def test_a_trial_is_being_finished_until_its_last_frame_was_looked_at(ring, follow):
    follower = follow()
    assert not follower.finishing
    follower.begin_trial(0)
    shoot(ring, 6)
    assert not follower.finishing  # nobody knows yet how long it is
    follower.end_trial(6)
    assert follower.finishing
    take_all(follower)
    assert not follower.finishing


@pytest.mark.parametrize("behind", [5, 100])
def test_frames_of_the_next_trial_count_once_also_where_the_end_is_told_late(ring, follow, behind):
    follower = follow()
    follower.begin_trial(0)
    shoot(ring, 6)
    take_all(follower)
    shoot(ring, behind, first_seq=6)
    take_all(follower)  # as frames of the first trial, whose end nobody has told of
    follower.end_trial(6)
    assert (follower.analysed, follower.skipped) == (6, 0)
    follower.begin_trial(6)
    take_all(follower)
    follower.end_trial(behind)
    assert follower.analysed + follower.skipped == 6 + behind


def test_a_successor_counts_what_went_by_while_nobody_looked(ring, follow):
    first = follow()
    first.begin_trial(0)
    shoot(ring, 8)
    seen = take_all(first)
    shoot(ring, 50, first_seq=8)
    successor = follow(resume_at=first.position)
    take_all(successor)
    successor.begin_trial(0)
    take_all(successor)
    assert len(seen) + successor.analysed + successor.skipped == 58


def test_a_frame_that_is_overwritten_while_it_is_looked_at_is_not_counted_as_seen(ring, follow):
    follower = follow()
    follower.begin_trial(0)
    shoot(ring, 3)
    frame = follower.next()
    shoot(ring, SLOTS, first_seq=3)
    assert not follower.done(frame)
    assert (follower.analysed, follower.skipped) == (0, 1)
