"""What names of data sets, parts and clips tell."""

from __future__ import annotations

import pytest

from expression.data_sets import label_in_name, part_in, part_rate_fps


@pytest.mark.parametrize(
    ("text", "part", "rate_fps"),
    [
        ("/data/partA/sub0001_01", "A", 500.0),
        ("Part_B/train_labels.xlsx", "B", 300.0),
        ("part c", "C", 200.0),
        ("exports/partC@100", "C", 100.0),
        ("party/clips", "", None),
        ("part_about", "", None),
        ("", "", None),
    ],
)
def test_a_part_of_dfme_is_told_by_its_path(text, part, rate_fps):
    assert (part_in(text), part_rate_fps(text)) == (part, rate_fps)


def test_smic_has_its_labels_in_the_names_of_its_clips_and_others_have_not():
    assert label_in_name("smic", "s11_NE_03") == "negative"
    assert label_in_name("smic", "s11_sur_01") == "surprise"
    assert label_in_name("smic", "s11_03") == ""
    assert label_in_name("samm", "s11_ne_03") == ""
