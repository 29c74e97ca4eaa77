"""`dfme-live --replay` and `bench` as their user sees them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from capture.console import run_command
from realtime.cli import app


@pytest.fixture(scope="module")
def array_path(film, tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.zarr"
    array = zarr.create_array(
        path, shape=film.shape, dtype=np.uint8, chunks=(50, *film.shape[1:]), attributes={"rate_fps": 200.0}
    )
    array[:] = film
    return path


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run_command(app, list(map(str, arguments)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_an_array_gives_a_line_for_each_expression_and_one_object_at_the_end(array_path, tmp_path, capsys):
    out = tmp_path / "found.jsonl"
    code, stdout, _ = call(capsys, "--replay", array_path, "--out", out, "--finder", "cascades", "--json")
    assert code == 0
    summary = json.loads(stdout.splitlines()[-1])
    assert summary["spotted"] == summary["micro"] == 1
    assert summary["frames"] == 600
    (found,) = [json.loads(row) for row in out.read_text().splitlines()]
    assert found["onset"] == pytest.approx(300, abs=4)
    assert found["apex"] == pytest.approx(330, abs=4)
    assert found["offset"] == pytest.approx(370, abs=4)
    assert {"emotion", "probabilities", "latency_ms"} <= found.keys()
    assert any("brow" in region for region in found["regions"])


def test_without_out_the_lines_lie_beside_the_array(array_path, capsys):
    code, stdout, _ = call(capsys, "--replay", array_path, "--finder", "cascades")
    assert code == 0
    assert (array_path.parent / "film.live.jsonl").is_file()
    assert "1 expressions in 3.0 s" in stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--replay"),
        (("--replay", "nowhere.zarr"), "nowhere.zarr"),
        (("--replay", __file__), "neither a recording"),
        (("--replay", __file__, "--fps", "0"), "--fps"),
        (("--replay", __file__, "--engine", "steam"), "steam"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(arguments, named, capsys):
    code, _, stderr = call(capsys, *arguments)
    assert code == 2
    assert named in stderr
    assert len(stderr.splitlines()) == 1


def test_colours_or_a_single_picture_are_no_frames(tmp_path, capsys):
    path = tmp_path / "colour.zarr"
    zarr.create_array(path, shape=(4, 32, 32, 3), dtype=np.uint8)
    code, _, stderr = call(capsys, "--replay", path)
    assert code == 2
    assert "(time, height, width)" in stderr


def test_errors_of_the_domain_end_the_command_as_ours_do(array_path, tmp_path, capsys):
    code, stdout, stderr = call(capsys, "--replay", array_path, "--model", tmp_path, "--json")
    assert code == 2
    assert "holds no model" in stderr
    assert json.loads(stdout.splitlines()[-1])["exit_status"] == 2


def test_bench_tells_of_stages_engines_and_what_does_not_work(array_path, capsys):
    arguments = ("--recording", array_path, "--fps", 200, "--finder", "cascades", "--runs", 4, "--seconds", 3)
    code, stdout, stderr = call(capsys, "bench", *arguments, "--engine", "openvino", "--engine", "torch", "--json")
    assert code == 0, stderr
    said = json.loads(stdout.splitlines()[-1])
    assert (said["frames"], said["expressions"]) == (600, 1)
    per_frame = {"read", "crop", "all of it"}
    assert per_frame | {"track", "motion", "head", "spot", "decide", "clip input", "readout"} <= said["stages"].keys()
    for name, stage in said["stages"].items():
        assert 0 <= stage["p50_ms"] <= stage["p99_ms"], name
    assert all(said["stages"][name]["count"] == 600 for name in ("crop", "all of it"))
    assert said["frames_s"] > 0 < said["cpu_ms_per_frame"]
    # What is inside of it takes no longer than all of it.
    assert said["stages"]["crop"]["p50_ms"] <= said["stages"]["all of it"]["p50_ms"]
    assert {"openvino f32", "openvino int8"} <= said["engines"].keys()
    rest = sum(said["stages"][name]["p50_ms"] for name in ("decide", "clip input", "readout"))
    for engine in said["engines"].values():
        assert engine["offset_to_readout_p50_ms"] == pytest.approx(rest + engine["p50_ms"], abs=0.01)
    assert "model.pt2" in said["unavailable"]["torch"]
    assert "onnxruntime cpu" not in said["engines"], "it was not asked for"
