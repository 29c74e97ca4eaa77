"""The 24 action units that are coded, and the sides on which they can act."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


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


class Side(Enum):
    """On which half of the participant's face (not of the picture) a unit acts."""

    BOTH = ""
    LEFT = "L"
    RIGHT = "R"


@dataclass(frozen=True)
class CodedUnit:
    """One action unit as a coder marks it."""

    unit: ActionUnit
    side: Side = Side.BOTH
