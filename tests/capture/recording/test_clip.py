"""Clips: a stretch of a recording is a recording of its own, with ids, times and checksums as they were."""

from __future__ import annotations

import av
import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import BadInput, RecordingInvalid
from capture.recording.clip import clip, clip_to_pictures, clip_to_video, frame_range
from capture.recording.layout import ShardGeometry, shard_path
from capture.recording.reader import Recording
from capture.recording.verify import verify


@pytest.mark.parametrize("size", [(32, 128), (48, 100)], ids=["frames fill their slots", "padded frames"])
def test_a_clip_is_a_valid_recording_with_the_frames_values_and_times_of_its_source(
    make_recording, pixels, tmp_path, size
):
    path = make_recording(size=size, lost={"ring": [(112, 113), (139, 139)]})
    out = tmp_path / "clip.zarr"

    report = clip(path, out, frames=(5, 31))

    assert (report.first, report.stop, report.frames) == (5, 31, 26)
    source, cut = Recording.open(path), Recording.open(out)
    np.testing.assert_array_equal(cut.frames(0, 26), pixels(path)[5:31])
    for name in ("frame_id", "device_ns", "host_ns", "crc32c"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(source, name)[5:31])
    np.testing.assert_array_equal(cut.times_ns(), source.times_ns()[5:31])
    assert cut.attributes.camera == source.attributes.camera
    assert cut.attributes.source.recording == "trial-001.zarr"
    assert cut.attributes.source.frames == (5, 31)
    assert cut.attributes.source.lost_ids == [(112, 113)]
    verdict = verify(out)
    assert verdict.ok, verdict.problems


def test_any_zarr_reader_opens_a_clip(make_recording, pixels, tmp_path):
    path = make_recording()
    out = tmp_path / "clip.zarr"
    clip(path, out, frames=(10, 20))

    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{out}/frames/"}}
    np.testing.assert_array_equal(zarr.open_group(out, mode="r")["frames"][:], pixels(path)[10:20])
    np.testing.assert_array_equal(tensorstore.open(store).result().read().result(), pixels(path)[10:20])


def test_a_clip_of_a_clip_still_accounts_for_what_its_source_had_lost(make_recording, tmp_path):
    path = make_recording(lost={"ring": [(112, 113)], "camera": [(120, 120)]})
    clip(path, tmp_path / "a.zarr", frames=(5, 31))

    clip(tmp_path / "a.zarr", tmp_path / "b.zarr", frames=(2, 14))

    verdict = verify(tmp_path / "b.zarr")
    assert verdict.ok, verdict.problems
    assert verdict.missing_ids == 3


@given(data=st.data())
def test_a_range_in_seconds_takes_the_frames_of_that_time(make_recording, tmp_path, data):
    path = tmp_path / "trial-001.zarr"
    recording = Recording.open(path if path.exists() else make_recording())
    start = data.draw(st.integers(0, 39))
    stop = data.draw(st.integers(start + 1, 40))

    # Clocks drift: a frame counts from half a period before its own time to half a period behind.
    off = data.draw(st.floats(-0.45, 0.45))
    seconds = ((start + off) * 0.002, (stop + off) * 0.002)

    assert frame_range(recording, None, seconds) == (start, stop)
    assert frame_range(recording, (start, stop), None) == (start, stop)


@pytest.mark.parametrize(
    ("frames", "seconds"),
    [
        ((0, 41), None),
        ((-1, 5), None),
        ((7, 7), None),
        ((9, 3), None),
        (None, (1.0, 2.0)),
        (None, (0.03, 0.01)),
        (None, None),
        ((1, 2), (0.0, 1.0)),
    ],
)
def test_a_range_without_frames_is_refused(make_recording, tmp_path, frames, seconds):
    with pytest.raises(BadInput):
        clip(make_recording(), tmp_path / "clip.zarr", frames=frames, seconds=seconds)
    assert not (tmp_path / "clip.zarr").exists()


def test_either_end_of_a_range_may_be_left_out(make_recording):
    recording = Recording.open(make_recording())

    assert frame_range(recording, (None, 7), None) == (0, 7)
    assert frame_range(recording, (30, None), None) == (30, 40)
    assert frame_range(recording, None, (None, 0.02)) == (0, 10)


def test_nothing_is_written_over_and_the_name_must_fit(make_recording, tmp_path):
    path = make_recording()
    (tmp_path / "there.zarr").mkdir()

    with pytest.raises(BadInput, match=r"there.zarr exists already"):
        clip(path, tmp_path / "there.zarr", frames=(0, 5))
    with pytest.raises(BadInput, match=r"give a name that ends in .zarr"):
        clip(path, tmp_path / "clip", frames=(0, 5))


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RecordingInvalid])
def test_an_interrupted_or_failed_clip_leaves_nothing_behind(make_recording, tmp_path, failure):
    path = make_recording()
    before = set(tmp_path.iterdir())

    def stop(_done, _total):
        raise failure

    with pytest.raises(failure):
        clip(path, tmp_path / "clip.zarr", frames=(0, 30), progress=stop)

    assert set(tmp_path.iterdir()) == before


def test_a_damaged_frame_is_not_passed_on(make_recording, tmp_path):
    path = make_recording()
    with shard_path(path, 0).open("r+b") as shard:
        shard.seek(ShardGeometry(32, 64, 16).offset(6) + 100)
        shard.write(b"\xff\x00\xff\x00")

    with pytest.raises(RecordingInvalid, match="frame 6 does not match its checksum"):
        clip(path, tmp_path / "clip.zarr", frames=(0, 30))
    assert clip(path, tmp_path / "clip.zarr", frames=(7, 30)).frames == 23


def test_pictures_show_the_frames(make_recording, pixels, tmp_path):
    path = make_recording()

    made = clip_to_pictures(path, tmp_path / "look", 8, 11)

    assert [picture.name for picture in made] == ["frame-000008.png", "frame-000009.png", "frame-000010.png"]
    with av.open(str(made[1])) as container:
        (frame,) = container.decode(video=0)
    np.testing.assert_array_equal(frame.to_ndarray(format="gray"), pixels(path)[9])


def test_a_video_plays_slower_than_life_and_says_how_much(make_recording, pixels, tmp_path):
    path = make_recording(size=(63, 65))

    slower = clip_to_video(path, tmp_path / "look.mp4", 0, 40)

    assert slower == pytest.approx(500 / 30)
    with av.open(str(tmp_path / "look.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (64, 62, 30)
        shown = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
    assert len(shown) == 40
    assert np.abs(shown[20].astype(int) - pixels(path)[20][:62, :64]).mean() < 12
