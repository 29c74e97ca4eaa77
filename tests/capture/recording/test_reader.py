"""The reader: every frame as it was written, times in one clock, and a clear word where something is not there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import BadInput, RecordingInvalid
from capture.recording.layout import ShardGeometry, shard_path, value_path
from capture.recording.pixels import read_index
from capture.recording.reader import Recording

PERIOD_NS = 2_000_000
FIRST_NS = 5_000_000_000 + 100 * PERIOD_NS


def edit_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("size", [(32, 128), (48, 100)], ids=["frames fill their slots", "padded frames"])
def test_frames_come_back_as_they_were_written(make_recording, pixels, size):
    path = make_recording(size=size, count=40)
    recording = Recording.open(path)

    assert (len(recording), recording.height_px, recording.width_px) == (40, *size)
    np.testing.assert_array_equal(recording.frames(0, 40), pixels(path))
    np.testing.assert_array_equal(recording.frame(17), pixels(path)[17])
    np.testing.assert_array_equal(recording.frame(-1), pixels(path)[39])
    np.testing.assert_array_equal(recording.frames(30, 99), pixels(path)[30:])


def test_frames_can_be_read_into_memory_of_the_caller(make_recording, pixels):
    path = make_recording()
    memory = np.zeros((20, 32, 64), np.uint8)

    read = Recording.open(path).frames(10, 18, out=memory)

    assert np.shares_memory(read, memory)
    np.testing.assert_array_equal(memory[:8], pixels(path)[10:18])


def test_a_frame_beyond_the_end_is_an_index_error(make_recording):
    with pytest.raises(IndexError, match="which has 40 frames"):
        Recording.open(make_recording()).frame(40)


def test_values_of_frames_and_attributes_are_typed(make_recording):
    recording = Recording.open(make_recording(lost={"ring": [(103, 104)]}))

    assert recording.frame_id[:4].tolist() == [100, 101, 102, 105]
    assert recording.rate_fps == 500.0
    assert recording.attributes.trial == "trial-001"
    assert recording.attributes.ledger.end.losses.ring == 2
    assert recording.attributes.ledger.end.lost_ids == {"ring": [(103, 104)]}
    assert recording.codec == "raw"


def test_times_are_device_times_mapped_to_the_host_clock(make_recording):
    recording = Recording.open(make_recording())

    assert recording.times_ns().tolist() == [FIRST_NS + i * PERIOD_NS for i in range(40)]
    assert (recording.times_ns("host") - recording.times_ns() == 150_000).all()
    assert recording.seconds == pytest.approx(0.08)


@pytest.mark.parametrize("clock", [{}, {"source": "none"}, {"source": "latch", "slope": "x"}, {"source": "latch"}])
def test_without_a_usable_clock_line_arrival_times_count(make_recording, clock):
    recording = Recording.open(make_recording(change={"clock": clock}))

    np.testing.assert_array_equal(recording.times_ns(), recording.host_ns)


@given(offset_ns=st.integers(-900_000, 900_000), frame=st.integers(0, 39))
@settings(max_examples=50)
def test_frame_at_gives_the_nearest_frame_and_time_of_is_its_inverse(make_recording, tmp_path, offset_ns, frame):
    path = tmp_path / "trial-001.zarr"
    recording = Recording.open(path if path.exists() else make_recording())

    assert recording.frame_at(recording.time_of(frame) + offset_ns) == frame


@pytest.mark.parametrize("time_ns", [0, FIRST_NS - 2 * PERIOD_NS - 1, FIRST_NS + 42 * PERIOD_NS])
def test_a_time_outside_the_recording_has_no_frame(make_recording, time_ns):
    with pytest.raises(BadInput, match="lies outside"):
        Recording.open(make_recording()).frame_at(time_ns)


def test_a_recording_that_was_killed_opens_as_far_as_it_was_flushed(make_recording, pixels):
    path = make_recording(killed_after=21)
    recording = Recording.open(path)

    assert recording.attributes.state == "recording"
    assert len(recording) == 21
    np.testing.assert_array_equal(recording.frames(0, 21), pixels(path))


def test_a_frame_that_is_not_in_the_index_is_refused(make_recording, pixels):
    path = make_recording()
    geometry = ShardGeometry(32, 64, 16)
    present = np.ones(16, bool)
    present[5] = False
    with shard_path(path, 1).open("r+b") as shard:
        shard.write(geometry.index_block(present))
    recording = Recording.open(path)

    with pytest.raises(RecordingInvalid, match=r"frame 21 is not in the index .*repair"):
        recording.frame(21)
    np.testing.assert_array_equal(recording.frame(20), pixels(path)[20])


def test_a_torn_index_costs_only_its_shard(make_recording, pixels):
    path = make_recording()
    with shard_path(path, 1).open("r+b") as shard:
        shard.seek(100)
        shard.write(b"torn")
    recording = Recording.open(path)

    with pytest.raises(RecordingInvalid, match=r"1/0/0 is torn: run `dfme-session repair`"):
        recording.frame(16)
    np.testing.assert_array_equal(recording.frame(15), pixels(path)[15])
    np.testing.assert_array_equal(recording.frame(32), pixels(path)[32])


def test_a_shard_that_was_cut_short_is_refused_where_it_ends(make_recording, pixels):
    path = make_recording()
    geometry = ShardGeometry(32, 64, 16)
    with shard_path(path, 0).open("r+b") as shard:
        shard.truncate(geometry.shard_bytes(4) - 100 - (geometry.stride - geometry.frame_bytes))
    recording = Recording.open(path)

    np.testing.assert_array_equal(recording.frames(0, 3), pixels(path)[:3])
    with pytest.raises(RecordingInvalid, match="inside a frame"):
        recording.frame(3)


@given(present=st.lists(st.booleans(), min_size=1, max_size=40))
def test_an_index_block_says_which_frames_are_there(present, tmp_path_factory):
    geometry = ShardGeometry(16, 16, frames_per_shard=len(present))
    path = tmp_path_factory.mktemp("index") / "0"
    path.write_bytes(geometry.index_block(np.array(present)))

    index = read_index(path, geometry)

    assert (index[:, 0] != 2**64 - 1).tolist() == present
    assert [int(o) for o in index[:, 0] if o != 2**64 - 1] == [geometry.offset(i) for i, p in enumerate(present) if p]


@given(place=st.integers(0, 16 * 16 + 3), bit=st.integers(0, 7))
def test_a_single_wrong_bit_in_an_index_is_noticed(place, bit, tmp_path_factory):
    geometry = ShardGeometry(16, 16, frames_per_shard=16)
    block = bytearray(geometry.index_block(np.arange(16) < 9))
    block[place] ^= 1 << bit
    path = tmp_path_factory.mktemp("index") / "0"
    path.write_bytes(block)

    with pytest.raises(RecordingInvalid, match="torn"):
        read_index(path, geometry)


def test_a_path_without_a_recording_is_named(tmp_path):
    with pytest.raises(RecordingInvalid, match=r"nothing\.zarr is not a recording"):
        Recording.open(tmp_path / "nothing.zarr")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    ("zarr.json", "attributes"),
    ("zarr.json", "attributes", "dfme"),
    *[("zarr.json", "attributes", "dfme", key) for key in ("format", "state", "rate_fps", "clock", "ledger", "frames")],
    ("zarr.json", "attributes", "dfme", "ledger", "end", "lost_ids"),
    *[("frames/zarr.json", key) for key in ("shape", "chunk_grid", "codecs", "data_type", "zarr_format")],
    ("frames/zarr.json", "codecs", 0, "configuration"),
    ("frames/zarr.json", "codecs", 0, "configuration", "codecs"),
    *[("host_ns/zarr.json", key) for key in ("shape", "chunk_grid", "codecs", "data_type")],
]


@given(place=st.sampled_from(PLACES), value=json_values)
@settings(max_examples=150)
def test_hostile_metadata_is_refused_in_one_line_or_harmless(make_recording, tmp_path, place, value):
    path = tmp_path / "trial-001.zarr"
    if not path.exists():
        make_recording()
    file, *keys, last = place
    target = path / file
    original = target.read_text()

    def change(content):
        for key in keys:
            content = content[key]
        content[last] = value

    refusal = ""
    try:
        edit_json(target, change)
        recording = Recording.open(path)
        recording.times_ns()
        recording.frames(0, len(recording))
    except RecordingInvalid as error:
        refusal = str(error)
    finally:
        target.write_text(original)
    assert "\n" not in refusal


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"attributes": 1}'])
def test_a_group_file_that_is_no_json_object_is_refused(make_recording, content):
    path = make_recording()
    (path / "zarr.json").write_bytes(content)

    with pytest.raises(RecordingInvalid):
        Recording.open(path)


def test_a_later_major_format_is_refused(make_recording):
    with pytest.raises(RecordingInvalid, match=r"format '2\.0', this dfme reads 1\.0"):
        Recording.open(make_recording(change={"format": "2.0"}))


def test_a_value_chunk_that_was_cut_short_hides_only_its_frames(make_recording):
    path = make_recording()
    chunk = value_path(path, "host_ns", 1)
    chunk.write_bytes(chunk.read_bytes()[: 8 * 10 + 3])

    recording = Recording.open(path)

    assert len(recording) == 40 - 6
    assert recording.positions.tolist() == [*range(26), *range(32, 40)]
