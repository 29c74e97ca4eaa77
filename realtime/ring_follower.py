"""Follows the ring of frames without holding it back: which frame comes next, and which had to be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capture.ring import FrameMeta, RingReader
from expression.face.detect import Picture

_RESERVE_SHARE: Final = 0.15
"""Share of the ring ahead of the writer that is not read: frames there may be overwritten meanwhile."""
_CATCH_UP_SHARE: Final = 0.3
"""How far behind the newest frame it goes on after frames had to be left out: not at the brink again at once."""


@dataclass(frozen=True)
class RingFrame:
    """A frame where it lies in the ring."""

    number: int
    """In the recording, or counted on from where the preview began."""
    meta: FrameMeta
    pixels: Picture
    """(height, width) uint8, a view of the ring."""
    recorded: bool
    """Whether it is part of a trial."""
    index: int
    """Frames of the ring before it."""
    version: int


class RingFollower:
    """Reads the ring's frames in order, as long as it keeps up.

    The ring's frame k lies in slot k modulo their number; a trial's frames are those from `begin_trial` to `end_trial`.

    Args:
        ring: The ring.
        resume_at: Frame of the ring to go on at; None for the newest.
    """

    def __init__(self, ring: RingReader, resume_at: int | None = None) -> None:
        self._ring = ring
        self.position = ring.published if resume_at is None else resume_at
        self.analysed = 0
        """Frames of trials that were looked at."""
        self.skipped = 0
        """Frames of trials that were not."""
        self._first: int | None = None
        self._stop: int | None = None
        self._resume_at = resume_at
        self._counted_from = 0
        """Frame of the ring from which on this trial's frames were counted here."""
        self._left_out: list[tuple[int, int]] = []
        """Frames of this trial that were counted as left out: first, and first behind them."""

    @property
    def in_trial(self) -> bool:
        """Whether a trial was begun and not all of its frames were dealt with."""
        return self._first is not None and (self._stop is None or self.position < self._stop)

    @property
    def finishing(self) -> bool:
        """Whether a trial has ended and some of its frames were not dealt with yet."""
        return self._stop is not None and self.in_trial

    @property
    def waiting(self) -> int:
        """Frames that are there and were not dealt with."""
        return max(0, self._ring.published - self.position)

    def begin_trial(self, published: int) -> None:
        """A trial begins with the ring's frame `published`; frames that came meanwhile are gone back to."""
        self._first, self._stop = published, None
        # A successor goes on where the one before it stopped; what is overwritten since then is counted as left out.
        self.position = max(self._resume_at or 0, published)
        self._resume_at = None
        self._counted_from, self._left_out = self.position, []

    def end_trial(self, frames: int) -> None:
        """The trial has so many frames."""
        if self._first is None:
            return
        stop = self._stop = self._first + frames
        # Until now, frames of a trial that had begun behind it were taken for its own; they are gone back to.
        beyond = max(0, self.position - max(stop, self._counted_from))
        left_out = sum(max(0, last - max(first, stop)) for first, last in self._left_out)
        self.skipped -= left_out
        self.analysed -= beyond - left_out

    def next(self) -> RingFrame | None:
        """The next frame, or None where there is none yet."""
        ring = self._ring
        published = ring.published
        if self.position >= published:
            return None
        oldest = published - ring.slots + max(1, round(_RESERVE_SHARE * ring.slots))
        if self.position < oldest:
            self._leave_out(max(oldest, published - max(1, round(_CATCH_UP_SHARE * ring.slots))))
        index = self.position
        slot = index % ring.slots
        version, meta = ring.meta(slot)
        if version & 1 or version == 0:
            self._leave_out(index + 1)
            return None
        first, stop = self._first, self._stop
        recorded = first is not None and index >= first and (stop is None or index < stop)
        number = index - first if recorded and first is not None else meta.seq
        pixels = np.frombuffer(ring.pixels(slot), np.uint8).reshape(ring.height_px, ring.width_px)
        return RingFrame(number, meta, pixels, recorded, index, version)

    def done(self, frame: RingFrame) -> bool:
        """The frame was looked at; False where it was overwritten meanwhile."""
        intact = self._ring.meta(frame.index % self._ring.slots)[0] == frame.version
        self.position = max(self.position, frame.index + 1)
        if frame.recorded:
            self.analysed += intact
            self.skipped += not intact
            if not intact:
                self._left_out.append((frame.index, frame.index + 1))
        return intact

    def _leave_out(self, position: int) -> None:
        first = self._first
        if first is not None:
            last = position if self._stop is None else min(position, self._stop)
            begin = max(self.position, first)
            if last > begin:
                self.skipped += last - begin
                self._left_out.append((begin, last))
        self.position = position
