"""What a face does besides expressing: sway, posture, breath, blinks, gaze, swallowing, and the light upon it.

All of it is a function of time, so that a performance is the same movement at every frame rate. With a period, every
part of it repeats: a loop of it has no seam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MovementKind = Literal["blink", "gaze", "swallow", "head", "posture"]

EXPOSURE_S: Final = 0.0015
"""Light is gathered over this time; faster flicker is smoothed by it."""
_MAINS_FLICKER_HZ = 100.0
_SLOWEST_HZ = 0.03
_FASTEST_HZ = 6.0
_WAVES = 28
_EARLIER_S = 5.0


@dataclass(frozen=True)
class Temperament:
    """How much one participant moves: traits that all recordings of them share."""

    sway: float = 1.0
    """Factor on the movement of the head."""
    blinks_per_min: float = 14.0
    gaze_shifts_per_min: float = 40.0
    swallows_per_min: float = 1.0
    postures_per_min: float = 0.8
    """Lasting changes of the posture."""
    nods_per_min: float = 1.2
    """Turns of the head and back."""
    breaths_per_min: float = 15.0
    expressivity: float = 1.0
    asymmetry: float = 0.0

    @classmethod
    def sampled(cls, rng: np.random.Generator) -> Temperament:
        """One of many: participants who were asked to sit upright and still, and to keep a neutral face."""

        def around(median: float, spread: float) -> float:
            return median * math.exp(spread * float(rng.standard_normal()))

        return cls(
            sway=around(1.0, 0.35),
            blinks_per_min=min(around(14.0, 0.45), 40.0),
            gaze_shifts_per_min=around(38.0, 0.3),
            swallows_per_min=around(0.9, 0.4),
            postures_per_min=around(0.6, 0.5),
            nods_per_min=around(1.0, 0.5),
            breaths_per_min=float(np.clip(around(15.0, 0.15), 10, 22)),
            expressivity=around(1.0, 0.2),
            asymmetry=float(np.clip(0.05 * rng.standard_normal(), -0.15, 0.15)),
        )


@dataclass(frozen=True)
class Waves:
    """A slow wandering as a sum of sines whose amplitudes fall with 1/f; (K,) each."""

    frequencies_hz: Floats
    amplitudes: Floats
    phases: Floats

    @classmethod
    def sampled(cls, rng: np.random.Generator, rms: float, period_s: float | None = None) -> Waves:
        """Wandering with a root mean square of `rms`."""
        edges = np.geomspace(_SLOWEST_HZ, _FASTEST_HZ, _WAVES + 1)
        frequencies = edges[:-1] * (edges[1:] / edges[:-1]) ** rng.random(_WAVES)
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        if period_s is not None:
            frequencies = np.maximum(1, np.round(frequencies * period_s)) / period_s
        # Power per octave of 1/f^2 noise falls with 1/f; below 0.1 Hz people hold their place.
        amplitudes = 1 / np.sqrt(frequencies * (1 + (0.1 / frequencies) ** 2)) / (1 + (frequencies / 1.5) ** 2)
        amplitudes *= np.exp(0.2 * rng.standard_normal(_WAVES))
        amplitudes *= rms / math.sqrt(float((amplitudes**2).sum() / 2))
        return cls(frequencies, amplitudes, phases)

    def at(self, t_s: Floats) -> Floats:
        """(N,) values at (N,) moments."""
        angles = 2 * np.pi * t_s[:, None] * self.frequencies_hz + self.phases
        values: Floats = np.cos(angles) @ self.amplitudes
        return values


@dataclass(frozen=True)
class Movement:
    """One thing that happens, with what it does to the channels it moves.

    `blink` (closure of left and right lid), `swallow` (progress) and `head` (yaw, pitch, roll in degrees) go out and
    back; `gaze` (degrees to the left and up) and `posture` (x, y in pixels, then yaw, pitch, roll in degrees, then
    size) stay where they end.
    """

    kind: MovementKind
    start_s: float
    rise_s: float
    fall_s: float
    size: tuple[float, ...]

    @property
    def stays(self) -> bool:
        """Whether the face remains where the movement takes it."""
        return self.kind in ("gaze", "posture")

    @property
    def end_s(self) -> float:
        """When the movement is over."""
        return self.start_s + self.rise_s + self.fall_s

    def course(self, t_s: Floats) -> Floats:
        """(N,) share of `size` that is in effect at (N,) moments."""
        up = np.clip((t_s - self.start_s) / self.rise_s, 0, 1)
        if self.stays:
            # Least jerk: how eyes and heads go from one rest to another.
            return up * up * up * (10 + up * (6 * up - 15))
        down = np.clip((self.end_s - t_s) / self.fall_s, 0, 1)
        course: Floats = np.sin(np.pi / 2 * np.where(t_s < self.start_s + self.rise_s, up, down)) ** 2
        return course


@dataclass(frozen=True)
class Light:
    """Gain of the light over time: lamps that beat with the mains, and a slow drift."""

    flicker: float
    """Amplitude of the flicker at the lamps' frequency; 0.002 for good LED drivers."""
    flicker_hz: float
    phase: float
    drift: Waves

    def at(self, t_s: Floats) -> Floats:
        """(N,) gain at (N,) moments, averaged over the exposure that begins there; 1 is nominal."""
        smoothed = self.flicker * float(np.sinc(self.flicker_hz * EXPOSURE_S))
        middle = t_s + EXPOSURE_S / 2
        gain: Floats = 1 + smoothed * np.cos(2 * np.pi * self.flicker_hz * middle + self.phase) + self.drift.at(t_s)
        return gain


@dataclass(frozen=True)
class Background:
    """Everything that is not an expression."""

    movements: tuple[Movement, ...]
    """In order of their starts."""
    shift_px: tuple[Waves, Waves]
    turn_deg: tuple[Waves, Waves, Waves]
    size: Waves
    breath_hz: float
    breath_phase: float
    breath_wander: Waves
    """Phase of the breath against an even one, radians."""
    light: Light
    first_gaze_deg: tuple[float, float]
    period_s: float | None = None

    def moved(self, kind: MovementKind, t_s: Floats, width: int) -> Floats:
        """(N, width) sum of all movements of a kind at (N,) moments."""
        total = np.zeros((len(t_s), width))
        if len(t_s) == 0:
            return total
        first, last = float(t_s[0]), float(t_s[-1])
        for movement in self.movements:
            if movement.kind != kind or movement.start_s > last or (not movement.stays and movement.end_s < first):
                continue
            total += movement.course(t_s)[:, None] * np.array(movement.size)
        return total

    def breath(self, t_s: Floats) -> Floats:
        """(N,) 0 (out) to 1 (in); breathing in takes two fifths of a breath."""
        turn = (self.breath_hz * t_s + (self.breath_phase + self.breath_wander.at(t_s)) / (2 * np.pi)) % 1.0
        inward = 0.4
        slow = np.where(turn < inward, turn / inward / 2, 0.5 + (turn - inward) / (1 - inward) / 2)
        lift: Floats = 0.5 - 0.5 * np.cos(2 * np.pi * slow)
        return lift


def sample_background(
    rng: np.random.Generator, temperament: Temperament, duration_s: float, period_s: float | None = None
) -> Background:
    """What happens in `duration_s` seconds around the expressions.

    Args:
        rng: Source of chance.
        temperament: The participant's traits.
        duration_s: Length of the performance; movements start within it.
        period_s: For a loop, its length (then also `duration_s`); all movements end where they began.
    """
    sway = temperament.sway
    looped = period_s is not None
    # What began before the first frame may still go on in it.
    earlier_s = 0.0 if looped else _EARLIER_S
    span_s = duration_s + earlier_s
    first_gaze = _glance(rng)
    movements = [
        *_blinks(rng, temperament.blinks_per_min, span_s, looped=looped),
        *_swallows(rng, temperament.swallows_per_min, span_s, looped=looped),
        *_nods(rng, temperament.nods_per_min, sway, span_s, looped=looped),
        *_gaze(rng, temperament.gaze_shifts_per_min, first_gaze, span_s, looped=looped),
        *([] if looped else _postures(rng, temperament.postures_per_min, sway, span_s)),
    ]
    movements = [replace(movement, start_s=movement.start_s - earlier_s) for movement in movements]
    breath_hz = temperament.breaths_per_min / 60
    flicker_hz = _MAINS_FLICKER_HZ + float(rng.uniform(-0.06, 0.06))
    if period_s is not None:
        breath_hz = max(1, round(breath_hz * period_s)) / period_s
        flicker_hz = round(flicker_hz * period_s) / period_s

    def waves(rms: float) -> Waves:
        return Waves.sampled(rng, rms, period_s)

    return Background(
        movements=tuple(sorted(movements, key=lambda movement: movement.start_s)),
        shift_px=(waves(1.8 * sway), waves(1.1 * sway)),
        turn_deg=(waves(0.45 * sway), waves(0.40 * sway), waves(0.25 * sway)),
        size=waves(0.0022 * sway),
        breath_hz=breath_hz,
        breath_phase=float(rng.uniform(0, 2 * np.pi)),
        breath_wander=waves(0.35),
        light=Light(
            flicker=0.004 * float(rng.random()) ** 2,
            flicker_hz=flicker_hz,
            phase=float(rng.uniform(0, 2 * np.pi)),
            drift=waves(0.003),
        ),
        first_gaze_deg=first_gaze,
        period_s=period_s,
    )


def _moments(rng: np.random.Generator, per_min: float, least_s: float, duration_s: float) -> list[float]:
    """Random moments with at least `least_s` between them, at this rate; the first may come at any time."""
    mean_s = max(60 / per_min - least_s, 0.05)
    moments, now = [], float(rng.exponential(mean_s))
    while now < duration_s:
        moments.append(now)
        now += least_s + float(rng.exponential(mean_s))
    return moments


def _within(movements: list[Movement], duration_s: float, *, looped: bool) -> list[Movement]:
    return [movement for movement in movements if movement.end_s < duration_s] if looped else movements


def _blinks(rng: np.random.Generator, per_min: float, duration_s: float, *, looped: bool) -> list[Movement]:
    """Lids close in a third of the time that they take to open; 100 to 400 ms in all, mostly about 200."""
    blinks = []
    for start_s in _moments(rng, per_min, 0.5, duration_s):
        length_s = float(np.clip(0.21 * math.exp(0.28 * rng.standard_normal()), 0.1, 0.4))
        closing = float(rng.uniform(0.27, 0.38))
        closure = float(np.clip(1.04 - 0.12 * rng.exponential(), 0.55, 1.0))
        other = closure * float(rng.uniform(0.96, 1.0))
        pair = (closure, other) if rng.random() < 0.5 else (other, closure)
        blinks.append(Movement("blink", start_s, closing * length_s, (1 - closing) * length_s, pair))
    return _within(blinks, duration_s, looped=looped)


def _swallows(rng: np.random.Generator, per_min: float, duration_s: float, *, looped: bool) -> list[Movement]:
    swallows = []
    for start_s in _moments(rng, per_min, 5.0, duration_s):
        length_s = float(rng.uniform(0.8, 1.4))
        rise = float(rng.uniform(0.35, 0.5))
        swallows.append(
            Movement("swallow", start_s, rise * length_s, (1 - rise) * length_s, (float(rng.uniform(0.6, 1.0)),))
        )
    return _within(swallows, duration_s, looped=looped)


def _nods(rng: np.random.Generator, per_min: float, sway: float, duration_s: float, *, looped: bool) -> list[Movement]:
    nods = []
    for start_s in _moments(rng, per_min, 3.0, duration_s):
        rise_s, fall_s = (float(value) for value in rng.uniform(0.35, 1.1, 2))
        yaw, pitch, roll = rng.standard_normal(3) * (1.4, 1.1, 0.7) * sway
        nods.append(Movement("head", start_s, rise_s, fall_s, (float(yaw), float(pitch), float(roll))))
    return _within(nods, duration_s, looped=looped)


def _postures(rng: np.random.Generator, per_min: float, sway: float, duration_s: float) -> list[Movement]:
    """Each goes to a new place near the middle of the picture, so that the face never wanders off."""
    spread = np.array((9.0, 6.0, 1.2, 1.0, 0.9, 0.010)) * min(sway, 1.5)
    place = np.zeros(len(spread))
    postures = []
    for start_s in _moments(rng, per_min, 4.0, duration_s):
        target = spread * np.clip(rng.standard_normal(len(spread)), -2, 2)
        step = tuple(float(value) for value in target - place)
        postures.append(Movement("posture", start_s, float(rng.uniform(0.6, 1.6)), 0.0, step))
        place = target
    return postures


def _glance(rng: np.random.Generator) -> tuple[float, float]:
    """A point on the participant's screen, in degrees from straight ahead."""
    across, up = np.clip(rng.standard_normal(2), -2, 2) * (3.2, 1.8)
    return float(across), float(up) - 1.5


def _gaze(
    rng: np.random.Generator, per_min: float, first: tuple[float, float], duration_s: float, *, looped: bool
) -> list[Movement]:
    """Saccades between points of the screen; they last 21 ms and 2.2 ms per degree (main sequence)."""
    gaze, at = [], first
    for start_s in _moments(rng, per_min, 0.25, duration_s - 0.4 if looped else duration_s):
        target = _glance(rng)
        gaze.append(_saccade(start_s, at, target))
        at = target
    if looped and at != first:
        gaze.append(_saccade(duration_s - 0.15, at, first))
    return gaze


def _saccade(start_s: float, at: tuple[float, float], target: tuple[float, float]) -> Movement:
    step = (target[0] - at[0], target[1] - at[1])
    length_s = 0.021 + 0.0022 * math.hypot(*step)
    return Movement("gaze", start_s, length_s, 0.0, step)
