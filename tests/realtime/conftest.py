"""Pictures of a face whose movements are known: a simulated participant at rest, warped by hand."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from expression.face.cascades import CascadeFinder

RATE_FPS = 200.0
SPOTS = {
    "right_brow": (-0.155, -0.10),
    "left_brow": (0.155, -0.10),
    "right_corner": (-0.12, 0.30),
    "left_corner": (0.12, 0.30),
}
"""Places on the face against the middle between the eyes, in heights of the face."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def still_face() -> np.ndarray:
    """A face at rest without noise, float32 (384, 512): rendered at 768x1024 and halved, 200 pixels high."""
    from expression.synthetic.appearance import render_neutral
    from expression.synthetic.head import build_head
    from expression.synthetic.identity import sample_identity

    picture = render_neutral(build_head(sample_identity(5))).picture()
    return cv2.resize(picture, (512, 384), interpolation=cv2.INTER_AREA).astype(np.float32)


class WarpedFace:
    """A picture of a face, moved by known fields, with noise of its own in every frame."""

    def __init__(self, picture: np.ndarray) -> None:
        with CascadeFinder() as finder:
            (face,) = finder.find(np.clip(picture, 0, 255).astype(np.uint8))[:1]
        self.eyes = face.eyes
        self.height_px = 2.9 * face.eye_distance_px
        self._picture = picture
        height, width = picture.shape
        self._grid = np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), -1)

    def frame(
        self, moves: dict[str, tuple[float, float]], shift: tuple[float, float] = (0.0, 0.0), seed: int = 0, noise=1.5
    ) -> np.ndarray:
        """uint8 frame in which these places have moved by so many pixels, and the whole by `shift`."""
        maps = self._grid - np.array(shift, np.float32)
        for name, by in moves.items():
            middle = self.eyes.mean(0) + np.array(SPOTS[name]) * self.height_px + shift
            fall = np.exp(-((self._grid - middle) ** 2).sum(-1) / (2 * (0.055 * self.height_px) ** 2))
            maps = maps - fall[..., None] * np.array(by, np.float32)
        moved = cv2.remap(self._picture, maps.astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        moved = moved + np.random.default_rng(seed).normal(0, noise, moved.shape)
        return np.clip(np.rint(moved), 0, 255).astype(np.uint8)

    def film(
        self,
        seconds: float,
        course: Callable[[float], dict[str, tuple[float, float]]],
        *,
        rate_fps: float = RATE_FPS,
        shift: Callable[[float], tuple[float, float]] = lambda t: (0.0, 0.0),
        noise: float = 1.5,
    ) -> np.ndarray:
        """uint8 (time, height, width): what `course` and `shift` say of each moment."""
        return np.stack(
            [
                self.frame(course(i / rate_fps), shift(i / rate_fps), seed=i, noise=noise)
                for i in range(round(seconds * rate_fps))
            ]
        )


def bump(t: float, start: float, rise: float, fall: float) -> float:
    """0 to 1 and back as sin^2."""
    up = np.clip((t - start) / rise, 0, 1)
    down = np.clip((start + rise + fall - t) / fall, 0, 1)
    return float(np.sin(np.pi / 2 * min(up, down)) ** 2)


@pytest.fixture(scope="session")
def warped() -> types.SimpleNamespace:
    """The names above."""
    return types.SimpleNamespace(WarpedFace=WarpedFace, bump=bump, rate_fps=RATE_FPS)


@pytest.fixture(scope="session")
def film(still_face, warped) -> np.ndarray:
    """Three seconds with brows that rise by 1 px at 200 pixels of face height, from 1.5 to 1.85 s."""
    face = warped.WarpedFace(still_face)

    def course(t: float) -> dict[str, tuple[float, float]]:
        share = bump(t, 1.5, 0.15, 0.2)
        return {"right_brow": (0, -1.2 * share), "left_brow": (0, -1.2 * share)} if share else {}

    return face.film(3.0, course)
