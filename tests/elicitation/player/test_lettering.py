"""Texts on the participant's screen: lines that fit in any script, in a font that has the letters."""

from __future__ import annotations

import numpy as np
import pytest

from elicitation.player.lettering import broken, font_for, has_font, text_picture


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("one\ntwo", ["one", "two"]),
        ("unbreakableword it is", ["unbreaka", "bleword", "it is"]),
        ("请保持面部表情平静请", ["请保持面部表情平", "静请"]),
    ],
)
def test_lines_are_broken_where_they_do_not_fit(text, lines):
    assert list(broken(text, lambda line: len(line) <= 8)) == lines


def test_western_letters_need_no_font_of_the_system():
    assert font_for("Bitte schauen Sie ruhig. Ça va?") is None
    assert has_font("Bitte schauen Sie ruhig. Ça va?")


def test_a_script_without_a_font_is_told_of():
    private_use = "\U000f1234"
    assert not has_font(private_use)


def test_the_text_stands_in_the_middle():
    picture = text_picture("Please rest.", 640, 360)
    rows, columns = np.nonzero(picture > 128)
    assert picture.shape == (360, 640)
    assert abs(columns.mean() - 320) < 10
    assert abs(rows.mean() - 180) < 20
