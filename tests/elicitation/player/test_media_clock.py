"""The sound's clock: what a card's steps say of the time, when they are seen late and irregularly."""

from __future__ import annotations

import numpy as np
import pytest

from elicitation.player.media_clock import HostClock, SoundClock

PERIOD_S = 256 / 48_000


def steps(speed: float, seconds: float, delay_s: float, seed: int = 1):
    """A card that plays `speed` times as fast, looked at some time after each step."""
    random = np.random.default_rng(seed)
    for number in range(1, int(seconds / PERIOD_S)):
        yield number * PERIOD_S / speed + random.exponential(delay_s), number * PERIOD_S


@pytest.mark.parametrize("speed", [1.0, 1.0001, 0.982, 1.02])
def test_follows_a_card_within_a_millisecond_however_late_its_steps_are_seen(speed):
    clock = SoundClock(10**12)
    for seen_s, played_s in steps(speed, 6.0, 0.004):
        clock.step(10**12 + round(seen_s * 1e9), played_s)
        if seen_s > 4:
            true_s = 10**12 + seen_s * 1e9
            assert clock.media_s(round(true_s)) == pytest.approx(seen_s * speed, abs=0.0015)
    assert clock.speed == pytest.approx(speed, rel=2e-3)


def test_is_the_hosts_clock_until_the_card_has_said_enough():
    clock = SoundClock(5_000)
    assert clock.host_ns(0.5) == 5_000 + 500_000_000
    assert clock.media_s(5_000 + 10**9) == pytest.approx(1.0)


@pytest.mark.parametrize("clock", [HostClock(123), SoundClock(123)])
def test_both_directions_agree(clock):
    assert clock.media_s(clock.host_ns(3.25)) == pytest.approx(3.25)
