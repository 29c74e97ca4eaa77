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

from expression.motion import REGION_ORDER
from realtime.spotting.curve import Edges, edges_of
from realtime.spotting.history import LIDS, PULLED, History, median_of
from realtime.spotting.spot import Rejection, Spot, SpotterSetting
from realtime.spotting.verdict import blinks, evidence, objection

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
_PLAIN: Final = 3.0
"""Times its threshold from which a region's own edges can be told."""
_APART_S: Final = 0.06
"""Further than that from what all regions together tell, one of them alone tells of something else, such as a drift."""
_LIDS_AT_REST_PX: Final = 0.15
"""So much lids go along with brows and cheeks; only what they move beyond it pulls."""
_EYE_REACH_S: Final = 0.06
_BLINK_REACH_S: Final = 0.1
_MEDIAN_LENGTH: Final = 1.18
"""Of a vector with two equal normal parts, in their standard deviations."""
_FEW: Final = 1.2
"""Half a second tells the wandering only roughly: rather more than less."""
_LONGEST_GAP_S: Final = 0.1


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
        self._history = History(rate_hz)
        self._levels_every = max(1, round(_LEVELS_EVERY_S * rate_hz))
        self._noise = np.zeros((round(NOISE_S / _LEVELS_EVERY_S), len(REGION_ORDER)), np.float32)
        self._noise_filled = 0
        self._noise_next = 0
        self._thresholds: npt.NDArray[np.float32] = np.zeros(len(REGION_ORDER), np.float32)
        self._usual = np.full(len(REGION_ORDER), self._setting.usual_px, np.float32)
        self.restart()

    def restart(self) -> None:
        """Forget the curves, not how much each region usually wanders: the face was lost, or frames are missing."""
        self._history.restart()
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
    def bytes_held(self) -> int:
        """Memory of the curves; it never grows."""
        return self._history.bytes_held

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
        history = self._history
        if history.count:
            passed = time_s - float(history.time_s[history.count - 1])
            if not 0 < passed < max(_LONGEST_GAP_S, 2.5 / self.rate_hz):
                self.restart()
            elif (steps := round(passed * self.rate_hz)) > 1:
                return self._bridge(time_s, regions, head_px, steps)
        return self._add(time_s, regions, head_px)

    def _bridge(
        self, time_s: float, regions: npt.NDArray[np.complex64], head_px: tuple[float, float], steps: int
    ) -> list[Spot]:
        """Go straight over a few samples that are missing."""
        history, last = self._history, self._history.count - 1
        before_s, before, head = float(history.time_s[last]), history.newest.copy(), history.head[last].copy()
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
        history = self._history
        self._forget(history.add(time_s, regions, head_px))
        at = history.count - 1 - history.half
        if at < history.half:
            return []
        changed = history.take_off_glance()
        if changed is not None and self._began is not None:
            self._look_again(changed, at)
        if history.since_start % self._levels_every == 0 and self._began is None:
            self._follow(at)
        warm_up = round(WARM_UP_S * self.rate_hz)
        if history.since_start < warm_up:
            return []
        if history.since_start == warm_up:
            self._first_look(at)
        return self._step(at)

    def _forget(self, samples: int) -> None:
        if not samples:
            return
        self._ended = max(0, self._ended - samples)
        if self._began is not None:
            self._began -= samples
            self._peak_at = np.maximum(self._peak_at - samples, 0)
        if self._hold is not None:
            self._hold = self._hold.earlier(samples)

    def _look_again(self, changed: int, at: int) -> None:
        """A glance was taken off the curves while something seemed to move: it may have been the glance alone."""
        began = self._began
        assert began is not None  # noqa: S101  # only called while something moves
        if began >= changed - self._history.half:
            self._began = None
            return
        moved = evidence(self._history.smooth[began : at + 1] - self._held)
        self._peak_at = began + moved.argmax(axis=0)
        self._peak = moved.max(axis=0)

    def _follow(self, at: int) -> None:
        """Bring the neutral level and the usual wandering up to date."""
        first = max(self._history.half, at + 1 - round(NEUTRAL_S * self.rate_hz), self._ended)
        if at - first < self._levels_every:
            return
        stride = max(1, self._levels_every // 2)
        recent = self._history.smooth[first : at + 1 : stride]
        self._neutral = median_of(recent)
        away = self._history.smooth[at] - self._neutral
        self._noise[self._noise_next] = np.where(LIDS, np.abs(away.imag), np.abs(away))
        self._noise_next = (self._noise_next + 1) % len(self._noise)
        self._noise_filled = min(self._noise_filled + 1, len(self._noise))
        if self._noise_next % 5 == 0:
            self._set_thresholds()

    def _first_look(self, at: int) -> None:
        """How much the regions wander to begin with: at least what the warm-up has shown."""
        seen = self._history.smooth[self._history.half : at + 1]
        wandered = np.median(np.abs(seen - median_of(seen)), axis=0) / _MEDIAN_LENGTH
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
            away = self._history.smooth[at] - self._neutral
            moved = evidence(away)
            pulled = PULLED * max(0.0, float(np.abs(away[LIDS]).max()) - _LIDS_AT_REST_PX)
            earlier = max(0, at - round(_HEAD_S * self.rate_hz))
            head = float(np.hypot(*(self._history.head[at] - self._history.head[earlier])))
            beyond = (moved - pulled) / (self._thresholds + self._setting.head_share * head)
            if beyond.max() > 1:
                self._began = at
                self._held = self._level_before(at)
                self._peak = moved
                self._peak_at = np.full(len(REGION_ORDER), at)
            return []
        moved = evidence(self._history.smooth[at] - self._held)
        higher = moved > self._peak
        self._peak[higher] = moved[higher]
        self._peak_at[higher] = at
        since = (at - self._began) / self.rate_hz
        if since > LONGEST_S:
            return [self._end(at, "stays")]
        hold = max(1, round(HOLD_S * self.rate_hz))
        if since >= HOLD_S and self._curve(at + 1 - hold, at + 1).max() < _RETURNED:
            away = evidence(self._history.smooth[at + 1 - hold : at + 1] - self._held).max(axis=0)
            below = (away < self._thresholds)[self._active()]
            if (below.all() or self._settled(at, 2 * hold)) and self._has_come_down(at):
                return [self._end(at, None)]
        if since > SETTLED_S and self._settled(at, round(SETTLED_S * self.rate_hz)):
            back = self._curve(at, at + 1)[0] < 0.5
            return [self._end(at, None if back else "stays")]
        return []

    def _settled(self, at: int, samples: int) -> bool:
        """Whether the regions that moved have been at rest for so long."""
        recent = self._history.smooth[max(0, at + 1 - max(2, samples)) : at + 1 : 2][:, self._active()]
        span = np.hypot(np.ptp(recent.real, axis=0), np.ptp(recent.imag, axis=0))
        return bool((span < _SETTLED_SHARE * self._thresholds[self._active()]).all())

    def _has_come_down(self, at: int) -> bool:
        """Whether the foot of the movement lies behind: what is far beyond its noise is nearly back long before."""
        assert self._began is not None  # noqa: S101  # only called while something moves
        first = self._first(self._began)
        return first + self._edges(first, self._began, at).offset <= at

    def _first(self, began: int) -> int:
        return max(self._history.half, began - round(_BEFORE_S * self.rate_hz))

    def _level_before(self, at: int) -> npt.NDArray[np.complex64]:
        last = at - round(0.06 * self.rate_hz)
        first = max(self._history.half, at - round(0.45 * self.rate_hz), self._ended)
        return median_of(self._history.smooth[first:last:2]) if last - first > 8 else self._neutral

    def _active(self) -> npt.NDArray[np.bool_]:
        """Regions that make up the movement: well beyond their threshold, or the strongest there is."""
        began, valid = self._began or 0, self._history.count - self._history.half
        lids = float(np.abs((self._history.smooth[began:valid] - self._held)[:, LIDS]).max(initial=0.0))
        beyond = np.maximum(self._peak - PULLED * max(0.0, lids - _LIDS_AT_REST_PX), 0) / self._thresholds
        # Lids decide where nothing else does: after a blink the eyes often look elsewhere.
        if beyond[~LIDS].max() >= 1 or self._blinks(began, valid):
            beyond[LIDS] = 0
        if not beyond.any():
            beyond = np.where(LIDS, 0, self._peak)
        most = float(beyond.max())
        return np.asarray(beyond >= (max(1.0, _ACTIVE_SHARE * most) if most >= 1 else most))

    def _curve(self, first: int, stop: int, chosen: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
        """The movement of some regions, those that are active, along its direction at their peaks.

        0 is neutral, about 1 the apex.
        """
        active = self._active() if chosen is None else chosen
        peaks = np.array([self._history.smooth[i, region] for region, i in enumerate(self._peak_at)]) - self._held
        peaks[LIDS] = 1j * peaks[LIDS].imag
        direction = np.where(active, peaks, 0)
        # Each region counts by how far it stands out from its noise.
        direction = direction / self._thresholds**2
        total = float((np.conj(direction) * peaks).real.sum())
        along = ((self._history.smooth[first:stop] - self._held) * np.conj(direction)).real.sum(axis=1)
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
        self._neutral = median_of(
            self._history.smooth[max(self._history.half, at + 1 - max(1, round(HOLD_S * self.rate_hz))) : at + 1]
        )
        return spot

    def _spot(self, began: int, at: int, rejected: Rejection | None) -> Spot:
        first = self._first(began)
        edges = self._edges(first, began, at)
        start, peak, stop = (first + edge for edge in (edges.onset, edges.apex, edges.offset))
        beyond = self._beyond(edges, first, at)
        strongest = int(beyond.argmax())
        rise_s, length_s = (edges.apex - edges.onset) / self.rate_hz, edges.length / self.rate_hz
        blinked = self._blinks(first + int(edges.onset), first + int(edges.offset))
        return Spot(
            onset_s=self._time_at(start),
            apex_s=self._time_at(peak),
            offset_s=self._time_at(stop),
            regions=tuple(
                REGION_ORDER[i] for i in np.argsort(-beyond) if beyond[i] > max(0.5, _ACTIVE_SHARE * beyond.max())
            ),
            strength=float(beyond[strongest]),
            movement_px=float(self._peak[strongest]),
            decided_s=float(self._history.time_s[self._history.count - 1]),
            rejected=rejected or objection(beyond, rise_s=rise_s, length_s=length_s, blinked=blinked),
        )

    def _edges(self, first: int, began: int, at: int) -> Edges:
        """Onset, apex and offset, in samples from `first` on.

        Regions do not start and stop together: the first to move and the last to rest, of those that are plain enough
        to tell by themselves, make onset and offset.
        """
        together = edges_of(self._curve(first, at + 1), began - first, self.rate_hz)
        plain = self._active() & (self._peak >= _PLAIN * self._thresholds)
        if np.count_nonzero(plain) < 2:
            return together
        onset, offset = together.onset, together.offset
        for region in np.flatnonzero(plain):
            curve = self._curve(first, at + 1, np.arange(len(REGION_ORDER)) == region)
            alone = edges_of(curve, began - first, self.rate_hz)
            if onset < alone.apex < offset:
                onset, offset = min(onset, alone.onset), max(offset, alone.offset)
        most = _APART_S * self.rate_hz
        return Edges(max(onset, together.onset - most), together.apex, min(offset, together.offset + most))

    def _beyond(self, edges: Edges, first: int, at: int) -> npt.NDArray[np.float32]:
        """(20,) how far each region was beyond its threshold at the apex, with what eyes and head explain taken off."""
        reach = max(1, round(_EYE_REACH_S * self.rate_hz))
        middle = int(np.clip(first + round(edges.apex), self._history.half, at))
        near = self._history.smooth[max(self._history.half, middle - reach) : min(at, middle + reach) + 1] - self._held
        lids = max(0.0, float(np.abs(near[:, LIDS]).max()) - _LIDS_AT_REST_PX)
        moved = evidence(self._history.smooth[middle] - self._held)
        span = self._history.head[max(0, first + int(edges.onset)) : at + 1]
        head = float(np.hypot(*np.ptp(span, axis=0))) if len(span) else 0.0
        allowed = self._thresholds + self._setting.head_share * head
        beyond = (moved - PULLED * lids) / allowed
        if self._blinks(first + int(edges.onset), first + int(edges.offset)):
            beyond[LIDS] = 0
        return np.asarray(np.maximum(beyond, 0), np.float32)

    def _blinks(self, start: int, stop: int) -> bool:
        reach = round(_BLINK_REACH_S * self.rate_hz)
        first, valid = self._history.half, self._history.count - self._history.half
        return blinks(self._history.smooth[max(first, start - reach) : min(stop + reach, valid)] - self._held)

    def _time_at(self, position: float) -> float:
        """Time at a place between two samples."""
        last = self._history.count - 1
        before = int(np.clip(np.floor(position), 0, last))
        return float(self._history.time_s[before] + (position - before) / self.rate_hz)
