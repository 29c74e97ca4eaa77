"""Measures a frame rate over the last second, and notices a camera that stays below the rate asked for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_WINDOW_NS = 1_000_000_000
_MARK_NS = 50_000_000
_FEWEST_FRAMES = 10
"""Frames that a judged stretch should hold, so that one more or less is no verdict."""
_SLOW_STRETCHES = 3
"""A camera is called slow after so many stretches in a row, so that a single hiccup is no verdict either."""
_GOOD_STRETCHES = 2


class RateMeter:
    """Frames a second over a sliding second, from the frames' own times; a mark each 50 ms keeps it cheap."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()
        self._count = 0
        self._last_ns = 0

    def reset(self) -> None:
        """Forget what was measured."""
        self._marks.clear()
        self._count = 0
        self._last_ns = 0

    def frame(self, time_ns: int) -> None:
        """Note a frame taken at `time_ns`; a clock that was set back starts the measurement anew."""
        if time_ns < self._last_ns:
            self.reset()
        if not self._marks or time_ns - self._marks[-1][0] >= _MARK_NS:
            self._marks.append((time_ns, self._count))
            while len(self._marks) > 2 and time_ns - self._marks[1][0] >= _WINDOW_NS:
                self._marks.popleft()
        self._count += 1
        self._last_ns = time_ns

    @property
    def fps(self) -> float:
        """Frames a second; 0 before the second frame."""
        if not self._marks:
            return 0.0
        begin_ns, begin_count = self._marks[0]
        elapsed = self._last_ns - begin_ns
        return (self._count - 1 - begin_count) * 1e9 / elapsed if elapsed > 0 else 0.0


@dataclass(frozen=True)
class RateVerdict:
    """The camera has become slow, or is back at its rate."""

    slow: bool
    fps: float
    """Rate over the stretches that led to the verdict."""
    seconds: float
    """Length of them; of the whole slow time once the camera is back at its rate."""


class RateWatch:
    """Compares the rate at which a camera takes frames with the one asked for, second by second.

    Frames lost on the way count as taken: those have events of their own, and the camera is not slow.

    Args:
        asked_fps: The rate that it should keep.
        tolerance: Share by which it may stay below.
    """

    def __init__(self, asked_fps: float, tolerance: float) -> None:
        self._limit_fps = asked_fps * (1 - tolerance)
        self._stretch_ns = max(_WINDOW_NS, round(_FEWEST_FRAMES * 1e9 / asked_fps))
        self.slow = False
        self.restart()

    def restart(self) -> None:
        """Begin anew: a trial starts, or the camera was away."""
        self._mark: tuple[int, int, int] | None = None
        self._stretches: deque[tuple[int, int]] = deque(maxlen=max(_SLOW_STRETCHES, _GOOD_STRETCHES))
        self._slow_since_ns = 0

    def observe(self, host_ns: int, time_ns: int, taken: int) -> RateVerdict | None:
        """Take in where things stand, some ten times a second; returns a verdict when it changes.

        Args:
            host_ns: Now.
            time_ns: When the last frame was taken, by its own clock.
            taken: Frames taken so far.
        """
        if self._mark is None:
            self._mark = (host_ns, time_ns, taken)
            return None
        then_ns, then_time_ns, then_taken = self._mark
        elapsed_ns = time_ns - then_time_ns
        waited_ns = host_ns - then_ns
        # No frame for a while, or a clock that stepped: only the host knows how long that was.
        if not 0.5 * waited_ns <= elapsed_ns <= 1.5 * waited_ns:
            elapsed_ns = waited_ns
        if waited_ns < self._stretch_ns or elapsed_ns < 0.8 * self._stretch_ns:
            return None
        self._mark = (host_ns, time_ns, taken)
        self._stretches.append((taken - then_taken, elapsed_ns))
        return self._judge(host_ns)

    def _judge(self, host_ns: int) -> RateVerdict | None:
        wanted = _GOOD_STRETCHES if self.slow else _SLOW_STRETCHES
        recent = list(self._stretches)[-wanted:]
        as_slow = [frames * 1e9 / elapsed_ns < self._limit_fps for frames, elapsed_ns in recent]
        if len(recent) < wanted or any(slow == self.slow for slow in as_slow):
            return None
        self.slow = not self.slow
        length_ns = sum(elapsed_ns for _, elapsed_ns in recent)
        fps = sum(frames for frames, _ in recent) * 1e9 / length_ns
        if self.slow:
            self._slow_since_ns = host_ns - length_ns
            return RateVerdict(True, fps, length_ns / 1e9)
        return RateVerdict(False, fps, (host_ns - length_ns - self._slow_since_ns) / 1e9)
