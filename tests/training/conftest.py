"""Samples whose crops are on disk already: no face need be rendered or found to test training."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from expression.emotions import BASIC_EMOTIONS
from expression.keyframes import KeyFrames
from training.datasets.crops import CropStore
from training.datasets.sample import Sample
from training.material import crop_plan
from training.recipe import PRESETS, Augmentation

TINY = PRESETS["small"].changed(width=0.125, size_px=32, crop_px=64, epochs=2, batch=4, seed=3)


@dataclass(frozen=True)
class NoFrames:
    """Frames that nobody may ask for: their crops are there."""

    identity: str
    span: tuple[int, int] = (0, 80)

    def read(self, number):
        raise AssertionError(f"frame {number} of {self.identity} was read although its crops are there")


def texture(rng, size):
    """A picture with detail at all places, as skin has."""
    return cv2.GaussianBlur(rng.random((size, size), np.float32), (0, 0), 1.5)


def moving_crops(rng, size, frames, place):
    """(frames, size, size) uint8: a spot at one of seven places moves up and back, all else stays."""
    picture = cv2.normalize(texture(rng, size), None, 20, 235, cv2.NORM_MINMAX)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle = 2 * np.pi * place / len(BASIC_EMOTIONS)
    cx, cy = size / 2 + size / 4 * np.cos(angle), size / 2 + size / 4 * np.sin(angle)
    spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (size / 10) ** 2))
    course = np.sin(np.pi * np.arange(frames) / max(1, frames - 1))
    moved = [cv2.remap(picture, x, (y + 3 * c * spot).astype(np.float32), cv2.INTER_LINEAR) for c in course]
    return np.clip(np.round(moved), 0, 255).astype(np.uint8)


def fill_store(store, samples, seed=0):
    """Put crops of each sample where `prepare` would."""
    for number, sample in enumerate(samples):
        numbers = store.plan.numbers(sample.key_frames, sample.frames.span)
        rng = np.random.default_rng([seed, number])
        pictures = moving_crops(rng, store.plan.size_px, len(numbers), BASIC_EMOTIONS.index(sample.emotion))
        path = store.path(sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, numbers=numbers, pictures=pictures)


def made_samples(subjects=6, each=3):
    """Samples of people with numbers, emotions in turn."""
    return tuple(
        Sample(
            dataset="made",
            subject=f"s{subject}",
            name=f"s{subject}_{number}",
            key_frames=KeyFrames(10, 30, 60),
            emotion=BASIC_EMOTIONS[(subject + number) % len(BASIC_EMOTIONS)],
            frames=NoFrames(f"{subject} {number}"),
            rate_fps=200.0,
        )
        for subject in range(subjects)
        for number in range(each)
    )


@pytest.fixture(scope="session")
def samples():
    return made_samples()


@pytest.fixture(scope="session")
def recipe():
    return TINY


@pytest.fixture
def store(tmp_path, samples, recipe):
    store = CropStore(tmp_path / "crops", crop_plan(recipe))
    fill_store(store, samples)
    return store


@pytest.fixture
def plain_recipe():
    """No change of clips from epoch to epoch."""
    return TINY.changed(augment=Augmentation().model_dump(), resample=False)


@pytest.fixture
def fill():
    """Puts crops of samples into a store."""
    return fill_store
