"""A filmed face whose still frames are moved by hand: real skin, and movements that are known.

A second source of faces beside the simulated participants, and unlike them in everything: texture and light are real,
movements are bumps around landmarks, they start and end by the least jerk and may be held, and the head sways by noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.face import FaceFinder, Scheme, align
from expression.face.reference import CROP_TO_FACE, mirrored, reference_px

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_SIZE_PX: Final = 128
_BUMPS: Final[dict[int, tuple[tuple[int, float, float, float], ...]]] = {
    1: ((107, 0.10, -1.0, 0.055), (55, 0.10, -0.8, 0.045)),
    2: ((105, 0.0, -1.0, 0.05), (70, 0.0, -0.8, 0.05)),
    4: ((55, 0.6, 0.8, 0.05), (107, 0.5, 0.6, 0.05)),
    5: ((159, 0.0, -1.0, 0.022),),
    6: ((117, 0.0, -0.8, 0.06), (145, 0.0, -0.7, 0.025)),
    7: ((145, 0.0, -1.0, 0.022), (159, 0.0, 0.4, 0.02)),
    9: ((129, 0.0, -1.0, 0.045), (193, 0.2, 0.3, 0.04)),
    10: ((39, 0.0, -1.0, 0.05), (129, 0.0, -0.5, 0.045)),
    12: ((61, -0.6, -0.8, 0.055), (50, -0.1, -0.4, 0.07)),
    14: ((61, -0.9, 0.0, 0.04),),
    15: ((61, 0.0, 1.0, 0.05), (204, 0.0, 0.5, 0.05)),
    17: ((200, 0.0, -1.0, 0.07), (17, 0.0, -0.6, 0.05)),
    20: ((61, -1.0, 0.2, 0.06),),
    24: ((61, 0.8, 0.0, 0.045), (37, 0.0, 0.5, 0.035), (84, 0.0, -0.5, 0.035)),
    25: ((17, 0.0, 0.9, 0.045),),
}
"""Per unit: landmark of the right half, its way (towards the middle and down), and the width of the bump in heights of
the face. The left half mirrors it."""
UNITS: Final = tuple(_BUMPS)
_WITH: Final = {1: (2,), 4: (7, 9), 5: (1,), 6: (12,), 7: (4,), 9: (10,), 12: (6,), 15: (17,), 17: (24,)}
_LIDS: Final = ((159, 145, 0.030), (386, 374, 0.030))
_IRISES: Final = (468, 473)
_NOISE_FIELDS: Final = 24


@dataclass(frozen=True)
class Course:
    """Out of rest and back, in seconds."""

    start_s: float
    rise_s: float
    hold_s: float
    fall_s: float

    @property
    def apex_s(self) -> float:
        """The middle of the time at the top."""
        return self.start_s + self.rise_s + self.hold_s / 2

    @property
    def end_s(self) -> float:
        """At rest again."""
        return self.start_s + self.rise_s + self.hold_s + self.fall_s

    def at(self, t_s: float) -> float:
        """0 at rest, 1 at the top."""
        up = min(max((t_s - self.start_s) / self.rise_s, 0.0), 1.0)
        down = min(max((self.end_s - t_s) / self.fall_s, 0.0), 1.0)
        share = min(up, down)
        return share**3 * (10 - 15 * share + 6 * share**2)


@dataclass(frozen=True)
class Act:
    """An expression: which units, how far at most, when."""

    units: tuple[int, ...]
    peak_px: float
    """Greatest movement of the skin where the face is 400 pixels high."""
    halves: tuple[float, float]
    """Share of it on the right and on the left half."""
    course: Course


@dataclass(frozen=True)
class Script:
    """What the face does for some seconds."""

    duration_s: float
    acts: tuple[Act, ...]
    blinks: tuple[Course, ...]
    glances: tuple[tuple[float, float, float], ...]
    """Moment, and the place that the eyes then look at, in shares of 1.5 % of the face's height."""
    nods: tuple[tuple[Course, float, float], ...]
    """Turn and nod in degrees."""
    sway_seed: int

    @classmethod
    def sampled(cls, seed: int, duration_s: float, *, expressions: bool = True) -> Script:
        """A script that follows from a number."""
        rng = np.random.default_rng([seed, 0x5C1])
        acts = []
        now = 1.0 + float(rng.exponential(1.5))
        while expressions and now < duration_s - 1.2:
            first = int(rng.choice(UNITS))
            units = (first, *(unit for unit in _WITH.get(first, ()) if rng.random() < 0.4))
            rise, hold, fall = rng.uniform(0.06, 0.2), rng.uniform(0.0, 0.06), rng.uniform(0.07, 0.22)
            one_sided = first in (12, 14, 15) and rng.random() < 0.3
            halves = ((1.0, 0.0), (0.0, 1.0))[int(rng.integers(2))] if one_sided else (1.0, float(rng.uniform(0.8, 1)))
            peak = float(np.clip(np.exp(rng.normal(0.75, 0.45)), 0.5, 6.0))
            acts.append(Act(units, peak, halves, Course(now, float(rise), float(hold), float(fall))))
            now = acts[-1].course.end_s + 0.7 + float(rng.exponential(4.0))
        blinks = [
            Course(t, float(rng.uniform(0.05, 0.09)), float(rng.uniform(0, 0.04)), float(rng.uniform(0.1, 0.2)))
            for t in _moments(rng, 3.5, duration_s)
        ]
        glances = [(t, *(float(v) for v in rng.uniform(-1, 1, 2) * (1, 0.5))) for t in _moments(rng, 1.6, duration_s)]
        nods = []
        for t in _moments(rng, 30.0, duration_s):
            rise, hold, fall = (float(v) for v in rng.uniform((0.3, 0, 0.3), (1.0, 0.3, 1.0)))
            turned, nodded = (float(v) for v in rng.normal(0, 1.3, 2))
            nods.append((Course(t, rise, hold, fall), turned, nodded))
        return cls(duration_s, tuple(acts), tuple(blinks), tuple(glances), tuple(nods), seed)


def _moments(rng: np.random.Generator, every_s: float, duration_s: float) -> list[float]:
    moments, now = [], float(rng.exponential(every_s))
    while now < duration_s:
        moments.append(now)
        now += 0.4 + float(rng.exponential(every_s))
    return moments


class WarpedPortrait:
    """One still of a face, ready to be moved.

    Args:
        still: (height, width) uint8.
        finder: Finds the face in it.
        noise_sd: Grey levels of noise in every frame.
        gain: Factor on the light.
    """

    def __init__(
        self, still: Gray, finder: FaceFinder, *, noise_sd: float = 2.0, gain: float = 1.0, seed: int = 0
    ) -> None:
        face = finder.find(still)[0]
        alignment = align(face, still, size_px=_SIZE_PX)
        marked = face.scheme is Scheme.MEDIAPIPE
        self._points = face.landmarks if marked else alignment.to_source(reference_px(_SIZE_PX))
        self.height_px = _SIZE_PX / CROP_TO_FACE / alignment.scale
        self._picture = gain * still.astype(np.float32)
        self._random = np.random.default_rng([seed, 0xA01])
        height, width = still.shape
        self._noise = self._random.normal(0, noise_sd, (_NOISE_FIELDS, height + 16, width + 16)).astype(np.float32)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._grid = np.stack([x, y], -1)
        self._middle = self._points[[6, 168]].mean(0)
        self._fields = {unit: tuple(self._field(unit, left) for left in (False, True)) for unit in UNITS}
        self._scale = {unit: float(np.linalg.norm(sum(fields), axis=-1).max()) for unit, fields in self._fields.items()}
        self._blink = self._blink_field()
        self._glance = sum(self._bump(index, 0.022)[..., None] for index in _IRISES)
        # An egg with a nose: nearer to the camera in the middle.
        u, v = (self._grid - self._middle).transpose(2, 0, 1) / self.height_px
        self._depth = np.sqrt(np.clip(1 - (u / 0.45) ** 2 - ((v - 0.15) / 0.7) ** 2, 0, 1)) * 0.42
        self._depth += 0.12 * np.exp(-((u / 0.07) ** 2 + ((v - 0.2) / 0.1) ** 2) / 2)
        self._depth -= 0.3

    def _bump(self, landmark: int, width: float) -> Floats:
        apart = self._grid - self._points[landmark]
        return np.exp(-(apart**2).sum(-1) / (2 * (width * self.height_px) ** 2))

    def _field(self, unit: int, left: bool) -> Floats:
        total = np.zeros_like(self._grid)
        for landmark, inwards, down, width in _BUMPS[unit]:
            index = mirrored(landmark) if left else landmark
            total += self._bump(index, width)[..., None] * np.array([-inwards if left else inwards, down], np.float32)
        return total

    def _blink_field(self) -> Floats:
        total = np.zeros_like(self._grid)
        for upper, lower, width in _LIDS:
            way = max(self._points[lower] - self._points[upper], np.zeros(2), key=lambda v: float(np.hypot(*v)))
            total += self._bump(upper, width)[..., None] * (0.9 * way).astype(np.float32)
        return total

    def peak_px(self, act: Act) -> float:
        """Greatest movement of the skin at its apex, where the face is 400 pixels high."""
        return act.peak_px * max(act.halves)

    def frames(self, script: Script, rate_fps: float) -> Iterator[Gray]:
        """Frame i is taken at i / rate."""
        count = int(script.duration_s * rate_fps)
        sway = _sway(script.sway_seed, script.duration_s)
        to_px = self.height_px / 400
        for number in range(count):
            t = number / rate_fps
            moved = np.zeros_like(self._grid)
            for act in script.acts:
                if act.course.start_s < t < act.course.end_s:
                    together = np.zeros_like(self._grid)
                    for unit in act.units:
                        for share, field in zip(act.halves, self._fields[unit], strict=True):
                            together += share / self._scale[unit] * field
                    most = float(np.linalg.norm(together, axis=-1).max()) / max(act.halves)
                    moved += together * np.float32(act.peak_px * to_px * act.course.at(t) / most)
            for blink in script.blinks:
                if blink.start_s < t < blink.end_s:
                    moved += self._blink * np.float32(blink.at(t))
            moved += self._glance * self._gaze(script, t)
            shift, roll, size, turn, nod = self._head(script, sway, t)
            moved += self._depth[..., None] * self.height_px * np.array([turn, -nod], np.float32)
            from_middle = self._grid - self._middle
            growth = (1 + size) * np.exp(1j * roll) - 1
            moved[..., 0] += shift[0] + growth.real * from_middle[..., 0] - growth.imag * from_middle[..., 1]
            moved[..., 1] += shift[1] + growth.imag * from_middle[..., 0] + growth.real * from_middle[..., 1]
            # The fields are those of the still; a second step brings them to where its points have gone.
            back = self._grid - moved
            moved = cv2.remap(moved, back[..., 0], back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            back = self._grid - moved
            picture = cv2.remap(
                self._picture, back[..., 0], back[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            yield self._exposed(picture)

    def _exposed(self, picture: Floats) -> Gray:
        field = self._noise[int(self._random.integers(_NOISE_FIELDS))]
        top, left = (int(v) for v in self._random.integers(0, 16, 2))
        height, width = picture.shape
        return np.clip(np.rint(picture + field[top : top + height, left : left + width]), 0, 255).astype(np.uint8)

    def _gaze(self, script: Script, t: float) -> Floats:
        at = np.zeros(2)
        for moment, x, y in script.glances:
            if t >= moment:
                share = min((t - moment) / 0.035, 1.0)
                at = at + share * (np.array([x, y]) - at)
        return (0.015 * self.height_px * at).astype(np.float32)

    def _head(self, script: Script, sway: Floats, t: float) -> tuple[tuple[float, float], float, float, float, float]:
        now = sway[:, min(int(t * 100), sway.shape[1] - 2)] * (1 - t * 100 % 1)
        now = now + sway[:, min(int(t * 100) + 1, sway.shape[1] - 1)] * (t * 100 % 1)
        turn, nod = np.deg2rad(now[3:5] * 0.4)
        for course, turned, nodded in script.nods:
            turn += np.deg2rad(turned) * course.at(t)
            nod += np.deg2rad(nodded) * course.at(t)
        px = 0.005 * self.height_px
        return (px * now[0], 0.7 * px * now[1]), np.deg2rad(0.25 * now[2]), 0.002 * now[5], float(turn), float(nod)


def _sway(seed: int, duration_s: float) -> Floats:
    """(6, N) noise of slow wandering, 100 a second, of unit variance."""
    steps = np.random.default_rng([seed, 0x53A]).standard_normal((6, int(duration_s * 100) + 400))
    for sd in (40.0, 12.0):
        steps = cv2.GaussianBlur(steps, (0, 0), sigmaX=sd, sigmaY=1e-6, borderType=cv2.BORDER_REPLICATE)
    return (steps / steps.std(axis=1, keepdims=True)).astype(np.float32)


def stills(video: Path, numbers: tuple[int, ...]) -> list[Gray]:
    """Frames of a video, the part around the face."""
    taken = []
    reader = cv2.VideoCapture(str(video))
    number = 0
    while True:
        there, frame = reader.read()
        if not there:
            break
        if number in numbers:
            taken.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        number += 1
    return taken
