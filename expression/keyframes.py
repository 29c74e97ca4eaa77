"""Onset, apex and offset of an expression, the rule that tells micro from macro, and the median of several coders."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from expression.errors import KeyFramesInvalid


@dataclass(frozen=True)
class KeyFrames:
    """Where an expression starts, peaks and ends: frame numbers, all three inclusive.

    Raises:
        KeyFramesInvalid: A number is negative or not whole, or they are not in the order onset, apex, offset.
    """

    onset: int
    """First frame of the movement."""
    apex: int | None
    """Frame of the greatest change; None where a data set (SMIC) does not mark it."""
    offset: int
    """Last frame of the movement."""

    def __post_init__(self) -> None:
        for name in ("onset", "apex", "offset"):
            value = getattr(self, name)
            if value is None and name == "apex":
                continue
            try:
                # Numbers from arrays and tables come in the classes of their libraries.
                object.__setattr__(self, name, operator.index(value))
            except TypeError:
                raise KeyFramesInvalid(f"{name} is {value!r}, which is not a whole frame number") from None
        if self.onset < 0 or not self.onset <= self.peak <= self.offset:
            raise KeyFramesInvalid(
                f"onset {self.onset}, apex {self.apex}, offset {self.offset}: frame numbers start at 0 and must not"
                " fall from onset to apex to offset"
            )

    @property
    def peak(self) -> int:
        """The apex, or the middle of onset and offset (the earlier of two) where no apex is marked."""
        return (self.onset + self.offset) // 2 if self.apex is None else self.apex

    @property
    def frames(self) -> int:
        """How many frames the expression lasts, from onset to offset inclusive."""
        return self.offset - self.onset + 1

    @property
    def rise_frames(self) -> int | None:
        """How many frames it takes from onset to apex inclusive; None without an apex."""
        return None if self.apex is None else self.apex - self.onset + 1

    def is_micro(self, rate_fps: float | Fraction) -> bool:
        """Whether it is a micro-expression: at most 500 ms from onset to offset, or at most 250 ms from onset to apex.

        Frames count inclusively, so at 500 frames a second 250 frames in all, or 125 up to the apex, are still micro
        (DFME paper, annotation stage 2). Without an apex the whole length decides. The comparison is exact; give the
        nominal rate, since a measured 499.99 puts the limit at 249 frames.

        Raises:
            KeyFramesInvalid: The rate is not a positive number.
        """
        if not 0 < rate_fps < float("inf"):
            raise KeyFramesInvalid(
                f"a rate of {rate_fps} frames a second makes no sense; give the camera's nominal rate"
            )
        rise_frames = self.rise_frames
        return 2 * self.frames <= rate_fps or (rise_frames is not None and 4 * rise_frames <= rate_fps)

    def shifted(self, by_frames: int) -> KeyFrames:
        """The same expression counted from another first frame."""
        apex = None if self.apex is None else self.apex + by_frames
        return KeyFrames(self.onset + by_frames, apex, self.offset + by_frames)

    @classmethod
    def median(cls, marks: Sequence[Self]) -> KeyFrames:
        """What several coders together say: the median of each of the three marks.

        For an even number of coders it is the mean of the two middle marks, and of two frames equally near the earlier.
        Medians keep the order of onset, apex and offset.

        Raises:
            KeyFramesInvalid: There are no marks, or only some coders marked an apex.
        """
        if not marks:
            raise KeyFramesInvalid("no coder has marked this expression; a median needs at least one")
        apexes = [mark.apex for mark in marks if mark.apex is not None]
        if apexes and len(apexes) != len(marks):
            raise KeyFramesInvalid(f"{len(apexes)} of {len(marks)} coders marked an apex; all or none must")
        return KeyFrames(
            _median([mark.onset for mark in marks]),
            _median(apexes) if apexes else None,
            _median([mark.offset for mark in marks]),
        )


def _median(values: Sequence[int]) -> int:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
