"""Action units: the 24 of them, and lists of them read and written in the notations of data sets."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression import (
    UNIT_FACTS,
    ActionUnit,
    CodedUnit,
    ForeignUnit,
    Side,
    UnitGroup,
    canonical,
    format_units,
    parse_units,
    read_units,
)
from expression.action_units import HEAD_MOVEMENTS
from expression.errors import UnitsUnreadable
from expression.unit_notation import UnitStyle

L, R, BOTH = Side.LEFT, Side.RIGHT, Side.BOTH
STYLES: tuple[UnitStyle, ...] = get_args(UnitStyle)


def coded(*marks: tuple[int, Side]) -> tuple[CodedUnit, ...]:
    return tuple(CodedUnit(ActionUnit(number), side) for number, side in marks)


codings = st.dictionaries(st.sampled_from(ActionUnit), st.sampled_from(Side)).map(
    lambda sides: canonical(CodedUnit(unit, BOTH if unit in HEAD_MOVEMENTS else side) for unit, side in sides.items())
)


def test_the_three_groups_of_the_paper() -> None:
    def numbers(group: UnitGroup) -> list[int]:
        return [int(unit) for unit, facts in UNIT_FACTS.items() if facts.group is group]

    assert numbers(UnitGroup.UPPER) == [1, 2, 4, 5, 6, 7]
    assert numbers(UnitGroup.LOWER) == [9, 10, 12, 14, 15, 16, 17, 18, 20, 23, 24, 25, 28]
    assert numbers(UnitGroup.MISCELLANEOUS) == [31, 38, 39, 57, 58]


def test_units_that_the_paper_tabulates_one_sided_are_offered_so_and_the_head_is_not() -> None:
    assert all(UNIT_FACTS[ActionUnit(number)].sides == (BOTH, L, R) for number in (1, 2, 5, 10, 12))
    assert all(UNIT_FACTS[unit].sides == (BOTH,) for unit in HEAD_MOVEMENTS)


def test_names_and_codes() -> None:
    assert ActionUnit(12).title == "lip corner puller"
    assert (ActionUnit(12).code, ActionUnit(57).code) == ("AU12", "M57")
    assert str(CodedUnit(ActionUnit(12), L)) == "L-AU12"


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("4+L2", coded((2, L), (4, BOTH))),
        ("AU6+AU12", coded((6, BOTH), (12, BOTH))),
        ("L-AU12", coded((12, L))),
        ("R-AU12", coded((12, R))),
        ("AU4, AU7", coded((4, BOTH), (7, BOTH))),
        ("L4+R7", coded((4, L), (7, R))),
        ("12L", coded((12, L))),
        ("AU L12", coded((12, L))),
        ("L 12 R 4", coded((4, R), (12, L))),
        ("12 L4", coded((4, L), (12, BOTH))),
        ("12L 4", coded((4, BOTH), (12, L))),
        ("M57", coded((57, BOTH))),
        ("57; m 58", coded((57, BOTH), (58, BOTH))),
        ("AU 12", coded((12, BOTH))),
        ("12A/14e", coded((12, BOTH), (14, BOTH))),
        ("R14C", coded((14, R))),
        ("T23B", coded((23, BOTH))),
        ("AUs: 04 & 7.0", coded((4, BOTH), (7, BOTH))),
        ("４＋７", coded((4, BOTH), (7, BOTH))),  # noqa: RUF001
        ("4+4", coded((4, BOTH))),
        ("L4+R4", coded((4, BOTH))),
        ("4+L4", coded((4, BOTH))),
        ("0", ()),
        ("", ()),
        ("  ", ()),
    ],
)
def test_notations(text: str, units: tuple[CodedUnit, ...]) -> None:
    assert parse_units(text) == units


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("4+12?", "12?"),
        ("4+7 ?", "7?"),
        ("4+?", "?"),
        ("12 or 14", "12 OR 14".lower()),
        ("4+U7", "U7"),
        ("L/R-AU12", "L/R"),
        ("L12R", "L12R"),
        ("T4", "T4"),
        ("L57", "L57"),
        ("AU4AU7", "AU4AU7"),
        ("smile", "SMILE"),
        ("(7)", "(7)"),
        ("12F", "12F"),
        ("123", "123"),
    ],
)
def test_what_leaves_the_meaning_open_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(UnitsUnreadable) as caught:
        parse_units(text)
    assert repr(text) in str(caught.value)
    assert part in str(caught.value)


def test_units_outside_the_24_are_refused_or_kept_apart() -> None:
    with pytest.raises(UnitsUnreadable, match="AU26, L-AU43"):
        parse_units("4+26+L43")
    reading = read_units("4+26D+L43+26+12?")
    assert reading.units == coded((4, BOTH))
    assert reading.foreign == (ForeignUnit(26), ForeignUnit(43, L))
    assert reading.unclear == ("12?",)


def test_an_open_choice_codes_neither_alternative() -> None:
    assert read_units("4 + 12 or 14").units == coded((4, BOTH))


def test_styles() -> None:
    units = coded((57, BOTH), (2, L), (4, BOTH))
    assert format_units(units, style="dfme") == "L2+4+M57"
    assert format_units(units, style="casme") == "L2+4+57"
    assert format_units(units, style="facs") == "L-AU2+AU4+M57"


@given(codings, st.sampled_from(STYLES), st.sampled_from(["+", ", ", ";", "/", " ", " + "]))
def test_what_is_written_is_read_back(units: tuple[CodedUnit, ...], style: UnitStyle, separator: str) -> None:
    text = format_units(units, style=style)
    assert parse_units(text) == units
    assert parse_units(text.replace("+", separator).lower()) == units


@given(st.lists(st.builds(CodedUnit, st.sampled_from(ActionUnit), st.sampled_from(Side))))
def test_canonical_order_has_each_unit_once_and_is_final(units: list[CodedUnit]) -> None:
    once = canonical(units)
    assert [coded.unit for coded in once] == sorted({coded.unit for coded in units})
    assert canonical(once) == once
    assert canonical(reversed(units)) == once


@given(st.text(alphabet="LRTBUABCDEAUM0123456789+,;/&? -()or|¦\n.", max_size=20))
def test_no_text_fails_in_any_other_way(text: str) -> None:
    reading = read_units(text)
    if reading.foreign or reading.unclear:
        with pytest.raises(UnitsUnreadable):
            parse_units(text)
    else:
        assert parse_units(text) == reading.units
