"""The writer: what it leaves is standard Zarr at every moment, and exact at the end."""

from __future__ import annotations

import mmap
import shutil

import google_crc32c
import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import FolderUnusable, NoSpace
from capture.recording.layout import PER_FRAME, ShardGeometry, shard_path
from capture.recording.writer import RecordingWriter


class Frames:
    """Page-aligned random frames, padded to the stride, as a ring holds them."""

    def __init__(self, geometry: ShardGeometry, count: int) -> None:
        self.geometry = geometry
        self._memory = mmap.mmap(-1, count * geometry.stride)
        self.padded = np.frombuffer(self._memory, np.uint8).reshape(count, geometry.stride)
        self.padded[:] = np.random.default_rng(count).integers(0, 256, self.padded.shape, np.uint8)
        self.pixels = self.padded[:, : geometry.frame_bytes].reshape(count, geometry.height_px, geometry.width_px)

    def append_to(self, writer: RecordingWriter, start: int, stop: int) -> None:
        ids = np.arange(start, stop) + 1000
        checksums = [google_crc32c.value(frame.tobytes()) for frame in self.pixels[start:stop]]
        values = {"frame_id": ids, "device_ns": ids * 2, "host_ns": ids * 3, "crc32c": checksums}
        writer.append(memoryview(self.padded[start:stop]).cast("B"), values)


def opened_by_both(path) -> list[np.ndarray]:
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/frames/"}}
    return [zarr.open_group(path, mode="r")["frames"][:], tensorstore.open(store).result().read().result()]


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 100)], ids=["aligned", "padded"])
def test_a_closed_recording_holds_every_pixel_in_any_reader(tmp_path, height, width):
    geometry = ShardGeometry(height, width, frames_per_shard=7)
    frames = Frames(geometry, 24)
    path = tmp_path / "trial-001.zarr"
    writer = RecordingWriter(path, geometry, flush_frames=3, attributes={"state": "recording"})
    for start, stop in ((0, 1), (1, 6), (6, 17), (17, 24)):
        frames.append_to(writer, start, stop)
    writer.close({"state": "complete"})

    for found in opened_by_both(path):
        np.testing.assert_array_equal(found, frames.pixels)
    group = zarr.open_group(path, mode="r")
    assert group.attrs["dfme"] == {
        "state": "complete",
        "values_crc32c": {name: google_crc32c.value(group[name][:].tobytes()) for name in PER_FRAME},
    }
    np.testing.assert_array_equal(group["frame_id"][:], np.arange(24) + 1000)
    np.testing.assert_array_equal(group["device_ns"][:], (np.arange(24) + 1000) * 2)
    np.testing.assert_array_equal(group["host_ns"][:], (np.arange(24) + 1000) * 3)
    assert group["crc32c"][:].tolist() == [google_crc32c.value(frame.tobytes()) for frame in frames.pixels]


def test_exact_lengths_at_the_end_and_nothing_left_over(tmp_path):
    geometry = ShardGeometry(64, 64, frames_per_shard=5)
    path = tmp_path / "t.zarr"
    writer = RecordingWriter(path, geometry, flush_frames=2, attributes={})
    Frames(geometry, 12).append_to(writer, 0, 12)
    writer.close({})
    assert sorted(p.name for p in (path / "frames" / "c").iterdir()) == ["0", "1", "2"]
    assert shard_path(path, 2).stat().st_size == geometry.shard_bytes(2)
    assert zarr.open_group(path, mode="r")["frames"].shape == (12, 64, 64)
    for name in PER_FRAME:
        assert len(list((path / name / "c").iterdir())) == 3


def test_a_recording_that_was_never_closed_opens_with_all_flushed_frames(tmp_path):
    geometry = ShardGeometry(64, 64, frames_per_shard=10)
    frames = Frames(geometry, 17)
    path = tmp_path / "killed.zarr"
    writer = RecordingWriter(path, geometry, flush_frames=4, attributes={})
    for i in range(17):
        frames.append_to(writer, i, i + 1)
        if writer.flush_due:
            writer.flush()
    durable = writer.statistics().last_durable + 1
    assert 17 - 4 <= durable <= 17

    copied = tmp_path / "as-found.zarr"
    shutil.copytree(path, copied)
    for found in opened_by_both(copied):
        assert found.shape in {(20, 64, 64), (30, 64, 64)}, "up to the last shard, or the one prepared behind it"
        np.testing.assert_array_equal(found[:durable], frames.pixels[:durable])
        assert not found[durable:].any()
    counted = zarr.open_group(copied, mode="r")["host_ns"][:] > 0
    assert counted.sum() == durable
    writer.close({})


def test_a_recording_is_never_written_over(tmp_path):
    geometry = ShardGeometry(64, 64)
    (tmp_path / "t.zarr").mkdir()
    with pytest.raises(FolderUnusable, match="never written over"):
        RecordingWriter(tmp_path / "t.zarr", geometry, flush_frames=1, attributes={})


def test_a_file_system_without_direct_io_is_used_through_the_page_cache(tmp_path, monkeypatch):
    from capture.recording import writer as module

    real_open = module.os.open

    def without_direct(path, flags, *rest):
        if flags & module.os.O_DIRECT:
            raise OSError(22, "Invalid argument")
        return real_open(path, flags, *rest)

    monkeypatch.setattr(module.os, "open", without_direct)
    geometry = ShardGeometry(64, 64, frames_per_shard=4)
    frames = Frames(geometry, 6)
    writer = RecordingWriter(tmp_path / "t.zarr", geometry, flush_frames=2, attributes={})
    frames.append_to(writer, 0, 6)
    assert not writer.statistics().direct_io
    writer.close({})
    for found in opened_by_both(tmp_path / "t.zarr"):
        np.testing.assert_array_equal(found, frames.pixels)


def test_a_disk_without_room_is_one_clear_line_and_what_was_flushed_stays(tmp_path, monkeypatch):
    from capture.recording import writer as module

    geometry = ShardGeometry(64, 64, frames_per_shard=4)
    frames = Frames(geometry, 10)
    real = module.os.posix_fallocate
    room = [3]

    def fallocate(*arguments):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(module.os, "posix_fallocate", fallocate)
    writer = RecordingWriter(tmp_path / "t.zarr", geometry, flush_frames=1, attributes={})
    frames.append_to(writer, 0, 10)
    frames.append_to(writer, 0, 2)
    with pytest.raises(NoSpace, match="no space left"):
        frames.append_to(writer, 2, 3)
    assert writer.statistics().frames == 12
    writer.close({})
    assert zarr.open_group(tmp_path / "t.zarr", mode="r")["frames"].shape[0] == 12
    assert sorted(p.name for p in (tmp_path / "t.zarr" / "frames" / "c").iterdir()) == ["0", "1", "2"]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 8))
def test_batches_of_any_size_give_the_same_recording(tmp_path_factory, batches, flush_frames):
    geometry = ShardGeometry(16, 20, frames_per_shard=6)
    total = sum(batches)
    frames = Frames(geometry, total)
    path = tmp_path_factory.mktemp("w") / "t.zarr"
    writer = RecordingWriter(path, geometry, flush_frames=flush_frames, attributes={})
    start = 0
    for batch in batches:
        frames.append_to(writer, start, start + batch)
        start += batch
    writer.close({})
    np.testing.assert_array_equal(zarr.open_group(path, mode="r")["frames"][:], frames.pixels)
    shutil.rmtree(path)
