"""What a simulated participant does in front of the camera, from first to last frame, and what is true of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt

from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.errors import BadInput
from expression.keyframes import KeyFrames
from expression.paper import PARTS, Part
from expression.synthetic.background import Background, Movement, Temperament, sample_background
from expression.synthetic.expressions import (
    Expression,
    ExpressionKind,
    UnitMotion,
    sample_emotion,
    sample_expression,
)
from expression.synthetic.state import FaceTrack

Floats = npt.NDArray[np.float64]
EventKind = Literal["micro", "macro", "blink", "gaze", "swallow", "head", "posture"]

SLOWEST_FPS: Final = 200.0
"""Micro-expressions are micro by the rule's inclusive frame counts at this rate and above, unless another is given."""
MICRO_PER_MIN: Final = 3.0
"""In long performances: more than people show, so that a minute holds something to find."""
MACRO_PER_MIN: Final = 1.0
MOST_MICRO_PER_MIN: Final = 40.0
"""With rests between them no more find room."""
_APART_S = 0.7
_EDGE = 1e-6
_EXPRESSIVE = 1.35
"""Strength in a loop, which is there to be seen."""


@dataclass(frozen=True)
class PlacedExpression:
    """An expression and when it starts."""

    kind: ExpressionKind
    start_s: float
    expression: Expression


@dataclass(frozen=True)
class Event:
    """Something that happens, in frames of one rate."""

    kind: EventKind
    key_frames: KeyFrames
    """The apex is the frame of the greatest change; for a gaze shift or a new posture, which stay, the last frame."""
    emotion: Emotion | None = None
    motions: tuple[UnitMotion, ...] = ()


@dataclass(frozen=True)
class Performance:
    """A stretch of time of one participant: the same movement at every frame rate. Frame i is taken at i / rate."""

    duration_s: float
    expressions: tuple[PlacedExpression, ...]
    background: Background

    @classmethod
    def clip(
        cls,
        seed: Sequence[int],
        *,
        part: Part = PARTS[0],
        temperament: Temperament | None = None,
        rate_fps: float = SLOWEST_FPS,
        emotion: Emotion | None = None,
    ) -> Self:
        """One micro-expression with 0.12 to 0.30 s of rest on either side.

        Args:
            seed: Numbers that everything follows from.
            part: The part of DFME whose class counts the emotion is drawn by.
            temperament: The participant's traits; drawn from the seed when not given.
            rate_fps: Slowest frame rate at which it must be micro by the rule.
            emotion: Show this one.
        """
        rng = np.random.default_rng(list(seed))
        traits = temperament or Temperament.sampled(rng)
        shown = emotion or sample_emotion(rng, part)
        expression = _sampled(rng, shown, "micro", traits, min(rate_fps, SLOWEST_FPS))
        before_s, after_s = (float(margin) for margin in rng.uniform(0.12, 0.30, 2))
        duration_s = before_s + expression.length_s + after_s
        # The recording goes on around a clip: what happens in it began at any time before.
        background = sample_background(rng, traits, duration_s)
        return cls(duration_s, (PlacedExpression("micro", before_s, expression),), background)

    @classmethod
    def long(
        cls,
        seed: Sequence[int],
        *,
        minutes: float = 1.0,
        part: Part = PARTS[0],
        temperament: Temperament | None = None,
        rate_fps: float = SLOWEST_FPS,
        micro_per_min: float = MICRO_PER_MIN,
    ) -> Self:
        """Minutes with micro- and macro-expressions at random times; a micro-expression at least.

        Raises:
            BadInput: It is to be shorter than five seconds.
        """
        duration_s = 60 * minutes
        if duration_s < 5:
            raise BadInput(
                f"a long recording of {duration_s:g} s has no room for expressions: give at least 0.1 minutes"
            )
        rng = np.random.default_rng(list(seed))
        traits = temperament or Temperament.sampled(rng)
        micro = max(1, int(rng.poisson(micro_per_min * minutes)))
        macro = int(rng.poisson(MACRO_PER_MIN * minutes))
        kinds: list[ExpressionKind] = ["micro" if number < micro else "macro" for number in range(micro + macro)]
        slowest_fps = min(rate_fps, SLOWEST_FPS)
        sampled = [(kind, _sampled(rng, sample_emotion(rng, part), kind, traits, slowest_fps)) for kind in kinds]
        placed = _placed(rng, sampled, duration_s)
        return cls(duration_s, placed, sample_background(rng, traits, duration_s))

    @classmethod
    def loop(cls, seed: Sequence[int], *, seconds: float = 8.0, micro: int = 3) -> Self:
        """A performance whose end meets its beginning, with plain micro-expressions of different emotions.

        Raises:
            BadInput: It is too short for its expressions.
        """
        least_s = 2 * micro + 1 if micro else 0.1
        if seconds < least_s:
            raise BadInput(f"a loop of {seconds:g} s has no room for {micro} expressions: give at least {least_s:g} s")
        rng = np.random.default_rng(list(seed))
        traits = Temperament.sampled(rng)
        emotions = [BASIC_EMOTIONS[int(number)] for number in rng.permutation(len(BASIC_EMOTIONS))[:micro]]
        sampled: list[tuple[ExpressionKind, Expression]] = [
            (
                "micro",
                sample_expression(rng, emotion, slowest_fps=SLOWEST_FPS / 2, expressivity=_EXPRESSIVE),
            )
            for emotion in emotions
        ]
        return cls(seconds, _placed(rng, sampled, seconds), sample_background(rng, traits, seconds, period_s=seconds))

    def frames(self, rate_fps: float) -> int:
        """Frames that are taken at a rate."""
        return max(1, math.floor(self.duration_s * rate_fps + _EDGE))

    def track(self, rate_fps: float) -> FaceTrack:
        """What the face does in every frame."""
        t_s = np.arange(self.frames(rate_fps)) / rate_fps
        left, right = self._intensities(t_s)
        background = self.background
        posture = background.moved("posture", t_s, 6)
        turn = np.stack([wave.at(t_s) for wave in background.turn_deg], axis=1)
        shift = np.stack([wave.at(t_s) for wave in background.shift_px], axis=1)
        breath = background.breath(t_s)
        # Breathing in lifts the head by a trace.
        turn[:, 1] += 0.15 * (breath - 0.5)
        return FaceTrack(
            left=_single(left),
            right=_single(right),
            blink=_single(np.clip(background.moved("blink", t_s, 2), 0, 1)),
            gaze_deg=_single(background.first_gaze_deg + background.moved("gaze", t_s, 2)),
            head_px=_single(shift + posture[:, :2]),
            head_deg=_single(turn + posture[:, 2:5] + background.moved("head", t_s, 3)),
            head_scale=_single(1 + background.size.at(t_s) + posture[:, 5]),
            swallow=_single(np.clip(background.moved("swallow", t_s, 1)[:, 0], 0, 1)),
            breath=_single(breath),
            light=_single(background.light.at(t_s)),
        )

    def events(self, rate_fps: float) -> tuple[Event, ...]:
        """Everything that happens, in frames of a rate, in order of onsets."""
        last = self.frames(rate_fps) - 1
        events = [
            Event(
                placed.kind,
                placed.expression.key_frames(placed.start_s, rate_fps),
                placed.expression.emotion,
                placed.expression.motions,
            )
            for placed in self.expressions
        ]
        for movement in self.background.movements:
            key_frames = _movement_frames(movement, rate_fps, last)
            if key_frames is not None:
                events.append(Event(movement.kind, key_frames))
        return tuple(sorted(events, key=lambda event: (event.key_frames.onset, event.key_frames.offset, event.kind)))

    def _intensities(self, t_s: Floats) -> tuple[Floats, Floats]:
        left = right = np.zeros((len(t_s), 24))
        for placed in self.expressions:
            more_left, more_right = placed.expression.intensities(t_s - placed.start_s)
            left, right = left + more_left, right + more_right
        return np.clip(left, 0, 1), np.clip(right, 0, 1)


def _sampled(
    rng: np.random.Generator, emotion: Emotion, kind: ExpressionKind, traits: Temperament, slowest_fps: float
) -> Expression:
    return sample_expression(
        rng,
        emotion,
        kind,
        slowest_fps=slowest_fps,
        expressivity=traits.expressivity,
        asymmetry=traits.asymmetry,
    )


def _placed(
    rng: np.random.Generator, expressions: list[tuple[ExpressionKind, Expression]], duration_s: float
) -> tuple[PlacedExpression, ...]:
    """Expressions one after another in random order, with random rests; those that find no room are left out."""
    order = [expressions[int(number)] for number in rng.permutation(len(expressions))]
    # Micro-expressions come first in the list: they stay.
    room = list(expressions)
    while room and sum(e.length_s for _, e in room) + _APART_S * (len(room) + 1) > duration_s:
        room.pop()
    order = [entry for entry in order if any(entry is kept for kept in room)]
    if not order:
        return ()
    spare_s = duration_s - sum(e.length_s for _, e in order) - _APART_S * (len(order) + 1)
    rests = spare_s * rng.dirichlet(np.ones(len(order) + 1))
    placed, now = [], 0.0
    for (kind, expression), rest in zip(order, rests[:-1], strict=True):
        now += float(rest) + _APART_S
        placed.append(PlacedExpression(kind, now, expression))
        now += expression.length_s
    return tuple(placed)


def _movement_frames(movement: Movement, rate_fps: float, last: int) -> KeyFrames | None:
    """Key-frames of a movement, as those of an expression; None when no frame shows it."""
    onset = max(0, math.ceil(movement.start_s * rate_fps - _EDGE))
    offset = min(last, math.floor(movement.end_s * rate_fps + _EDGE))
    if onset > offset:
        # A saccade between two frames: seen as a jump into the second.
        onset, offset = offset, onset
        if onset < 0 or offset > last or not movement.stays:
            return None
    if movement.stays:
        return KeyFrames(onset, offset, offset)
    course = movement.course(np.arange(onset, offset + 1) / rate_fps)
    return KeyFrames(onset, onset + int(np.argmax(course)), offset)


def _single(values: Floats) -> npt.NDArray[np.float32]:
    return values.astype(np.float32)
