"""The rate meter: right at any rate, over the last second only; and the watch that calls a camera slow."""

from __future__ import annotations

import pytest

from capture.processes.rate import RateMeter, RateWatch


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


def watched(frames_by_second, asked=500.0, tolerance=0.02, losses=0):
    """Verdicts of a watch that sees so many frames taken in each second, ten looks a second."""
    watch = RateWatch(asked, tolerance)
    verdicts, taken, now_ns = [], losses, 7_000_000_000
    watch.observe(now_ns, now_ns, taken)
    for frames in frames_by_second:
        for tenth in range(10):
            now_ns += 100_000_000
            taken += frames * (tenth + 1) // 10 - frames * tenth // 10
            verdict = watch.observe(now_ns, now_ns, taken)
            if verdict is not None:
                verdicts.append(verdict)
    return verdicts


def test_a_camera_that_keeps_its_rate_is_never_called_slow():
    assert watched([500, 495, 491, 505, 500, 500]) == []


def test_a_camera_that_stays_slow_is_called_so_once():
    (verdict,) = watched([500, 500] + [400] * 30)
    assert verdict.slow
    assert verdict.fps == pytest.approx(400)


def test_one_slow_second_is_no_verdict():
    assert watched([500, 300, 500, 500, 0, 500, 450, 480, 500]) == []


def test_a_camera_that_recovers_is_said_to_have():
    slow, back = watched([500] * 3 + [450] * 6 + [500] * 4)
    assert (slow.slow, back.slow) == (True, False)
    assert back.seconds == pytest.approx(6)


def test_a_camera_that_falls_silent_is_slow():
    watch = RateWatch(500.0, 0.02)
    verdicts = [watch.observe(i * 100_000_000, min(i, 20) * 100_000_000, min(i, 20) * 50) for i in range(80)]
    (verdict,) = [v for v in verdicts if v is not None]
    assert verdict.slow
    assert verdict.fps < 250


def test_a_few_frames_a_second_are_judged_over_enough_of_them():
    assert watched([2] * 30, asked=2.0) == []
    assert len(watched([1] * 40, asked=2.0)) == 1
