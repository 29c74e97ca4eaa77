"""Repair: what a kill or a torn write left behind becomes a valid recording, and nothing that was filmed is lost."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.recording.layout import PER_FRAME, ShardGeometry, shard_path, value_path
from capture.recording.reader import Recording
from capture.recording.repair import process_writing, repair
from capture.recording.transcode import transcode
from capture.recording.verify import verify

GEOMETRY = ShardGeometry(32, 64, 16)


def opened_by_both(path):
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/frames/"}}
    return [zarr.open_group(path, mode="r")["frames"][:], tensorstore.open(store).result().read().result()]


def content_of(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def flip(path, offset):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def test_a_killed_recording_becomes_valid_and_exact(make_recording, pixels):
    path = make_recording(killed_after=21)

    report = repair(path)

    assert (report.changed, report.frames, report.frames_dropped, report.state) == (True, 21, 0, "repaired")
    for found in opened_by_both(path):
        np.testing.assert_array_equal(found, pixels(path))
    assert zarr.open_group(path, mode="r")["host_ns"].shape == (21,)
    verdict = verify(path)
    assert verdict.ok, verdict.problems
    assert verdict.notes[0] == "repaired; 0 frames had lost their pixels and were left out"


def test_room_that_was_allocated_and_never_written_is_given_back(make_recording):
    path = make_recording(killed_after=5, size=(64, 64), frames_per_shard=64)
    before = shard_path(path, 0).stat().st_size

    repair(path)

    assert shard_path(path, 0).stat().st_size < before
    assert verify(path).ok


@pytest.mark.parametrize("damage", ["torn", "empty", "other frames"])
def test_an_index_is_rebuilt_from_the_pixels(make_recording, pixels, damage):
    path = make_recording()
    with shard_path(path, 1).open("r+b") as shard:
        content = {"torn": b"torn", "empty": bytes(GEOMETRY.data_start), "other frames": b""}[damage]
        shard.write(content or GEOMETRY.index_block(np.arange(16) < 3))

    report = repair(path)

    assert (report.frames, report.indexes_rebuilt, report.frames_dropped) == (40, 1, 0)
    np.testing.assert_array_equal(Recording.open(path).frames(0, 40), pixels(path))
    assert verify(path).ok


def test_a_sound_recording_is_left_as_it_is(make_recording):
    path = make_recording()
    before = content_of(path)

    report = repair(path)

    assert (report.changed, report.state, report.frames) == (False, "complete", 40)
    assert content_of(path) == before


def test_a_frame_with_damaged_pixels_is_left_out_and_said(make_recording, pixels):
    path = make_recording()
    offset = GEOMETRY.offset(4) + 900
    flip(shard_path(path, 1), offset)
    damaged = shard_path(path, 1).read_bytes()[GEOMETRY.data_start :]

    report = repair(path)

    assert (report.frames, report.frames_dropped) == (39, 1)
    recording = Recording.open(path)
    np.testing.assert_array_equal(recording.frames(0, 39), np.delete(pixels(path), 20, axis=0))
    assert recording.attributes.repair.lost_ids == [(120, 120)]
    assert shard_path(path, 1).read_bytes()[GEOMETRY.data_start :] == damaged
    kept = np.fromfile(path / "host_ns" / "before-repair" / "1", "<u8")
    assert (kept > 0).sum() == 16
    verdict = verify(path)
    assert verdict.ok, verdict.problems


def test_a_missing_shard_costs_its_own_frames_only(make_recording):
    path = make_recording()
    shard_path(path, 0).unlink()

    report = repair(path)

    assert (report.frames, report.frames_dropped) == (24, 16)
    assert Recording.open(path).frame_id.tolist() == list(range(116, 140))


@pytest.mark.parametrize("file", ["frames/zarr.json", "host_ns/zarr.json", "crc32c/zarr.json"])
def test_metadata_that_is_gone_is_written_anew(make_recording, pixels, file):
    path = make_recording(frames_per_shard=500, count=20)
    (path / file).unlink()

    report = repair(path)

    assert report.metadata_rewritten == 1
    np.testing.assert_array_equal(opened_by_both(path)[0], pixels(path))


def test_attributes_that_are_gone_leave_frames_that_can_be_read(make_recording, pixels):
    path = make_recording()
    (path / "zarr.json").unlink()

    repair(path)

    recording = Recording.open(path)
    assert recording.attributes.state == "repaired"
    np.testing.assert_array_equal(recording.frames(0, 40), pixels(path))


@pytest.mark.parametrize("killed_after", [1, 17], ids=["no frame is left", "no frame is left in the last shard"])
def test_shards_in_which_no_frame_counts_stay_and_are_no_problem(make_recording, killed_after):
    path = make_recording(killed_after=killed_after)
    last = killed_after - 1
    flip(shard_path(path, last // 16), GEOMETRY.offset(last % 16) + 900)

    assert repair(path).frames == last

    assert shard_path(path, last // 16).exists()
    verdict = verify(path)
    assert verdict.ok, verdict.problems


@given(
    kill=st.integers(1, 40),
    torn=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 260)), max_size=3),
    flipped=st.sets(st.integers(0, 39), max_size=4),
    cut=st.none() | st.tuples(st.sampled_from(sorted(PER_FRAME)), st.integers(0, 2), st.integers(0, 127)),
)
@settings(max_examples=40)
def test_whatever_was_damaged_the_result_is_valid_and_repairing_again_changes_nothing(
    make_recording, tmp_path, kill, torn, flipped, cut
):
    shutil.rmtree(tmp_path / "trial-001.zarr", ignore_errors=True)
    path = make_recording(killed_after=kill)
    for shard, place in torn:
        if shard_path(path, shard).exists():
            flip(shard_path(path, shard), place)
    hit = {frame for frame in flipped if frame < kill}
    for frame in hit:
        flip(shard_path(path, frame // 16), GEOMETRY.offset(frame % 16) + 33)
    if cut is not None and value_path(path, cut[0], cut[1]).exists():
        os.truncate(value_path(path, cut[0], cut[1]), cut[2])

    report = repair(path)

    once = content_of(path)
    assert not repair(path).changed
    assert content_of(path) == once
    assert report.frames == len(Recording.open(path))
    if cut is None:
        assert report.frames == kill - len(hit)
    problems = [problem for problem in verify(path).problems if not problem.startswith(("frame_id:", "stamp:"))]
    assert problems == []
    assert len(opened_by_both(path)[0]) == len(opened_by_both(path)[1])


def test_a_recording_that_is_being_written_is_not_touched(make_recording):
    path = make_recording(killed_after=21)
    with shard_path(path, 0).open("r+b"):
        assert process_writing(path) == os.getpid()
        with pytest.raises(CaptureError, match=f"process {os.getpid()} is recording"):
            repair(path)
    assert process_writing(path) is None


def test_what_cannot_be_repaired_says_so(make_recording, tmp_path):
    with pytest.raises(RecordingInvalid, match="has no frames"):
        repair(tmp_path)
    packed = tmp_path / "packed.zarr"
    transcode(make_recording(), packed, "zstd")
    with pytest.raises(BadInput, match="is packed"):
        repair(packed)
