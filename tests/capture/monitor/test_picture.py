"""The live picture keeps the frame's shape and repaints only what moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from capture.monitor.picture import LEVELS, Picture, cell_means, fitted


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_cell_means_are_the_means_of_the_fields(height, width, rows, columns, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    means = cell_means(pixels, rows, columns)
    assert means.shape == (rows, columns)
    if height >= rows and width >= columns:
        row, column = rows // 2, columns // 2
        field = pixels[
            row * height // rows : (row + 1) * height // rows,
            column * width // columns : (column + 1) * width // columns,
        ]
        assert means[row, column] == pytest.approx(field.mean(), abs=1e-3)


def test_few_pixels_are_repeated():
    assert cell_means(np.array([[10, 200]], np.uint8), 2, 4).tolist() == [[10, 10, 200, 200]] * 2


@pytest.mark.parametrize(
    ("cells", "aspect", "shown"),
    [((38, 14), 4 / 3, (37, 28)), ((40, 30), 4 / 3, (40, 30)), ((200, 10), 4 / 3, (27, 20)), ((10, 40), 1.0, (10, 10))],
)
def test_the_picture_is_as_large_as_fits_with_its_shape_kept(cells, aspect, shown):
    assert fitted(*cells, aspect) == shown


class Frame(App[None]):
    def compose(self) -> ComposeResult:
        yield Picture(id="picture")


def painted(picture: Picture) -> list[list[tuple[int, int]]]:
    """Grey of the upper and lower pixel of each cell, line by line."""
    return [
        [
            (segment.style.color.triplet.red, segment.style.bgcolor.triplet.red)
            for segment in picture.paint_line(y)
            for _ in segment.text
            if "▀" in segment.text
        ]
        for y in range(picture.size.height)
    ]


async def test_every_cell_holds_two_pixels_in_their_greys():
    app = Frame()
    async with app.run_test(size=(40, 20)):
        picture = app.query_one(Picture)
        ramp = np.repeat(np.linspace(0, 255, 32).astype(np.uint8)[:, None], 40, axis=1)
        picture.show(ramp)
        lines = [line for line in painted(picture) if line]
        assert {len(line) for line in lines} == {40}
        greys = [grey for line in lines for grey in line[0]]
        assert greys == sorted(greys)
        assert greys[0] == 8
        assert greys[-1] == 8 + 10 * (LEVELS - 1)


async def test_camera_noise_changes_nothing_and_a_movement_only_its_lines():
    app = Frame()
    async with app.run_test(size=(40, 15)):
        picture = app.query_one(Picture)
        rng = np.random.default_rng(7)
        # At the border between two levels, where a picture without memory would flicker.
        still = np.full((96, 128), 128, np.uint8)
        picture.show(still)
        before = painted(picture)
        picture.show((still + rng.normal(0, 2, still.shape)).astype(np.uint8))
        assert painted(picture) == before
        moved = still.copy()
        moved[:8] = 250
        picture.show(moved)
        changed = [y for y, (old, new) in enumerate(zip(before, painted(picture), strict=True)) if old != new]
        assert changed == [0, 1]


async def test_a_frame_that_was_overtaken_leaves_the_picture_standing():
    app = Frame()
    async with app.run_test(size=(40, 15)):
        picture = app.query_one(Picture)
        picture.show(np.full((96, 128), 200, np.uint8))
        before = painted(picture)
        picture.show(None)
        assert painted(picture) == before
