"""What a FACS coder expects of every action unit, as data: which landmarks move, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from expression.action_units import ActionUnit as Au

LANDMARKS: Final[dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "inner brow": ((285, 336), (55, 107)),
    "middle brow": ((282, 334), (52, 105)),
    "outer brow": ((276, 300), (46, 70)),
    "upper lid": ((385, 386, 387), (158, 159, 160)),
    "lower lid": ((373, 374, 380), (144, 145, 153)),
    "cheek": ((280, 330, 347), (50, 101, 118)),
    "wing of the nose": ((279, 327, 358), (49, 98, 129)),
    "upper lip": ((267, 269, 270), (37, 39, 40)),
    "lower lip": ((314, 321, 405), (84, 91, 181)),
    "lip corner": ((291, 308), (61, 78)),
    "chin": ((369, 377, 396, 400), (140, 148, 171, 176)),
    "jaw": ((288, 397, 435), (58, 172, 215)),
}
"""Groups of MediaPipe's 478 landmarks on the participant's left and right half."""


class Towards(Enum):
    """Directions on the face: outward is away from its midline."""

    UP = (0.0, 1.0)
    DOWN = (0.0, -1.0)
    OUT = (1.0, 0.0)
    IN = (-1.0, 0.0)


@dataclass(frozen=True)
class Expectation:
    """One group of landmarks that a unit moves."""

    group: str
    towards: Towards
    seen: bool = True
    """Whether a landmark finder sees it too: most follow outlines and overlook skin that slides between them."""


def _up(group: str, seen: bool = True) -> Expectation:
    return Expectation(group, Towards.UP, seen)


def _down(group: str, seen: bool = True) -> Expectation:
    return Expectation(group, Towards.DOWN, seen)


def _out(group: str, seen: bool = True) -> Expectation:
    return Expectation(group, Towards.OUT, seen)


def _in(group: str, seen: bool = True) -> Expectation:
    return Expectation(group, Towards.IN, seen)


EXPECTED: Final[dict[Au, tuple[Expectation, ...]]] = {
    Au.INNER_BROW_RAISER: (_up("inner brow"),),
    Au.OUTER_BROW_RAISER: (_up("outer brow"), _up("middle brow")),
    Au.BROW_LOWERER: (_down("inner brow"), _down("middle brow"), _in("inner brow", seen=False)),
    Au.UPPER_LID_RAISER: (_up("upper lid"),),
    Au.CHEEK_RAISER: (_up("cheek", seen=False), _up("lower lid", seen=False), _down("middle brow")),
    Au.LID_TIGHTENER: (_up("lower lid", seen=False), _down("upper lid")),
    Au.NOSE_WRINKLER: (_up("wing of the nose"), _down("inner brow", seen=False), _up("upper lip", seen=False)),
    Au.UPPER_LIP_RAISER: (_up("upper lip"), _up("wing of the nose")),
    Au.LIP_CORNER_PULLER: (_up("lip corner"), _out("lip corner")),
    Au.DIMPLER: (_out("lip corner"),),
    Au.LIP_CORNER_DEPRESSOR: (_down("lip corner"),),
    Au.LOWER_LIP_DEPRESSOR: (_down("lower lip"),),
    Au.CHIN_RAISER: (_up("lower lip"), _up("upper lip")),
    Au.LIP_PUCKER: (_in("lip corner"),),
    Au.LIP_STRETCHER: (_out("lip corner"),),
    Au.LIP_TIGHTENER: (_down("upper lip", seen=False), _up("lower lip", seen=False), _in("lip corner")),
    Au.LIP_PRESSER: (_down("upper lip", seen=False), _up("lower lip")),
    Au.LIPS_PART: (_down("lower lip"),),
    Au.LIP_SUCK: (_down("upper lip"), _up("lower lip")),
    Au.JAW_CLENCHER: (_out("jaw", seen=False),),
    Au.NOSTRIL_DILATOR: (_out("wing of the nose"),),
    Au.NOSTRIL_COMPRESSOR: (_in("wing of the nose"),),
}
"""What moves on the side that acts. M57 and M58 move all of it away from, or towards, the head's middle."""

FACE_HALVES: Final = {
    "upper": ("inner brow", "middle brow", "outer brow", "upper lid", "lower lid"),
    "lower": ("upper lip", "lower lip", "lip corner", "chin"),
}
"""Groups that stay where they are while a unit of the other half acts alone."""

UPPER_UNITS: Final = (1, 2, 4, 5, 6, 7)
LOWER_UNITS: Final = (10, 12, 14, 15, 16, 17, 18, 20, 23, 24, 25, 28, 31, 38, 39)
