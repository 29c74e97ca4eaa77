"""What `dfme-live --replay` takes: arrays and videos of any kind, or one clear line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import zarr

from capture.console import run_command
from capture.errors import BadInput
from realtime.cli import app
from realtime.sources import open_source, read_ahead
from realtime.spotting.spotter import Spotter


def video(path: Path, frames: np.ndarray, rate: float = 25, codec: str = "mpeg4") -> Path:
    """Frames (time, height, width) or (time, height, width, 3) as a video file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="gray" if frame.ndim == 2 else "rgb24")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, shape, np.uint8)


def replayed(capsys, *arguments: object) -> tuple[int, dict, str]:
    with pytest.raises(SystemExit) as ended:
        run_command(app, ["--replay", *map(str, arguments), "--finder", "cascades", "--json"])
    captured = capsys.readouterr()
    return ended.value.code, json.loads(captured.out.splitlines()[-1]), captured.err


@pytest.mark.parametrize("shape", [(6, 48, 64), (6, 48, 64, 3), (6, 360, 200), (1, 32, 32)])
def test_a_video_of_any_size_and_colour_is_replayed_and_says_that_there_is_no_face(tmp_path, capsys, shape):
    path = video(tmp_path / "any.mp4", noise(*shape))
    code, summary, _ = replayed(capsys, path)
    assert code == 0
    assert summary["frames"] == summary["frames_without_face"] == shape[0]
    assert summary["spotted"] == 0


def test_a_video_of_one_frame_a_second_is_replayed_with_a_warning(tmp_path, capsys):
    code, summary, _ = replayed(capsys, video(tmp_path / "slow.mp4", noise(4, 64, 64), rate=1))
    assert code == 0
    assert summary["seconds"] == pytest.approx(4)
    assert any("few for micro-expressions" in note for note in summary["notes"])


@pytest.mark.parametrize("rate_hz", [1.0, 5.0, 12.5, 24.0, 30.0, 1000.0])
def test_movement_at_any_rate_however_wild_is_followed(rate_hz):
    spotter = Spotter(rate_hz)
    random = np.random.default_rng(2)
    for number in range(400):
        wild = (random.normal(0, 1 + 4 * (number % 7 == 0), (20, 2)) @ [1, 1j]).astype(np.complex64)
        for spot in spotter.push(number / rate_hz, wild, (0.0, 0.0)):
            assert 0 <= spot.onset_s <= spot.apex_s <= spot.offset_s


def test_an_empty_file_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "empty.mp4"
    path.touch()
    code, _, stderr = replayed(capsys, path)
    assert code == 2
    assert stderr.splitlines() == [stderr.strip()]
    assert "empty.mp4" in stderr


def test_a_video_that_was_cut_short_gives_its_frames_or_one_line(tmp_path, capsys):
    whole = video(tmp_path / "whole.mkv", noise(40, 64, 64)).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    code, summary, stderr = replayed(capsys, path)
    if code == 0:
        assert 0 < summary["frames"] < 40
    else:
        assert code == 2
        assert len(stderr.splitlines()) == 1
    # An mp4 keeps its index at the end: without it nothing can be read.
    path = tmp_path / "cut.mp4"
    path.write_bytes(video(tmp_path / "whole.mp4", noise(40, 64, 64)).read_bytes()[:3000])
    code, _, stderr = replayed(capsys, path)
    assert code == 2
    assert "cut.mp4" in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "layout",
    [
        {"chunks": (1, 40, 50)},
        {"chunks": (7, 13, 50)},
        {"chunks": (1, 40, 50), "shards": (4, 40, 50)},
        {"chunks": (3, 40, 50), "compressors": None},
        {"chunks": (3, 40, 50), "zarr_format": 2},
    ],
)
def test_an_array_of_any_layout_gives_its_frames_in_order(tmp_path, layout):
    frames = noise(11, 40, 50)
    array = zarr.create_array(tmp_path / "any.zarr", shape=frames.shape, dtype=np.uint8, **layout)
    array[:] = frames
    source = open_source(tmp_path / "any.zarr", 300.0)
    blocks = list(read_ahead(source))
    assert np.array_equal(np.concatenate([block.frames for block in blocks]), frames)
    assert np.allclose(np.concatenate([block.times_s for block in blocks]), np.arange(11) / 300)


def test_an_array_in_a_group_is_found_and_two_must_be_told_apart(tmp_path):
    group = zarr.create_group(tmp_path / "group.zarr")
    group.create_array("film", shape=(2, 32, 32), dtype=np.uint8)
    assert open_source(tmp_path / "group.zarr").count == 2
    group.create_array("other", shape=(2, 32, 32), dtype=np.uint8)
    with pytest.raises(BadInput, match="2 arrays"):
        open_source(tmp_path / "group.zarr")


@pytest.mark.parametrize("shape", [(0, 32, 32), (32, 32)])
def test_an_array_without_frames_is_refused(tmp_path, shape):
    zarr.create_array(tmp_path / "none.zarr", shape=shape, dtype=np.uint8)
    with pytest.raises(BadInput, match="at least one"):
        open_source(tmp_path / "none.zarr")


def test_a_method_that_nobody_knows_is_refused(tmp_path, capsys):
    path = video(tmp_path / "any.mp4", noise(2, 32, 32))
    code, _, stderr = replayed(capsys, path, "--method", "tea-leaves")
    assert code == 2
    assert "lbp, flow" in stderr


@pytest.mark.parametrize("method", ["lbp", "flow"])
def test_a_baseline_on_a_video_without_a_face_finds_nothing(tmp_path, capsys, method):
    path = video(tmp_path / "any.mp4", noise(8, 64, 64))
    code, summary, _ = replayed(capsys, path, "--method", method)
    assert code == 0
    assert (summary["method"], summary["spotted"], summary["frames_without_face"]) == (method, 0, 8)
