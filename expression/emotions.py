"""The emotion labels: seven basic emotions, and `others` where annotators found none of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Emotion(StrEnum):
    """What an expression was judged to show; the value is the name in every file and message."""

    ANGER = "anger"
    CONTEMPT = "contempt"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    OTHERS = "others"


BASIC_EMOTIONS: Final = tuple(emotion for emotion in Emotion if emotion is not Emotion.OTHERS)
"""The seven classes of recognition, in the order that models and tables use (alphabetical)."""
