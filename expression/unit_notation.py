"""Lists of action units as data sets and coders write them (`4+L2`, `AU6+AU12`, `L-AU12`, `R14B`), read and written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from expression.action_units import HEAD_MOVEMENTS, ActionUnit, CodedUnit, Side, canonical
from expression.errors import UnitsUnreadable

UnitStyle = Literal["dfme", "casme", "facs"]
"""`dfme`: `L2+4+M57`. `casme`: `L2+4+57` (bare numbers). `facs`: `L-AU2+AU4+M57`, as the DFME paper prints them."""


@dataclass(frozen=True)
class ForeignUnit:
    """A unit that other data sets code and this project does not, such as AU26 (jaw drop) or AU43 (eyes closed)."""

    number: int
    side: Side = Side.BOTH

    def __str__(self) -> str:
        return f"AU{self.number}" if self.side is Side.BOTH else f"{self.side.value}-AU{self.number}"


@dataclass(frozen=True)
class UnitReading:
    """All that a text says about units."""

    units: tuple[CodedUnit, ...]
    """Units of the 24, in canonical order."""
    foreign: tuple[ForeignUnit, ...]
    """Units outside the 24, in the order of the text."""
    unclear: tuple[str, ...]
    """Parts that were not understood, or that leave open what was meant: `12?`, `12 or 14`, `U7`, `L/R-AU12`."""


_NUMBERS: Final = frozenset(unit.value for unit in ActionUnit)
_LIP_UNITS: Final = frozenset({10, 16, 22, 23, 24, 25, 28})
"""Where a leading T or B means the top or bottom lip."""

_PART: Final = re.compile(
    r"(?P<before>[LRTB])?(?:AUS?|AD|M)?(?P<between>[LR])?(?P<number>\d{1,2})(?:\.0)?"
    r"(?:(?P<after_a>[LR])?[A-E]?|[A-E](?P<after_b>[LR]))"
)
_SEPARATORS: Final = re.compile(r"[+,;/&\s、。]+")
_REMARKS: Final = (
    # A heading such as `AUs: 4+7`.
    (re.compile(r"^\s*(?:AUS?|ACTION UNITS?)\s*[:=]\s*"), ""),
    # What leaves a choice open becomes one part, so that neither alternative is taken for coded.
    (re.compile(r"\b([LR])\s*/\s*([LR])(?=[\s_-]*(?:AU)?\s*\d)"), r"\1¦\2"),
    (re.compile(r"\s*\bOR\b\s*"), "|"),
    (re.compile(r"\s+\?"), "?"),
    # `L - AU 12` is one part, too.
    (re.compile(r"\b([LRTBU])[\s_-]+(?=(?:AU|AD|M)?[\s_-]*\d)"), r"\1"),
    (re.compile(r"\b([LRTBU]?)(AU|AD|M)[\s_-]+(?=[LR]?[\s_-]*\d)"), r"\1\2"),
    (re.compile(r"\b(AU|AD|M)([LR])[\s_-]+(?=\d)"), r"\1\2"),
)


def _read_part(part: str) -> CodedUnit | ForeignUnit | None:
    """One unit, or None where the part is not clear."""
    found = _PART.fullmatch(part)
    if found is None:
        return None
    number = int(found["number"])
    letters = {letter for letter in found.group("before", "between", "after_a", "after_b") if letter}
    if letters & {"T", "B"}:
        if number not in _LIP_UNITS:
            return None
        letters -= {"T", "B"}
    if len(letters) > 1:
        return None
    side = Side(letters.pop()) if letters else Side.BOTH
    if number not in _NUMBERS:
        return ForeignUnit(number, side)
    unit = ActionUnit(number)
    return None if unit in HEAD_MOVEMENTS and side is not Side.BOTH else CodedUnit(unit, side)


def read_units(text: str) -> UnitReading:
    """Everything that a text says about units, for data sets that code more than the 24 or leave cases open.

    Parts stand between `+`, `,`, `;`, `/`, `&` or spaces. Each is a FACS number with or without `AU` (`M` for head
    movements); L or R in front, behind `AU` or behind the number gives the half of the face. Intensities A to E, and T
    and B for the top and bottom lip, are read past. `0`, FACS for a neutral face, adds nothing. L and R of the same
    unit together mean both sides.
    """
    marked = unicodedata.normalize("NFKC", text).upper()
    for pattern, replacement in _REMARKS:
        marked = pattern.sub(replacement, marked)
    units: list[CodedUnit] = []
    foreign: list[ForeignUnit] = []
    unclear: list[str] = []
    for part in filter(None, _SEPARATORS.split(marked)):
        match _read_part(part):
            case CodedUnit() as coded:
                units.append(coded)
            case ForeignUnit(number=0, side=Side.BOTH):
                pass
            case ForeignUnit() as other:
                foreign.append(other)
            case None:
                unclear.append(part.replace("|", " or ").replace("¦", "/"))
    return UnitReading(canonical(units), tuple(dict.fromkeys(foreign)), tuple(unclear))


def parse_units(text: str) -> tuple[CodedUnit, ...]:
    """The units of a text that names nothing but units of the 24, in canonical order.

    See `read_units` for the notations; an empty text gives no units.

    Raises:
        UnitsUnreadable: A part is not a unit, leaves open what was meant, or is outside the 24; the message names it.
    """
    reading = read_units(text)
    if reading.unclear:
        raise UnitsUnreadable(
            f"{text!r} leaves open which action unit {_listed(reading.unclear)} means; write units like 4, AU12,"
            " L-AU12 or M57 with + between them"
        )
    if reading.foreign:
        raise UnitsUnreadable(
            f"{text!r} names {_listed(map(str, reading.foreign))}, which is not among the 24 units coded here:"
            f" {_listed(unit.code for unit in ActionUnit)}"
        )
    return reading.units


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _written(coded: CodedUnit, style: UnitStyle) -> str:
    match style:
        case "dfme":
            return str(coded).replace("-", "").replace("AU", "")
        case "casme":
            return f"{coded.side.value}{coded.unit.value}"
        case "facs":
            return str(coded)
        case _:
            assert_never(style)


def format_units(units: Iterable[CodedUnit], *, style: UnitStyle = "dfme") -> str:
    """The units as text in canonical order; `parse_units` reads every style back. No units give an empty text."""
    return "+".join(_written(coded, style) for coded in canonical(units))
