"""How work is dealt."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.assignment import deal


@settings(max_examples=60)
@given(st.integers(0, 60), st.integers(1, 9), st.data())
def test_every_clip_goes_to_as_many_coders_as_asked_and_all_have_the_same_to_do(clips, coders, data):
    per_clip = data.draw(st.integers(1, coders))

    dealt = deal(range(100, 100 + clips), range(coders), per_clip, seed=clips)

    times = Counter(piece.target for pieces in dealt.values() for piece in pieces)
    assert times == dict.fromkeys(range(100, 100 + clips), per_clip)
    assert all(len({piece.target for piece in pieces}) == len(pieces) for pieces in dealt.values())
    loads = [len(pieces) for pieces in dealt.values()]
    assert max(loads) - min(loads) <= 1


def test_repeats_come_in_the_later_half_of_clips_from_the_earlier_half():
    dealt = deal(range(100), [1, 2, 3], 2, repeat_share=0.1, seed=4)

    for pieces in dealt.values():
        repeats = [place for place, piece in enumerate(pieces) if piece.repeat]
        originals = {piece.target: place for place, piece in enumerate(pieces) if not piece.repeat}
        assert len(repeats) == round(0.1 * len(originals))
        assert all(originals[pieces[place].target] < len(originals) / 2 < place for place in repeats)
        assert len({pieces[place].target for place in repeats}) == len(repeats)


def test_few_clips_are_never_repeated():
    dealt = deal(range(9), [1], 1, repeat_share=0.5)
    assert not any(piece.repeat for piece in dealt[1])


def test_coders_have_orders_of_their_own_that_the_seed_repeats():
    dealt = deal(range(50), [1, 2], 2, seed=1)

    orders = [[piece.target for piece in pieces] for pieces in dealt.values()]
    assert orders[0] != orders[1] != list(range(50))
    assert dealt == deal(range(50), [1, 2], 2, seed=1)
    assert dealt != deal(range(50), [1, 2], 2, seed=2)


def test_too_few_coders_is_an_error():
    with pytest.raises(ValueError, match="2 coders cannot code each clip 3 times"):
        deal([1], [1, 2], 3)
