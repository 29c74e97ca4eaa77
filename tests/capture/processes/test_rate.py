"""The rate meter: right at any rate, over the last second only."""

from __future__ import annotations

import pytest

from capture.processes.rate import RateMeter


@pytest.mark.parametrize("fps", [1, 25, 200, 500, 4999])
def test_a_steady_rate_is_measured_exactly(fps):
    meter = RateMeter()
    for i in range(3 * fps):
        meter.frame(i * 1_000_000_000 // fps)
    assert meter.fps == pytest.approx(fps, rel=1e-3)


def test_an_old_rate_is_forgotten_within_a_second_or_two():
    meter = RateMeter()
    for i in range(1000):
        meter.frame(i * 2_000_000)
    for i in range(220):
        meter.frame(2_000_000_000 + i * 10_000_000)
    assert meter.fps == pytest.approx(100, rel=0.02)


def test_a_clock_that_is_set_back_starts_the_measurement_anew():
    meter = RateMeter()
    for i in range(600):
        meter.frame(9_000_000_000 + i * 2_000_000)
    for i in range(600):
        meter.frame(5 + i * 2_000_000)
    assert meter.fps == pytest.approx(500, rel=1e-3)


def test_nothing_is_measured_before_the_second_frame():
    meter = RateMeter()
    assert meter.fps == 0
    meter.frame(5)
    assert meter.fps == 0
