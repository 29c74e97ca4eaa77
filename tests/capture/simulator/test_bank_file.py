"""Specification of the frame bank's file format: what a writer leaves and what a reader takes and refuses."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import BadInput, FolderUnusable, NoSpace
from capture.simulator.frame_bank import FrameBank, FrameBankError, FrameBankWriter

WIDTH_PX, HEIGHT_PX = 70, 61
STRIDE = 8192


def picture(number: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 256, (HEIGHT_PX, WIDTH_PX), np.uint8)


def made(path: Path, *, ready: int, frames: int) -> Path:
    with FrameBankWriter.create(path, WIDTH_PX, HEIGHT_PX, 500.0, frames) as writer:
        for number in range(ready):
            writer.append(picture(number))
    return path


def patched(path: Path, offset: int, data: bytes) -> Path:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    return path


def test_frames_come_back_with_their_checksums(tmp_path: Path) -> None:
    with FrameBank.open(made(tmp_path / "a.bank", ready=3, frames=3)) as bank:
        assert (bank.geometry.width_px, bank.geometry.height_px) == (WIDTH_PX, HEIGHT_PX)
        assert (bank.geometry.rate_fps, bank.geometry.frames, bank.frames_ready) == (500.0, 3, 3)
        for number in range(3):
            assert np.array_equal(bank.frame(number), picture(number))
            assert bank.checksum(number) == google_crc32c.value(picture(number).tobytes()[64:])


def test_every_byte_lies_where_the_format_says(tmp_path: Path) -> None:
    data = made(tmp_path / "a.bank", ready=2, frames=1500).read_bytes()
    offset = 4096 + 8192  # 1500 checksums take two blocks
    assert struct.unpack_from("<8sIIIIdQQQ", data) == (
        *(b"DFMEBANK", 1, WIDTH_PX, HEIGHT_PX, STRIDE),
        *(500.0, 1500, 2, offset),
    )
    pixels = [picture(number).tobytes() for number in range(2)]
    assert struct.unpack_from("<3I", data, 4096) == (*(google_crc32c.value(frame[64:]) for frame in pixels), 0)
    for number, frame in enumerate(pixels):
        assert data[offset + number * STRIDE :].startswith(frame)
    assert len(data) == offset + 1500 * STRIDE


def test_a_bank_can_be_read_while_it_is_rendered(tmp_path: Path) -> None:
    with (
        FrameBankWriter.create(tmp_path / "a.bank", WIDTH_PX, HEIGHT_PX, 500.0, 3) as writer,
        FrameBank.open(tmp_path / "a.bank") as bank,
    ):
        assert bank.frames_ready == 0
        for number in range(3):
            with pytest.raises(IndexError):
                bank.frame(number)
            writer.append(picture(number))
            assert bank.frames_ready == number + 1
            assert np.array_equal(bank.frame(number), picture(number))


def test_a_bank_whose_rendering_stopped_early_is_valid(tmp_path: Path) -> None:
    with FrameBank.open(made(tmp_path / "a.bank", ready=2, frames=5)) as bank:
        assert (bank.frames_ready, bank.geometry.frames) == (2, 5)
        assert np.array_equal(bank.frame(1), picture(1))
        for index in (-1, 2, 5):
            with pytest.raises(IndexError, match="frames 0 to 1"):
                bank.frame(index)


def test_room_for_frames_takes_no_disk_before_they_are_there(tmp_path: Path) -> None:
    status = made(tmp_path / "a.bank", ready=1, frames=1000).stat()
    assert status.st_size > 1000 * STRIDE
    assert status.st_blocks * 512 < 50 * STRIDE


def test_a_bank_that_is_being_played_outlives_its_replacement(tmp_path: Path) -> None:
    with FrameBank.open(made(tmp_path / "a.bank", ready=2, frames=2)) as old:
        made(tmp_path / "a.bank", ready=0, frames=1)
        assert np.array_equal(old.frame(1), picture(1))


def test_a_disk_without_room_is_known_before_the_first_frame(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match="MB are free"):
        FrameBankWriter.create(tmp_path / "a.bank", 1024, 768, 500.0, 2**31)
    assert not (tmp_path / "a.bank").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusable, match=r"file/a\.bank"):
        FrameBankWriter.create(tmp_path / "file" / "a.bank", WIDTH_PX, HEIGHT_PX, 500.0, 1)


@pytest.mark.parametrize(
    ("width_px", "height_px", "rate_fps", "frames"),
    [
        (0, 768, 500.0, 1),
        (1024, 65537, 500.0, 1),
        (7, 9, 500.0, 1),
        (1024, 768, 0.0, 1),
        (1024, 768, float("nan"), 1),
        (1024, 768, float("inf"), 1),
        (1024, 768, 500.0, 0),
    ],
)
def test_impossible_banks_are_not_begun(
    tmp_path: Path, width_px: int, height_px: int, rate_fps: float, frames: int
) -> None:
    with pytest.raises(FrameBankError):
        FrameBankWriter.create(tmp_path / "a.bank", width_px, height_px, rate_fps, frames)
    assert not (tmp_path / "a.bank").exists()


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with FrameBankWriter.create(tmp_path / "a.bank", WIDTH_PX, HEIGHT_PX, 500.0, 1) as writer:
        with pytest.raises(ValueError, match="uint8"):
            writer.append(picture(0).T)
        with pytest.raises(ValueError, match="uint8"):
            writer.append(picture(0).astype(np.uint16))
        writer.append(picture(0))
        with pytest.raises(ValueError, match="planned for 1"):
            writer.append(picture(1))
        assert writer.frames_ready == 1


U32, U64, F64 = struct.Struct("<I").pack, struct.Struct("<Q").pack, struct.Struct("<d").pack


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (0, b"DFMEBANC", "not a frame bank"),
        (8, U32(2), "version 2"),
        (12, U32(0), "frame size"),
        (12, U32(2**32 - 1), "frame size"),
        (16, U32(2**32 - 1), "frame size"),
        (12, U32(1), "no room for the stamp"),
        (12, U32(WIDTH_PX * 2), "bytes apart"),
        (20, U32(0), "bytes apart"),
        (20, U32(2**32 - 4096), "bytes apart"),
        (24, F64(float("nan")), "rate"),
        (24, F64(-1.0), "rate"),
        (32, U64(0), "0 frames"),
        (32, U64(2**64 - 1), "frames are planned"),
        (32, U64(4), "bytes of"),
        (40, U64(4), "4 frames are ready of 3"),
        (48, U64(0), "begin at byte 0"),
        (48, U64(4096), "begin at byte 4096"),
        (48, U64(8193), "begin at byte 8193"),
        (48, U64(2**64 - 4096), "begin at byte"),
        (48, U64(2**40), "bytes of"),
    ],
)
def test_a_header_that_lies_is_refused_in_one_line(tmp_path: Path, offset: int, value: bytes, reason: str) -> None:
    path = patched(made(tmp_path / "a.bank", ready=3, frames=3), offset, value)
    with pytest.raises(FrameBankError, match=reason) as caught:
        FrameBank.open(path)
    assert "a.bank" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, BadInput)


@given(offset=st.integers(0, 55), noise=st.binary(min_size=1, max_size=16))
def test_whatever_the_header_says_reading_stays_inside_the_file(
    tmp_path_factory: pytest.TempPathFactory, offset: int, noise: bytes
) -> None:
    path = made(tmp_path_factory.mktemp("noise") / "a.bank", ready=1, frames=2)
    length = path.stat().st_size
    patched(path, offset, noise)
    try:
        bank = FrameBank.open(path)
    except FrameBankError:
        return
    with bank:
        assert bank.geometry.file_bytes <= max(length, path.stat().st_size)
        for index in range(bank.frames_ready):
            assert bank.frame(index).shape == (bank.geometry.height_px, bank.geometry.width_px)


@pytest.mark.parametrize("length", [0, 7, 55, 4096, 8192 + 3 * STRIDE - 1])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = made(tmp_path / "a.bank", ready=3, frames=3)
    os.truncate(path, length)
    with pytest.raises(FrameBankError):
        FrameBank.open(path)


def test_a_file_cut_short_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = made(tmp_path / "a.bank", ready=3, frames=3)
    read: list[Callable[[FrameBank], object]] = [lambda bank: bank.frame(2), lambda bank: bank.checksum(2)]
    with FrameBank.open(path) as bank:
        for length, take in zip((8192 + STRIDE, 4096), read, strict=True):
            os.truncate(path, length)
            with pytest.raises(FrameBankError, match="cut short"):
                take(bank)


def test_a_bank_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FrameBankError, match=r"nothing\.bank: No such file"):
        FrameBank.open(tmp_path / "nothing.bank")
