"""The clock: what the lines through brackets and under arrivals are worth, and where they part at a step."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.camera.clock_watch import ClockWatch
from capture.clock import (
    LatchBracket,
    clock_fit_from_attributes,
    fit_arrivals,
    fit_bracket_pieces,
    fit_brackets,
    piecewise_clock_from_attributes,
)

HOST_0 = 5_000_000_000_000
DEVICE_0 = 1_700_000_000_000_000_000
DRIFT = 50e-6
WRONG_FROM = HOST_0 + 3_000_000_000


def device_at(host_ns):
    return (DEVICE_0 + (np.asarray(host_ns, dtype=np.int64) - HOST_0) * (1 + DRIFT)).astype(np.int64)


def brackets(count: int, rng: np.random.Generator) -> list[LatchBracket]:
    made = []
    for second in range(count):
        before = HOST_0 + second * 1_000_000_000
        trip = int(rng.exponential(80_000)) + 20_000
        inside = before + int(trip * rng.uniform(0.2, 0.8))
        made.append(LatchBracket(before, int(device_at(inside)), before + trip))
    return made


def error_ns(fit, seconds: int) -> np.ndarray:
    truth = HOST_0 + np.linspace(0, seconds * 1e9, 1000).astype(np.int64)
    return fit.to_host(device_at(truth)) - truth


def test_brackets_give_the_truth_within_their_own_uncertainty():
    fit = fit_brackets(brackets(60, np.random.default_rng(1)))
    assert fit.source == "latch"
    assert abs(fit.drift_ppm + 50) < 1
    assert np.abs(error_ns(fit, 60)).max() < fit.uncertainty_ns
    assert fit.residual_ns <= fit.max_ns < 100_000


def test_one_slow_reading_does_not_move_the_line():
    rng = np.random.default_rng(2)
    good = brackets(30, rng)
    slow = LatchBracket(HOST_0 + 15_500_000_000, int(device_at(HOST_0 + 15_500_000_000)), HOST_0 + 15_540_000_000)
    fit = fit_brackets([*good, slow])
    assert np.abs(error_ns(fit, 30)).max() < 100_000


@pytest.mark.parametrize("pieces", [1, 2])
def test_narrow_brackets_that_lie_together_do_not_make_the_slope(pieces):
    """Four readings within 0.1 ms when a trial begins are narrower than those of a second later, and a little off."""
    first = [LatchBracket(t, t + 800 + lean, t + 1_600) for t, lean in ((0, 0), (34_000, -200), (69_000, 100))]
    later = [LatchBracket(t, t + 1_000, t + 2_000) for t in (1_013_000_000, 1_150_000_000)]
    one = [*first, *later]
    behind = [LatchBracket(b.host_before_ns + 2 * 10**9, b.device_ns + 10**9, b.host_after_ns + 2 * 10**9) for b in one]
    for fit in fit_bracket_pieces([one, behind][:pieces]) or []:
        assert abs(fit.slope - 1) < 1e-6
    assert fit_bracket_pieces([one, behind][:pieces]) is not None


def test_narrow_brackets_outweigh_wide_ones_that_lean_to_one_side():
    anchors = [HOST_0 + i * 1_000 for i in range(3)] + [HOST_0 + 30_000_000_000 + i * 1_000 for i in range(3)]
    narrow = [LatchBracket(t, int(device_at(t + 2_000)), t + 4_000) for t in anchors]
    wide = [
        LatchBracket(t, int(device_at(t + 60_000)), t + 64_000)
        for t in range(HOST_0 + 1_000_000_000, HOST_0 + 29_000_000_000, 1_000_000_000)
    ]
    fit = fit_brackets([*narrow, *wide])
    assert np.abs(error_ns(fit, 30)).max() < 4_000
    assert fit.residual_ns < 16_000


def test_arrivals_give_the_line_of_the_least_delayed_frames():
    rng = np.random.default_rng(3)
    taken = HOST_0 + np.arange(20_000) * 2_000_000
    arrived = taken + 30_000 + rng.exponential(400_000, len(taken)).astype(np.int64)
    fit = fit_arrivals(device_at(taken), arrived)
    assert fit.source == "arrival"
    assert abs(fit.drift_ppm + 50) < 1
    error = fit.to_host(device_at(taken)) - (taken + 30_000)
    assert np.abs(error).max() < 20_000
    assert fit.residual_ns > 100_000, "the spread of the arrivals is said, not hidden"


def test_too_few_points_make_no_line():
    assert fit_brackets([]) is None
    assert fit_brackets([LatchBracket(1, 2, 3)]) is None
    assert fit_brackets([LatchBracket(1, 2, 3), LatchBracket(5, 2, 7)]) is None
    assert fit_arrivals(np.array([1]), np.array([2])) is None


def test_a_fit_survives_the_recording_attributes():
    fit = fit_brackets(brackets(10, np.random.default_rng(4)))
    assert clock_fit_from_attributes(fit.as_attributes()) == fit
    assert clock_fit_from_attributes({"source": "none"}) is None


def test_nanoseconds_survive_a_day():
    day = [LatchBracket(HOST_0 + i * 10**9, DEVICE_0 + i * 10**9, HOST_0 + i * 10**9) for i in range(0, 86_400, 600)]
    fit = fit_brackets(day)
    assert fit.to_host(DEVICE_0 + 86_399 * 10**9) == pytest.approx(HOST_0 + 86_399 * 10**9, abs=1)


class SteppingCamera:
    """A clock that can be read, and that steps by given amounts at given host times."""

    def __init__(self, steps: dict[int, int], latch: bool = True) -> None:
        self.now_ns = HOST_0
        self._steps = steps
        self._latch = latch

    def device_at(self, host_ns: int) -> int:
        return int(device_at(host_ns)) + sum(by for when, by in self._steps.items() if host_ns >= when)

    def latch(self) -> LatchBracket | None:
        if not self._latch:
            return None
        self.now_ns += 8_000
        return LatchBracket(self.now_ns - 8_000, self.device_at(self.now_ns - 3_000), self.now_ns)


def watched(steps_ms: dict[int, float], seconds: int = 6, *, latch: bool = True, late=lambda _frame: 0, seed: int = 5):
    """A trial at 500 fps with up to 1 ms of jitter; steps in ms by frame. Gives attributes, and (frames,) arrays."""
    rng = np.random.default_rng(seed)
    taken = HOST_0 + 1_000_000 + np.arange(seconds * 500) * 2_000_000
    camera = SteppingCamera({int(taken[k]): int(by * 1e6) for k, by in steps_ms.items()}, latch=latch)
    delay = 50_000 + rng.uniform(0, 1e6, len(taken)).astype(np.int64) + [int(late(k)) for k in range(len(taken))]
    arrived = np.maximum.accumulate(taken + delay) + np.arange(len(taken))
    device = np.array([camera.device_at(int(t)) for t in taken])
    watch = ClockWatch(camera)
    looked = 0
    for device_ns, host_ns in zip(device.tolist(), arrived.tolist(), strict=True):
        camera.now_ns = max(camera.now_ns, host_ns)
        watch.arrival(device_ns, host_ns)
        if host_ns - looked >= 1_000_000_000:
            looked = host_ns
            watch.look()
    return watch.finish(), taken, device, arrived


def mapped_error_ns(clock: dict, taken, device, arrived) -> np.ndarray:
    return piecewise_clock_from_attributes(clock).to_host(device, arrived) - taken


@pytest.mark.parametrize(
    "steps_ms",
    [
        {1500: 20},
        {1500: -20},
        {1500: 2},
        {1500: -1},
        {3: 20},
        {2990: -20},
        {700: 20, 760: -45, 2200: 3},
        {1000: -(DEVICE_0 - 10**9) / 1e6},
    ],
    ids=["forward", "back", "one period", "small", "at the start", "at the end", "several", "reset"],
)
def test_every_frame_keeps_its_time_when_the_device_clock_steps(steps_ms):
    clock, *frames = watched(steps_ms)
    error = mapped_error_ns(clock, *frames)
    assert len(clock["segments"]) == len(steps_ms) + 1
    assert np.abs(error).max() < 50_000
    assert clock["residual_ns"] < 10_000


@pytest.mark.parametrize("latch", [True, False])
def test_a_late_host_is_not_taken_for_a_step(latch):
    def stall(frame: int) -> float:
        return max(0.0, 300e6 - (frame - 1000) * 1.9e6) if frame >= 1000 else 12e6 * (frame == 500)

    clock, *frames = watched({}, latch=latch, late=stall)
    assert "segments" not in clock
    assert np.abs(mapped_error_ns(clock, *frames)).max() < 100_000


@pytest.mark.parametrize("step_ms", [20, -20, 400, -5000])
def test_arrivals_alone_show_a_step_to_the_frame(step_ms):
    clock, taken, device, arrived = watched({1500: step_ms}, latch=False)
    assert clock["source"] == "arrival"
    assert [s["from_host_ns"] for s in clock["segments"]] == [0, arrived[1500]]
    assert np.abs(mapped_error_ns(clock, taken, device, arrived)).max() < 150_000


def test_arrivals_that_are_thinned_out_keep_both_sides_of_a_step():
    clock, taken, device, arrived = watched({21_001: 20}, seconds=90, latch=False)
    assert [s["from_host_ns"] for s in clock["segments"]] == [0, arrived[21_001]]
    assert np.abs(mapped_error_ns(clock, taken, device, arrived)).max() < 150_000


def test_a_clock_without_steps_is_stored_as_one_line():
    clock, *frames = watched({})
    assert "segments" not in clock
    assert clock_fit_from_attributes(clock) == piecewise_clock_from_attributes(clock).segments[0].fit
    assert np.abs(mapped_error_ns(clock, *frames)).max() < 10_000


def test_the_summary_states_the_figures_of_all_segments():
    clock, *_ = watched({1500: 20})
    assert clock["points"] == sum(s["points"] for s in clock["segments"])
    assert clock["max_ns"] == max(s["max_ns"] for s in clock["segments"])
    assert json.loads(json.dumps(clock)) == clock


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
)


def test_the_residual_covers_an_error_that_all_brackets_share():
    late_in_each = [
        LatchBracket(t, int(device_at(t + 9_500)), t + 10_000) for t in range(HOST_0, HOST_0 + 10**10, 10**9)
    ]
    fit = fit_brackets(late_in_each)
    error = float(np.sqrt(np.mean(error_ns(fit, 10) ** 2)))
    assert error > 4_000
    assert error < 2 * fit.residual_ns
    assert error < fit.max_ns


def test_one_wrong_reading_is_no_step():
    class Confused(SteppingCamera):
        def latch(self) -> LatchBracket | None:
            bracket = super().latch()
            wrong = WRONG_FROM <= bracket.host_before_ns < WRONG_FROM + 30_000
            return LatchBracket(bracket.host_before_ns, bracket.device_ns - wrong * 10**8, bracket.host_after_ns)

    camera = Confused({})
    watch = ClockWatch(camera)
    for second in range(6):
        camera.now_ns = HOST_0 + second * 1_000_000_000
        watch.arrival(camera.device_at(camera.now_ns - 10_000), camera.now_ns)
        watch.look()
    clock = watch.finish()
    assert "segments" not in clock
    assert abs(clock["drift_ppm"] + 50) < 2


@given(
    st.dictionaries(st.sampled_from([*"abc", "source", "slope", "device_ns", "host_ns", "from_host_ns"]), VALUES),
    st.one_of(VALUES, st.just("drop")),
)
def test_hostile_segments_are_refused_or_map_without_an_error(damage, whole):
    clock, _, device, arrived = HEALTHY
    hurt = {**clock, "segments": [clock["segments"][0], {**clock["segments"][1], **damage}]}
    for attributes in (hurt, {**clock, "segments": whole}):
        lines = piecewise_clock_from_attributes(attributes)
        if lines is not None:
            times = [np.array([0, 2**63, 2**64 - 1], dtype=np.uint64), np.array([1, 2**63, 2**64 - 1], dtype=np.uint64)]
            assert lines.to_host(*times).shape == (3,)
            assert lines.to_host(device, arrived).shape == device.shape


HEALTHY = watched({500: 20}, seconds=2)
