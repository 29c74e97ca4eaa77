"""A trial's books: every id is a frame or a loss, each loss has its cause."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capture.processes.trial import Trial
from capture.statistics import LossLedger

PERIOD_NS = 2_000_000


def trial(**limits) -> Trial:
    return Trial("trial-001", "series", 500.0, **limits)


def take(books: Trial, frame_id: int) -> None:
    books.frame(frame_id, 1_000_000_000 + frame_id * PERIOD_NS)
    books.kept()


def test_a_gap_in_the_ids_is_a_loss_in_the_camera():
    books = trial()
    for frame_id in (10, 11, 15, 16):
        take(books, frame_id)
    assert books.statistics().losses == LossLedger(camera=3)
    assert books.lost_ids()["camera"] == [(12, 14)]


def test_an_incomplete_frame_is_no_gap():
    books = trial()
    take(books, 1)
    books.incomplete(3)
    take(books, 5)
    assert books.statistics().losses == LossLedger(camera=2, incomplete=1)
    assert books.lost_ids() == {"camera": [(2, 2), (4, 4)], "incomplete": [(3, 3)], "ring": []}


def test_a_frame_without_a_slot_is_the_rings_loss():
    books = trial()
    take(books, 1)
    books.frame(2, 0)
    books.no_slot(2)
    take(books, 3)
    assert books.statistics().losses == LossLedger(ring=1)
    assert books.statistics().frames == 2


def test_a_counter_that_starts_anew_is_not_a_gap():
    books = trial()
    take(books, 65_534)
    take(books, 65_535)
    take(books, 1)
    assert books.statistics().losses.total == 0


def test_sixty_seconds_are_thirty_thousand_frames_whatever_the_jitter():
    for jitter_ns in (-100_000, 0, 100_000):
        books = trial(max_seconds=60.0)
        taken = 0
        while books.over(10**9 + taken * PERIOD_NS + jitter_ns * (taken % 2)) is None:
            books.frame(taken, 10**9 + taken * PERIOD_NS + jitter_ns * (taken % 2))
            books.kept()
            taken += 1
        assert taken == 30_000


def test_a_number_of_frames_is_exact():
    books = trial(max_frames=3)
    for frame_id in (5, 6, 9):
        assert books.over(0) is None
        take(books, frame_id)
    assert books.over(0) == "frames"


def test_the_rate_counts_lost_frames_too():
    books = trial()
    for frame_id in (0, 1, 2, 50, 51, 100):
        take(books, frame_id)
    assert round(books.fps, 6) == 500.0
    assert books.statistics().seconds == 101 / 500


@given(st.lists(st.sampled_from(["kept", "gap", "incomplete", "ring"]), max_size=200))
def test_every_id_between_first_and_last_is_accounted_for(fates):
    books = trial()
    take(books, 0)
    frame_id = 0
    lost = {"camera": 0, "incomplete": 0, "ring": 0}
    kept = 1
    for fate in [*fates, "kept"]:
        frame_id += 1
        if fate == "kept":
            take(books, frame_id)
            kept += 1
        elif fate == "gap":
            lost["camera"] += 1
        elif fate == "incomplete":
            books.incomplete(frame_id)
            lost["incomplete"] += 1
        else:
            books.frame(frame_id, frame_id)
            books.no_slot(frame_id)
            lost["ring"] += 1
    figures = books.statistics()
    assert figures.losses == LossLedger(**lost)
    assert figures.frames + figures.losses.total == frame_id + 1
    ranges = sorted(r for cause in books.lost_ids().values() for r in cause)
    ids = [i for first, last in ranges for i in range(first, last + 1)]
    assert len(ids) == len(set(ids)) == figures.losses.total
    assert figures.frames == kept
