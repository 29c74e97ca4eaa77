"""From frames to expressions: follows the face, measures how it moves, and tells of each expression once it is over.

The same for a camera and for a recording: what is found depends on the frames alone, not on when they come.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.clip_input import ClipRecipe
from expression.face import Alignment, Face, FaceFinder, Scheme
from expression.face.detect import Picture
from expression.face.reference import Points
from expression.keyframes import KeyFrames
from expression.motion import FLOW_SIZE_PX, REGION_ORDER, FlowEstimator, HeadMotion
from realtime.frame_store import FrameStore, window_of
from realtime.spotting.spot import Spot, SpotKind, SpotterSetting
from realtime.spotting.spotter import Spotter
from realtime.spotting.stabiliser import Stabiliser
from realtime.tracking import FaceState, FaceTracker

MEASURED_HZ: Final = 200.0
"""About how often movement is measured. Faster cameras have the crops of two or more frames averaged: every frame
counts, with less noise, and a fifth of a core is saved at 500 frames a second."""
REFERENCE_S: Final = 0.04
"""The reference is the mean over so long: less noise than one frame has."""
_NEW_REFERENCE_PX: Final = 4.0
_NEW_REFERENCE_TURN: Final = 0.06
_NEW_REFERENCE_SCALE: Final = 0.03
_NEW_REFERENCE_DEG: Final = 4.0
_TOO_FAR: Final = 1.7
"""How much further the head may go while it moves fast or an expression is under way."""
_SLOW_PX_S: Final = 6.0
_THUMBNAIL_PX: Final = 16
_LIKENESS: Final = 0.4
"""Correlation of small pictures of crop and reference; a head that has moved as far as it may still has 0.68."""
_MOST_GUESSES: Final = 3
"""Looks that are let go by because the eyes were not seen, at the beginning."""
_LOOK_AGAIN_S: Final = 0.15
_ASTRAY_SHARE: Final = 0.15
_ASTRAY_SCALE: Final = 1.25
_ASTRAY_LOOKS: Final = 2


@dataclass(frozen=True)
class Found:
    """One expression, or a movement that was none (`spot.rejected`)."""

    key_frames: KeyFrames
    kind: SpotKind
    spot: Spot
    crops: npt.NDArray[np.uint8] | None = None
    """(frames, crop, crop), as the recipe samples them, aligned by the onset; None without a recipe."""
    onset_crop: npt.NDArray[np.uint8] | None = None
    apex_crop: npt.NDArray[np.uint8] | None = None
    recipe: ClipRecipe | None = None
    """What the crops were cut out for."""


class Stopwatch:
    """Processor time of each stage, in nanoseconds; the newest thousand of each."""

    def __init__(self) -> None:
        self.stages: dict[str, list[int]] = {}

    def add(self, stage: str, since_ns: int) -> int:
        """Note what has passed since `since_ns`; returns the time now."""
        now = time.perf_counter_ns()
        self.stages.setdefault(stage, []).append(now - since_ns)
        return now


@dataclass(frozen=True)
class _Pending:
    """What the next reference is taken with."""

    alignment: Alignment
    landmarks: Points | None

    @classmethod
    def of(cls, alignment: Alignment, face: Face | None) -> _Pending:
        known = face is not None and face.scheme is Scheme.MEDIAPIPE
        return cls(alignment, alignment.to_crop(face.landmarks) if face is not None and known else None)


@dataclass
class _Reference:
    """What frames are measured against."""

    alignment: Alignment
    estimator: FlowEstimator
    stabiliser: Stabiliser
    window: tuple[slice, slice]
    thumbnail: npt.NDArray[np.float32]
    landmarks: Points | None = None
    """(478, 2) in the crop, where the finder knows as many: regions then lie on this participant's brows and lids."""
    head: HeadMotion | None = None
    offset: npt.NDArray[np.complex64] = field(default_factory=lambda: np.zeros(len(REGION_ORDER), np.complex64))
    """Added to what is measured, so that curves go on where the reference before left them."""
    head_offset: tuple[float, float] = (0.0, 0.0)


class Analyser:
    """Takes frames in order and tells of expressions.

    Args:
        rate_fps: The camera's nominal rate.
        finder: Finds faces.
        recipe: What the network sees; None where nothing is to be recognised.
        setting: What an expression must be.
        stopwatch: Told what each stage takes, where one is given.
    """

    def __init__(
        self,
        rate_fps: float,
        finder: FaceFinder,
        *,
        recipe: ClipRecipe | None = None,
        setting: SpotterSetting | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self.rate_fps = rate_fps
        self.binning = max(1, round(rate_fps / MEASURED_HZ))
        self._tracker = FaceTracker(finder)
        self._spotter = Spotter(rate_fps / self.binning, setting)
        self._recipe = recipe
        self._store = FrameStore()
        self._clock = stopwatch
        self._look_every = max(1, round(self._tracker.every_s * rate_fps))
        self._seen = 0
        self._look_at = 0
        self._guesses = 0
        self._reference: _Reference | None = None
        self._pending: _Pending | None = None
        self._sum = np.zeros((FLOW_SIZE_PX, FLOW_SIZE_PX), np.float32)
        self._crop = np.empty((FLOW_SIZE_PX, FLOW_SIZE_PX), np.uint8)
        self._in_sum = 0
        self._sum_time = 0.0
        self._sum_number = 0.0
        self._astray = 0
        self._last_regions = np.zeros(len(REGION_ORDER), np.complex64)
        self._last_head = (0.0, 0.0)
        self._head_speed = 0.0

    @property
    def face(self) -> FaceState:
        """What can be said of the face."""
        return self._tracker.state

    @property
    def reading(self) -> bool:
        """Whether a face is followed just now."""
        return self._reference is not None

    @property
    def moving(self) -> bool:
        """Whether a movement is under way."""
        return self._spotter.moving

    @property
    def recipe(self) -> ClipRecipe | None:
        """What the network sees."""
        return self._recipe

    @recipe.setter
    def recipe(self, recipe: ClipRecipe | None) -> None:
        self._recipe = recipe

    def restart(self) -> None:
        """Begin anew: another trial, or frames are missing."""
        self._reference = self._pending = None
        self._tracker.state = FaceState.SEARCHING
        self._seen = self._look_at = self._guesses = 0
        self._empty_sum()
        self._store.clear()
        self._spotter.restart()

    def push(self, number: int, time_s: float, frame: Picture) -> list[Found]:
        """Take the next frame.

        Args:
            number: Of the frame in the recording.
            time_s: When it was taken; any clock that does not jump.
            frame: (height, width) uint8; not kept.
        """
        if self._seen >= self._look_at:
            self._look(frame)
        self._seen += 1
        reference = self._reference
        aligned = self._pending or reference
        if aligned is None:
            return []
        alignment = aligned.alignment
        started = time.perf_counter_ns()
        alignment.apply(frame, self._crop)
        self._sum += self._crop
        self._in_sum += 1
        self._sum_time += time_s
        self._sum_number += number
        if reference is not None and self._in_sum == 1:
            self._store.add(number, time_s, frame, reference.window)
        if self._clock is not None:
            self._clock.add("crop", started)
        if self._pending is not None:
            if self._in_sum >= REFERENCE_S * self.rate_fps:
                self._take_reference(self._pending)
            return []
        if reference is None or self._in_sum < self.binning:
            return []
        picture, at_s, at_number = self._binned()
        return self._measure(reference, picture, at_s, at_number, frame)

    def _binned(self) -> tuple[npt.NDArray[np.float32], float, float]:
        count = self._in_sum
        picture = self._sum / np.float32(count)
        found = picture, self._sum_time / count, self._sum_number / count
        self._empty_sum()
        return found

    def _empty_sum(self) -> None:
        self._sum[:] = 0
        self._in_sum = 0
        self._sum_time = self._sum_number = 0.0

    def _look(self, frame: Picture) -> None:
        self._look_at = self._seen + self._look_every
        started = time.perf_counter_ns()
        sighting = self._tracker.look(frame)
        if self._clock is not None:
            self._clock.add("find face", started)
        if self._tracker.state is not FaceState.FOUND:
            if self._reference is not None or self._pending is not None:
                self._reference = self._pending = None
                self._spotter.restart()
                self._store.clear()
            self._empty_sum()
            return
        if sighting.alignment is None:
            return
        reference = self._reference
        if reference is None and self._pending is None:
            guessed = sighting.alignment.guessed and self._guesses < _MOST_GUESSES
            self._guesses += 1
            if guessed:
                self._look_at = self._seen + max(1, round(_LOOK_AGAIN_S * self.rate_fps))
            else:
                self._pending = _Pending.of(sighting.alignment, sighting.face)
        elif reference is not None and self._pending is None:
            self._check(reference, sighting.alignment, sighting.face)

    def _check(self, reference: _Reference, seen: Alignment, face: Face | None) -> None:
        """Begin anew where the face is elsewhere than it was followed to."""
        followed = reference.alignment if reference.head is None else corrected(reference.alignment, reference.head)
        middle = np.array([[seen.size_px / 2, seen.size_px / 2]], np.float32)
        off = float(np.hypot(*(followed.to_crop(seen.to_source(middle)) - middle)[0]))
        astray = (
            off > _ASTRAY_SHARE * seen.size_px or not 1 / _ASTRAY_SCALE < seen.scale / followed.scale < _ASTRAY_SCALE
        )
        self._astray = self._astray + 1 if astray and not seen.guessed else 0
        if self._astray >= _ASTRAY_LOOKS:
            self._astray = 0
            self._reference, self._pending = None, _Pending.of(seen, face)
            self._spotter.restart()
            self._store.clear()
            self._empty_sum()

    def _take_reference(self, pending: _Pending) -> None:
        started = time.perf_counter_ns()
        picture, _, _ = self._binned()
        estimator = FlowEstimator(picture)
        alignment, landmarks = pending.alignment, pending.landmarks
        stabiliser = Stabiliser(FLOW_SIZE_PX, estimator.noise_px(), landmarks)
        fresh = _Reference(alignment, estimator, stabiliser, window_of(alignment), _thumbnail(picture), landmarks)
        fresh.offset = self._last_regions.copy()
        fresh.head_offset = self._last_head
        self._reference, self._pending = fresh, None
        if self._clock is not None:
            self._clock.add("new reference", started)

    def _measure(
        self, reference: _Reference, picture: npt.NDArray[np.float32], at_s: float, at_number: float, frame: Picture
    ) -> list[Found]:
        if float((_thumbnail(picture) * reference.thumbnail).sum()) < _LIKENESS:
            # The face has gone, or something is before it: what flow says then is no movement of skin.
            self._spotter.restart()
            return []
        started = time.perf_counter_ns()
        flow = reference.estimator.lattice_flow(picture, reference.head)
        if self._clock is not None:
            started = self._clock.add("flow", started)
        seen = reference.stabiliser.read(flow)
        reference.head = seen.head
        regions = seen.regions + reference.offset
        head = (
            seen.head.shift_px[0] + reference.head_offset[0],
            seen.head.shift_px[1] + reference.head_offset[1],
        )
        speed = float(np.hypot(head[0] - self._last_head[0], head[1] - self._last_head[1])) * self._spotter.rate_hz
        self._head_speed += 0.1 * (speed - self._head_speed)
        self._last_regions, self._last_head = regions, head
        if self._clock is not None:
            started = self._clock.add("head and regions", started)
        spots = self._spotter.push(at_s, regions, head)
        if self._clock is not None:
            self._clock.add("spot", started)
        found = [self._found(spot, at_s, at_number, reference) for spot in spots]
        self._renew(reference, seen.head, seen.turn, frame)
        return found

    def _renew(self, reference: _Reference, head: HeadMotion, turn: tuple[float, float], frame: Picture) -> None:
        """Align anew once the head has gone too far from the reference."""
        off = max(
            float(np.hypot(*head.shift_px)) / _NEW_REFERENCE_PX,
            float(np.hypot(*turn)) / _NEW_REFERENCE_TURN,
            abs(head.scale - 1) / _NEW_REFERENCE_SCALE,
            abs(head.rotation_deg) / _NEW_REFERENCE_DEG,
        )
        at_rest = self._head_speed < _SLOW_PX_S and not self._spotter.moving
        if off > _TOO_FAR or (off > 1 and at_rest):
            self._pending = _Pending(corrected(reference.alignment, head), reference.landmarks)

    def _found(self, spot: Spot, at_s: float, at_number: float, reference: _Reference) -> Found:
        def number(time_s: float) -> int:
            return max(0, round(at_number - max(at_s - time_s, 0.0) * self.rate_fps))

        onset, apex, offset = number(spot.onset_s), number(spot.apex_s), number(spot.offset_s)
        apex = min(max(apex, onset), offset)
        key_frames = KeyFrames(onset, apex, offset)
        kind: SpotKind = "micro" if key_frames.is_micro(self.rate_fps) else "macro"
        if spot.rejected is not None or self._recipe is None:
            return Found(key_frames, kind, spot)
        recipe = self._recipe
        alignment = (
            reference.alignment if reference.head is None else corrected(reference.alignment, reference.head)
        ).at_size(recipe.crop_px)
        wanted = np.concatenate([recipe.frame_numbers(key_frames), [onset, apex]])
        crops = self._store.crops(wanted, alignment)
        if crops is None:
            return Found(key_frames, kind, spot)
        return Found(key_frames, kind, spot, crops[:-2], crops[-2], crops[-1], recipe)


def _thumbnail(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A small picture whose product with another is their correlation."""
    small = cv2.resize(picture, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)


def corrected(alignment: Alignment, head: HeadMotion) -> Alignment:
    """The alignment of a frame in which the head has moved so since the reference."""
    turned = head.scale * np.exp(1j * np.deg2rad(head.rotation_deg))
    middle = (alignment.size_px - 1) / 2
    linear = np.array([[turned.real, -turned.imag], [turned.imag, turned.real]])
    # A point p of the reference lies at moved = middle + linear (p - middle) + shift in the crop of that frame.
    back = np.linalg.inv(linear)
    shift = middle - back @ (np.array([middle, middle]) + np.array(head.shift_px))
    matrix = back @ alignment.matrix
    matrix[:, 2] += shift
    return Alignment(matrix, alignment.size_px, alignment.source_shape, alignment.scheme)
