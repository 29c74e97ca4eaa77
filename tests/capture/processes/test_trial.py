"""A trial's books: every id is a frame or a loss, each loss has its cause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.processes.trial import Trial
from capture.recording.ledger import find_gaps, surplus
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


@pytest.mark.parametrize(
    "ids",
    [(65_534, 65_535, 1, 2), (65_534, 65_535, 0, 1), (2**32 - 2, 2**32 - 1, 0), (700, 701, 0, 1), (60_000, 40_000)],
    ids=["16 bits without 0", "16 bits", "32 bits", "reset", "back"],
)
def test_a_counter_that_starts_anew_is_not_a_gap(ids):
    books = trial()
    for frame_id in ids:
        take(books, frame_id)
    assert books.statistics().losses.total == 0


@pytest.mark.parametrize(
    ("ids", "lost"),
    [
        ((65_530, 65_532, 3, 4), [(65_531, 65_531), (65_533, 65_535), (1, 2)]),
        ((0, 5, 65_532, 3), [(1, 4), (6, 65_531), (65_533, 65_535), (0, 2)]),
        ((2**32 - 3, 2), [(2**32 - 2, 2**32 - 1), (0, 1)]),
    ],
    ids=["16 bits without 0", "16 bits", "32 bits"],
)
def test_a_gap_over_the_end_of_the_counter_is_lost_on_both_sides(ids, lost):
    books = trial()
    for frame_id in ids:
        take(books, frame_id)
    assert books.lost_ids()["camera"] == lost
    assert books.statistics().losses == LossLedger(camera=sum(last - first + 1 for first, last in lost))


def test_incomplete_frames_on_both_sides_of_the_counters_end_are_no_gap():
    books = trial()
    take(books, 65_533)
    for frame_id in (65_535, 1):
        books.incomplete(frame_id)
    take(books, 3)
    assert books.lost_ids() == {
        "camera": [(65_534, 65_534), (2, 2)],
        "incomplete": [(65_535, 65_535), (1, 1)],
        "ring": [],
    }


@given(
    st.sampled_from([2**16, 2**32, 2**64]),
    st.integers(min_value=-300, max_value=300),
    st.booleans(),
    st.lists(st.one_of(st.integers(1, 4), st.integers(1, 9_000), st.just(-1)), max_size=60),
)
def test_the_trial_and_verify_find_the_same_ids_missing(modulus, start, skips_zero, moves):
    books = trial()
    frame_id = start % modulus
    ids = []
    for move in moves:
        ids.append(frame_id)
        take(books, frame_id)
        frame_id = 0 if move < 0 else (frame_id + move) % modulus
        if skips_zero and frame_id == 0:
            frame_id = 1
    if not ids:
        return
    counted = books.lost_ids()["camera"]
    missing = find_gaps(np.array(ids, dtype=np.uint64)).missing
    assert surplus(missing, counted) == surplus(counted, missing) == []
    assert books.statistics().losses.camera == sum(last - first + 1 for first, last in missing)


def test_sixty_seconds_are_thirty_thousand_frames_whatever_the_jitter():
    for jitter_ns in (-100_000, 0, 100_000):
        books = trial(max_seconds=60.0)
        taken = 0
        while books.over(10**9 + taken * PERIOD_NS + jitter_ns * (taken % 2)) is None:
            books.frame(taken, 10**9 + taken * PERIOD_NS + jitter_ns * (taken % 2))
            books.kept()
            taken += 1
        assert taken == 30_000


def taken_until_over(books: Trial, device_ns, late_ns=lambda _frame: 0) -> int:
    """Frames until the trial is over, by device time (of the frame) and by how late it arrives."""
    arrived_ns = 0
    for frame in range(100_000):
        arrived_ns = max(arrived_ns + 1, 5 * 10**9 + frame * PERIOD_NS + late_ns(frame))
        if books.over(device_ns(frame), arrived_ns) is not None:
            return frame
        books.frame(frame, device_ns(frame), arrived_ns)
        books.kept()
    raise AssertionError("the trial did not end")


@pytest.mark.parametrize("step_ns", [-20_000_000, -(10**12) - 10**9, 3 * 10**8, 10**12])
def test_the_duration_survives_a_step_of_the_device_clock(step_ns):
    books = trial(max_seconds=10.0)
    taken = taken_until_over(books, lambda frame: 10**12 + frame * PERIOD_NS + step_ns * (frame >= 2_000))
    assert taken == 5_000
    assert round(books.statistics().seconds, 3) == 10.0
    assert round(books.fps, 3) == 500.0


def test_a_late_host_does_not_shorten_a_duration():
    def late_ns(frame: int) -> int:
        return 400_000_000 if frame == 0 else max(0, 600_000_000 - (frame - 4_900) * PERIOD_NS) * (frame >= 4_900)

    assert taken_until_over(trial(max_seconds=10.0), lambda frame: 10**12 + frame * PERIOD_NS, late_ns) == 5_000


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
