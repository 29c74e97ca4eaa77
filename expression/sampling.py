"""Which frames of an expression a recognition model sees: evenly over the clip, or gathered around the apex."""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

from expression.errors import BadInput
from expression.keyframes import KeyFrames

SamplingMethod = Literal["uniform", "adaptive-halves", "adaptive-proportional"]
"""How frames are chosen.

- `uniform`: evenly from onset to offset.
- `adaptive-halves`: half of the frames evenly on onset..apex, half on the rest up to the offset.
- `adaptive-proportional`: the apex, and on each side of it a share of frames that follows the apex position, so that
  steps are about equal on both sides.

The last two are readings of the temporal adaptive sampling of ME-PLAN (Zhao et al. 2022), whose formula is not
published.
"""


def sample_frames(key_frames: KeyFrames, count: int = 16, method: SamplingMethod = "uniform") -> npt.NDArray[np.int64]:
    """Frame numbers that stand for an expression.

    Args:
        key_frames: The expression; where no apex is marked the middle takes its place.
        count: How many frames, at least 1.
        method: See `SamplingMethod`. The adaptive ones contain the apex always, onset and apex from two frames on, and
            all three key-frames from three on.

    Returns:
        (count,) int64, ascending, within onset..offset. Frames repeat where a stretch has fewer than are asked of it.

    Raises:
        BadInput: `count` is less than 1.
    """
    if count < 1:
        raise BadInput(f"{count} frames cannot stand for an expression; ask for at least 1")
    onset, peak, offset = key_frames.onset, key_frames.peak, key_frames.offset
    if count == 1:
        return np.array([(onset + offset) // 2 if method == "uniform" else peak], dtype=np.int64)
    if method == "uniform":
        return _evenly(onset, offset, count)
    if method == "adaptive-halves":
        before = (count - 1) // 2
    elif method == "adaptive-proportional":
        before = _share(peak - onset, offset - onset, count - 1)
    else:
        assert_never(method)
    if count == 2:
        before = 1
    rise = _evenly(onset, peak, before + 1) if before else np.array([peak])
    return np.concatenate([rise, _evenly(peak, offset, count - before)[1:]])


def _share(rise: int, length: int, steps: int) -> int:
    """How many of `steps` lie before the apex: in proportion, but at least one on each side that has frames."""
    if rise == 0:
        return 0
    if rise == length:
        return steps
    nearest = (2 * steps * rise + length) // (2 * length)
    return min(max(nearest, 1), max(steps - 1, 1))


def _evenly(first: int, last: int, count: int) -> npt.NDArray[np.int64]:
    """`count` frames from first to last, both included, in whole numbers: halves go up, whatever the platform."""
    if count == 1:
        return np.array([first], dtype=np.int64)
    steps = count - 1
    return first + (2 * np.arange(count, dtype=np.int64) * (last - first) + steps) // (2 * steps)
