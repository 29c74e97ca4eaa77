"""What the aids do to pixels: tone, difference and magnification against the onset frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

SIZE = 72


def run(page: Page, body: str, *arguments: Any) -> Any:
    return page.evaluate(f"async (given) => {{ const m = await import('/aids.js'); {body} }}", list(arguments))


def shown(page: Page, frame: np.ndarray, reference: np.ndarray | None, **aids: Any) -> np.ndarray:
    """`frame` as the page shows it with `aids`, int (height, width)."""
    grey = run(
        page,
        """
        const [frame, reference, size, aids] = given;
        const rgba = (greys) => Uint8ClampedArray.from({length: 4 * greys.length}, (_, i) => greys[i >> 2]);
        const pixels = rgba(frame);
        const other = reference && m.referenceOf(m.smoothGrey(rgba(reference), size, size), size, size);
        m.applyAids(pixels, size, size, {...m.plain(), ...aids}, other);
        return [...pixels].filter((_, i) => i % 4 === 0);
        """,
        frame.reshape(-1).tolist(),
        None if reference is None else reference.reshape(-1).tolist(),
        SIZE,
        aids,
    )
    return np.array(grey).reshape(SIZE, SIZE)


def blob(x: float) -> np.ndarray:
    """A head that keeps still, with a soft spot on it whose middle is at column `x`, uint8 (SIZE, SIZE)."""
    columns, rows = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    head = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 255, (SIZE, SIZE)).astype(np.float32), (0, 0), 2)
    head[20:52, 12:60] = 60
    return (
        (head + 90 * np.exp(-(((columns - x) / 6.0) ** 2) - ((rows - 36) / 6.0) ** 2))
        .round()
        .clip(0, 255)
        .astype(np.uint8)
    )


def test_brightness_adds_and_contrast_turns_around_middle_grey(modules: Page) -> None:
    frame = np.full((SIZE, SIZE), 100, np.uint8)
    assert shown(modules, frame, None, brightness=12).max() == 112
    assert shown(modules, frame, None, contrast=2).max() == 72
    assert shown(modules, frame, None, brightness=120, contrast=4).max() == 136


def test_an_unchanged_picture_has_no_difference(modules: Page) -> None:
    frame = blob(36)
    assert set(shown(modules, frame, frame, mode="difference", amount=20).reshape(-1)) == {128}
    assert np.array_equal(shown(modules, frame, frame, mode="magnify", amount=20), frame)


def test_difference_shows_where_and_which_way_it_changed(modules: Page) -> None:
    seen = shown(modules, blob(37), blob(36), mode="difference", amount=5)
    assert seen[36, 42] > 155
    assert seen[36, 30] < 100
    assert abs(seen[4:16] - 128).mean() < 6


def test_magnification_shows_a_small_movement_as_a_larger_one(modules: Page) -> None:
    def middle(picture: np.ndarray) -> float:
        weight = np.clip(picture[24:48, 16:56].astype(float) - 62, 0, None)
        return float((weight.sum(axis=0) * np.arange(16, 56)).sum() / weight.sum())

    moved = blob(36.3)
    seen = shown(modules, moved, blob(36), mode="magnify", amount=10)
    assert middle(seen) - 36 > 4 * (middle(moved) - 36) > 0


def test_a_movement_of_the_whole_head_is_found_and_taken_off(modules: Page) -> None:
    draw = np.random.default_rng(3)
    scene = cv2.GaussianBlur(draw.integers(0, 255, (120, 120)).astype(np.float32), (0, 0), 3)
    scene = cv2.normalize(scene, None, 30, 220, cv2.NORM_MINMAX)
    turn = np.deg2rad(0.6)
    still = scene[10:110, 10:110]
    to_moved = np.array([[1, -turn, 1.3 + 60 * turn], [turn, 1, -0.7 - 60 * turn]], np.float32)
    moved = cv2.warpAffine(scene, to_moved, (120, 120), flags=cv2.INTER_CUBIC)[10:110, 10:110]
    right, down, growth, turned = run(
        modules,
        "return m.headMotion(Float32Array.from(given[0]), m.referenceOf(Float32Array.from(given[1]), 100, 100))",
        [float(v) for v in moved.reshape(-1)],
        [float(v) for v in still.reshape(-1)],
    )
    assert (right, down) == pytest.approx((1.3, -0.7), abs=0.1)
    assert turned / 100 == pytest.approx(turn, abs=0.002)
    assert abs(growth) < 0.3


def test_averaging_keeps_an_even_picture_even_up_to_its_edges(modules: Page) -> None:
    assert run(
        modules, "return [...m.smoothGrey(new Uint8ClampedArray(4 * 12 * 9).fill(77), 12, 9)].every((v) => v === 77)"
    )
