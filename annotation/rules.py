"""How the answers of several coders become one: votes, medians and majorities, or that somebody must decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from annotation.api_models import CrossCheckAnswer, EmotionAnswer, KeyFrameAnswer, UnitsAnswer
from expression import KeyFrames

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class Settlement(Generic[AnswerT]):
    """What coders together say of a clip."""

    answer: AnswerT | None
    """None: it is for the lead to decide."""
    reason: str
    """The count behind it, or why nothing is settled."""


def settle_keyframes(answers: Sequence[KeyFrameAnswer], coders: int) -> Settlement[KeyFrameAnswer]:
    """Whether there is an expression, by more than half of those who answered; then the medians of those who marked it.

    Args:
        answers: One per coder who answered.
        coders: How many were asked.

    Returns:
        Not settled: fewer than half answered, a tie, several expressions seen by two or more, or medians that
        are not onset < apex < offset.
    """
    if too_few := _too_few(len(answers), coders):
        return Settlement(None, too_few)
    several = sum(answer.several for answer in answers)
    if several >= 2 or several == len(answers):
        return Settlement(None, f"{several} of {len(answers)} see more than one expression")
    marked = [answer for answer in answers if answer.expression]
    vote = f"{len(marked)} of {len(answers)} see an expression"
    if 2 * len(marked) == len(answers):
        return Settlement(None, vote)
    if 2 * len(marked) < len(answers):
        return Settlement(KeyFrameAnswer(expression=False), vote)
    median = KeyFrames.median([key_frames_of(answer) for answer in marked])
    if not median.onset < median.peak < median.offset:
        marks = f"{median.onset}, {median.peak}, {median.offset}"
        return Settlement(None, f"{vote}, but their medians are {marks}: onset, apex and offset must differ")
    settled = KeyFrameAnswer(expression=True, onset=median.onset, apex=median.peak, offset=median.offset)
    return Settlement(settled, vote)


def settle_units(answers: Sequence[UnitsAnswer], coders: int) -> Settlement[UnitsAnswer]:
    """The units, where all coders marked the same.

    Returns:
        Not settled: a coder is missing, or they differ; they are then cross-checked.
    """
    if len(answers) < coders:
        return Settlement(None, f"{len(answers)} of {coders} coded it")
    return _settle_same([answer.units for answer in answers], UnitsAnswer)


def settle_crosscheck(answers: Sequence[CrossCheckAnswer], coders: int) -> Settlement[UnitsAnswer]:
    """The units that all coders hold to be right after their discussion.

    Returns:
        Not settled: a coder is missing, or they still differ.
    """
    if len(answers) < coders:
        return Settlement(None, f"{len(answers)} of {coders} checked it")
    return _settle_same([answer.units for answer in answers], UnitsAnswer)


def settle_emotion(answers: Sequence[EmotionAnswer], coders: int) -> Settlement[EmotionAnswer]:
    """The label that more than half of those who answered gave.

    Returns:
        Not settled: fewer than half answered, or no label has more than half, such as 3-3-1 or 2-2-2-1.
    """
    if too_few := _too_few(len(answers), coders):
        return Settlement(None, too_few)
    votes = Counter(answer.emotion for answer in answers).most_common()
    listed = ", ".join(f"{count} {emotion.value}" for emotion, count in votes)
    emotion, count = votes[0]
    if 2 * count <= len(answers):
        return Settlement(None, f"no majority: {listed}")
    return Settlement(EmotionAnswer(emotion=emotion), listed)


def key_frames_of(answer: KeyFrameAnswer) -> KeyFrames:
    """The marks of an answer that sees an expression.

    Raises:
        ValueError: It sees none.
    """
    if answer.onset is None or answer.offset is None:
        raise ValueError("this answer sees no expression")
    return KeyFrames(answer.onset, answer.apex, answer.offset)


def _too_few(given: int, coders: int) -> str:
    return f"{given} of {coders} coded it" if not given or 2 * given < coders else ""


def _settle_same(units: list[list[str]], answer: type[UnitsAnswer]) -> Settlement[UnitsAnswer]:
    if all(marked == units[0] for marked in units):
        return Settlement(answer(units=units[0]), "all marked the same")
    return Settlement(None, " | ".join("+".join(marked) or "none" for marked in units))
