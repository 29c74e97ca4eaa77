"""What the DFME paper reports, as constants: data set, action units per emotion, stimuli, and recognition results.

Source of everything here: S. Zhao et al., "More is Better: A Database for Spontaneous Micro-Expression with High Frame
Rates", arXiv 2301.00985, first version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from expression.action_units import ActionUnit, CodedUnit, Side, canonical
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.unit_notation import parse_units

_COUNT_ORDER: Final = (
    Emotion.HAPPINESS,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.ANGER,
    Emotion.CONTEMPT,
    Emotion.SURPRISE,
    Emotion.SADNESS,
    Emotion.OTHERS,
)


@dataclass(frozen=True)
class Part:
    """One of the three parts in which DFME was recorded."""

    name: str
    rate_fps: int
    subjects: int
    """Subjects who showed at least one micro-expression."""
    samples: int
    """Micro-expressions."""
    counts: Mapping[Emotion, int]
    """Micro-expressions per emotion."""


def _part(name: str, rate_fps: int, subjects: int, samples: int, *counts: int) -> Part:
    by_emotion = dict(zip(_COUNT_ORDER, counts, strict=True))
    return Part(name, rate_fps, subjects, samples, MappingProxyType({e: by_emotion[e] for e in Emotion}))


PARTS: Final = (
    _part("A", 500, 72, 1118, 111, 321, 143, 97, 77, 187, 142, 40),
    _part("B", 300, 92, 969, 78, 406, 115, 56, 45, 143, 119, 7),
    _part("C", 200, 492, 5439, 803, 1801, 634, 466, 279, 878, 374, 204),
)
"""Recording parts with class counts."""

PARTICIPANTS: Final = 671
"""Recorded participants; 15 of them showed no micro-expression."""
SUBJECTS: Final = 656
"""Participants with at least one micro-expression."""
SAMPLES: Final = 7526
"""Micro-expressions of all eight labels."""
BASIC_SAMPLES: Final = 7275
"""Micro-expressions of the seven basic emotions: what recognition is trained and tested on."""
UNIT_RELIABILITY: Final = 0.83
"""Agreement of the two action unit coders."""
EMOTION_KAPPA: Final = 0.72
"""Fleiss' kappa of the seven emotion annotators."""
NAKED_EYE_ACCURACY: Final = 0.47
"""Share of micro-expressions that people recognise without help."""


@dataclass(frozen=True)
class UnitPattern:
    """A unit on both sides, or on one side, whichever (`L/R-AU12` in the paper)."""

    unit: ActionUnit
    one_sided: bool = False

    def matches(self, coded: CodedUnit) -> bool:
        """Whether the coded unit is this unit, and one-sided exactly if this is."""
        return coded.unit is self.unit and (coded.side is not Side.BOTH) == self.one_sided

    def __str__(self) -> str:
        return f"L/R-{self.unit.code}" if self.one_sided else self.unit.code


def _pattern(text: str) -> UnitPattern:
    one_sided = text.startswith("L/R-")
    (coded,) = parse_units(text.removeprefix("L/R-"))
    return UnitPattern(coded.unit, one_sided)


@dataclass(frozen=True)
class Occurrence:
    """How often a unit occurs in the micro-expressions of one emotion."""

    pattern: UnitPattern
    percent: float


def _occurrences(text: str) -> tuple[Occurrence, ...]:
    entries = (entry.split() for entry in text.split(","))
    return tuple(Occurrence(_pattern(unit), float(percent)) for unit, percent in entries)


UNIT_OCCURRENCE: Final[Mapping[Emotion, tuple[Occurrence, ...]]] = MappingProxyType(
    {
        Emotion.ANGER: _occurrences("4 72.5, 7 29.1, 24 16.3, 5 7.6, 23 5.6, 14 5.6, 10 5.2, 17 4.8"),
        Emotion.CONTEMPT: _occurrences("L/R-12 78.7, 6 19.2, L/R-10 10.6, 7 7.8, L/R-2 5.7, 14 5.7"),
        Emotion.DISGUST: _occurrences("4 73.6, 7 40.4, 10 11.8, 24 8.4, 14 6.7"),
        Emotion.FEAR: _occurrences("4 54.1, 7 35.3, 5 16.2, 24 14.5, 1 11.1, 14 8.8, 17 6.0, 10 4.8"),
        Emotion.HAPPINESS: _occurrences("12 79.8, 6 61.6, 24 12.1, L/R-12 10.1, 10 6.2"),
        Emotion.SADNESS: _occurrences("4 42.2, 14 26.1, 24 19.2, 7 16.5, 17 10.8, 15 6.9, 23 5.1, 1 4.8"),
        Emotion.SURPRISE: _occurrences("1 65.6, 5 60.2, 2 60.0, L/R-2 25.6, L/R-1 17.8, L/R-5 10.7"),
    }
)
"""Units of high occurrence per emotion, in per cent of that emotion's micro-expressions (first 300 participants)."""

Combination = frozenset[UnitPattern]
"""Units that occur together."""


def _combinations(text: str) -> tuple[Combination, ...]:
    return tuple(frozenset(map(_pattern, entry.strip().split("+"))) for entry in text.split(","))


SHARED_COMBINATIONS: Final = _combinations("4, 4+7, 7, 24")
"""Combinations that anger, disgust, fear and sadness have in common."""
SHARING_EMOTIONS: Final = (Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR, Emotion.SADNESS)

COMBINATIONS: Final[Mapping[Emotion, tuple[Combination, ...]]] = MappingProxyType(
    {
        Emotion.ANGER: _combinations("4+5, 23"),
        Emotion.CONTEMPT: _combinations("L/R-12, 6+L/R-12"),
        Emotion.DISGUST: _combinations("4+7+10, 14"),
        Emotion.FEAR: _combinations("14+24, 1+4, 4+5"),
        Emotion.HAPPINESS: _combinations("6+12, 12"),
        Emotion.SADNESS: _combinations("14, 17, 15, 14+24"),
        Emotion.SURPRISE: _combinations("1+2+5, 1+2, 5"),
    }
)
"""Combinations of units that go with each emotion, without the shared ones."""


def combinations_of(emotion: Emotion) -> tuple[Combination, ...]:
    """All combinations that go with an emotion, the shared ones included; none for `others`."""
    own = COMBINATIONS.get(emotion, ())
    return own + SHARED_COMBINATIONS if emotion in SHARING_EMOTIONS else own


def emotions_of(units: Iterable[CodedUnit]) -> tuple[Emotion, ...]:
    """The emotions that the coded units speak for, in the order of `BASIC_EMOTIONS`.

    A combination matches when all its units were coded. Of the matching ones only the most specific count: AU4+AU5
    speaks for anger and fear, and no longer for surprise as AU5 alone would. No match gives an empty tuple.
    """
    coded = canonical(units)
    matching = {
        combination: emotion_set
        for combination, emotion_set in _EMOTIONS_BY_COMBINATION.items()
        if all(any(pattern.matches(unit) for unit in coded) for pattern in combination)
    }
    found = {
        emotion
        for combination, emotion_set in matching.items()
        if not any(combination < other for other in matching)
        for emotion in emotion_set
    }
    return tuple(emotion for emotion in BASIC_EMOTIONS if emotion in found)


def _by_combination() -> Mapping[Combination, frozenset[Emotion]]:
    table: dict[Combination, frozenset[Emotion]] = {}
    for emotion in BASIC_EMOTIONS:
        for combination in combinations_of(emotion):
            table[combination] = table.get(combination, frozenset()) | {emotion}
    return MappingProxyType(table)


_EMOTIONS_BY_COMBINATION: Final = _by_combination()


@dataclass(frozen=True)
class Stimulus:
    """One of the fifteen videos that were shown."""

    name: str
    duration_s: int
    emotion: Emotion
    intensity: float
    """Mean intensity that 50 volunteers gave it, 1 to 5."""


STIMULI: Final = (
    Stimulus("02sa", 224, Emotion.SADNESS, 4.00),
    Stimulus("03sa", 258, Emotion.SADNESS, 3.36),
    Stimulus("06c", 121, Emotion.CONTEMPT, 2.83),
    Stimulus("07a", 86, Emotion.ANGER, 3.49),
    Stimulus("08su", 86, Emotion.SURPRISE, 2.16),
    Stimulus("09f", 142, Emotion.FEAR, 3.72),
    Stimulus("10a", 178, Emotion.ANGER, 4.33),
    Stimulus("11d", 84, Emotion.DISGUST, 3.95),
    Stimulus("13f", 134, Emotion.FEAR, 3.36),
    Stimulus("14d", 82, Emotion.DISGUST, 3.23),
    Stimulus("17h", 77, Emotion.HAPPINESS, 2.81),
    Stimulus("18h", 118, Emotion.HAPPINESS, 3.08),
    Stimulus("20d", 46, Emotion.DISGUST, 2.87),
    Stimulus("21c", 104, Emotion.CONTEMPT, 2.11),
    Stimulus("23sa", 104, Emotion.SADNESS, 3.25),
)
"""The stimulus videos, in the order of their names."""

ModelName = Literal["R3D", "P3D", "D3D", "I3D"]
Setting = Literal["baseline", "class-resampling", "class-balanced-loss", "uniform-key-frames"]
"""What was varied; the baseline has cross-entropy, samples as they come, and adaptive key-frames."""


@dataclass(frozen=True)
class ModelSetup:
    """How one of the models was trained: SGD, momentum 0.9, 32 clips of 16 frames a batch."""

    model: ModelName
    input_px: int
    """Width and height of a frame."""
    learning_rate: float
    """At first; divided by 10 every 10 epochs."""


MODEL_SETUPS: Final[Mapping[ModelName, ModelSetup]] = MappingProxyType(
    {
        "R3D": ModelSetup("R3D", 224, 0.005),
        "P3D": ModelSetup("P3D", 160, 0.01),
        "D3D": ModelSetup("D3D", 224, 0.05),
        "I3D": ModelSetup("I3D", 224, 0.005),
    }
)


@dataclass(frozen=True)
class Result:
    """Seven-class recognition on all of DFME: mean of ten folds."""

    model: ModelName
    setting: Setting
    accuracy: float
    """Share of right answers, 0 to 1."""
    uf1: float
    uar: float


RESULTS: Final = (
    Result("R3D", "baseline", 0.4654, 0.3817, 0.3827),
    Result("R3D", "class-resampling", 0.4705, 0.3823, 0.3659),
    Result("R3D", "class-balanced-loss", 0.4661, 0.3951, 0.3914),
    Result("R3D", "uniform-key-frames", 0.4649, 0.3710, 0.3715),
    Result("P3D", "baseline", 0.4577, 0.3830, 0.3801),
    Result("P3D", "class-resampling", 0.4202, 0.3949, 0.4078),
    Result("P3D", "class-balanced-loss", 0.4323, 0.3921, 0.3955),
    Result("P3D", "uniform-key-frames", 0.4531, 0.3671, 0.3656),
    Result("D3D", "baseline", 0.5226, 0.4070, 0.4107),
    Result("D3D", "class-resampling", 0.4837, 0.4489, 0.4656),
    Result("D3D", "class-balanced-loss", 0.4825, 0.4219, 0.4302),
    Result("D3D", "uniform-key-frames", 0.5262, 0.4124, 0.4203),
    Result("I3D", "baseline", 0.5524, 0.4576, 0.4526),
    Result("I3D", "class-resampling", 0.5391, 0.4902, 0.4924),
    Result("I3D", "class-balanced-loss", 0.5456, 0.4789, 0.4777),
    Result("I3D", "uniform-key-frames", 0.5521, 0.4621, 0.4576),
)
"""The recognition tables, row by row."""
