"""Measures a frame rate over the last second."""

from __future__ import annotations

from collections import deque

_WINDOW_NS = 1_000_000_000
_MARK_NS = 50_000_000


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
