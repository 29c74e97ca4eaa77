"""Transcoding: packed recordings give back every byte, values and attributes, and stay readable without our code."""

from __future__ import annotations

import av
import numpy as np
import pytest
import tensorstore
import zarr

from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.recording.clip import clip
from capture.recording.layout import ShardGeometry, shard_path
from capture.recording.reader import Recording
from capture.recording.transcode import transcode
from capture.recording.verify import verify

CODECS = ["ffv1", "zstd"]
SUFFIX = {"ffv1": ".ffv1", "zstd": ".zarr"}


@pytest.mark.parametrize("size", [(32, 64), (48, 101)], ids=["even", "odd"])
@pytest.mark.parametrize("codec", CODECS)
def test_every_byte_comes_back(make_recording, pixels, tmp_path, codec, size):
    path = make_recording(size=size, lost={"ring": [(112, 113)]})
    out = tmp_path / f"packed{SUFFIX[codec]}"

    report = transcode(path, out, codec)

    packed, source = Recording.open(out), Recording.open(path)
    np.testing.assert_array_equal(packed.frames(0, 40), pixels(path))
    for name in ("frame_id", "device_ns", "host_ns", "crc32c"):
        np.testing.assert_array_equal(getattr(packed, name), getattr(source, name))
    assert packed.attributes.ledger == source.attributes.ledger
    assert packed.codec == codec
    assert report.verified
    assert report.ratio == pytest.approx(report.raw_bytes / report.packed_bytes)
    verdict = verify(out)
    assert verdict.ok, verdict.problems


@pytest.mark.parametrize("codec", CODECS)
def test_frames_can_be_read_in_any_order(make_recording, pixels, tmp_path, codec):
    path = make_recording()
    out = tmp_path / f"packed{SUFFIX[codec]}"
    transcode(path, out, codec)
    packed = Recording.open(out)

    for frame in (39, 0, 17, 18, 5, 38):
        np.testing.assert_array_equal(packed.frame(frame), pixels(path)[frame])


def test_zstd_opens_in_any_zarr_reader(make_recording, pixels, tmp_path):
    path = make_recording()
    out = tmp_path / "packed.zarr"
    transcode(path, out, "zstd")

    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{out}/frames/"}}
    group = zarr.open_group(out, mode="r")
    np.testing.assert_array_equal(group["frames"][:], pixels(path))
    np.testing.assert_array_equal(tensorstore.open(store).result().read().result(), pixels(path))
    np.testing.assert_array_equal(group["frame_id"][:], np.arange(100, 140))
    assert group.attrs["dfme"]["trial"] == "trial-001"


def test_ffv1_opens_in_any_video_player_with_every_frame_a_key_frame(make_recording, pixels, tmp_path):
    path = make_recording()
    out = tmp_path / "packed.ffv1"
    transcode(path, out, "ffv1")

    with av.open(str(out / "frames.mkv")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("ffv1", "gray")
        frames = list(container.decode(stream))
    assert all(frame.key_frame for frame in frames)
    assert [round(frame.time * 25) for frame in frames] == list(range(40))
    np.testing.assert_array_equal(np.stack([frame.to_ndarray() for frame in frames]), pixels(path))
    np.testing.assert_array_equal(zarr.open_group(out / "values.zarr", mode="r")["frame_id"][:], np.arange(100, 140))


@pytest.mark.parametrize("codec", CODECS)
def test_a_packed_clip_can_be_cut_again(make_recording, pixels, tmp_path, codec):
    path = make_recording(lost={"ring": [(112, 113)]})
    clip(path, tmp_path / "a.zarr", frames=(4, 30))
    transcode(tmp_path / "a.zarr", tmp_path / f"b{SUFFIX[codec]}", codec)

    clip(tmp_path / f"b{SUFFIX[codec]}", tmp_path / "c.zarr", frames=(3, 20))

    np.testing.assert_array_equal(Recording.open(tmp_path / "c.zarr").frames(0, 17), pixels(path)[7:24])
    assert verify(tmp_path / "c.zarr").ok


def test_damage_to_a_packed_recording_is_found(make_recording, tmp_path):
    path = make_recording(size=(64, 64))
    transcode(path, tmp_path / "packed.zarr", "zstd")
    transcode(path, tmp_path / "packed.ffv1", "ffv1")
    for file in (shard_path(tmp_path / "packed.zarr", 0), tmp_path / "packed.ffv1" / "frames.mkv"):
        with file.open("r+b") as content:
            content.seek(file.stat().st_size // 2)
            content.write(b"\x55" * 40)

    assert not verify(tmp_path / "packed.zarr").ok
    assert not verify(tmp_path / "packed.ffv1").ok


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("after", [1, 41], ids=["while packing", "while comparing"])
def test_an_interrupted_transcode_leaves_nothing_behind(make_recording, tmp_path, codec, after):
    path = make_recording()
    before = set(tmp_path.iterdir())

    def stop(done, _total):
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcode(path, tmp_path / f"packed{SUFFIX[codec]}", codec, stop)

    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("codec", CODECS)
def test_what_does_not_compare_equal_is_not_kept(make_recording, tmp_path, codec):
    path = make_recording()
    before = set(tmp_path.iterdir())

    def change_the_source_behind_its_back(done, _total):
        if done == 40:
            with shard_path(path, 0).open("r+b") as shard:
                shard.seek(ShardGeometry(32, 64, 16).offset(6) + 100)
                shard.write(b"\xff\x00\xff\x00")

    with pytest.raises(CaptureError, match="did not come back as they were"):
        transcode(path, tmp_path / f"packed{SUFFIX[codec]}", codec, change_the_source_behind_its_back)

    assert set(tmp_path.iterdir()) == before


def test_a_damaged_frame_is_not_packed(make_recording, tmp_path):
    path = make_recording()
    with shard_path(path, 0).open("r+b") as shard:
        shard.seek(ShardGeometry(32, 64, 16).offset(6) + 100)
        shard.write(b"\xff\x00\xff\x00")

    with pytest.raises(RecordingInvalid, match="frame 6 does not match its checksum"):
        transcode(path, tmp_path / "packed.ffv1")


def test_what_cannot_be_packed_says_why(make_recording, tmp_path):
    with pytest.raises(BadInput, match=r"give a name that ends in .ffv1"):
        transcode(make_recording(), tmp_path / "packed.mkv", "ffv1")
    with pytest.raises(RecordingInvalid, match="never closed: run `dfme-session repair` first"):
        transcode(make_recording("killed.zarr", killed_after=9), tmp_path / "packed.ffv1", "ffv1")
