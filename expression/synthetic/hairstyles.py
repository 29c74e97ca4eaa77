"""Hair styles: how long, how high and in which direction each strand of the scalp grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.synthetic.identity import Hair, HairStyle, Identity
from expression.synthetic.texture import smooth

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.floating]

_NEVER: Final = -99.0


@dataclass(frozen=True)
class Comb:
    """How a style grows its N strands. Lengths in cm, on the mean head."""

    length: Numbers
    """(N,)"""
    lift: Numbers
    """(N,) greatest height of a strand above the scalp."""
    flow: Numbers
    """(N, 3) direction at the root in which a strand is combed."""
    fall: float
    """0 keeps its direction, 1 turns down to the ground along its way."""
    wave: float
    """Amplitude of waves or curls."""
    turns_per_cm: float
    clump: float
    """How much strands gather to their clump, 0 to 1."""
    lowest: Numbers | float = -60.0
    """y at which strands are cut."""
    hang_below: float = _NEVER
    """y below which strands leave the skull and hang."""


@dataclass(frozen=True)
class _Roots:
    """Where strands begin, and what styles ask about that."""

    hair: Hair
    male: bool
    african: bool
    draw: np.random.Generator
    x: Floats
    y: Floats
    z: Floats

    @property
    def count(self) -> int:
        return len(self.x)

    @property
    def ones(self) -> Floats:
        return np.ones(self.count, np.float32)

    @property
    def top(self) -> Floats:
        return smooth(3.2, 7.0, self.y)

    @property
    def front(self) -> Floats:
        return smooth(-5.0, 0.5, self.z)

    @property
    def part_x(self) -> float:
        return 2.4 * self.hair.parting

    def noise(self) -> Numbers:
        return self.draw.normal(0, 1, self.count)

    def side(self) -> Numbers:
        """-1 on the participant's right to 1 on their left, mixed about the middle."""
        return np.tanh((self.x + 0.8 * self.noise()) / 1.6)

    def from_part(self, place: float, width: float) -> Numbers:
        return np.tanh((self.x - place + 0.6 * width * self.noise()) / width)


def _stack(x: Numbers, y: Numbers, z: Numbers) -> Numbers:
    return np.stack([x, y, z], axis=1)


def _down(roots: _Roots, back: float = 0.12) -> Numbers:
    return _stack(0.12 * roots.side(), -roots.ones, -back * roots.ones)


def _buzz(roots: _Roots) -> Comb:
    top, size = roots.top, roots.hair.length_cm
    length = size * (0.6 + 0.5 * top)
    flow = _stack(0.3 * roots.side() * (1 - top), -0.6 * (1 - top), 0.8 * roots.ones)
    return Comb(0.5 * length, 0.42 * length, flow, fall=0, wave=0.05 * roots.hair.curl, turns_per_cm=2.0, clump=0.1)


def _short(roots: _Roots) -> Comb:
    top, size = roots.top, roots.hair.length_cm
    across = 0.55 * roots.side() * (1 - 0.6 * roots.front) + 0.25 * np.sign(roots.part_x)
    flow = _stack(across, 0.6 * top - 0.8 * (1 - top), -0.8 * top)
    wave = 0.10 + 0.3 * roots.hair.curl
    return Comb(size * (1.1 + 3.3 * top), size * (0.35 + 1.35 * top), flow, 0.35, wave, turns_per_cm=0.35, clump=0.55)


def _side_part(roots: _Roots) -> Comb:
    top, size = roots.top[:, None], roots.hair.length_cm
    across = _stack(roots.from_part(roots.part_x, 0.5), 0.15 * roots.ones, 0.25 * roots.front - 0.5)
    flow = top * across + (1 - top) * _down(roots, back=0.62)
    flat_at_part = 1 - 0.5 * np.exp(-np.square(roots.x - roots.part_x))
    lift = size * (0.35 + 1.25 * roots.top * flat_at_part)
    wave = 0.08 + 0.25 * roots.hair.curl
    return Comb(size * (1.5 + 5.5 * roots.top), lift, flow, 0.4, wave, turns_per_cm=0.25, clump=0.5)


def _fringe(roots: _Roots) -> Comb:
    if roots.male:
        top, front, size = roots.top, roots.front, roots.hair.length_cm
        forward = _stack(0.25 * roots.side() + 0.3 * np.sign(roots.part_x), -0.1 * roots.ones, roots.ones)
        flow = forward * top[:, None] + _down(roots) * (1 - top[:, None])
        lowest = (3.3 + 0.5 * roots.noise() + 0.10 * np.abs(roots.x)) * front - 1.2 * (1 - front)
        wave = 0.06 + 0.2 * roots.hair.curl
        return Comb(size * (2.0 + 6.5 * top), size * (0.45 + 0.9 * top), flow, 0.5, wave, 0.2, 0.6, lowest)
    in_fringe = (roots.y > 5.2) & (roots.z > -7.0) & (np.abs(roots.x) < 4.6)
    forward = _stack(0.12 * roots.x, -0.1 * roots.ones, roots.ones)
    aside = _stack(1.3 * roots.side(), -0.5 * roots.ones, -0.25 * roots.ones)
    flow = np.where(in_fringe[:, None], forward, aside)
    lowest = np.where(in_fringe, 2.4 + 0.4 * roots.noise() + 0.03 * np.square(roots.x), -60.0)
    length = np.where(in_fringe, 12.0, 44.0) * roots.hair.length_cm
    wave = 0.10 + 0.3 * roots.hair.curl
    return Comb(length, 0.75 + 0.35 * roots.top, flow, 0.6, wave, 0.12, 0.55, lowest, hang_below=1.5)


def _long(roots: _Roots) -> Comb:
    hair = roots.hair
    middle = roots.part_x * (0.25 if hair.style == "long parted" else 1.0)
    flow = _stack(1.5 * roots.from_part(middle, 0.25), -0.1 * roots.ones, -0.35 - 0.55 * roots.front)
    lift = (0.6 + 0.25 * roots.top + 0.35 * roots.draw.random(roots.count)) * (1 + 0.9 * hair.curl)
    lowest: Numbers | float = -60.0
    if hair.style == "bob":
        lowest = -8.2 * hair.length_cm + 0.35 * roots.noise()
    elif hair.parting > 0:
        lowest = -14.0 * hair.length_cm + 0.6 * roots.noise()
    length = (26.0 if hair.style == "bob" else 44.0) * hair.length_cm * roots.ones
    wave, turns = 0.12 + 0.55 * hair.curl, 0.10 + 0.10 * hair.curl
    return Comb(length, lift, flow, 0.75, wave, turns, 0.6, lowest, hang_below=0.8)


def _tied(roots: _Roots) -> Comb:
    flow = np.array([0, 4.0, -20.0]) - _stack(roots.x, roots.y, roots.z)
    wave = 0.05 + 0.15 * roots.hair.curl
    return Comb(15.0 * roots.ones, 0.35 + 0.25 * roots.top, flow, fall=0, wave=wave, turns_per_cm=0.2, clump=0.35)


def _curly(roots: _Roots) -> Comb:
    flow = _stack(0.5 * roots.side(), -0.25 * roots.ones, 0.35 * roots.front)
    flow = flow + roots.draw.normal(0, 0.6, (roots.count, 3))
    shape = 0.45 + 0.55 * smooth(0.0, 6.0, roots.y)
    size = roots.hair.length_cm
    if roots.african:
        lift = shape * (1.2 + (0.8 if roots.male else 3.4) * size)
        return Comb(lift, lift, flow, fall=0, wave=0.22, turns_per_cm=1.6, clump=0.45)
    lift = shape * 2.0 * size
    return Comb(3.2 * lift, lift, flow, fall=0.6, wave=0.42, turns_per_cm=0.45, clump=0.7)


_STYLES: Final[dict[HairStyle, Callable[[_Roots], Comb]]] = {
    "buzz": _buzz,
    "short": _short,
    "side part": _side_part,
    "fringe": _fringe,
    "curly": _curly,
    "long": _long,
    "long parted": _long,
    "bob": _long,
    "tied": _tied,
}


def comb(identity: Identity, roots: Floats, draw: np.random.Generator) -> Comb:
    """How the strands from (N, 3) roots grow in the participant's style (not for "bald")."""
    x, y, z = (np.ascontiguousarray(roots[:, k]) for k in range(3))
    african = identity.ancestry["african"] > 0.5
    return _STYLES[identity.hair.style](_Roots(identity.hair, identity.male > 0.5, african, draw, x, y, z))
