"""The loops over pixels: they draw what the sums say, on any processor and at every rim."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from expression.synthetic import drawing
from expression.synthetic.drawing import Exposure, FineLayer, Moved, Scene, ShiftMap, draw, invert

SOURCES = Path(drawing.__file__).with_name("cpp")
SIZE = (48, 64)
WHOLE = (slice(0, SIZE[0]), slice(0, SIZE[1]))
PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"


def smooth_picture() -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return (120 + 60 * np.sin(x / 7) * np.cos(y / 9)).astype(np.float32)


def shown(scene: Scene) -> np.ndarray:
    picture = np.empty(SIZE, np.float32)
    draw(scene, picture=picture)
    return picture


def everywhere(dx: float, dy: float, step: int = 4) -> ShiftMap:
    return ShiftMap(np.full((SIZE[0] // step, SIZE[1] // step, 2), (dx, dy), np.float32), step)


def layer_of(grey: np.ndarray, alpha: np.ndarray) -> FineLayer:
    return FineLayer.of((grey * alpha).astype(np.float32), alpha.astype(np.float32))


@pytest.mark.parametrize("step", [4, 8, 16])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.0, -2.0), (0.35, 0.8)])
def test_a_layer_is_drawn_from_where_its_map_says(shift, step):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    grey = smooth_picture()
    moved = Moved(layer_of(grey, np.ones(SIZE)), everywhere(*shift, step), WHOLE)
    expected = 120 + 60 * np.sin((x + shift[0]) / 7) * np.cos((y + shift[1]) / 9)
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(shown(Scene(np.zeros(SIZE, np.float32), moved))[inner], expected[inner], atol=0.6)


def test_between_nodes_shifts_are_linear_and_beyond_the_outermost_constant():
    grey = np.tile(np.arange(SIZE[1], dtype=np.float32), (SIZE[0], 1))
    shift = np.zeros((SIZE[0] // 4, SIZE[1] // 4, 2), np.float32)
    nodes = np.arange(SIZE[1] // 4, dtype=np.float32)
    shift[..., 0] = 0.25 * nodes
    moved = Moved(layer_of(grey, np.ones(SIZE)), ShiftMap(shift, 4), WHOLE)
    columns = np.arange(SIZE[1])
    expected = columns + np.interp(columns, 4 * nodes + 1.5, 0.25 * nodes)
    inner = slice(2, 56)
    np.testing.assert_allclose(shown(Scene(np.zeros(SIZE, np.float32), moved))[20, inner], expected[inner], atol=0.02)


def test_what_a_layer_does_not_cover_shows_what_lies_beneath_and_beyond_its_rim_the_rim_goes_on():
    alpha = np.zeros(SIZE)
    alpha[:, 24:40] = 1
    beneath = np.full(SIZE, 30, np.float32)
    head = Moved(layer_of(np.full(SIZE, 200.0), alpha), everywhere(0, 20), WHOLE)
    picture = shown(Scene(beneath, head))
    assert picture[:, :20].min() == picture[:, :20].max() == 30
    np.testing.assert_allclose(picture[:, 28:36], 200, atol=0.1)
    assert 60 < picture[24, 23:25].mean() < 170, "its rim is mixed"


def test_a_box_bounds_what_is_drawn():
    layer = layer_of(np.full(SIZE, 200.0), np.ones(SIZE))
    box = (slice(5, 17), slice(11, 30))
    picture = shown(Scene(np.zeros(SIZE, np.float32), Moved(layer, everywhere(0.3, 0.3), box)))
    inside = np.zeros(SIZE, bool)
    inside[box] = True
    np.testing.assert_allclose(picture[inside], 200, atol=0.1)
    assert not picture[~inside].any()


def test_gain_shades_the_head_alone_and_moves_with_it():
    gain = np.ones(SIZE, np.float32)
    gain[20:28, 20:28] = 0.5
    layer = layer_of(np.full(SIZE, 100.0), np.ones(SIZE))
    shaded = (slice(16, 32), slice(16, 32))
    picture = shown(Scene(np.zeros(SIZE, np.float32), Moved(layer, everywhere(-10, 0), WHOLE), gain, shaded))
    np.testing.assert_allclose(picture[22:26, 32:36], 50, atol=0.1)
    np.testing.assert_allclose(picture[:, :28], 100, atol=0.1)
    front = Scene(np.zeros(SIZE, np.float32), front=Moved(layer, everywhere(0, 0), WHOLE), gain=gain, shaded=shaded)
    np.testing.assert_allclose(shown(front), 100, atol=0.1)


def test_the_sensor_rounds_what_the_picture_says():
    picture, out = np.empty(SIZE, np.float32), np.empty(SIZE, np.uint8)
    draw(Scene(smooth_picture()), Exposure(1.2), picture, out)
    assert (out == np.floor(picture * np.float32(1.2) + np.float32(0.5))).all()


def test_turning_a_motion_around_leads_back_to_every_node():
    rows, columns = 12, 16
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    motion = np.stack([1.5 * np.sin(y / 3) + 0.8, 2 * np.cos(x / 4)], axis=-1).astype(np.float32)
    shift = np.zeros((8, 10, 2), np.float32)
    invert(motion, 4, (2, 3), shift)
    for row in range(8):
        for column in range(10):
            at_x, at_y = column + 3 + shift[row, column, 0] / 4, row + 2 + shift[row, column, 1] / 4
            left, top = int(at_x), int(at_y)
            fx, fy = at_x - left, at_y - top
            corners = motion[top : top + 2, left : left + 2]
            there = (corners[0] * (1 - fy) + corners[1] * fy).T @ [1 - fx, fx]
            np.testing.assert_allclose(shift[row, column] + there, 0, atol=2e-3)


def test_arrays_of_another_kind_are_refused_before_anything_is_read():
    head = Moved(layer_of(smooth_picture(), np.ones(SIZE)), everywhere(0, 0), WHOLE)
    background = np.zeros(SIZE, np.float32)
    with pytest.raises(ValueError, match="uint8"):
        draw(Scene(background, head), out=np.empty((8, 8), np.uint8))
    with pytest.raises(ValueError, match="frame"):
        draw(Scene(background, Moved(head.layer, head.shift, (slice(0, 49), slice(0, 64)))))
    with pytest.raises(ValueError, match="float32"):
        draw(Scene(background.astype(np.float64)))
    with pytest.raises(ValueError, match="even"):
        draw(Scene(background, Moved(head.layer, ShiftMap(head.shift.shift, 3), WHOLE)))


@pytest.mark.skipif(
    not shutil.which("cmake", path=PATH) or not shutil.which("c++", path=PATH), reason="needs cmake and a C++ compiler"
)
def test_the_sanitizers_find_nothing_and_wide_registers_change_nothing(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("CXXFLAGS", "LD_PRELOAD")}

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env={**environment, "PATH": PATH}, timeout=170
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    options = ["-DDFME_TESTS=ON", "-DDFME_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=None"]
    run("cmake", "-S", SOURCES, "-B", tmp_path, *options)
    run("cmake", "--build", tmp_path, "--parallel", "2")
    assert "100% tests passed" in run("ctest", "--test-dir", tmp_path, "--output-on-failure", "--no-tests=error")
