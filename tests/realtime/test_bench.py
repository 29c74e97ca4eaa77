"""`dfme-live bench` without a face; with one it is in test_cli.py."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from capture.console import run_command
from realtime.bench import RenderedSource
from realtime.cli import app


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run_command(app, ["bench", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_the_table_names_engines_and_reasons_and_where_nothing_moves_clips_are_noise(tmp_path, capsys):
    path = tmp_path / "grey.zarr"
    zarr.create_array(path, shape=(60, 96, 128), dtype=np.uint8, attributes={"rate_fps": 20.0})
    code, stdout, stderr = call(
        capsys, "--recording", path, "--finder", "cascades", "--runs", 2, "--engine", "openvino"
    )
    assert code == 0, stderr
    assert "clips of noise" in stdout
    assert "openvino int8" in stdout
    assert "20; " in stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--engine", "steam"), "steam"),
        (("--seconds", "1"), "seconds"),
        (("--recording", "nowhere.zarr"), "nowhere.zarr"),
        (("--model", "nowhere"), "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, named, capsys):
    code, _, stderr = call(capsys, *arguments)
    assert code == 2
    assert named in stderr
    assert len(stderr.splitlines()) == 1


def test_without_a_recording_a_participant_is_drawn():
    source = RenderedSource(4.0, 10.0)
    block = next(source.blocks())
    assert source.count == 40
    assert block.frames.shape == (25, 768, 1024)
    assert block.frames[0].std() > 10
    assert (block.frames[0] != block.frames[1]).any()
