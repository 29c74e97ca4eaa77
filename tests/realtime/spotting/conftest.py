"""Curves of a face whose movements are known, as spotting sees them: no picture is needed to say when a brow moves."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER
from realtime.spotting.spot import Spot
from realtime.spotting.spotter import Spotter


@dataclass(frozen=True)
class Move:
    """Regions that go out as sin^2 and come back, or stay."""

    start_s: float
    rise_s: float
    fall_s: float
    """0 for a movement that stays."""
    by_px: dict[FaceRegion, complex] = field(default_factory=dict)

    def at(self, t_s: np.ndarray) -> np.ndarray:
        """(N, 20) displacement at (N,) moments."""
        up = np.clip((t_s - self.start_s) / self.rise_s, 0, 1)
        down = np.clip((self.start_s + self.rise_s + self.fall_s - t_s) / self.fall_s, 0, 1) if self.fall_s else 1.0
        course = np.sin(np.pi / 2 * np.where(t_s < self.start_s + self.rise_s, up, down)) ** 2
        moved = np.zeros((len(t_s), len(REGION_ORDER)), np.complex128)
        for region, by in self.by_px.items():
            moved[:, REGION_ORDER.index(region)] = by * course
        return moved


def both(name: str, by: complex) -> dict[FaceRegion, complex]:
    """The same on both halves of the face, mirrored."""
    mirrored = complex(-by.real, by.imag)
    return {FaceRegion(f"right_{name}"): by, FaceRegion(f"left_{name}"): mirrored}


def watch(
    moves: Sequence[Move], *, seconds: float = 12.0, rate_hz: float = 200.0, noise_px: float = 0.01, seed: int = 1
) -> list[Spot]:
    """What a spotter says of these movements at a rate, with noise in every sample."""
    spotter = Spotter(rate_hz)
    random = np.random.default_rng(seed)
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    moved = sum((move.at(t_s) for move in moves), np.zeros((len(t_s), len(REGION_ORDER)), np.complex128))
    moved = moved + random.normal(0, noise_px, (*moved.shape, 2)) @ [1, 1j]
    spots: list[Spot] = []
    for now, regions in zip(t_s, moved.astype(np.complex64), strict=True):
        spots += spotter.push(float(now), regions, (0.0, 0.0))
    return spots


@pytest.fixture(scope="session")
def curves() -> types.SimpleNamespace:
    """The names above: modules of tests cannot import each other."""
    return types.SimpleNamespace(Move=Move, both=both, watch=watch)
