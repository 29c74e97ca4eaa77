"""What of a movement speaks for an expression, and what makes it none."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER
from realtime.spotting.history import LID_DROP_PX, LIDS
from realtime.spotting.spot import Rejection

_UPPER_LIDS: Final = tuple(i for i, region in enumerate(REGION_ORDER) if region.value.endswith("upper_lid"))
_LOWER_LIDS: Final = tuple(i for i, region in enumerate(REGION_ORDER) if region.value.endswith("lower_lid"))
_CHIN: Final = REGION_ORDER.index(FaceRegion.CHIN)
_LOWER_LIP: Final = REGION_ORDER.index(FaceRegion.LOWER_LIP)

_SWALLOW_S: Final = 0.5
"""Swallowing takes longer; a chin that is raised for a moment is an expression."""
_ALONE: Final = 0.35
_BRIEFEST_S: Final = 0.03
_BRIEF_S: Final = 0.1
_BRIEF_BEYOND: Final = 1.3
"""What is over so soon must be plainer: noise has more chances to look like it."""
_LIDS_RISE_S: Final = 0.045
"""Lids alone that go up faster follow a glance."""


def evidence(away: npt.NDArray[np.complex64]) -> npt.NDArray[np.float32]:
    """How far (..., 20) displacements speak for an expression: their lengths.

    Of the lids what goes up in both eyes: the upper ones when they are raised, the lower ones when they are tightened.
    Down they go with every blink and every look down.
    """
    lengths = np.abs(away)
    for pair in (_UPPER_LIDS, _LOWER_LIDS):
        lengths[..., pair] = np.maximum(-away[..., pair].imag.mean(axis=-1, keepdims=True), 0)
    return np.asarray(lengths, np.float32)


def blinks(away: npt.NDArray[np.complex64]) -> bool:
    """Whether in (N, 20) displacements the lids come down further than they do when they are tightened."""
    return bool(len(away) and away[:, LIDS].imag.mean(axis=1).max() > LID_DROP_PX)


def objection(beyond: npt.NDArray[np.float32], *, rise_s: float, length_s: float, blinked: bool) -> Rejection | None:
    """Why a movement that is over is no expression; None where it is one.

    Args:
        beyond: (20,) how far each region was beyond its threshold, with what eyes and head explain taken off.
        rise_s: From onset to apex.
        length_s: From onset to offset.
        blinked: Whether the eyes blinked meanwhile.
    """
    if beyond.max() < 1:
        return "blink" if blinked else "head"
    others = np.delete(beyond, (_CHIN, _LOWER_LIP))
    chin = beyond[_CHIN]
    alone = others.max() < _ALONE * chin and beyond[_LOWER_LIP] < 2 * _ALONE * chin
    if chin > 1 and alone and length_s > _SWALLOW_S:
        return "swallow"
    if length_s < (_BRIEFEST_S if beyond.max() > _BRIEF_BEYOND else _BRIEF_S):
        return "brief"
    if beyond[~LIDS].max() < 1 and rise_s < _LIDS_RISE_S:
        return "glance"
    return None
