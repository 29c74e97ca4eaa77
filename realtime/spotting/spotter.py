"""Finds expressions in the movement of face regions while it happens, at any frame rate.

A region speaks up when it has moved further from its running neutral level than it usually wanders. From then on the
level is held until the face has come back; then onset, apex and offset are read off the whole curve. All lengths are
seconds and all thresholds follow the region's own noise, so that rate, camera and participant may be any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER
from realtime.spotting.curve import Edges, edges_of
from realtime.spotting.spot import Rejection, Spot, SpotterSetting

LOW_PASS_SD_S: Final = 0.008
"""Gaussian low-pass: what is faster than 20 Hz is no skin. Its second half is the delay that it costs."""
_LOW_PASS_REACH: Final = 3.0
NEUTRAL_S: Final = 1.6
"""The neutral level is the median over so long: twice the longest micro-expression and more."""
NOISE_S: Final = 20.0
"""How far back a region's usual wandering is looked at."""
_LEVELS_EVERY_S: Final = 0.05
_NOISE_PRIOR_S: Final = 3.0
"""Weight of the wandering that is taken for usual before there is any to look at."""
WARM_UP_S: Final = 0.5
HOLD_S: Final = 0.05
"""How long the face must have come back before an expression counts as over."""
LONGEST_S: Final = 5.0
"""A movement that has not come back by then is a new neutral face."""
SETTLED_S: Final = 0.3
"""A face that has not moved for so long is at rest, where it was before or elsewhere."""
_SETTLED_SHARE: Final = 0.6
"""Share of its threshold by which a region may wander and count as at rest."""
_BEFORE_S: Final = 0.8
_HEAD_S: Final = 0.4
"""Over how long the head's movement is counted against one that begins."""
_RETURNED: Final = 0.3
"""Share of the apex at which the face counts as back; a third, as where movements are cut offline."""
_RETURNED_FROM_HOLD: Final = 0.45
_ACTIVE_SHARE: Final = 0.35
"""Share of what the strongest region moved from which another takes part."""
_EYE_REACH_S: Final = 0.06
_SWALLOW_S: Final = 0.5
"""Swallowing takes longer; a chin that is raised for a moment is an expression."""
_ALONE: Final = 0.35
_MEDIAN_LENGTH: Final = 1.18
"""Of a vector with two equal normal parts, in their standard deviations."""
_FEW: Final = 1.2
"""Half a second tells the wandering only roughly: rather more than less."""
_CAPACITY_S: Final = 8.0
_LONGEST_GAP_S: Final = 0.1


# The eyes pull at what lies around them, and the flow's window carries what irises and lids do over the eye's rim: by
# so much of what the lids moved.
_PULL: Final = {
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
_LIDS: Final = np.array([region.value.endswith("_lid") for region in REGION_ORDER])
_PULLED: Final = np.array([_PULL.get(region, _REST_PULL) for region in REGION_ORDER], np.float32)
_CHIN: Final = REGION_ORDER.index(FaceRegion.CHIN)
_LOWER_LIP: Final = REGION_ORDER.index(FaceRegion.LOWER_LIP)


@dataclass(frozen=True)
class _Hold:
    """A movement that came to rest elsewhere: a new neutral face, or an expression that is held."""

    began: int
    level: npt.NDArray[np.complex64]
    """Neutral before it."""
    peak: npt.NDArray[np.float32]
    peak_at: npt.NDArray[np.intp]

    def earlier(self, by: int) -> _Hold | None:
        """The same after the oldest samples were forgotten; None where it is among them."""
        return None if self.began < by else replace(self, began=self.began - by, peak_at=self.peak_at - by)


class Spotter:
    """Takes the regions' movement sample by sample and tells of each expression once it is over.

    Samples must be evenly spaced at `rate_hz`, but for gaps: short ones are bridged by a straight line, and after one
    of more than a tenth of a second everything begins anew.

    Args:
        rate_hz: Samples a second.
        setting: What an expression must be.
    """

    def __init__(self, rate_hz: float, setting: SpotterSetting | None = None) -> None:
        self.rate_hz = rate_hz
        self._setting = setting or SpotterSetting()
        half = max(1, round(_LOW_PASS_REACH * LOW_PASS_SD_S * rate_hz))
        steps = np.arange(-half, half + 1) / rate_hz
        kernel = np.exp(-(steps**2) / (2 * LOW_PASS_SD_S**2))
        self._kernel = (kernel / kernel.sum()).astype(np.float32)[:, None]
        self._half = half
        self._capacity = round(_CAPACITY_S * rate_hz)
        self._time = np.zeros(2 * self._capacity)
        self._raw = np.zeros((2 * self._capacity, len(REGION_ORDER)), np.complex64)
        self._smooth = np.zeros_like(self._raw)
        self._head = np.zeros((2 * self._capacity, 2), np.float32)
        self._levels_every = max(1, round(_LEVELS_EVERY_S * rate_hz))
        self._noise = np.zeros((round(NOISE_S / _LEVELS_EVERY_S), len(REGION_ORDER)), np.float32)
        self._noise_filled = 0
        self._noise_next = 0
        self._thresholds: npt.NDArray[np.float32] = np.zeros(len(REGION_ORDER), np.float32)
        self._usual = np.full(len(REGION_ORDER), self._setting.usual_px, np.float32)
        self.restart()

    def restart(self) -> None:
        """Forget the curves, not how much each region usually wanders: the face was lost, or frames are missing."""
        self._count = 0
        self._since_start = 0
        self._neutral = np.zeros(len(REGION_ORDER), np.complex64)
        self._began: int | None = None
        self._held = self._neutral
        self._peak = np.zeros(len(REGION_ORDER), np.float32)
        self._peak_at = np.zeros(len(REGION_ORDER), np.intp)
        self._hold: _Hold | None = None
        self._ended = 0
        self._set_thresholds()

    @property
    def moving(self) -> bool:
        """Whether something moves just now that may become an expression."""
        return self._began is not None

    @property
    def thresholds_px(self) -> npt.NDArray[np.float32]:
        """(20,) how far each region must move now."""
        return self._thresholds

    def push(self, time_s: float, regions: npt.NDArray[np.complex64], head_px: tuple[float, float]) -> list[Spot]:
        """Take one sample; usually nothing has ended with it.

        Args:
            time_s: When it was taken, in any clock.
            regions: (20,) movement of the regions, as `Stabilised.regions`.
            head_px: Where the head is in the crop.
        """
        if self._count:
            last = self._count - 1
            passed = time_s - float(self._time[last])
            if not 0 < passed < max(_LONGEST_GAP_S, 2.5 / self.rate_hz):
                self.restart()
            elif (steps := round(passed * self.rate_hz)) > 1:
                return self._bridge(time_s, regions, head_px, steps)
        return self._add(time_s, regions, head_px)

    def _bridge(
        self, time_s: float, regions: npt.NDArray[np.complex64], head_px: tuple[float, float], steps: int
    ) -> list[Spot]:
        """Go straight over a few samples that are missing."""
        last = self._count - 1
        before_s, before, head = float(self._time[last]), self._raw[last].copy(), self._head[last].copy()
        spots = []
        for step in range(1, steps + 1):
            share = step / steps
            at_head = head + share * (np.asarray(head_px, np.float32) - head)
            spots += self._add(
                before_s + share * (time_s - before_s),
                (before + np.float32(share) * (regions - before)).astype(np.complex64),
                (float(at_head[0]), float(at_head[1])),
            )
        return spots

    def _add(self, time_s: float, regions: npt.NDArray[np.complex64], head_px: tuple[float, float]) -> list[Spot]:
        if self._count == 2 * self._capacity:
            self._forget_old()
        now = self._count
        self._time[now] = time_s
        self._raw[now] = regions
        self._head[now] = head_px
        self._count = now + 1
        self._since_start += 1
        at = now - self._half
        if at < self._half:
            return []
        self._smooth[at] = (self._kernel * self._raw[at - self._half : now + 1]).sum(axis=0)
        if self._since_start % self._levels_every == 0 and self._began is None:
            self._follow(at)
        warm_up = round(WARM_UP_S * self.rate_hz)
        if self._since_start < warm_up:
            return []
        if self._since_start == warm_up:
            self._first_look(at)
        return self._step(at)

    def _forget_old(self) -> None:
        keep = self._capacity
        for array in (self._time, self._raw, self._smooth, self._head):
            array[:keep] = array[keep:]
        self._count = keep
        self._ended = max(0, self._ended - keep)
        if self._began is not None:
            self._began -= keep
            self._peak_at = np.maximum(self._peak_at - keep, 0)
        if self._hold is not None:
            self._hold = self._hold.earlier(keep)

    def _follow(self, at: int) -> None:
        """Bring the neutral level and the usual wandering up to date."""
        first = max(self._half, at + 1 - round(NEUTRAL_S * self.rate_hz), self._ended)
        if at - first < self._levels_every:
            return
        stride = max(1, self._levels_every // 2)
        recent = self._smooth[first : at + 1 : stride]
        self._neutral = _median(recent)
        self._noise[self._noise_next] = np.abs(self._smooth[at] - self._neutral)
        self._noise_next = (self._noise_next + 1) % len(self._noise)
        self._noise_filled = min(self._noise_filled + 1, len(self._noise))
        if self._noise_next % 5 == 0:
            self._set_thresholds()

    def _first_look(self, at: int) -> None:
        """How much the regions wander to begin with: at least what the warm-up has shown."""
        seen = self._smooth[self._half : at + 1]
        wandered = np.median(np.abs(seen - _median(seen)), axis=0) / _MEDIAN_LENGTH
        self._usual = np.maximum(self._setting.usual_px, _FEW * wandered).astype(np.float32)
        self._set_thresholds()

    def _set_thresholds(self) -> None:
        setting = self._setting
        filled = self._noise_filled
        usual = self._usual
        if filled:
            seen = np.median(self._noise[:filled], axis=0) / _MEDIAN_LENGTH
            prior = _NOISE_PRIOR_S / _LEVELS_EVERY_S
            usual = ((filled * seen + prior * usual) / (filled + prior)).astype(np.float32)
        self._thresholds = np.maximum(setting.sensitivity * usual, setting.least_px).astype(np.float32)

    def _step(self, at: int) -> list[Spot]:
        if self._began is None:
            moved = np.abs(self._smooth[at] - self._neutral)
            pulled = _PULLED * moved[_LIDS].max()
            earlier = max(0, at - round(_HEAD_S * self.rate_hz))
            head = float(np.hypot(*(self._head[at] - self._head[earlier])))
            beyond = (moved - pulled) / (self._thresholds + self._setting.head_share * head)
            beyond[_LIDS] = 0
            if beyond.max() > 1:
                self._began = at
                self._held = self._level_before(at)
                self._peak = moved
                self._peak_at = np.full(len(REGION_ORDER), at)
            return []
        moved = np.abs(self._smooth[at] - self._held)
        higher = moved > self._peak
        self._peak[higher] = moved[higher]
        self._peak_at[higher] = at
        since = (at - self._began) / self.rate_hz
        if since > LONGEST_S:
            return [self._end(at, "stays")]
        hold = max(1, round(HOLD_S * self.rate_hz))
        if since >= HOLD_S and self._curve(at + 1 - hold, at + 1).max() < _RETURNED:
            below = (np.abs(self._smooth[at + 1 - hold : at + 1] - self._held).max(axis=0) < self._thresholds)[
                self._active()
            ]
            if below.all() or self._settled(at, 2 * hold):
                return [self._end(at, None)]
        if since > SETTLED_S and self._settled(at, round(SETTLED_S * self.rate_hz)):
            back = self._curve(at, at + 1)[0] < 0.5
            return [self._end(at, None if back else "stays")]
        return []

    def _settled(self, at: int, samples: int) -> bool:
        """Whether the regions that moved have been at rest for so long."""
        recent = self._smooth[at + 1 - samples : at + 1 : 2][:, self._active()]
        span = np.hypot(np.ptp(recent.real, axis=0), np.ptp(recent.imag, axis=0))
        return bool((span < _SETTLED_SHARE * self._thresholds[self._active()]).all())

    def _level_before(self, at: int) -> npt.NDArray[np.complex64]:
        last = at - round(0.06 * self.rate_hz)
        first = max(self._half, at - round(0.45 * self.rate_hz), self._ended)
        return _median(self._smooth[first:last:2]) if last - first > 8 else self._neutral

    def _active(self) -> npt.NDArray[np.bool_]:
        """Regions that make up the movement: well beyond their threshold, or the strongest there is."""
        beyond = self._peak / self._thresholds
        beyond[_LIDS] = 0
        most = float(beyond.max())
        return np.asarray(beyond >= (max(1.0, _ACTIVE_SHARE * most) if most >= 1 else most))

    def _curve(self, first: int, stop: int) -> npt.NDArray[np.float64]:
        """The movement of the active regions along its direction at their peaks: 0 is neutral, about 1 the apex."""
        active = self._active()
        peaks = np.array([self._smooth[i, region] for region, i in enumerate(self._peak_at)]) - self._held
        direction = np.where(active, peaks, 0)
        # Each region counts by how far it stands out from its noise.
        direction = direction / self._thresholds**2
        total = float((np.conj(direction) * peaks).real.sum())
        along = ((self._smooth[first:stop] - self._held) * np.conj(direction)).real.sum(axis=1)
        return np.asarray(along / total, np.float64)

    def _end(self, at: int, rejected: Rejection | None) -> Spot:
        began, hold = self._began, self._hold
        assert began is not None  # noqa: S101  # only called while something moves
        if rejected == "stays":
            now = self._held, self._peak, self._peak_at
            if hold is not None and at - hold.began < LONGEST_S * self.rate_hz:
                self._held, self._peak, self._peak_at = hold.level, hold.peak, hold.peak_at
                if self._curve(at, at + 1)[0] < _RETURNED_FROM_HOLD:
                    # What was held is let go: both movements together are one expression.
                    began, rejected = hold.began, None
                else:
                    self._held, self._peak, self._peak_at = now
            self._hold = None if rejected is None else _Hold(began, self._held, self._peak, self._peak_at)
        spot = self._spot(began, at, rejected)
        self._began = None
        self._ended = at + 1
        self._neutral = _median(self._smooth[max(self._half, at + 1 - round(HOLD_S * self.rate_hz)) : at + 1])
        return spot

    def _spot(self, began: int, at: int, rejected: Rejection | None) -> Spot:
        rate = self.rate_hz
        first = max(self._half, began - round(_BEFORE_S * rate))
        edges = edges_of(self._curve(first, at + 1), began - first, rate)
        start, peak, stop = (first + edge for edge in (edges.onset, edges.apex, edges.offset))
        beyond = self._beyond(edges, first, at)
        strongest = int(beyond.argmax())
        return Spot(
            onset_s=self._time_at(start),
            apex_s=self._time_at(peak),
            offset_s=self._time_at(stop),
            regions=tuple(
                REGION_ORDER[i] for i in np.argsort(-beyond) if beyond[i] > max(0.5, _ACTIVE_SHARE * beyond.max())
            ),
            strength=float(beyond[strongest]),
            movement_px=float(self._peak[strongest]),
            decided_s=float(self._time[self._count - 1]),
            rejected=rejected or self._objection(beyond, edges),
        )

    def _beyond(self, edges: Edges, first: int, at: int) -> npt.NDArray[np.float32]:
        """(20,) how far each region was beyond its threshold at the apex, with what eyes and head explain taken off."""
        reach = max(1, round(_EYE_REACH_S * self.rate_hz))
        middle = int(np.clip(first + round(edges.apex), self._half, at))
        near = self._smooth[max(self._half, middle - reach) : min(at, middle + reach) + 1] - self._held
        lids = np.abs(near[:, _LIDS]).max()
        moved = np.abs(self._smooth[middle] - self._held)
        span = self._head[max(0, first + int(edges.onset)) : at + 1]
        head = float(np.hypot(*np.ptp(span, axis=0))) if len(span) else 0.0
        allowed = self._thresholds + self._setting.head_share * head
        beyond = (moved - _PULLED * lids) / allowed
        beyond[_LIDS] = 0
        return np.asarray(np.maximum(beyond, 0), np.float32)

    def _objection(self, beyond: npt.NDArray[np.float32], edges: Edges) -> Rejection | None:
        if beyond.max() < 1:
            return "blink" if self._peak[_LIDS].max() > 3 * self._thresholds.min() else "head"
        others = np.delete(beyond, (_CHIN, _LOWER_LIP))
        chin = beyond[_CHIN]
        alone = others.max() < _ALONE * chin and beyond[_LOWER_LIP] < 2 * _ALONE * chin
        if chin > 1 and alone and edges.length > _SWALLOW_S * self.rate_hz:
            return "swallow"
        if edges.length < 0.03 * self.rate_hz:
            return "brief"
        return None

    def _time_at(self, position: float) -> float:
        """Time at a place between two samples."""
        last = self._count - 1
        before = int(np.clip(np.floor(position), 0, last))
        return float(self._time[before] + (position - before) / self.rate_hz)


def _median(values: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    parts = np.ascontiguousarray(values).view(np.float32).reshape(len(values), -1, 2)
    return np.ascontiguousarray(np.median(parts, axis=0).astype(np.float32)).view(np.complex64)[:, 0]
