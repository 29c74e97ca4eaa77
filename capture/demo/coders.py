"""Simulated coders: they look at what the server shows them, and differ from the truth and each other as people do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from capture.demo.truth import Trial, TrueExpression, TrueUnit

MARGIN_FRAMES: Final = (15, 35)
"""Rest that a selector leaves on either side of an expression."""
_FALSE_FRAGMENTS: Final = 0.8
"""How many of a recording's blinks and glances a selector takes for expressions as well, on average."""
_FALSE_FRAMES: Final = 90
_APART_FRAMES: Final = 40
_MISSES_WEAKEST: Final = 0.25
"""Chance to overlook an expression without any strength; it falls to nothing with full strength."""
_SPREAD_FRAMES: Final = (2.0, 4.0, 5.0)
"""Of onset, apex and offset: the offset fades, so coders differ most on it."""
_BIAS_FRAMES: Final = 1.5
_TAKES_FALSE: Final = 0.15
_UNIT_MISSED: Final = 0.12
_WEAK_UNIT_MISSED: Final = 0.35
_WEAK: Final = 0.35
_UNIT_ADDED: Final = 0.08
_CONVINCED: Final = 0.85
_NAMED_RIGHTLY: Final = 0.76
_CONFUSED: Final = {
    "happiness": ("contempt", "others"),
    "disgust": ("anger", "sadness"),
    "fear": ("surprise", "sadness"),
    "anger": ("disgust", "others"),
    "contempt": ("happiness", "others"),
    "sadness": ("disgust", "fear"),
    "surprise": ("fear", "others"),
    "others": ("contempt", "happiness"),
}
"""What is said in place of what is shown."""
_STAMP_ROWS: Final = 1
_LOOKS_LIKE: Final = 6.0
"""Mean difference of grey levels up to which a picture can be that of a frame: JPEG leaves less, another frame more."""


class NothingLikeIt(Exception):
    """A picture that the server shows is of no recording of the study."""


@dataclass(frozen=True)
class Seen:
    """What a coder has before the eyes."""

    trial: Trial
    expression: TrueExpression | None
    """The one that the clip holds, or None."""


class Eyes:
    """Recognises what is shown: an item tells no coder which recording it is from, but its pictures do."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._trials = trials

    def look(self, jpeg: bytes, frame: int, first: int, last: int) -> Seen:
        """What is in a clip.

        Args:
            jpeg: Picture of one frame.
            frame: Its number.
            first: First frame of the clip.
            last: Its last frame.

        Raises:
            NothingLikeIt: No recording has such a frame.
        """
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        near = [
            (_difference(picture, trial.frame(frame)), number)
            for number, trial in enumerate(self._trials)
            if last < trial.frames
        ]
        if not near or min(near)[0] > _LOOKS_LIKE:
            raise NothingLikeIt(f"no recording looks like the picture of frame {frame}")
        trial = self._trials[min(near)[1]]
        return Seen(trial, trial.within(first, last))


def _difference(picture: npt.NDArray[Any] | None, frame: npt.NDArray[np.uint8]) -> float:
    if picture is None or picture.shape != frame.shape:
        return float("inf")
    # The stamp in the first row is noise to JPEG.
    return float(np.mean(cv2.absdiff(picture[_STAMP_ROWS:], frame[_STAMP_ROWS:])))


class SimulatedCoder:
    """One coder, with an own hand: a bias in frames, and an own stream of chance."""

    def __init__(self, name: str, number: int, seed: int, units: Mapping[int, str]) -> None:
        """Begin.

        Args:
            name: To log in with.
            number: Of the coder, from 0.
            seed: Of the study.
            units: Code of each unit that coders are offered, by its FACS number.
        """
        self.name = name
        self._random = np.random.default_rng([seed, 0xC0DE, number])
        self._bias = self._random.normal(0, _BIAS_FRAMES)
        self._units = units

    def selects(self, seen: Seen) -> list[dict[str, Any]]:
        """Fragments of a recording, `Fragment` of the API."""
        last = seen.trial.frames - 1
        fragments = []
        for one in seen.trial.truth:
            if self._overlooks(one, 0.5):
                continue
            before, after = self._random.integers(*MARGIN_FRAMES, 2)
            fragments.append((max(0, one.onset - int(before)), min(last, one.offset + int(after))))
        for _ in range(self._random.poisson(_FALSE_FRAGMENTS)):
            fragments += self._false_fragment(fragments, last)
        return [{"first_frame": first, "last_frame": final} for first, final in sorted(fragments)]

    def marks(self, seen: Seen, first: int, last: int) -> dict[str, Any]:
        """`KeyFrameAnswer` of the API."""
        one = seen.expression
        if one is None and self._random.random() < _TAKES_FALSE:
            length = last - first
            places = (first + length // 4, first + length // 2, first + 3 * length // 4)
        elif one is None or self._overlooks(one, 1.0):
            return {"kind": "keyframes", "expression": False}
        else:
            places = (one.onset, one.apex, one.offset)
        drawn = [
            place + self._bias + self._random.normal(0, spread)
            for place, spread in zip(places, _SPREAD_FRAMES, strict=True)
        ]
        onset, apex, offset = sorted(int(min(max(round(place), first), last)) for place in drawn)
        return {"kind": "keyframes", "expression": True, "onset": onset, "apex": apex, "offset": offset}

    def sees_units(self, seen: Seen) -> dict[str, Any]:
        """`UnitsAnswer` of the API."""
        found = [unit for unit in self._true_units(seen) if self._random.random() > self._unit_missed(unit)]
        codes = [self._code(unit) for unit in found]
        if self._random.random() < _UNIT_ADDED:
            codes.append(str(self._random.choice(sorted(set(self._units.values())))))
        return {"kind": "units", "units": sorted(set(codes))}

    def agrees_on_units(self, seen: Seen, others: Sequence[str]) -> dict[str, Any]:
        """`CrossCheckAnswer` of the API: after the discussion most hold what is right, some what they held before."""
        true = [self._code(unit) for unit in self._true_units(seen)]
        convinced = self._random.random() < _CONVINCED
        return {"kind": "crosscheck", "units": sorted(set(true if convinced else others))}

    def names(self, seen: Seen) -> dict[str, Any]:
        """`EmotionAnswer` of the API."""
        true = seen.expression.emotion if seen.expression is not None else "others"
        said = true if self._random.random() < _NAMED_RIGHTLY else str(self._random.choice(_CONFUSED[true]))
        return {"kind": "emotion", "emotion": said}

    def _overlooks(self, one: TrueExpression, share: float) -> bool:
        return bool(self._random.random() < share * _MISSES_WEAKEST * (1 - min(1.0, one.strength)))

    def _false_fragment(self, fragments: Sequence[tuple[int, int]], last: int) -> list[tuple[int, int]]:
        """One that lies apart from the others, where there is room."""
        for _ in range(20):
            first = int(self._random.integers(0, max(1, last - _FALSE_FRAMES)))
            final = first + _FALSE_FRAMES
            apart = all(final + _APART_FRAMES < a or first > b + _APART_FRAMES for a, b in fragments)
            if apart and final <= last:
                return [(first, final)]
        return []

    def _true_units(self, seen: Seen) -> list[TrueUnit]:
        units = seen.expression.units if seen.expression is not None else ()
        return [unit for unit in units if unit.number in self._units]

    def _code(self, unit: TrueUnit) -> str:
        return f"{unit.side}-{self._units[unit.number]}" if unit.side else self._units[unit.number]

    @staticmethod
    def _unit_missed(unit: TrueUnit) -> float:
        return _WEAK_UNIT_MISSED if unit.strength < _WEAK else _UNIT_MISSED
