"""The clock watch over outages: the clock of a camera that is back is on the right line, whatever it did meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from capture.camera.clock_watch import ClockStep, ClockWatch
from capture.clock import LatchBracket, find_arrival_steps, fit_arrival_pieces, piecewise_clock_from_attributes

HOST_NS = 10**12
DEVICE_NS = 400 * 10**9
PERIOD_NS = 2_000_000
DELAY_NS = 300_000


class Reading:
    """A camera whose clock is `offset_ns` behind the host's; None: it cannot be read."""

    def __init__(self, offset_ns: int | None) -> None:
        self.offset_ns = offset_ns
        self.now_ns = HOST_NS

    def latch(self) -> LatchBracket | None:
        if self.offset_ns is None:
            return None
        self.now_ns += 8_000
        return LatchBracket(self.now_ns - 8_000, self.now_ns - 4_000 - self.offset_ns, self.now_ns)


def frames(watch: ClockWatch, camera: Reading, begin_ns: int, count: int, offset_ns: int, looks: bool = True):
    """Frames from `begin_ns` on; returns (count, 3): taken, device, arrived."""
    rows = []
    for i in range(count):
        taken_ns = begin_ns + i * PERIOD_NS
        rows.append((taken_ns, taken_ns - offset_ns, taken_ns + DELAY_NS))
        camera.now_ns = rows[-1][2]
        watch.arrival(rows[-1][1], rows[-1][2])
        if looks and i % 500 == 20:
            watch.look()
    return np.array(rows)


def over_an_outage(*, latch: bool, looked_before: bool, back_offset_ns: int):
    old_ns = HOST_NS - DEVICE_NS
    first = Reading(old_ns if latch else None)
    watch = ClockWatch(first)
    before = frames(watch, first, HOST_NS, 1000 if looked_before else 15, old_ns, looked_before)
    again_ns = int(before[-1, 0]) + 3 * 10**9
    second = Reading(back_offset_ns if latch else None)
    second.now_ns = again_ns - 10**8
    watch.reconnected(second)
    after = frames(watch, second, again_ns, 1200, back_offset_ns)
    clock = watch.finish()
    told = watch.new_steps(ended=True)
    rows = np.vstack([before, after])
    error = piecewise_clock_from_attributes(clock).to_host(rows[:, 1], rows[:, 2]) - rows[:, 0]
    return clock, told, error, int(after[0, 2])


RESET = HOST_NS + 5 * 10**9  # the clock of the camera that is back began soon before


@pytest.mark.parametrize("latch", [True, False], ids=["latch", "arrivals"])
@pytest.mark.parametrize("back_offset_ns", [RESET, HOST_NS - 2 * DEVICE_NS], ids=["reset", "ahead"])
def test_a_clock_that_began_anew_is_on_a_line_of_its_own_from_the_first_frame_on(latch, back_offset_ns):
    clock, told, error, back_ns = over_an_outage(latch=latch, looked_before=True, back_offset_ns=back_offset_ns)
    assert [s["from_host_ns"] for s in clock["segments"]] == [0, back_ns]
    assert np.abs(error).max() < (20_000 if latch else DELAY_NS + 20_000)
    (step,) = told
    assert isinstance(step, ClockStep)
    assert step.host_ns == back_ns
    assert step.reset == (back_offset_ns == RESET)
    assert step.step_ns == pytest.approx(HOST_NS - DEVICE_NS - back_offset_ns, abs=50_000)


def test_a_clock_that_ran_on_stays_on_its_line():
    clock, told, error, _ = over_an_outage(latch=True, looked_before=True, back_offset_ns=HOST_NS - DEVICE_NS)
    assert "segments" not in clock
    assert told == []
    assert np.abs(error).max() < 20_000


def test_a_camera_lost_before_its_clock_was_read_still_has_times_for_its_frames():
    clock, _, error, back_ns = over_an_outage(latch=True, looked_before=False, back_offset_ns=RESET)
    assert [s["from_host_ns"] for s in clock["segments"]] == [0, back_ns]
    assert np.abs(error[:15]).max() < 5_000_000, "within the width that an arrival stands for"
    assert np.abs(error[15:]).max() < 20_000


def test_each_step_is_told_once():
    camera = Reading(HOST_NS - DEVICE_NS)
    watch = ClockWatch(camera)
    frames(watch, camera, HOST_NS, 1000, camera.offset_ns)
    camera.offset_ns -= 20_000_000
    frames(watch, camera, HOST_NS + 1000 * PERIOD_NS, 1500, camera.offset_ns)
    assert [round(step.step_ns / 1e6) for step in watch.new_steps()] == [20]
    watch.finish()
    assert watch.new_steps(ended=True) == []


def test_a_silence_longer_than_a_window_is_no_error_and_no_step():
    device = np.concatenate([np.arange(500) * PERIOD_NS, 4 * 10**9 + np.arange(500) * PERIOD_NS]) + DEVICE_NS
    host = device + 10**9 + DELAY_NS
    assert find_arrival_steps(device, host) == []
    device[500:] -= DEVICE_NS
    assert find_arrival_steps(device, host) == [500]
    assert len(fit_arrival_pieces(device, host).segments) == 2


def test_a_last_frame_that_waited_to_be_fetched_is_known_to_be_late():
    camera = Reading(HOST_NS - DEVICE_NS)
    watch = ClockWatch(camera)
    rows = frames(watch, camera, HOST_NS, 600, camera.offset_ns)
    assert watch.lateness_ns() == 0
    taken_ns = int(rows[-1, 0]) + PERIOD_NS
    watch.arrival(taken_ns - camera.offset_ns, taken_ns + DELAY_NS + 250_000_000)
    assert watch.lateness_ns() == 250_000_000
