"""The figures of the DFME paper's data set section, computed from coded samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from annotation.coded import CodedSample
from expression import CodedUnit, Emotion, Side
from expression.paper import PARTS, SHARED_COMBINATIONS, Combination, UnitPattern, combinations_of

LEAST_PERCENT: Final = 4.5
"""Units and combinations rarer than this in an emotion are left out of pictures; the paper's rarest has 4.8."""


@dataclass(frozen=True)
class DatasetFacts:
    """One data set in one line, as Table 1 of the paper has it."""

    name: str
    subjects: int
    micro: int
    macro: int
    rates_fps: tuple[float, ...]
    resolutions: tuple[str, ...]
    emotions: int
    """Labels that occur."""
    units_coded: bool
    mean_ms: float
    """Length of the micro-expressions, onset to offset."""


def table_1(name: str, samples: Sequence[CodedSample]) -> DatasetFacts:
    """Table 1: subjects, samples, rate, resolution, labels."""
    micro = [sample for sample in samples if sample.micro]
    lengths = [sample.key_frames.frames * 1000 / sample.rate_fps for sample in micro]
    return DatasetFacts(
        name=name,
        subjects=len({sample.subject for sample in micro}),
        micro=len(micro),
        macro=len(samples) - len(micro),
        rates_fps=tuple(sorted({sample.rate_fps for sample in samples})),
        resolutions=tuple(sorted({f"{one.resolution[0]}x{one.resolution[1]}" for one in samples if one.resolution})),
        emotions=len({sample.emotion or sample.label for sample in micro if sample.emotion or sample.label}),
        units_coded=any(sample.units for sample in samples),
        mean_ms=sum(lengths) / len(lengths) if lengths else 0.0,
    )


def part_of(sample: CodedSample) -> str:
    """The part of a data set that a sample is counted in: what it says, a part of DFME by its rate, or the rate."""
    if sample.part:
        return sample.part
    by_rate = {float(part.rate_fps): part.name for part in PARTS}
    return by_rate.get(sample.rate_fps, f"{sample.rate_fps:g} fps")


def class_counts(samples: Sequence[CodedSample]) -> dict[str, Counter[Emotion]]:
    """Figure 4: micro-expressions of each emotion in each part; samples without one of our emotions do not count."""
    counts: dict[str, Counter[Emotion]] = defaultdict(Counter)
    for sample in samples:
        if sample.micro and sample.emotion is not None:
            counts[part_of(sample)][sample.emotion] += 1
    return {part: counts[part] for part in sorted(counts)}


@dataclass(frozen=True)
class Occurrence:
    """How often a unit or a combination occurs in the micro-expressions of an emotion."""

    what: str
    count: int
    percent: float


def unit_percentages(samples: Sequence[CodedSample]) -> dict[Emotion, list[Occurrence]]:
    """Table 4: units in per cent of each emotion's micro-expressions, most frequent first.

    A unit on one half of the face is counted by itself, whichever half (`L/R-AU12`). Only samples with units count.
    """
    found: dict[Emotion, list[Occurrence]] = {}
    for emotion, coded in _by_emotion(samples).items():
        counts = Counter(str(pattern_of(unit)) for sample in coded for unit in sample.units)
        found[emotion] = _ranked(counts, len(coded))
    return found


def pattern_of(unit: CodedUnit) -> UnitPattern:
    """The unit without saying which half."""
    return UnitPattern(unit.unit, unit.side is not Side.BOTH)


@dataclass(frozen=True)
class CombinationFacts:
    """One combination of units in one emotion."""

    emotion: Emotion
    combination: str
    exact: int
    """Micro-expressions with these units and no other."""
    holding: int
    """Micro-expressions with these units, whatever else."""
    percent: float
    """`holding` in per cent of the emotion's."""
    share: float
    """Of all micro-expressions with these units, the per cent that have this emotion."""
    in_paper: bool
    """Whether the paper lists it for this emotion (Table 6)."""
    shared: bool
    """Whether the paper lists it as shared by anger, disgust, fear and sadness."""


def combination_facts(samples: Sequence[CodedSample], least_percent: float = LEAST_PERCENT) -> list[CombinationFacts]:
    """Table 6: the paper's combinations, and others that occur by themselves in `least_percent` of an emotion."""
    by_emotion = _by_emotion(samples)
    sets = {emotion: [frozenset(map(pattern_of, one.units)) for one in coded] for emotion, coded in by_emotion.items()}
    everywhere = [found for coded in sets.values() for found in coded]
    facts = []
    for emotion, coded in sets.items():
        exact = Counter(coded)
        often = {units for units, count in exact.items() if 100 * count >= least_percent * len(coded)}
        listed = set(combinations_of(emotion))
        for units in sorted(often | listed, key=lambda one: (-exact[one], _text(one))):
            holding = sum(units <= found for found in coded)
            anywhere = sum(units <= found for found in everywhere)
            facts.append(
                CombinationFacts(
                    emotion=emotion,
                    combination=_text(units),
                    exact=exact[units],
                    holding=holding,
                    percent=100 * holding / len(coded),
                    share=100 * holding / anywhere if anywhere else 0.0,
                    in_paper=units in listed,
                    shared=units in SHARED_COMBINATIONS,
                )
            )
    return facts


def _by_emotion(samples: Sequence[CodedSample]) -> dict[Emotion, list[CodedSample]]:
    found = {emotion: [s for s in samples if s.micro and s.units and s.emotion is emotion] for emotion in Emotion}
    return {emotion: coded for emotion, coded in found.items() if coded}


def _ranked(counts: Counter[str], total: int) -> list[Occurrence]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [Occurrence(what, count, 100 * count / total) for what, count in ordered]


def _text(units: Combination) -> str:
    return "+".join(str(unit) for unit in sorted(units, key=lambda one: (one.unit, one.one_sided)))
