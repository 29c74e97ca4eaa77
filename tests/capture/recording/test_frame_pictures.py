"""Pictures of frames by number, from every kind of recording."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import zarr

from capture.errors import RecordingInvalid
from capture.recording.frame_pictures import FramePictures, NoSuchFrame
from capture.simulator.stamp import read_stamp

MakeRecording = Callable[..., Path]


def decoded(picture: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image


def gradient_frames(count: int = 6, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """Frames of smooth pictures, each a step brighter."""
    ramp = np.linspace(0, 100, size[1], dtype=np.uint8)[None, :]
    return np.stack([np.repeat(ramp, size[0], axis=0) + 20 * i for i in range(count)])


def test_each_number_gives_the_frame_of_that_number(make_recording: MakeRecording) -> None:
    path = make_recording(count=40, first_id=100)
    pictures = FramePictures(path)

    assert (pictures.count, pictures.rate_fps, pictures.height_px, pictures.width_px) == (40, 500.0, 32, 64)
    for index in (0, 15, 16, 39):
        stamp = read_stamp(decoded(pictures.png(index)))
        assert stamp is not None
        assert stamp.intact
        assert stamp.frame_id == 100 + index


def test_a_jpeg_is_close_to_the_frame(make_recording: MakeRecording) -> None:
    path = make_recording(stamped=False)
    frame = np.load(path.with_suffix(".npy"))[7]

    picture = decoded(FramePictures(path).jpeg(7, quality=95))

    assert picture.shape == frame.shape
    assert np.abs(picture.astype(int) - frame).mean() < 4


def test_frames_behind_a_gap_keep_their_numbers(make_recording: MakeRecording) -> None:
    pictures = FramePictures(make_recording(count=30, lost={"ring": [(110, 114)]}))

    stamp = read_stamp(decoded(pictures.png(10)))

    assert stamp is not None
    assert stamp.frame_id == 115


@pytest.mark.parametrize("index", [-1, 40, 10**30])
def test_a_frame_outside_the_recording_is_refused_by_its_number(make_recording: MakeRecording, index: int) -> None:
    with pytest.raises(NoSuchFrame, match=rf"no frame {index}: its frames are 0 to 39"):
        FramePictures(make_recording(count=40)).jpeg(index)


def test_a_region_is_cut_at_the_frame(make_recording: MakeRecording) -> None:
    path = make_recording(stamped=False)
    frame = np.load(path.with_suffix(".npy"))[3]
    pictures = FramePictures(path)

    assert np.array_equal(decoded(pictures.png(3, region=(8, 4, 16, 12))), frame[4:16, 8:24])
    assert np.array_equal(decoded(pictures.png(3, region=(-5, 30, 10, 50))), frame[30:, :5])
    with pytest.raises(NoSuchFrame, match="nothing of frame 3"):
        pictures.jpeg(3, region=(64, 0, 10, 10))


def test_a_picture_becomes_smaller_but_never_larger(make_recording: MakeRecording) -> None:
    pictures = FramePictures(make_recording())

    assert decoded(pictures.jpeg(0, max_side_px=32)).shape == (16, 32)
    assert decoded(pictures.jpeg(0, max_side_px=500)).shape == (32, 64)


def test_any_zarr_array_of_frames_will_do(tmp_path: Path) -> None:
    frames = gradient_frames()
    plain = zarr.create_array(str(tmp_path / "plain.zarr"), data=frames, chunks=(2, 48, 64))
    plain.attrs["fps"] = 200
    group = zarr.open_group(str(tmp_path / "group.zarr"), mode="w")
    group.create_array("frames", data=frames, chunks=(1, 48, 64), shards=(3, 48, 64))

    for name, rate in (("plain.zarr", 200.0), ("group.zarr", 0.0)):
        pictures = FramePictures(tmp_path / name)
        assert (pictures.count, pictures.rate_fps) == (6, rate)
        assert np.array_equal(decoded(pictures.png(5)), frames[5])


def test_numbered_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    frames = gradient_frames(3)
    for name, frame in zip(("img9.png", "img10.png", "img100.png"), frames, strict=True):
        cv2.imwrite(str(tmp_path / name), frame)
    (tmp_path / "notes.txt").write_text("not a picture")
    pictures = FramePictures(tmp_path)

    assert (pictures.count, pictures.rate_fps) == (3, 0.0)
    assert [int(decoded(pictures.png(i))[0, 0]) for i in range(3)] == [0, 20, 40]


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    colour = tmp_path / "colour.zarr"
    zarr.create_array(str(colour), data=np.zeros((2, 4, 4, 3), np.uint8))
    (tmp_path / "torn.zarr").mkdir()
    (tmp_path / "torn.zarr" / "zarr.json").write_text("{")

    for name, why in (
        ("absent", "is not there"),
        ("empty", "neither a recording nor"),
        ("colour.zarr", "frames are uint8"),
        ("torn.zarr", "torn.zarr"),
    ):
        with pytest.raises(RecordingInvalid, match=why):
            FramePictures(tmp_path / name)


def test_pictures_at_hand_stay_within_their_memory(make_recording: MakeRecording) -> None:
    path = make_recording(count=40)
    size = len(FramePictures(path).jpeg(0))
    pictures = FramePictures(path, cache_bytes=5 * size)

    for index in range(40):
        pictures.jpeg(index)
    pictures.jpeg(39)
    statistics = pictures.statistics()

    assert statistics.encoded == 40
    assert statistics.cached == 1
    assert 0 < statistics.cache_bytes <= 5 * size


def test_many_threads_get_the_frames_they_ask_for(make_recording: MakeRecording) -> None:
    pictures = FramePictures(make_recording(count=40, first_id=0), cache_bytes=20_000)

    def id_of(index: int) -> int:
        stamp = read_stamp(decoded(pictures.png(index)))
        assert stamp is not None
        return stamp.frame_id

    asked = [index % 40 for index in range(0, 1200, 7)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(id_of, asked)) == asked
