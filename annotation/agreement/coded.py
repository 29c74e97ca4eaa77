"""What coders said of the clips of one round, in the form that the figures of agreement take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from annotation.api_models import EmotionAnswer, KeyFrameAnswer, UnitsAnswer

AnswerT = TypeVar("AnswerT", KeyFrameAnswer, UnitsAnswer, EmotionAnswer)


@dataclass(frozen=True)
class CodedClip(Generic[AnswerT]):
    """A clip with every coder's last answer."""

    clip: int
    rate_fps: float
    answers: dict[str, AnswerT]
    """By coder."""
    repeats: dict[str, AnswerT]
    """By coder, what the same coder said when the clip came a second time."""
    settled: AnswerT | None
    """What counts, where it is of the same kind."""
    micro: bool | None = None
    """Whether the settled key-frames make it a micro-expression; None where none are settled."""


def coders_of(clips: Iterable[CodedClip[AnswerT]]) -> list[str]:
    """Everybody who gave an answer, by name."""
    return sorted({coder for clip in clips for coder in clip.answers})


def by_coder(clips: Sequence[CodedClip[AnswerT]]) -> list[tuple[str, list[CodedClip[AnswerT]]]]:
    """Each coder with the clips that they answered."""
    return [(coder, [clip for clip in clips if coder in clip.answers]) for coder in coders_of(clips)]
