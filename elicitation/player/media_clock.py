"""Which moment of the stimulus is playing now: the sound card's progress, smoothed; without sound the host's clock."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

_WINDOW_NS = 3_000_000_000
_FIT_EVERY_NS = 100_000_000
_FEWEST = 12
"""Steps of the sound card before its own speed is believed; the host's clock carries until then."""


class MediaClock(Protocol):
    """Maps moments of the stimulus to host time."""

    def host_ns(self, media_s: float) -> int:
        """When `media_s` is (or was) played, CLOCK_MONOTONIC."""
        ...

    def media_s(self, host_ns: int) -> float:
        """What is played at `host_ns`."""
        ...


class HostClock:
    """For a stimulus without sound: it plays as fast as the host's clock."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns

    def host_ns(self, media_s: float) -> int:
        """As `MediaClock`."""
        return self._start_ns + round(media_s * 1e9)

    def media_s(self, host_ns: int) -> float:
        """As `MediaClock`."""
        return (host_ns - self._start_ns) / 1e9


class SoundClock:
    """Follows a sound card that takes samples in steps, seen now and then.

    A step is seen at or after the moment at which it happened, never before. So the line that the card follows lies on
    the early side of what was seen: its slope is the regression's, its place the earliest observation's.
    """

    def __init__(self, start_ns: int) -> None:
        self._steps: deque[tuple[int, float]] = deque()
        self._origin_ns = start_ns
        self._offset_s = 0.0
        self._speed = 1.0
        self._fitted_ns = 0

    def step(self, host_ns: int, played_s: float) -> None:
        """The card was seen to have taken samples up to `played_s`, more than when last looked at."""
        self._steps.append((host_ns, played_s))
        while host_ns - self._steps[0][0] > _WINDOW_NS:
            self._steps.popleft()
        if len(self._steps) >= _FEWEST and host_ns - self._fitted_ns >= _FIT_EVERY_NS:
            self._fitted_ns = host_ns
            self._fit()

    def _fit(self) -> None:
        times = np.array([(time_ns - self._origin_ns) / 1e9 for time_ns, _ in self._steps])
        played = np.array([value for _, value in self._steps])
        centre = times.mean()
        spread = times - centre
        self._speed = float(spread @ (played - played.mean()) / (spread @ spread))
        self._offset_s = float((played - self._speed * times).max())

    def host_ns(self, media_s: float) -> int:
        """As `MediaClock`."""
        return self._origin_ns + round((media_s - self._offset_s) / self._speed * 1e9)

    def media_s(self, host_ns: int) -> float:
        """As `MediaClock`."""
        return self._offset_s + self._speed * (host_ns - self._origin_ns) / 1e9

    @property
    def speed(self) -> float:
        """Seconds of sound per second of the host's clock."""
        return self._speed
