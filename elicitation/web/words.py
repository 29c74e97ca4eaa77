"""Texts of the participant's pages by key; a protocol replaces them for its language (`[words]`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ENGLISH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anger": "Anger",
        "contempt": "Contempt",
        "disgust": "Disgust",
        "fear": "Fear",
        "happiness": "Happiness",
        "sadness": "Sadness",
        "surprise": "Surprise",
        "next": "Continue",
        "back": "Back",
        "done": "I am done",
        "seconds": "seconds",
        "grade_least": "not at all",
        "grade_most": "very strongly",
        "open_items": "Still to answer: {n}",
        "all_answered": "Everything is answered.",
        "questions_page": "Page {n} of {total}",
        "your_face": "Your face",
        "stimulus": "What you saw",
        "no_stimulus": "Nothing was on the screen at this moment.",
        "play": "Play",
        "pause": "Pause",
        "speed": "Speed",
        "real_time": "real time",
        "times_slower": "{n} times slower",
        "position": "Place in the recording",
        "mark": "Mark this moment",
        "marks": "Your marks",
        "no_marks": "None yet. Stop where your face showed something, and press “Mark this moment”.",
        "which_emotion": "What did you feel?",
        "how_strong": "How strongly?",
        "intensity_least": "hardly",
        "intensity_most": "very strongly",
        "save": "Save",
        "cancel": "Cancel",
        "edit": "Change",
        "remove": "Remove",
        "move_here": "Move it to the moment shown now",
        "time_s": "{s} s",
        "nothing_marked": "You have marked nothing. Are you done?",
        "really_done": "Yes, I am done",
        "session_paused": "We will go on in a moment.",
        "rate_welcome": "You will watch some videos. After each one, please say what you felt, and how strongly.",
        "rate_code": "Your code",
        "rate_code_hint": "Keep this code: with it you can stop at any time and go on later.",
        "rate_bad_code": "A code has letters and digits, at most 32.",
        "rate_start": "Start",
        "rate_watch": "Video {n} of {total}",
        "rate_play": "Start the video",
        "rate_cannot_play": "This video cannot be played here. Please go on with the next one.",
        "rate_thanks": "That was all. Thank you.",
        "rate_skipped": "Some videos could not be played. Please tell the person who invited you.",
        "not_saved": "Not saved yet. Please wait a moment.",
        "connection_lost": "One moment, please.",
        "frame_failed": "This picture cannot be shown.",
    }
)
"""`{n}`, `{total}` and `{s}` stand for numbers."""


_RIGHT_TO_LEFT: Final = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_SCRIPTS: Final[Mapping[str, str]] = MappingProxyType({"arab": "rtl", "hebr": "rtl", "latn": "ltr", "cyrl": "ltr"})


def in_words_of(words: Mapping[str, str]) -> dict[str, str]:
    """All texts, with `words` in place of the English ones."""
    return {**ENGLISH, **words}


def direction_of(language: str) -> str:
    """How a language is written, `ltr` or `rtl`, by its tag such as `ar` or `he-IL`."""
    primary, *others = language.lower().split("-")
    by_script = next((_SCRIPTS[part] for part in others if part in _SCRIPTS), None)
    return by_script or ("rtl" if primary in _RIGHT_TO_LEFT else "ltr")
