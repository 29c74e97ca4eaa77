"""The table of ratings: appended to line by line, read by the selection, and never broken by us."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.errors import BadInput
from elicitation.errors import RatingsInvalid
from elicitation.selection import Rating, SelectionRule, read_ratings, select_stimuli
from elicitation.web.ratings import RatedBefore, RatingsFile, order_of
from expression import Emotion


def test_what_is_added_is_read_by_the_selection(tmp_path: Path) -> None:
    file = RatingsFile(tmp_path / "new" / "ratings.tsv")
    given = [
        Rating("v1", "a", Emotion.FEAR, 4),
        Rating("v2", "a", Emotion.FEAR, 5),
        Rating("v1", "b", Emotion.ANGER, 2),
    ]
    for rating in given:
        file.add(rating)

    assert read_ratings(file.path) == tuple(given)
    assert select_stimuli(read_ratings(file.path), SelectionRule())[0].intensity == 4.5
    assert file.rated_by("v1") == {"a", "b"}
    with pytest.raises(RatedBefore, match="v1 has rated a"):
        file.add(Rating("v1", "a", Emotion.ANGER, 1))
    file.close()


def test_a_labs_own_columns_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "ratings.tsv"
    path.write_text("stimulus\tvolunteer\temotion\tintensity\troom\na\tv1\tsad\t2\t7\n")

    file = RatingsFile(path)
    file.add(Rating("v2", "a", Emotion.FEAR, 5))
    file.close()

    assert path.read_text().splitlines()[-1] == "a\tv2\tfear\t5\tn/a"


def test_two_servers_do_not_write_one_table(tmp_path: Path) -> None:
    first = RatingsFile(tmp_path / "ratings.tsv")
    with pytest.raises(BadInput, match="another"):
        RatingsFile(tmp_path / "ratings.tsv")
    first.close()
    RatingsFile(tmp_path / "ratings.tsv").close()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("volunteer\tstimulus\temotion\tintensity\nv1\ta\tfear", "last line is not complete"),
        ("volunteer\tstimulus\n", "column 'emotion' is missing"),
        ("volunteer\tstimulus\temotion\tintensity\nv1\ta\tenvy\t2\n", "line 2"),
    ],
)
def test_a_table_that_is_none_is_left_alone(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "ratings.tsv"
    path.write_text(content)

    with pytest.raises(RatingsInvalid, match=why):
        RatingsFile(path)
    assert path.read_text() == content


def test_each_volunteer_has_an_order_of_their_own_that_comes_back() -> None:
    clips = [f"clip{n}" for n in range(12)]
    orders = [order_of(f"v{n}", clips) for n in range(30)]

    assert all(sorted(one) == sorted(clips) for one in orders)
    assert len({tuple(one) for one in orders}) == 30
    assert order_of("v3", clips[::-1]) == orders[3]
    # Nothing is always first.
    assert len({one[0] for one in orders}) > 6
