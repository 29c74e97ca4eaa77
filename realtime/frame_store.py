"""Keeps the last seconds of the face, so that an expression can be looked at again once it is over."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.face import Alignment
from expression.face.detect import Picture

KEPT_WHOLE_S: Final = 1.0
"""Micro-expressions and the time it takes to notice them."""
KEPT_S: Final = 6.0
"""Macro-expressions, of which fewer frames will do."""
THINNED_HZ: Final = 50.0
_MARGIN_SHARE: Final = 0.08


@dataclass(frozen=True)
class _Kept:
    number: int
    time_s: float
    corner: tuple[int, int]
    """x and y of the patch in the frame."""
    patch: Picture


class FrameStore:
    """The part of each frame that shows the face, for some seconds.

    Args:
        spare: Patches whose memory is used again, at most.
    """

    def __init__(self, spare: int = 8) -> None:
        self._recent: deque[_Kept] = deque()
        self._thinned: deque[_Kept] = deque()
        self._spare: deque[Picture] = deque(maxlen=spare)

    def clear(self) -> None:
        """Forget all frames."""
        self._recent.clear()
        self._thinned.clear()

    def add(self, number: int, time_s: float, frame: Picture, window: tuple[slice, slice]) -> None:
        """Keep a frame's part; older frames are thinned out or forgotten."""
        rows, columns = window
        part = frame[rows, columns]
        patch = self._spare.pop() if self._spare and self._spare[-1].shape == part.shape else np.empty_like(part)
        np.copyto(patch, part)
        self._recent.append(_Kept(number, time_s, (columns.start, rows.start), patch))
        while self._recent[0].time_s < time_s - KEPT_WHOLE_S:
            old = self._recent.popleft()
            if not self._thinned or old.time_s - self._thinned[-1].time_s >= 1 / THINNED_HZ:
                self._thinned.append(old)
            else:
                self._spare.append(old.patch)
        while self._thinned and self._thinned[0].time_s < time_s - KEPT_S:
            self._spare.append(self._thinned.popleft().patch)

    def crops(self, numbers: npt.NDArray[np.int64], alignment: Alignment) -> npt.NDArray[np.uint8] | None:
        """Aligned crops of the kept frames that are nearest to these; (N, size, size), None where nothing is kept."""
        kept = [*self._thinned, *self._recent]
        if not kept:
            return None
        known = np.array([entry.number for entry in kept])
        after = (
            np.clip(np.searchsorted(known, numbers), 1, len(known) - 1) if len(known) > 1 else np.zeros_like(numbers)
        )
        before = np.maximum(after - 1, 0)
        nearest = np.where(numbers - known[before] <= known[after] - numbers, before, after)
        return np.stack([_crop(kept[int(index)], alignment) for index in nearest])


def window_of(alignment: Alignment) -> tuple[slice, slice]:
    """Rows and columns of the frame that hold the crop, with room for a head that moves."""
    outline = alignment.outline
    (left, top), (right, bottom) = outline.min(0), outline.max(0)
    margin = _MARGIN_SHARE * (right - left)
    height, width = alignment.source_shape
    return (
        slice(max(0, int(top - margin)), min(height, int(bottom + margin) + 1)),
        slice(max(0, int(left - margin)), min(width, int(right + margin) + 1)),
    )


def _crop(kept: _Kept, alignment: Alignment) -> npt.NDArray[np.uint8]:
    matrix = alignment.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array(kept.corner, np.float64)
    height, width = kept.patch.shape
    return Alignment(matrix, alignment.size_px, (height, width), alignment.scheme).apply(kept.patch)
