"""Spotting by the change of texture: the feature difference of local binary patterns, a baseline.

A. Moilanen et al.: Spotting rapid facial movements from videos using appearance-based feature difference analysis,
ICPR 2014; X. Li et al.: Towards reading hidden emotions, IEEE TAFFC 2018.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from expression.motion import contrast, feature_difference, lbp_histograms, peak_threshold
from realtime.spotting.offline import Crop, Interval

HALF_WINDOW_S: Final = 0.25
"""k: half of the longest micro-expression."""
TAU: Final = 0.25
"""Between mean (0) and maximum (1) of the contrasted difference; 0.05 to 0.4 in the literature."""
_LOWER_EDGE: Final = 1 / 3
"""Share of the peak at which a movement begins and ends."""


class LbpMethod:
    """Feature difference of binary patterns, 6x6 blocks, the twelve that change most.

    Args:
        tau: Where the threshold lies between mean and maximum. There is always something above it: in a recording
            without expressions that is a blink.
    """

    crop_px: Final = 128
    steady: Final = True
    most_hz: Final = 100.0

    def __init__(self, tau: float = TAU) -> None:
        self._tau = tau
        self._histograms: list[npt.NDArray[np.float16]] = []

    def push(self, crop: Crop) -> None:
        """See `OfflineMethod.push`."""
        self._histograms.append(lbp_histograms(crop).astype(np.float16))

    def finish(self, rate_hz: float) -> list[Interval]:
        """See `OfflineMethod.finish`."""
        histograms, self._histograms = self._histograms, []
        k = max(1, round(HALF_WINDOW_S * rate_hz))
        if len(histograms) <= 4 * k:
            return []
        curve = contrast(_difference(histograms, k), k)
        threshold = peak_threshold(curve, self._tau)
        found = []
        at = int(curve.argmax())
        left = curve.copy()
        while left[at] > threshold:
            # Peaks are at least k apart: the highest first, and what is around it is taken.
            low = curve[at] * _LOWER_EDGE
            before = np.flatnonzero(curve[:at] < low)
            after = np.flatnonzero(curve[at:] < low)
            onset = int(before[-1]) + 1 if len(before) else 0
            offset = at + int(after[0]) - 1 if len(after) else len(curve) - 1
            found.append(Interval(onset, at, max(offset, at), float(curve[at] / max(threshold, 1e-9))))
            left[max(0, at - k) : at + k + 1] = 0
            left[onset : offset + 1] = 0
            at = int(left.argmax())
        return sorted(found, key=lambda interval: interval.onset)


def _difference(histograms: list[npt.NDArray[np.float16]], k: int) -> npt.NDArray[np.float32]:
    """The feature difference of all frames, in pieces that fit the memory."""
    piece = 8 * k
    parts = []
    for first in range(0, len(histograms) - 2 * k, piece):
        stack = np.stack(histograms[first : first + piece + 2 * k]).astype(np.float32)
        parts.append(feature_difference(stack, k)[k:-k])
    rest = np.zeros(k, np.float32)
    return np.concatenate([rest, *parts, rest])
