"""The timeline's arithmetic: from frames to pixels and back, zoom, and the curve's columns."""

from __future__ import annotations

import math
from typing import Any

from playwright.sync_api import Page


def run(page: Page, body: str, *arguments: Any) -> Any:
    return page.evaluate(f"async (given) => {{ const m = await import('/timeline.js'); {body} }}", list(arguments))


def view(first: int, last: int, width: int = 800) -> dict[str, int]:
    return {"first": first, "last": last, "left": 88, "width": width}


def test_a_click_on_a_frame_gives_that_frame(modules: Page) -> None:
    for given in (view(0, 29_999), view(1_100, 1_500), view(7, 7), view(0, 19, 793)):
        frames = sorted({given["first"], given["last"], (given["first"] + given["last"]) // 2})
        back = run(modules, "return given[1].map((f) => m.frameAt(m.xOf(f, given[0]), given[0]))", given, frames)
        assert back == frames
    assert run(modules, "return [m.frameAt(-50, given[0]), m.frameAt(5000, given[0])]", view(10, 20)) == [10, 20]


def test_zoom_keeps_the_cursor_in_sight_and_stays_within_the_recording(modules: Page) -> None:
    bounds = {"first": 0, "last": 9_999}
    for cursor in (0, 4_321, 9_999):
        now = view(0, 9_999)
        for factor in (0.5, 0.5, 0.1, 0.001, 3, 1_000):
            now = run(modules, "return m.zoomed(given[0], given[1], given[2], given[3])", now, bounds, cursor, factor)
            assert 0 <= now["first"] <= cursor <= now["last"] <= 9_999
    assert (now["first"], now["last"]) == (0, 9_999)


def test_the_view_follows_the_cursor(modules: Page) -> None:
    bounds = {"first": 0, "last": 999}
    for frame, first in ((950, 900), (450, 400), (20, 0), (410, 400)):
        start = view(400, 499) if frame != 20 else view(100, 199)
        now = run(modules, "return m.following(given[0], given[1], given[2])", start, bounds, frame)
        assert now["first"] == first
        assert now["last"] - now["first"] == 99


def test_no_peak_of_the_curve_is_lost_however_far_it_is_zoomed_out(modules: Page) -> None:
    frames = list(range(1_000, 31_000, 4))
    values = [0.1] * len(frames)
    values[3_217] = 5.0
    columns = run(
        modules,
        "return [...m.columnsOf({frames: given[0], values: given[1]}, given[2], 300)]",
        frames,
        values,
        view(0, 30_999, 300),
    )
    measured = [value for value in columns if not math.isnan(value)]
    assert max(measured) == 5.0
    assert len(measured) in (290, 291)


def test_tick_labels_are_round_numbers_with_room_for_each(modules: Page) -> None:
    for given, step in ((view(0, 29_999), 5_000), (view(0, 99), 10), (view(0, 5), 1)):
        assert run(modules, "return m.tickStep(given[0])", given) == step
