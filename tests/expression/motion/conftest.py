"""A face-like picture whose movements are known exactly, because it is a formula and not an image."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from expression.face.reference import reference_landmarks

Field = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
SIZE_PX = 128


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def known() -> types.SimpleNamespace:
    """The functions below: modules of tests cannot import each other."""
    names = (grid_px, shift, similarity, bump, together, picture, inside)
    return types.SimpleNamespace(**{function.__name__: function for function in names})


def grid_px(size_px: int = SIZE_PX) -> npt.NDArray[np.float64]:
    """(size, size, 2) x and y of each pixel's centre."""
    steps = np.arange(size_px, dtype=np.float64)
    return np.stack(np.meshgrid(steps, steps), axis=-1)


def shift(x_px: float, y_px: float) -> Field:
    return lambda points: np.broadcast_to([x_px, y_px], points.shape)


def similarity(shift_px: tuple[float, float], rotation_deg: float, scale: float, size_px: int = SIZE_PX) -> Field:
    growth = scale * np.exp(1j * np.deg2rad(rotation_deg)) - 1

    def field(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        moved = complex(*shift_px) + growth * ((points - (size_px - 1) / 2) @ [1, 1j])
        return np.stack([moved.real, moved.imag], axis=-1)

    return field


def bump(landmark: int, x_px: float, y_px: float, reach_px: float = 7.0, size_px: int = SIZE_PX) -> Field:
    """A movement around one landmark of the reference face that fades like a Gaussian."""
    middle = reference_landmarks()[landmark] * size_px - 0.5

    def field(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        fall = np.exp(-((points - middle) ** 2).sum(axis=-1) / (2 * reach_px**2))
        return fall[..., None] * np.array([x_px, y_px])

    return field


def together(*fields: Field) -> Field:
    return lambda points: np.sum([field(points) for field in fields], axis=0)


def _skin(points: npt.NDArray[np.float64], size_px: int) -> npt.NDArray[np.float64]:
    """Brightness at any position: waves of many lengths and directions, and dark features at some landmarks."""
    random = np.random.default_rng(7)
    brightness = np.full(points.shape[:-1], 128.0)
    for _ in range(30):
        length = np.exp(random.uniform(np.log(5), np.log(40))) * size_px / 128
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        wave = points @ (2 * np.pi / length * np.array([np.cos(angle), np.sin(angle)])) + phase
        brightness += 1.7 * np.sqrt(length * 128 / size_px) * np.sin(wave)
    for landmark in (33, 133, 362, 263, 61, 291, 105, 334, 13):
        apart = points - (reference_landmarks()[landmark] * size_px - 0.5)
        brightness -= 40 * np.exp(-(apart**2).sum(axis=-1) / (2 * (3 * size_px / 128) ** 2))
    return brightness


def picture(
    field: Field | None = None,
    *,
    size_px: int = SIZE_PX,
    noise_seed: int | None = None,
    gain: float = 1.0,
    offset: float = 0.0,
) -> npt.NDArray[np.uint8]:
    """The face after its point at x has moved to x + field(x), with a grey level of noise where a seed is given."""
    wanted = grid_px(size_px)
    points = wanted
    if field is not None:
        for _ in range(8):
            points = wanted - field(points)
    brightness = gain * _skin(points, size_px) + offset
    if noise_seed is not None:
        brightness = brightness + np.random.default_rng(noise_seed).normal(0, 1, brightness.shape)
    return np.clip(np.rint(brightness), 0, 255).astype(np.uint8)


def inside(array: npt.NDArray[np.floating], margin_px: int = 12) -> npt.NDArray[np.floating]:
    """Without the border, where a movement brings in what the reference has not seen."""
    return array[margin_px:-margin_px, margin_px:-margin_px]
