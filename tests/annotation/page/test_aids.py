"""What the aids do to pixels: tone, difference and magnification against the onset frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from playwright.sync_api import Page

SIZE = 40


def run(page: Page, body: str, *arguments: Any) -> Any:
    return page.evaluate(f"async (given) => {{ const m = await import('/aids.js'); {body} }}", list(arguments))


def shown(page: Page, frame: np.ndarray, reference: np.ndarray | None, **aids: Any) -> np.ndarray:
    """`frame` as the page shows it with `aids`, int (height, width)."""
    rgba = [int(v) for v in np.repeat(frame.reshape(-1, 1), 4, axis=1).reshape(-1)]
    other = None if reference is None else [int(v) for v in np.repeat(reference.reshape(-1, 1), 4, axis=1).reshape(-1)]
    grey = run(
        page,
        """
        const [frame, reference, size, aids] = given;
        const pixels = Uint8ClampedArray.from(frame);
        const smooth = reference === null ? null : m.smoothGrey(Uint8ClampedArray.from(reference), size, size);
        m.applyAids(pixels, size, size, {...m.plain(), ...aids}, smooth);
        return [...pixels].filter((_, i) => i % 4 === 0);
        """,
        rgba,
        other,
        SIZE,
        aids,
    )
    return np.array(grey).reshape(SIZE, SIZE)


def blob(x: float) -> np.ndarray:
    """A soft spot whose middle is at column `x`, uint8 (SIZE, SIZE)."""
    columns, rows = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    return (60 + 120 * np.exp(-(((columns - x) / 8.0) ** 2) - ((rows - 20) / 8.0) ** 2)).round().astype(np.uint8)


def test_brightness_adds_and_contrast_turns_around_middle_grey(modules: Page) -> None:
    frame = np.full((SIZE, SIZE), 100, np.uint8)
    assert shown(modules, frame, None, brightness=12).max() == 112
    assert shown(modules, frame, None, contrast=2).max() == 72
    assert shown(modules, frame, None, brightness=120, contrast=4).max() == 136


def test_an_unchanged_picture_has_no_difference(modules: Page) -> None:
    frame = blob(20)
    assert set(shown(modules, frame, frame, mode="difference", amount=20).reshape(-1)) == {128}
    assert np.array_equal(shown(modules, frame, frame, mode="magnify", amount=20), frame)


def test_difference_shows_where_and_which_way_it_changed(modules: Page) -> None:
    seen = shown(modules, blob(21), blob(20), mode="difference", amount=5)
    assert seen[20, 28] > 160
    assert seen[20, 12] < 100
    assert abs(seen[2, 2] - 128) <= 1


def test_magnification_shows_a_small_movement_as_a_larger_one(modules: Page) -> None:
    def middle(picture: np.ndarray) -> float:
        weight = np.clip(picture.astype(float) - 61, 0, None)
        return float((weight.sum(axis=0) * np.arange(SIZE)).sum() / weight.sum())

    moved = blob(20.3)
    seen = shown(modules, moved, blob(20), mode="magnify", amount=10)
    assert middle(seen) - 20 > 5 * (middle(moved) - 20) > 0


def test_averaging_keeps_an_even_picture_even_up_to_its_edges(modules: Page) -> None:
    assert run(
        modules, "return [...m.smoothGrey(new Uint8ClampedArray(4 * 12 * 9).fill(77), 12, 9)].every((v) => v === 77)"
    )
