from __future__ import annotations

import cv2
import numpy as np
import pytest

from expression.clip_input import CHANNEL_COUNTS, ClipRecipe, clip_input
from expression.errors import PictureUnusable
from expression.keyframes import KeyFrames


@pytest.fixture(scope="module")
def crop():
    noise = np.random.default_rng(3).normal(0, 60, (128, 128)).astype(np.float32)
    return np.clip(128 + cv2.GaussianBlur(noise, (0, 0), 2.0) * 3, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", CHANNEL_COUNTS)
def test_shape_follows_the_recipe(crop, channels):
    recipe = ClipRecipe(frames=4, size_px=64, crop_px=128, channels=channels)
    clip = clip_input(recipe, np.stack([crop] * 4))
    assert clip.shape == recipe.shape
    assert clip.dtype == np.float32
    assert clip.flags.c_contiguous


def test_brightness_is_centred_and_scaled():
    recipe = ClipRecipe(frames=2, size_px=16, crop_px=32, channels="rgb", mean=0.5, scale=0.25)
    clip = clip_input(recipe, np.stack([np.zeros((32, 32), np.uint8), np.full((32, 32), 255, np.uint8)]))
    np.testing.assert_allclose(clip[:, 0], -2.0)
    np.testing.assert_allclose(clip[:, 1], 2.0)


def test_flow_shows_a_local_movement_and_not_the_heads(crop):
    """The whole picture moves 1.5 px to the right, and the mouth's place 1 px further down."""
    shifted = cv2.warpAffine(
        crop, np.array([[1, 0, 1.5], [0, 1, 0]], np.float32), (128, 128), borderMode=cv2.BORDER_REPLICATE
    )
    y, x = np.mgrid[:128, :128].astype(np.float32)
    bump = np.exp(-((x - 64) ** 2 + (y - 96) ** 2) / (2 * 10.0**2)).astype(np.float32)
    moved = cv2.remap(shifted, x, y - bump, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    recipe = ClipRecipe(frames=3, size_px=64, crop_px=128, channels="flow", scale=1.0)
    clip = clip_input(recipe, np.stack([crop, shifted, moved]))
    assert abs(float(clip[0, 1, 20:44, 20:44].mean())) < 0.3
    assert clip[1, 2, 46:50, 30:34].mean() > 0.5
    assert abs(float(clip[1, 2, 8:20, 24:40].mean())) < 0.3


def test_frame_numbers_keep_the_apex():
    numbers = ClipRecipe(frames=16).frame_numbers(KeyFrames(10, 40, 90))
    assert {10, 40, 90} <= set(numbers.tolist())


def test_crops_of_another_size_are_refused(crop):
    with pytest.raises(PictureUnusable, match="crops of"):
        clip_input(ClipRecipe(frames=2, crop_px=64), np.stack([crop] * 2))
