"""The 24 action units that are coded, the sides on which they can act, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class ActionUnit(IntEnum):
    """A facial action of FACS; the value is its FACS number."""

    INNER_BROW_RAISER = 1
    OUTER_BROW_RAISER = 2
    BROW_LOWERER = 4
    UPPER_LID_RAISER = 5
    CHEEK_RAISER = 6
    LID_TIGHTENER = 7
    NOSE_WRINKLER = 9
    UPPER_LIP_RAISER = 10
    LIP_CORNER_PULLER = 12
    DIMPLER = 14
    LIP_CORNER_DEPRESSOR = 15
    LOWER_LIP_DEPRESSOR = 16
    CHIN_RAISER = 17
    LIP_PUCKER = 18
    LIP_STRETCHER = 20
    LIP_TIGHTENER = 23
    LIP_PRESSER = 24
    LIPS_PART = 25
    LIP_SUCK = 28
    JAW_CLENCHER = 31
    NOSTRIL_DILATOR = 38
    NOSTRIL_COMPRESSOR = 39
    HEAD_FORWARD = 57
    HEAD_BACK = 58

    @property
    def code(self) -> str:
        """The usual code: `AU12`, and `M57`, `M58` for the head movements."""
        return f"M{self.value}" if self in HEAD_MOVEMENTS else f"AU{self.value}"

    @property
    def title(self) -> str:
        """The name as coders say it: `lip corner puller`."""
        return self.name.lower().replace("_", " ")


class Side(Enum):
    """On which half of the participant's face (not of the picture) a unit acts."""

    BOTH = ""
    LEFT = "L"
    RIGHT = "R"


class UnitGroup(StrEnum):
    """The three groups in which the DFME paper lists the units."""

    UPPER = "upper face"
    LOWER = "lower face"
    MISCELLANEOUS = "miscellaneous"


@dataclass(frozen=True)
class CodedUnit:
    """One action unit as a coder marks it."""

    unit: ActionUnit
    side: Side = Side.BOTH

    def __str__(self) -> str:
        return self.unit.code if self.side is Side.BOTH else f"{self.side.value}-{self.unit.code}"


@dataclass(frozen=True)
class UnitFacts:
    """What the coding guide says about one action unit."""

    unit: ActionUnit
    group: UnitGroup
    one_sided: bool
    """Whether coders are offered the left or right half alone: true where a muscle on each side moves a feature of its
    own (brow, lids, cheek, nostril, half of the upper or lower lip, mouth corner), false for the chin, the ring muscle
    of the lips, the jaw and the head. The paper tabulates one-sided AU1, AU2, AU5, AU10 and AU12."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that coders are offered."""
        return tuple(Side) if self.one_sided else (Side.BOTH,)


HEAD_MOVEMENTS: Final = frozenset({ActionUnit.HEAD_FORWARD, ActionUnit.HEAD_BACK})
"""Movements of the head, which have no sides at all."""

_MIDLINE: Final = HEAD_MOVEMENTS | {
    ActionUnit.CHIN_RAISER,
    ActionUnit.LIP_PUCKER,
    ActionUnit.LIP_TIGHTENER,
    ActionUnit.LIP_PRESSER,
    ActionUnit.LIPS_PART,
    ActionUnit.LIP_SUCK,
    ActionUnit.JAW_CLENCHER,
}


def _group(unit: ActionUnit) -> UnitGroup:
    if unit <= ActionUnit.LID_TIGHTENER:
        return UnitGroup.UPPER
    return UnitGroup.LOWER if unit <= ActionUnit.LIP_SUCK else UnitGroup.MISCELLANEOUS


UNIT_FACTS: Final[Mapping[ActionUnit, UnitFacts]] = MappingProxyType(
    {unit: UnitFacts(unit, _group(unit), unit not in _MIDLINE) for unit in ActionUnit}
)
"""One entry per unit, in canonical order (by FACS number)."""


def canonical(units: Iterable[CodedUnit]) -> tuple[CodedUnit, ...]:
    """The same coding with each unit once, by FACS number.

    Left and right of one unit together are that unit on both sides; both sides beside one half are both sides.
    """
    sides: dict[ActionUnit, Side] = {}
    for coded in units:
        sides[coded.unit] = coded.side if sides.get(coded.unit, coded.side) is coded.side else Side.BOTH
    return tuple(CodedUnit(unit, sides[unit]) for unit in sorted(sides))
