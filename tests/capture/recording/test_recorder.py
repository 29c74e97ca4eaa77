"""The recorder: every frame handed over is on disk or in the ledger, and every slot comes back."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import google_crc32c
import msgspec
import numpy as np
import pytest

from capture.messages import End, Image, Start
from capture.recording.reader import Recording
from capture.recording.recorder import Recorder
from capture.ring import RingReader, RingWriter
from capture.statistics import LossLedger, RecorderState

HEIGHT, WIDTH = 64, 64


@pytest.fixture
def ring():
    return RingWriter.create(slots=8, height_px=HEIGHT, width_px=WIDTH)


@pytest.fixture
def recorder(ring, tmp_path):
    return Recorder(RingReader(ring.fd), tmp_path)


def start_message(path) -> Start:
    return Start("series", "session", "trial-001", str(path), HEIGHT, WIDTH, 100.0, 1, {"camera": {"model": "m"}})


def end_message(frames: int) -> End:
    return End("series", frames, LossLedger(), {}, {"delivered": frames}, {"source": "none"}, "operator", 99)


def put(ring: RingWriter, seq: int) -> Image:
    """One frame into the ring, as the camera process does it."""
    slot = ring.acquire()
    assert slot is not None
    pixels = np.full((HEIGHT, WIDTH), seq % 251, np.uint8)
    pixels[0, 0] = 255
    ring.begin(slot)
    ring.pixels(slot)[:] = pixels.tobytes()
    ring.publish(slot, seq, 500 + seq, 10 + seq, 20 + seq)
    return Image("series", seq, 500 + seq, 10 + seq, 20 + seq, google_crc32c.value(pixels.tobytes()), slot)


def record(recorder: Recorder, ring: RingWriter, batches: list[int], first: int = 0) -> int:
    seq = first
    for batch in batches:
        images = [put(ring, seq + i) for i in range(batch)]
        given_back = recorder.write(images).slots + recorder.settle().slots
        assert given_back == [image.slot for image in images]
        for slot in given_back:
            ring.release(slot)
        seq += batch
    return seq


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Make the kernel refuse every write beyond `size` bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_frames_cross_the_rings_end_and_any_batch_size_in_order(recorder, ring, tmp_path):
    recorder.start(start_message(tmp_path / "t.zarr"))
    total = record(recorder, ring, [1, 3, 8, 2, 5, 7, 1])
    finished = recorder.end(end_message(total))
    assert (finished.frames, finished.lost_disk, finished.error) == (total, 0, "")
    recording = Recording.open(tmp_path / "t.zarr")
    assert recording.frame_id.tolist() == list(range(500, 500 + total))
    assert [int(recording.frame(i)[1, 1]) for i in range(total)] == [i % 251 for i in range(total)]
    assert recording.crc32c.tolist() == [google_crc32c.value(recording.frame(i).tobytes()) for i in range(total)]


def test_what_the_camera_and_the_recorder_counted_stands_in_the_recording(recorder, ring, tmp_path):
    recorder.start(start_message(tmp_path / "t.zarr"))
    total = record(recorder, ring, [5])
    recorder.end(end_message(total))
    raw = Recording.open(tmp_path / "t.zarr").raw_attributes
    assert raw["state"] == "complete"
    assert raw["camera"] == {"model": "m"}
    assert raw["ledger"]["end"]["frames"] == 5
    assert raw["ledger"]["recorder"] == {"frames": 5, "lost_disk": 0, "lost_ids": []}


def test_a_trial_follows_another(recorder, ring, tmp_path):
    for name in ("a.zarr", "b.zarr"):
        recorder.start(start_message(tmp_path / name))
        record(recorder, ring, [3])
        recorder.end(end_message(3))
        assert recorder.statistics().state is RecorderState.IDLE
    assert len(Recording.open(tmp_path / "a.zarr")) == len(Recording.open(tmp_path / "b.zarr")) == 3


def test_a_disk_that_refuses_is_counted_with_ids_while_slots_still_come_back(recorder, ring, tmp_path):
    recorder.start(start_message(tmp_path / "t.zarr"))
    written = record(recorder, ring, [4, 2])
    with no_file_larger_than(20_000):
        total = record(recorder, ring, [3, 8, 2], first=written)
    assert recorder.statistics().state is RecorderState.FAILED
    assert recorder.error
    finished = recorder.end(end_message(total))
    assert (finished.frames, finished.lost_disk) == (6, 13)
    assert ring.used == 0
    recording = Recording.open(tmp_path / "t.zarr")
    assert len(recording) == 6
    ledger = recording.raw_attributes["ledger"]["recorder"]
    assert ledger["lost_ids"] == list(range(506, 519))


def test_a_recording_that_cannot_be_made_loses_frames_by_name_and_not_the_camera(recorder, ring, tmp_path):
    (tmp_path / "t.zarr").mkdir()
    recorder.start(start_message(tmp_path / "t.zarr"))
    assert recorder.statistics().state is RecorderState.FAILED
    total = record(recorder, ring, [8, 8])
    finished = recorder.end(end_message(total))
    assert finished.lost_disk == 16
    assert "never written over" in finished.error
    assert ring.used == 0
    recorder.start(start_message(tmp_path / "other.zarr"))
    record(recorder, ring, [2])
    assert recorder.end(end_message(2)).error == ""


def test_a_recorder_that_died_after_closing_leaves_nothing_to_do(recorder, ring, tmp_path):
    start = start_message(tmp_path / "t.zarr")
    recorder.start(start)
    images = [put(ring, seq) for seq in range(5)]
    recorder.write(images)
    closed = recorder.end(end_message(5))

    successor = Recorder(RingReader(ring.fd), tmp_path)
    successor.start(start)
    assert successor.write(images).slots == [image.slot for image in images]
    finished = successor.end(end_message(5))
    assert (finished.frames, finished.bytes, finished.lost_disk, finished.error) == (5, closed.bytes, 0, "")
    assert len(Recording.open(tmp_path / "t.zarr")) == 5


def test_a_slot_comes_back_only_when_its_frame_would_survive(recorder, ring, tmp_path):
    recorder.start(start_message(tmp_path / "t.zarr"))
    assert recorder.write([put(ring, 0)]).slots == []
    assert len(Recording.open(tmp_path / "t.zarr")) == 0
    release = recorder.write([put(ring, 1)])
    assert release.slots == [0, 1], "a quarter of this ring is two frames, and a flush is due"
    assert len(Recording.open(tmp_path / "t.zarr")) == release.durable + 1 == 2
    recorder.end(end_message(2))


def test_a_second_recorder_goes_on_where_the_first_was_killed(recorder, ring, tmp_path, abandon):
    start = start_message(tmp_path / "t.zarr")
    recorder.start(start)
    record(recorder, ring, [8])
    images = [put(ring, seq) for seq in range(8, 15)]
    recorder.write(images[:3])
    abandon(recorder._writer)

    successor = Recorder(RingReader(ring.fd), tmp_path)
    (remark,) = successor.start(start)
    safe = len(Recording.open(tmp_path / "t.zarr"))
    assert f"behind its {safe} frames" in remark
    given_back = successor.write(images).slots + successor.settle().slots
    assert sorted(given_back) == sorted(image.slot for image in images)
    finished = successor.end(end_message(15))
    assert (finished.frames, finished.lost_disk) == (15, 0)
    recording = Recording.open(tmp_path / "t.zarr")
    assert recording.frame_id.tolist() == list(range(500, 515))
    assert [int(recording.frame(i)[1, 1]) for i in range(15)] == list(range(15))


def test_what_waits_for_the_disk_is_counted_in_the_ring(recorder, ring, tmp_path):
    put(ring, 0)
    start = msgspec.structs.replace(start_message(tmp_path / "t.zarr"), published=1)
    recorder.start(start)
    images = [put(ring, seq) for seq in range(5)]
    assert recorder.statistics().queued == 5
    recorder.write(images[:3])
    assert recorder.statistics().queued == 2
    recorder.end(end_message(5))
    assert recorder.statistics().queued == 0


def test_frames_of_another_trial_are_left_alone(recorder, ring, tmp_path):
    stray = put(ring, 0)
    assert recorder.write([stray]).slots == []
    recorder.start(msgspec.structs.replace(start_message(tmp_path / "t.zarr"), series="other"))
    assert recorder.write([stray]).slots == []
    assert recorder.statistics().frames == 0
