"""A trial ends while the disk still has room for all that was taken, and that is said once."""

from __future__ import annotations

import msgspec
import pytest

from capture.statistics import RecorderState, RecorderStatistics
from capture.supervisor.disk_watch import DiskWatch

SHARD, FRAME = 400_000_000, 800_000
RECORDING = RecorderStatistics(state=RecorderState.RECORDING, disk_total_bytes=10 * SHARD)


@pytest.fixture
def watch():
    return DiskWatch(SHARD, FRAME)


def recorder(free: float, queued: int = 0, state: RecorderState = RecorderState.RECORDING) -> RecorderStatistics:
    return msgspec.structs.replace(RECORDING, disk_free_bytes=int(free), queued=queued, state=state)


def test_a_trial_goes_on_while_another_shard_can_be_allocated(watch):
    assert watch.verdict(recorder(1.3 * SHARD)) is None
    said = watch.verdict(recorder(1.1 * SHARD))
    assert said is not None
    assert "the disk is full (440 MB left)" in said


def test_frames_that_wait_in_the_ring_need_room_too(watch):
    assert watch.verdict(recorder(2 * SHARD)) is None
    assert watch.verdict(recorder(2 * SHARD, queued=300)) is None
    assert watch.verdict(recorder(2 * SHARD, queued=500))


def test_it_is_said_once_a_trial(watch):
    assert watch.verdict(recorder(0))
    assert watch.verdict(recorder(0)) is None
    watch.begin_trial()
    assert watch.verdict(recorder(0))


def test_a_disk_that_failed_has_been_told_of_and_ends_the_trial(watch):
    assert watch.verdict(recorder(9 * SHARD, state=RecorderState.FAILED)) == ""


def test_before_anything_is_recorded_nothing_is_known(watch):
    assert watch.verdict(recorder(0, state=RecorderState.IDLE)) is None
    assert watch.verdict(RecorderStatistics(state=RecorderState.RECORDING)) is None
