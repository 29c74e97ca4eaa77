"""Which moment of the stimulus belongs to which frame of the recording."""

from __future__ import annotations

import numpy as np
import pytest

from elicitation.web.in_step import InStep

TIMES_S = np.array([0.0, 0.1, 0.2, 0.3])


def test_between_pairs_time_runs_evenly_and_outside_there_is_none() -> None:
    step = InStep.from_pairs(((100, 0.0), (300, 0.4)), 400)

    assert step.at(99) is None
    assert step.at(100) == 0.0
    assert step.at(200) == pytest.approx(0.2)
    assert step.at(301) is None
    assert step.changes(TIMES_S) == [(100, 0), (150, 1), (200, 2), (250, 3), (301, -1)]


def test_a_picture_stays_until_the_next_one_was_really_shown() -> None:
    second = 1_000_000_000
    # The picture of 0.1 s was dropped, that of 0.2 s came late.
    shown_ns = np.array([10 * second, 10 * second + 260_000_000, 10 * second + 300_000_000])
    pts_s = np.array([0.0, 0.2, 0.3])
    frame_ns = 10 * second + np.arange(-2, 60) * 10_000_000

    step = InStep.from_shown(shown_ns, pts_s, frame_ns)

    assert step.at(1) is None
    assert step.at(2) == 0.0
    assert step.at(2 + 13) == pytest.approx(0.1)
    assert step.changes(TIMES_S) == [(2, 0), (28, 2), (32, 3), (47, -1)]


def test_without_pairs_or_pictures_nothing_was_on_the_screen() -> None:
    empty_ns, empty_s = np.empty(0, np.int64), np.empty(0)

    for step in (InStep.from_pairs((), 5), InStep.from_shown(empty_ns, empty_s, np.arange(5))):
        assert [step.at(frame) for frame in range(5)] == [None] * 5
        assert step.changes(TIMES_S) == []
