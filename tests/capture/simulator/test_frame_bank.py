"""Specification of frame banks rendered from videos and pictures, and of their cache."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from capture.errors import BadInput
from capture.simulator.frame_bank import (
    FrameBank,
    FrameBankError,
    FrameBankWriter,
    bank_for,
    bank_from_video,
    default_cache,
)

WIDTH_PX, HEIGHT_PX = 64, 48
LEVELS = (10, 40, 70, 100, 130, 160, 190, 220)


def flat(level: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> npt.NDArray[np.uint8]:
    return np.full((height_px, width_px), level, np.uint8)


def write_video(
    path: Path,
    pictures: Sequence[npt.NDArray[np.uint8]],
    *,
    rate: Fraction | int = 25,
    times: Sequence[int] | None = None,
    codec: str = "ffv1",
    pixel_format: str = "gray",
    pixel_aspect: Fraction | None = None,
) -> Path:
    """A lossless video; `times` are in units of 1 / rate and count up from 0 unless given."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = 1 / Fraction(rate)
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="gray")
            frame.pts = number if times is None else times[number]
            frame.time_base = 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> Path:
    codec, pixel_format = {".png": ("png", "gray"), ".jpg": ("mjpeg", "yuvj420p")}[path.suffix]
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.height, context.width = pixels.shape
    context.pix_fmt = pixel_format
    context.time_base = Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format=pixel_format)
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    return path


def rendered(video: Path, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> npt.NDArray[np.uint8]:
    """All frames of the bank made from `video`, (frames, height, width)."""
    path = bank_from_video(video, video.with_suffix(".bank"), width_px=width_px, height_px=height_px)
    with FrameBank.open(path) as bank:
        return np.stack([bank.frame(index) for index in range(bank.frames_ready)])


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "face.mkv", [flat(level) for level in LEVELS])


@pytest.mark.parametrize("rate", [25, Fraction(24000, 1001), 500])
def test_a_video_becomes_a_bank_at_its_own_rate(tmp_path: Path, rate: Fraction | int) -> None:
    video = write_video(tmp_path / "face.mkv", [flat(level) for level in LEVELS], rate=rate)
    with FrameBank.open(bank_from_video(video, tmp_path / "a.bank", width_px=WIDTH_PX, height_px=HEIGHT_PX)) as bank:
        assert bank.geometry.rate_fps == pytest.approx(float(rate), rel=1e-3)
        assert bank.frames_ready == bank.geometry.frames == len(LEVELS)
        for index, level in enumerate(LEVELS):
            assert np.array_equal(bank.frame(index), flat(level))


def test_pictures_at_uneven_times_stay_at_their_times(tmp_path: Path) -> None:
    times = [0, 1, 2, 6, 7, 8, 9, 10]
    video = write_video(tmp_path / "a.mkv", [flat(level) for level in LEVELS], times=times)
    path = bank_from_video(video, tmp_path / "a.bank", width_px=WIDTH_PX, height_px=HEIGHT_PX)
    with FrameBank.open(path) as bank:
        rate_fps = bank.geometry.rate_fps
        shown = [int(bank.frame(index)[0, 0]) for index in range(bank.frames_ready)]
    assert len(shown) == round(10 / 25 * rate_fps) + 1
    for level, at in zip(LEVELS, times, strict=True):
        assert shown[round(at / 25 * rate_fps)] == level
    assert shown[round(5 / 25 * rate_fps)] == LEVELS[2]


def test_black_and_white_of_a_video_become_0_and_255(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mkv", [flat(0), flat(255)], pixel_format="yuv420p")
    with av.open(video) as container:
        limited = next(container.decode(video=0))
        assert limited.to_ndarray()[0, 0] == 16
    assert [int(frame.mean()) for frame in rendered(video)] == [0, 255]


def test_a_wide_picture_is_kept_whole_between_bars(tmp_path: Path) -> None:
    frame = rendered(write_video(tmp_path / "a.mkv", [flat(200, 128, 48)]))[0]
    assert np.array_equal(frame[12:36], flat(200, 64, 24))
    assert not frame[:12].any()
    assert not frame[36:].any()


def test_an_upright_picture_is_kept_whole_between_bars(tmp_path: Path) -> None:
    frame = rendered(write_video(tmp_path / "a.mkv", [flat(200, 32, 48)]))[0]
    assert np.array_equal(frame[:, 16:48], flat(200, 32, 48))
    assert not frame[:, :16].any()
    assert not frame[:, 48:].any()


def test_a_nearly_equal_shape_fills_the_frame(tmp_path: Path) -> None:
    assert np.array_equal(rendered(write_video(tmp_path / "a.mkv", [flat(200, 68, 48)]))[0], flat(200))


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mov", [flat(200, 32, 48)], codec="png", pixel_aspect=Fraction(2))
    assert np.array_equal(rendered(video)[0], flat(200))


@pytest.mark.parametrize(
    ("degrees_clockwise", "matrix", "bright"),
    [
        (90, (0, 1, -1, 0), np.s_[:, 32:]),
        (180, (-1, 0, 0, -1), np.s_[24:, :]),
        (270, (0, -1, 1, 0), np.s_[:, :32]),
    ],
)
def test_a_video_filmed_sideways_is_shown_upright(
    tmp_path: Path, degrees_clockwise: int, matrix: tuple[int, ...], bright: tuple[slice, slice]
) -> None:
    """The upper half of the stored picture is bright; turned clockwise by 90 degrees it is the right half."""
    width_px, height_px = (WIDTH_PX, HEIGHT_PX) if degrees_clockwise == 180 else (HEIGHT_PX, WIDTH_PX)
    stored = flat(0, width_px, height_px)
    stored[: height_px // 2] = 200
    video = write_video(tmp_path / "a.mov", [stored], codec="png")
    data = bytearray(video.read_bytes())
    a, b, c, d = (value * 65536 for value in matrix)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 2**30)
    video.write_bytes(data)
    frame = rendered(video)[0]
    expected = flat(0)
    expected[bright] = 200
    assert np.array_equal(frame, expected)


def test_a_video_can_be_cut_by_frames_or_seconds_and_progress_says_so(video: Path, tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    out = tmp_path / "a.bank"
    size = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
    for cut in ({"max_frames": 3}, {"max_seconds": 3 / 25}):
        said.clear()
        bank_from_video(video, out, progress=lambda *step: said.append(step), **size, **cut)
        with FrameBank.open(out) as bank:
            assert bank.frames_ready == bank.geometry.frames == 3
        assert [(done, planned) for done, planned, _ in said] == [(1, 3), (2, 3), (3, 3)]
        assert said[0][2] == "face.mkv: the first 0.1 s of 0.3 s at 25 fps"


@pytest.mark.parametrize("name", ["face.png", "face.jpg", "50%d.png"])
def test_a_picture_becomes_a_bank_of_one_frame(tmp_path: Path, name: str) -> None:
    frames = rendered(write_picture(tmp_path / name, flat(120)))
    assert frames.shape == (1, HEIGHT_PX, WIDTH_PX)
    assert np.abs(frames[0].astype(int) - 120).max() <= 1


def test_a_video_is_rendered_once_and_then_taken_from_the_cache(video: Path, tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    cache = tmp_path / "cache"
    first = bank_for(video, WIDTH_PX, HEIGHT_PX, cache, lambda *step: said.append(step))
    assert [done for done, _, _ in said] == list(range(1, len(LEVELS) + 1))
    inode = first.stat().st_ino
    again = bank_for(video, WIDTH_PX, HEIGHT_PX, cache, lambda *step: said.append(step))
    assert (again, again.stat().st_ino, len(said)) == (first, inode, len(LEVELS))
    assert list(cache.iterdir()) == [first]
    with FrameBank.open(first) as bank:
        assert [int(bank.frame(index)[0, 0]) for index in range(bank.frames_ready)] == list(LEVELS)


def test_another_size_length_or_content_is_rendered_anew(video: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    banks = {
        bank_for(video, WIDTH_PX, HEIGHT_PX, cache),
        bank_for(video, WIDTH_PX, HEIGHT_PX + 1, cache),
        bank_for(video, WIDTH_PX, HEIGHT_PX, cache, max_seconds=0.1),
    }
    os.utime(video, ns=(1, 1))
    banks.add(bank_for(video, WIDTH_PX, HEIGHT_PX, cache))
    assert len(banks) == 4
    assert set(cache.iterdir()) == banks


def test_what_a_killed_process_left_half_done_is_cleared_away(video: Path, tmp_path: Path) -> None:
    stale = tmp_path / "cache" / "0.partial-1"
    fresh = tmp_path / "cache" / "0.partial-2"
    stale.parent.mkdir()
    stale.touch()
    fresh.touch()
    os.utime(stale, (1, 1))
    bank_for(video, WIDTH_PX, HEIGHT_PX, stale.parent)
    assert not stale.exists()
    assert fresh.exists()


def test_a_damaged_bank_in_the_cache_is_rendered_again(video: Path, tmp_path: Path) -> None:
    cached = bank_for(video, WIDTH_PX, HEIGHT_PX, tmp_path / "cache")
    os.truncate(cached, 5000)
    with FrameBank.open(bank_for(video, WIDTH_PX, HEIGHT_PX, tmp_path / "cache")) as bank:
        assert bank.frames_ready == len(LEVELS)


def test_banks_used_longest_ago_leave_a_full_cache(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    old, used_since = (bank_for(video, WIDTH_PX, height_px, cache) for height_px in (48, 49))
    os.utime(old, (1, 1))
    os.utime(used_since, (1, 1))
    assert bank_for(video, WIDTH_PX, 49, cache) == used_since
    bank_bytes = old.stat().st_blocks * 512
    monkeypatch.setattr("capture.simulator.frame_bank.CACHE_LIMIT_BYTES", 2.5 * bank_bytes)
    newest = bank_for(video, WIDTH_PX, 50, cache)
    assert set(cache.iterdir()) == {used_since, newest}


def test_the_cache_follows_the_desktop_standard(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFME_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert bank_for(video, WIDTH_PX, HEIGHT_PX).parent == tmp_path / "xdg" / "dfme" / "banks"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for not_a_place in ("", "relative/cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", not_a_place)
        assert default_cache() == tmp_path / "home" / ".cache" / "dfme" / "banks"
    monkeypatch.setenv("DFME_CACHE", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own" / "banks"


def test_a_bank_is_used_as_it_is_under_any_name(video: Path, tmp_path: Path) -> None:
    for name in ("face.bank", "face.frames"):
        made = bank_from_video(video, tmp_path / name, width_px=WIDTH_PX, height_px=HEIGHT_PX)
        assert bank_for(made, WIDTH_PX, HEIGHT_PX, tmp_path / "cache") == made
    assert not (tmp_path / "cache").exists()


def test_a_bank_for_another_camera_is_refused(video: Path, tmp_path: Path) -> None:
    made = bank_from_video(video, tmp_path / "a.bank", width_px=WIDTH_PX, height_px=HEIGHT_PX)
    with pytest.raises(FrameBankError, match="holds 64x48 px, the camera gives 1024x768"):
        bank_for(made, 1024, 768, tmp_path / "cache")


def test_a_bank_without_a_frame_is_refused(tmp_path: Path) -> None:
    FrameBankWriter.create(tmp_path / "a.bank", WIDTH_PX, HEIGHT_PX, 25.0, 1).close()
    with pytest.raises(FrameBankError, match="no frame yet"):
        bank_for(tmp_path / "a.bank", WIDTH_PX, HEIGHT_PX)


def a_tone(path: Path) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    return path


def text(path: Path) -> Path:
    path.write_text("dear camera,\n" * 50)
    return path


def noise(path: Path) -> Path:
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("nothing.mp4", lambda path: path),
        ("folder.mp4", folder),
        ("empty.mp4", lambda path: path.touch() or path),
        ("letter.txt", text),
        ("letter.mp4", text),
        ("noise.mp4", noise),
        ("noise.png", noise),
        ("sound.wav", a_tone),
        ("noise.bank", noise),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, name: str, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path / name)
    with pytest.raises(BadInput) as caught:
        bank_for(path, WIDTH_PX, HEIGHT_PX, tmp_path / "cache")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    if not name.endswith(".bank"):
        assert "a frame bank (.bank), a video (such as .mp4, .mov, .avi, .mkv) or a picture (.png, .jpg)" in str(
            caught.value
        )
    assert not (tmp_path / "cache").exists() or not any((tmp_path / "cache").iterdir())


def test_a_video_damaged_in_the_middle_says_where_and_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    pictures = np.random.default_rng(5).integers(0, 256, (4, HEIGHT_PX, WIDTH_PX), np.uint8)
    video = write_video(tmp_path / "face.mov", list(pictures), codec="png")
    data = bytearray(video.read_bytes())
    third = [at for at in range(len(data)) if data.startswith(b"\x89PNG", at)][2]
    data[third : third + 64] = bytes(64)
    video.write_bytes(data)
    with pytest.raises(BadInput, match="behind frame 2 cannot be decoded"):
        bank_for(video, WIDTH_PX, HEIGHT_PX, tmp_path / "cache")
    assert not any((tmp_path / "cache").iterdir())


def test_a_real_face_stays_whole(tmp_path: Path) -> None:
    portrait = Path(os.environ.get("DFME_MODELS", "")).parent / "data" / "portrait_pexels.mp4"
    if "DFME_MODELS" not in os.environ or not portrait.exists():
        pytest.skip("no portrait beside DFME_MODELS")
    bank_path = bank_from_video(portrait, tmp_path / "a.bank", max_seconds=1.0)
    with FrameBank.open(bank_path) as bank:
        assert (bank.geometry.width_px, bank.geometry.height_px) == (1024, 768)
        assert bank.geometry.rate_fps == pytest.approx(24000 / 1001)
        assert bank.frames_ready == 24
        frame = bank.frame(0)
    assert not frame[:96].any()
    assert not frame[672:].any()
    assert frame[96:672].std() > 20
