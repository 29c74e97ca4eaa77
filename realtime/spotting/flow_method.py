"""Spotting by classical optical flow of regions, the nose taken off: how challenges are won, offline; a baseline.

Y. He et al.: Spotting macro- and micro-expression intervals in long video sequences, FG (MEGC) 2020, and the winners
after them: flow of each frame of a window against its first, the bridge of the nose as the head, the box shifted until
it stands still, the strongest vectors of each region, 5 Hz, peaks by their rise.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER
from expression.motion.regions import RegionMeter
from realtime.spotting.offline import Crop, Interval, merged, peaks_of

RISE_PX: Final = 1.8
"""Over the valleys on both sides, in a crop of 256; 1.8 to 2.1 in the literature, for cameras of 30 frames a second."""
WINDOW_S: Final = 6.7
"""200 frames at 30 a second."""
LOW_PASS_HZ: Final = 5.0
_OVERLAP_S: Final = 1.0
_MARGIN_PX: Final = 32
_SHIFTS: Final = 4
_STILL_PX: Final = 1.0
_NOSE_SHARE: Final = 0.7
_STRONGEST_SHARE: Final = 0.25
_READ: Final = tuple(
    region
    for region in FaceRegion
    if region.value.endswith(("brow", "mouth_corner", "nose_wing", "_lip")) or region is FaceRegion.GLABELLA
)

Curves = npt.NDArray[np.float32]


class FlowMethod:
    """Flow of brows, nose wings and mouth against the first frame of a window.

    Args:
        rise_px: How far a region must move, in pixels of a crop of 256: fixed, and not for every camera the right one.
    """

    crop_px: Final = 256 + 2 * _MARGIN_PX
    """The face has 256; the rest is room for the box."""
    steady: Final = False
    most_hz: Final = 50.0

    def __init__(self, rise_px: float = RISE_PX) -> None:
        self._rise_px = rise_px
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        masks = dict(zip(REGION_ORDER, RegionMeter(256).masks, strict=True))
        self._regions = [np.flatnonzero(masks[region]) for region in _READ]
        self._nose = np.flatnonzero(masks[FaceRegion.NOSE_BRIDGE])
        self._crops: list[Crop] = []

    def push(self, crop: Crop) -> None:
        """See `OfflineMethod.push`."""
        self._crops.append(crop.copy())

    def finish(self, rate_hz: float) -> list[Interval]:
        """See `OfflineMethod.finish`."""
        crops, self._crops = self._crops, []
        window, overlap = round(WINDOW_S * rate_hz), round(_OVERLAP_S * rate_hz)
        found: list[Interval] = []
        for first in range(0, max(1, len(crops) - overlap), max(1, window - overlap)):
            part = crops[first : first + window]
            if len(part) >= rate_hz / 2:
                found += [_later(interval, first) for interval in self._in_window(part, rate_hz)]
        return merged(found)

    def _in_window(self, crops: list[Crop], rate_hz: float) -> list[Interval]:
        reference = _box(crops[0], 0, 0)
        curves = np.zeros((len(crops), len(_READ)), np.complex64)
        shift = np.zeros(2, int)
        for number, crop in enumerate(crops):
            curves[number], shift = self._measure(reference, crop, shift)
        found = []
        for region, curve in zip(_READ, curves.T, strict=True):
            along = _low_pass(_along_its_way(curve), rate_hz)
            for sign in (1, -1):
                for onset, apex, offset in peaks_of(sign * along, self._rise_px):
                    height = float(abs(along[apex] - (along[onset] + along[offset]) / 2))
                    found.append(Interval(onset, apex, offset, height / self._rise_px, height, (region,)))
        return merged(found)

    def _measure(
        self, reference: Crop, crop: Crop, shift: npt.NDArray[np.int_]
    ) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.int_]]:
        """Movement of the regions without the nose's, and where the box lay."""
        for attempt in range(_SHIFTS + 1):
            flow = self._flow.calc(reference, _box(crop, *shift), np.zeros((*reference.shape, 2), np.float32))
            vectors = np.ascontiguousarray(flow, np.float32).view(np.complex64).ravel()
            head = _strongest_mean(vectors[self._nose], _NOSE_SHARE)
            if abs(head) <= _STILL_PX or attempt == _SHIFTS:
                break
            step = np.rint([head.real, head.imag]).astype(int)
            shift = np.clip(shift + step, -_MARGIN_PX, _MARGIN_PX)
        moved = [_strongest_mean(vectors[inside] - head, _STRONGEST_SHARE) for inside in self._regions]
        return np.array(moved, np.complex64), shift


def _box(crop: Crop, x: int, y: int) -> Crop:
    return np.ascontiguousarray(crop[_MARGIN_PX + y : _MARGIN_PX + y + 256, _MARGIN_PX + x : _MARGIN_PX + x + 256])


def _strongest_mean(vectors: npt.NDArray[np.complex64], share: float) -> complex:
    count = max(1, round(share * len(vectors)))
    return complex(vectors[np.argpartition(np.abs(vectors), len(vectors) - count)[-count:]].mean())


def _along_its_way(curve: npt.NDArray[np.complex64]) -> npt.NDArray[np.float64]:
    """(N,) the movement along the direction in which it goes most."""
    parts = np.stack([curve.real, curve.imag]).astype(np.float64)
    parts -= parts.mean(axis=1, keepdims=True)
    _, ways = np.linalg.eigh(parts @ parts.T)
    return np.asarray(ways[:, -1] @ parts, np.float64)


def _low_pass(curve: npt.NDArray[np.float64], rate_hz: float) -> npt.NDArray[np.float64]:
    """Without what is faster than 5 Hz; mirrored at both ends, so that they do not meet."""
    mirrored = np.concatenate([curve, curve[::-1]])
    spectrum = np.fft.rfft(mirrored)
    spectrum[np.fft.rfftfreq(len(mirrored), 1 / rate_hz) > LOW_PASS_HZ] = 0
    return np.fft.irfft(spectrum, len(mirrored))[: len(curve)]


def _later(interval: Interval, by: int) -> Interval:
    return Interval(
        interval.onset + by,
        interval.apex + by,
        interval.offset + by,
        interval.strength,
        interval.height,
        interval.regions,
    )
