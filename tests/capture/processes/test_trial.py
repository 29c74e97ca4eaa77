"""A trial's books: every id is a frame or a loss, each loss has its cause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.processes.trial import Trial
from capture.recording.ledger import breaks_of, find_gaps, surplus
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


class Listener:
    def __init__(self) -> None:
        self.losses, self.falls, self.gaps = [], [], []

    def lost(self, cause, ids, host_ns):
        self.losses.append((cause, list(ids), host_ns))

    def ids_fell(self, last, first, *, wrapped, host_ns):
        self.falls.append((last, first, wrapped))

    def came_back(self, gap):
        self.gaps.append(gap)


def run(books: Trial, first_id: int, count: int, device_ns: int, host_ns: int) -> None:
    """Frames at 500 a second from these times on."""
    for i in range(count):
        assert books.over(device_ns + i * PERIOD_NS, host_ns + i * PERIOD_NS) is None
        books.frame(first_id + i, device_ns + i * PERIOD_NS, host_ns + i * PERIOD_NS)
        books.kept()


HOST_NS = 50 * 10**9


@pytest.mark.parametrize("back_ns", [10**9, 10**12 + 5 * 10**9, 10**12 + 2 * 10**9 + 10**8, 10**13])
def test_a_gap_is_as_long_as_the_host_says_whatever_the_camera_clock_does(back_ns):
    listener = Listener()
    books = trial(listener=listener)
    run(books, 0, 1000, 10**12, HOST_NS)
    books.camera_lost(HOST_NS + 2_500_000_000)
    run(books, 0, 500, back_ns, HOST_NS + 5 * 10**9)
    (gap,) = books.gaps
    assert listener.gaps == [gap]
    assert gap.frames == 1500
    assert gap.seconds == pytest.approx(3.002)
    assert (gap.last_id, gap.first_id, gap.returned) == (999, 0, True)
    assert gap.clock == ("device" if back_ns == 10**12 + 5 * 10**9 else "host")
    figures = books.statistics()
    assert figures.losses == LossLedger(camera=1500)
    assert figures.seconds == pytest.approx(6.0, abs=0.002)
    assert books.fps == pytest.approx(500, rel=1e-3)
    assert books.lost_ids()["camera"] == [], "what was not taken has no id"


def test_a_camera_whose_clock_ran_on_tells_the_gap_to_the_frame_however_late_the_host_is():
    books = trial()
    run(books, 0, 1000, 10**12, HOST_NS)
    books.camera_lost(HOST_NS + 3 * 10**9)
    run(books, 0, 10, 10**12 + 5 * 10**9, HOST_NS + 5 * 10**9 + 15_000_000)
    assert books.gaps[0].frames == 1500


def test_a_last_frame_that_was_fetched_late_does_not_shorten_the_gap():
    books = trial()
    run(books, 0, 999, 10**12, HOST_NS)
    books.frame(999, 10**12 + 999 * PERIOD_NS, HOST_NS + 999 * PERIOD_NS + 400_000_000)
    books.kept()
    books.camera_lost(HOST_NS + 3 * 10**9, 400_000_000)
    run(books, 0, 10, 10**9, HOST_NS + 5 * 10**9)
    (gap,) = books.gaps
    assert gap.frames == 1500
    assert gap.seconds == pytest.approx(2.602)
    assert books.fps == pytest.approx(500, rel=1e-3)


def test_the_estimate_goes_by_the_rate_that_was_there():
    books = trial()
    for i in range(1000):  # 400 frames a second, where 500 were asked for
        books.frame(i, 10**12 + i * 2_500_000, HOST_NS + i * 2_500_000)
        books.kept()
    books.camera_lost(HOST_NS + 3 * 10**9)
    run(books, 0, 10, 10**9, HOST_NS + 4_500_000_000)
    assert books.gaps[0].rate_fps == pytest.approx(400)
    assert books.gaps[0].frames == pytest.approx(800, abs=1)


def test_ids_lost_on_both_sides_of_a_gap_are_counted_and_none_across():
    listener = Listener()
    books = trial(listener=listener)
    run(books, 100, 5, 10**12, HOST_NS)
    books.frame(108, 10**12 + 20_000_000, HOST_NS + 20_000_000)
    books.kept()
    books.camera_lost(HOST_NS + 10**9)
    run(books, 200, 3, 10**9, HOST_NS + 2 * 10**9)
    books.frame(205, 10**9 + 9_000_000, HOST_NS + 2 * 10**9 + 9_000_000)
    books.kept()
    assert books.lost_ids()["camera"] == [(105, 107), (203, 204)]
    assert books.statistics().losses.camera == 5 + books.gaps[0].frames
    assert [loss[1] for loss in listener.losses] == [[(105, 107)], [(203, 204)]]


def test_a_trial_that_ends_while_the_camera_is_away_counts_up_to_its_end():
    books = trial(max_seconds=5.0)
    run(books, 0, 1000, 10**12, HOST_NS)
    books.camera_lost(HOST_NS + 2_300_000_000)
    assert books.over_by(HOST_NS + 4_900_000_000) is None
    assert books.over_by(HOST_NS + 5_000_000_000) == "duration"
    books.end(HOST_NS + 5_400_000_000)  # noticed late
    (gap,) = books.gaps
    assert (gap.frames, gap.returned) == (1501, False)
    assert books.fps == pytest.approx(500, rel=1e-3), "the rate is that of the time in which there was a camera"


def test_a_trial_that_begins_without_a_camera_counts_from_its_begin():
    books = trial(began_ns=HOST_NS)
    books.camera_lost(HOST_NS + 100)
    books.camera_lost(HOST_NS + 10**9)
    run(books, 0, 10, 10**9, HOST_NS + 2 * 10**9)
    assert books.gaps[0].frames == 999


def test_wraps_and_resets_are_told_apart_when_they_are_seen():
    listener = Listener()
    books = trial(listener=listener)
    for frame_id in (65_534, 65_535, 1, 2, 700, 0):
        take(books, frame_id)
    assert listener.falls == [(65_535, 1, True), (700, 0, False)]


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=20), min_size=1, max_size=4))
def test_the_trial_and_verify_agree_over_several_connections(connections):
    books = trial()
    ids, host = [], []
    now = HOST_NS
    for moves in connections:
        if ids:
            books.camera_lost(now)
            now += 10**9
        frame_id = 0
        for move in moves:
            frame_id += move
            now += move * PERIOD_NS
            books.frame(frame_id, now - 7 * 10**9, now)
            books.kept()
            ids.append(frame_id)
            host.append(now)
    breaks = breaks_of(books.gaps, np.array(host))
    assert len(breaks) == len(connections) - 1
    missing = find_gaps(np.array(ids, dtype=np.uint64), breaks)
    counted = books.lost_ids()["camera"]
    assert surplus(missing.missing, counted) == surplus(counted, missing.missing) == []
    assert missing.backward == 0
