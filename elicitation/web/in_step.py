"""Which moment of the stimulus belongs to which frame of the participant's recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

_SAME_S = 1e-6


@dataclass(frozen=True)
class InStep:
    """The stimulus, frame by frame of a recording."""

    moment_s: npt.NDArray[np.float64]
    """Time in the stimulus at each frame, float64 (frames,), between its pictures; not a number where none was on."""
    shown_s: npt.NDArray[np.float64]
    """Time of the picture of the stimulus that was on the screen at each frame, likewise."""

    @classmethod
    def from_pairs(cls, pairs: Sequence[tuple[int, float]], count: int) -> Self:
        """From pairs of frame and time in the stimulus, ascending, with straight lines between them.

        Args:
            pairs: Frame in the recording, seconds in the stimulus.
            count: Frames of the recording.
        """
        if not pairs:
            return cls.nothing(count)
        frames, times = (np.asarray(column, np.float64) for column in zip(*pairs, strict=True))
        moment_s = np.interp(np.arange(count), frames, times, left=np.nan, right=np.nan)
        return cls(moment_s, moment_s)

    @classmethod
    def from_shown(
        cls, host_ns: npt.NDArray[np.int64], pts_s: npt.NDArray[np.float64], frame_ns: npt.NDArray[np.int64]
    ) -> Self:
        """From the times at which pictures of the stimulus came to the screen.

        Args:
            host_ns: When each shown picture appeared, int64 (pictures,), ascending.
            pts_s: Its time in the stimulus, float64 (pictures,).
            frame_ns: When each frame of the recording was taken, int64 (frames,).
        """
        if not len(host_ns):
            return cls.nothing(len(frame_ns))
        stays_s = float(np.median(np.diff(pts_s))) if len(pts_s) > 1 else 0.04
        since_s = (frame_ns - host_ns[0]) / 1e9
        appeared_s = (host_ns - host_ns[0]) / 1e9
        place = np.searchsorted(appeared_s, since_s + _SAME_S, side="right") - 1
        on = (place >= 0) & (since_s < appeared_s[-1] + stays_s)
        shown_s = np.where(on, pts_s[np.maximum(place, 0)], np.nan)
        moment_s = np.interp(since_s, appeared_s, pts_s) + np.maximum(0.0, since_s - appeared_s[-1])
        return cls(np.where(on, moment_s, np.nan), shown_s)

    @classmethod
    def nothing(cls, count: int) -> Self:
        """No stimulus at any frame."""
        never = np.full(count, np.nan)
        return cls(never, never)

    def at(self, frame: int) -> float | None:
        """Seconds in the stimulus at a frame of the recording; None where none was on the screen."""
        moment = float(self.moment_s[frame])
        return None if np.isnan(moment) else moment

    def changes(self, times_s: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
        """Frames of the recording at which another picture of the stimulus came, with the number of that picture.

        Args:
            times_s: Time of each picture of the stimulus, float64 (pictures,), ascending.

        Returns:
            Pairs, ascending; the number is -1 from where nothing was on the screen. Nothing is on before the first.
        """
        if not len(times_s):
            return []
        numbers = np.searchsorted(times_s, np.nan_to_num(self.shown_s) + _SAME_S, side="right") - 1
        numbers = np.where(np.isnan(self.shown_s), -1, np.maximum(numbers, 0))
        at = np.flatnonzero(np.diff(numbers, prepend=-1))
        return list(zip(at.tolist(), numbers[at].tolist(), strict=True))
