"""The last seconds of all curves, smoothed, without the steps that a glance leaves in what lies around the eyes.

A glance takes 20 to 50 ms, and then the irises stay elsewhere: everything that is measured within reach of the eyes has
made a step. Left in the curves, a step hides what the brows do until the neutral level has followed, a second later.
Skin does not move so fast and stand still so soon; so steps are found in the lids by their shape, and taken off again
where they have been measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER

LOW_PASS_SD_S: Final = 0.008
"""Gaussian low-pass: what is faster than 20 Hz is no skin. Its second half is the delay that it costs."""
_LOW_PASS_REACH: Final = 3.0
_CAPACITY_S: Final = 8.0

LIDS: Final = np.array([region.value.endswith("_lid") for region in REGION_ORDER])
_EYE_PULLS: Final = {
    FaceRegion.RIGHT_INNER_BROW: 0.6,
    FaceRegion.LEFT_INNER_BROW: 0.6,
    FaceRegion.RIGHT_OUTER_BROW: 0.6,
    FaceRegion.LEFT_OUTER_BROW: 0.6,
    FaceRegion.RIGHT_CHEEK: 0.6,
    FaceRegion.LEFT_CHEEK: 0.6,
    FaceRegion.FOREHEAD: 0.35,
    FaceRegion.NOSE_BRIDGE: 0.4,
    FaceRegion.GLABELLA: 0.25,
}
_REST_PULL: Final = 0.08
PULLED: Final = np.array([_EYE_PULLS.get(region, _REST_PULL) for region in REGION_ORDER], np.float32)
"""The eyes pull at what lies around them, and the flow's window carries what irises and lids do over the eye's rim: by
so much at most of what the lids moved."""
_REACHED: Final = np.where(LIDS, np.inf, np.where(PULLED > _REST_PULL, PULLED, 0))
"""How much of a step in the lids may be a step elsewhere; beyond reach of the eyes there is none."""

_QUIET_S: Final = 0.03
"""Eyes stand still for so long before and after a glance."""
_STEP_S: Final = 0.05
"""A glance takes no longer: 21 ms and 2.2 ms for each degree."""
_LEAST_STEP_PX: Final = 0.1
_QUIET_SHARE: Final = 0.15
LID_DROP_PX: Final = 0.35
"""Lids that go down by more are blinking."""


class History:
    """Curves of all regions, for eight seconds at least.

    Positions count from the oldest sample that is kept; `add` tells when they change.

    Args:
        rate_hz: Samples a second.
    """

    def __init__(self, rate_hz: float) -> None:
        half = max(1, round(_LOW_PASS_REACH * LOW_PASS_SD_S * rate_hz))
        steps = np.arange(-half, half + 1) / rate_hz
        kernel = np.exp(-(steps**2) / (2 * LOW_PASS_SD_S**2))
        self._kernel = (kernel / kernel.sum()).astype(np.float32)[:, None]
        self.half = half
        """Samples by which the smoothed curves lag behind."""
        self._capacity = round(_CAPACITY_S * rate_hz)
        self._quiet = max(2, round(_QUIET_S * rate_hz))
        self._step = max(1, round(_STEP_S * rate_hz))
        self.time_s = np.zeros(2 * self._capacity)
        self.raw = np.zeros((2 * self._capacity, len(REGION_ORDER)), np.complex64)
        self.smooth = np.zeros_like(self.raw)
        """Valid from `half` on, up to `half` before the newest sample."""
        self.head = np.zeros((2 * self._capacity, 2), np.float32)
        self._lids = np.zeros(2 * self._capacity, np.complex64)
        self.restart()

    def restart(self) -> None:
        """Forget all samples."""
        self.count = 0
        self.since_start = 0
        """Samples since the beginning, forgotten ones included."""
        self._steps = np.zeros(len(REGION_ORDER), np.complex64)

    @property
    def newest(self) -> npt.NDArray[np.complex64]:
        """(20,) the newest sample as it came."""
        return np.asarray(self.raw[self.count - 1] + self._steps, np.complex64)

    @property
    def bytes_held(self) -> int:
        """Memory of the curves; it never grows."""
        return self.time_s.nbytes + self.raw.nbytes + self.smooth.nbytes + self.head.nbytes + self._lids.nbytes

    def add(self, time_s: float, regions: npt.NDArray[np.complex64], head_px: tuple[float, float]) -> int:
        """Take one sample.

        Returns:
            By how many positions the samples kept so far have moved down, because older ones were forgotten.
        """
        forgotten = 0
        if self.count == 2 * self._capacity:
            forgotten = self._capacity
            for array in (self.time_s, self.raw, self.smooth, self.head, self._lids):
                array[:forgotten] = array[forgotten:]
            self.count = forgotten
        now = self.count
        self.time_s[now] = time_s
        self.raw[now] = regions - self._steps
        self._lids[now] = self.raw[now, LIDS].mean()
        self.head[now] = head_px
        self.count = now + 1
        self.since_start += 1
        if now >= 2 * self.half:
            self._smoothen(now - self.half)
        return forgotten

    def _smoothen(self, at: int) -> None:
        self.smooth[at] = (self._kernel * self.raw[at - self.half : at + self.half + 1]).sum(axis=0)

    def take_off_glance(self) -> int | None:
        """Take off the step of a glance that is over now.

        Returns:
            Position from which on the curves have changed; None where there was no glance.
        """
        quiet, stop = self._quiet, self.count
        first = stop - 2 * quiet - self._step
        if first < 0 or self.since_start <= 2 * quiet + self._step:
            return None
        if abs(self._lids[stop - 1] - self._lids[first]) < _LEAST_STEP_PX / 2:
            return None
        before, after = self._lids[first : first + quiet], self._lids[stop - quiet : stop]
        level = before[: quiet // 2 + 1].mean()
        jump = complex(after[quiet - quiet // 2 - 1 :].mean() - level)
        size = abs(jump)
        if size < _LEAST_STEP_PX or (jump.imag > LID_DROP_PX and jump.imag > abs(jump.real)):
            return None
        if max(np.abs(before - level).max(), np.abs(after - level - jump).max()) > _QUIET_SHARE * size:
            return None
        steps = self.raw[stop - quiet // 2 - 1 : stop].mean(axis=0) - self.raw[first : first + quiet // 2 + 1].mean(
            axis=0
        )
        lengths = np.abs(steps)
        steps *= np.minimum(1, _REACHED * size / np.maximum(lengths, 1e-9))
        course = np.clip(((self._lids[first:stop] - level) * np.conj(jump)).real / size**2, 0, 1)
        self.raw[first:stop] -= (course[:, None] * steps).astype(np.complex64)
        self._lids[first:stop] = self.raw[first:stop, LIDS].mean(axis=1)
        self._steps = (self._steps + steps).astype(np.complex64)
        for at in range(max(self.half, first - self.half), stop - self.half):
            self._smoothen(at)
        return first


def median_of(values: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """(20,) median of (N, 20) displacements, of x and y each."""
    parts = np.ascontiguousarray(values).view(np.float32).reshape(len(values), -1, 2)
    return np.ascontiguousarray(np.median(parts, axis=0).astype(np.float32)).view(np.complex64)[:, 0]
