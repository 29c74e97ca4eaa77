"""Texts on the participant's screen: lines that fit in any script, in a font that has the letters."""

from __future__ import annotations

import numpy as np
import pytest

from elicitation.player.lettering import broken, font_for, text_picture, without_font


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
    assert not without_font("Bitte schauen Sie ruhig. Ça va?")


def test_the_paragraph_without_a_font_is_told_of():
    private_use = "\U000f1234"
    assert without_font(f"Please rest.\n{private_use} now\nThank you.") == f"{private_use} now"


@pytest.mark.skipif(bool(without_font("الراحة")), reason="no font here has Arabic letters")
def test_arabic_is_joined_and_runs_from_right_to_left():
    def drawn(text):
        return text_picture(text, 640, 360, "ar") > 128

    def width(text):
        return np.ptp(np.flatnonzero(drawn(text).any(axis=0)))

    assert width("بب") < 1.9 * width("ب")
    # The tall letter comes first, and so stands at the right.
    tall = drawn("ل ......")
    highest = tall[np.flatnonzero(tall.any(axis=1))[0]]
    assert np.flatnonzero(highest).min() > np.flatnonzero(tall.any(axis=0)).mean()


def test_the_text_stands_in_the_middle():
    picture = text_picture("Please rest.", 640, 360)
    rows, columns = np.nonzero(picture > 128)
    assert picture.shape == (360, 640)
    assert abs(columns.mean() - 320) < 10
    assert abs(rows.mean() - 180) < 20
