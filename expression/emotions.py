"""The emotion labels: seven basic emotions and `others`, and how data sets and annotators write them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from expression.errors import LabelUnknown


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

SPELLINGS: Final[Mapping[Emotion, tuple[str, ...]]] = MappingProxyType(
    {
        Emotion.ANGER: ("anger", "angry", "ang"),
        Emotion.CONTEMPT: ("contempt", "contemptuous", "con"),
        Emotion.DISGUST: ("disgust", "disgusted", "dis"),
        Emotion.FEAR: ("fear", "fearful", "afraid", "fea"),
        Emotion.HAPPINESS: ("happiness", "happy", "hap", "joy", "joyful"),
        Emotion.SADNESS: ("sadness", "sad"),
        Emotion.SURPRISE: ("surprise", "surprised", "sur"),
        Emotion.OTHERS: ("others", "other", "oth"),
    }
)
"""What `parse_emotion` takes for each emotion, in any case; the first is the name."""

DATASET_SPELLINGS: Final[Mapping[str, Mapping[str, Emotion]]] = MappingProxyType(
    {
        "casme2": MappingProxyType({"repression": Emotion.OTHERS}),
        "4dme": MappingProxyType({"repression": Emotion.OTHERS}),
    }
)
"""Labels that have a counterpart here only within one data set.

Repression is an eighth label beside `others` there and none of the seven. `positive` and `negative` (SMIC, 4DME) span
several emotions and `tense` or `pain` have no counterpart, so they are nowhere translated.
"""

_BY_SPELLING: Final = {spelling: emotion for emotion, spellings in SPELLINGS.items() for spelling in spellings}


def parse_emotion(text: str, *, dataset: str | None = None) -> Emotion:
    """The emotion that a label of a data set or an annotator names.

    Args:
        text: The label as written; case, surrounding spaces and a final full stop do not matter.
        dataset: A key of `DATASET_SPELLINGS`, to accept the labels that are safe to translate in that data set alone.
            Other names are fine and add nothing.

    Raises:
        LabelUnknown: The text names none of the eight; the message lists what is accepted.
    """
    label = text.strip().rstrip(".").casefold()
    special = DATASET_SPELLINGS.get(dataset, {}) if dataset is not None else {}
    emotion = _BY_SPELLING.get(label) or special.get(label)
    if emotion is None:
        accepted = ", ".join("/".join(spellings) for spellings in SPELLINGS.values())
        extra = f"; in {dataset} also {', '.join(special)}" if special else ""
        raise LabelUnknown(f"no emotion is called {text!r}; accepted are {accepted}{extra}")
    return emotion
