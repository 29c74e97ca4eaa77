"""When a sender gives up on a storage machine: not before everything waits for it, and not while it still speaks."""

from __future__ import annotations

from capture.remote.patience import PATIENCE_S, Patience


def test_nothing_is_given_up_while_nothing_waits():
    assert not Patience().is_over(now=1e6, heard=0.0)


def test_the_wait_counts_from_its_begin():
    patience = Patience()
    assert patience.begin(now=100.0)
    assert not patience.begin(now=150.0)
    assert not patience.is_over(now=100.0 + PATIENCE_S, heard=0.0)
    assert patience.is_over(now=100.1 + PATIENCE_S, heard=0.0)


def test_a_word_since_begins_it_anew():
    patience = Patience()
    patience.begin(now=100.0)
    assert not patience.is_over(now=140.0 + PATIENCE_S, heard=140.0)
    assert patience.is_over(now=140.1 + PATIENCE_S, heard=140.0)


def test_the_next_wait_has_its_own_begin():
    patience = Patience()
    patience.begin(now=100.0)
    patience.relax()
    assert not patience.is_over(now=1e6, heard=0.0)
    assert patience.begin(now=200.0)
    assert not patience.is_over(now=200.0 + PATIENCE_S, heard=0.0)
