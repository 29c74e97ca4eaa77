"""The clock: what the line through brackets and under arrivals is worth."""

from __future__ import annotations

import numpy as np
import pytest

from capture.clock import LatchBracket, clock_fit_from_attributes, fit_arrivals, fit_brackets

HOST_0 = 5_000_000_000_000
DEVICE_0 = 1_700_000_000_000_000_000
DRIFT = 50e-6


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
