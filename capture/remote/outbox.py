"""The capture machine's memory of frames that are not safe yet: what may be sent, is sent again, or is given back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from capture.errors import CaptureError
from capture.messages import Image


class Tracker(Protocol):
    """Knows whether the memory of a message is still being read (`zmq.MessageTracker`)."""

    @property
    def done(self) -> bool:
        """Whether it is not."""


@dataclass
class _Held:
    image: Image
    trackers: list[Tracker] = field(default_factory=list)

    @property
    def is_free(self) -> bool:
        return all(tracker.done for tracker in self.trackers)


class Outbox:
    """Frames of one trial, from the moment the camera process tells of them until their slots may be used again.

    Frames are held in the order of their places in the recording, without gaps. `next_to_send` gives those that the
    credit allows; `resume` goes back, or forward, to where the storage machine is; `acknowledge` lets go of what is
    safe there. A slot is free when its frame is acknowledged and no message reads it any more, in that order.
    """

    def __init__(self) -> None:
        self._held: deque[_Held] = deque()
        self._leaving: deque[_Held] = deque()
        self._first = 0
        self._next = 0
        self._done = 0
        self._window = 0
        self.durable = -1
        """The last frame that would survive a crash of the storage machine's process."""

    @property
    def told(self) -> int:
        """Frames of the trial that the camera process has told of."""
        return self._first + len(self._held)

    @property
    def waiting(self) -> int:
        """Frames that are held: not safe yet."""
        return len(self._held)

    @property
    def sent(self) -> int:
        """The next frame to be sent."""
        return self._next

    @property
    def done(self) -> int:
        """Frames that the storage machine has accounted for."""
        return self._done

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left to be sent."""
        return self._next >= self.told

    def add(self, image: Image) -> None:
        """A frame is in its slot; one that was told of already is left alone.

        Raises:
            CaptureError: It does not follow the one before.
        """
        if not self._held and not self._leaving and not self.told:
            # The first that a sender hears of after it was started anew in the middle of a trial.
            self._first = image.seq
        if image.seq < self.told:
            return
        if image.seq > self.told:
            raise CaptureError(f"frame {image.seq} was told of after frame {self.told - 1}")
        self._held.append(_Held(image))
        self._let_go()

    def resume(self, expected: int, window: int) -> int:
        """The storage machine waits for frame `expected`; returns how many frames are sent again.

        Raises:
            CaptureError: It waits for one that is no longer held.
        """
        if expected < self._first:
            raise CaptureError(f"the storage machine lost {self._first - expected:,} frames that it had said were safe")
        again = max(self._next - expected, 0)
        self._next = expected
        self._window = window
        return again

    def pause(self) -> None:
        """The link is cut: nothing may be sent until `resume`."""
        self._window = 0

    def next_to_send(self) -> Image | None:
        """The next frame that may be sent now; `sent_with` must follow."""
        index = self._next - self._first
        if not 0 <= index < len(self._held) or self._next >= self._done + self._window:
            return None
        return self._held[index].image

    def sent_with(self, tracker: Tracker | None) -> None:
        """The frame that `next_to_send` gave is on its way, and is read until `tracker` is done."""
        if tracker is not None:
            self._held[self._next - self._first].trackers.append(tracker)
        self._next += 1

    def acknowledge(self, done: int, durable: int) -> None:
        """Frames before `done` are accounted for."""
        self._done = max(self._done, done)
        self.durable = max(self.durable, durable)
        self._let_go()

    def give_up(self) -> None:
        """No frame will be sent any more: all are let go, those to come too."""
        self._done = 2**62
        self._window = 0
        self._let_go()

    def free_slots(self) -> list[int]:
        """Slots that may be used again, in the order of their frames; each is given once."""
        slots = []
        while self._leaving and self._leaving[0].is_free:
            slots.append(self._leaving.popleft().image.slot)
        return slots

    def _let_go(self) -> None:
        while self._held and self._first < self._done:
            self._leaving.append(self._held.popleft())
            self._first += 1
