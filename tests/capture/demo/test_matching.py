"""What was said is held against what was shown, each once."""

from __future__ import annotations

import numpy as np

from capture.demo.charts import MISSED, NOT_SURE, NOTHING, bars, confusion
from capture.demo.matching import agreed, confusion_counts
from capture.demo.truth import Trial, TrueExpression


def shown(onset: int, offset: int, emotion: str) -> TrueExpression:
    return TrueExpression("micro", onset, (onset + offset) // 2, offset, emotion, ())


TRIAL = Trial(
    "P1", None, "trial-001", "a", None, np.arange(900),
    (shown(100, 160, "fear"), shown(300, 360, "disgust"), shown(500, 560, "anger")),
)  # fmt: skip


def line(onset: int, offset: int, emotion: str) -> dict:
    return {"onset": onset, "offset": offset, "emotion": emotion}


def test_found_confused_missed_and_made_up():
    said = [line(105, 165, "fear"), line(110, 150, "anger"), line(290, 350, "not sure"), line(700, 760, "happiness")]
    counts = confusion_counts([TRIAL], {"P1_trial-001": said})
    assert counts == {
        ("fear", "fear"): 1,
        ("disgust", NOT_SURE): 1,
        ("anger", MISSED): 1,
        (NOTHING, "anger"): 1,
        (NOTHING, "happiness"): 1,
    }
    assert "fear shown, fear: 1" in confusion(counts, 500)


def test_settled_key_frames_are_compared_with_what_they_mean():
    row = {"recording_onset": "104", "recording_apex": "131", "recording_offset": "158"}
    found = agreed([TRIAL], {"P1_trial-001": [row]})
    assert found is not None
    assert (found.onset, found.apex, found.offset) == (4, 1, 2)
    assert agreed([TRIAL], {}) is None


def test_bars_say_their_counts():
    drawn = bars({"shown": {"fear": 3}, "coded": {"fear": 2}}, 800)
    assert "shown: 3 fear" in drawn
    assert "coded: 2 fear" in drawn
