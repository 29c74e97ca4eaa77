"""How long a sender waits for a storage machine that has gone silent while everything else waits for it."""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 60.0
"""Once the ring is full or the trial has ended."""


class Patience:
    """Counts from the moment at which nothing goes on without the storage machine, or from its last word since."""

    def __init__(self) -> None:
        self._blocked_at: float | None = None

    def relax(self) -> None:
        """Something still goes on, or nothing is waited for."""
        self._blocked_at = None

    def begin(self, now: float) -> bool:
        """Everything waits from `now` on (monotonic seconds); False where it did already."""
        if self._blocked_at is not None:
            return False
        self._blocked_at = now
        return True

    def is_over(self, now: float, heard: float) -> bool:
        """Whether it has been silent for too long, by the time of its last word (monotonic seconds)."""
        return self._blocked_at is not None and now - max(self._blocked_at, heard) > PATIENCE_S
