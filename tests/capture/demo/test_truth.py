"""Which expressions a recording holds follows from the pictures that its frames show."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from capture.demo.truth import TrueExpression, TrueUnit, read_performance, shown, write_truth
from capture.errors import CaptureError
from expression.synthetic.performance import Performance
from expression.synthetic.truth import RecordingTruth, event_truths
from expression.synthetic.truth import write_truth as write_synthetic_truth

SMILE = TrueExpression("micro", 100, 120, 150, "happiness", (TrueUnit(12, "L", 0.4), TrueUnit(6, "", 0.7)))


def test_an_expression_lies_where_its_pictures_were_recorded():
    (found,) = shown(np.arange(60, 400), [SMILE])
    assert (found.onset, found.apex, found.offset) == (40, 60, 90)
    assert (found.text, found.strength) == ("L12+6", 0.7)


def test_one_that_was_cut_off_does_not_count():
    assert shown(np.arange(101, 400), [SMILE]) == ()
    assert shown(np.arange(60, 150), [SMILE]) == ()


def test_one_that_is_interrupted_by_lost_frames_does_not_count():
    pictures = np.concatenate([np.arange(90, 110), np.arange(130, 200)])
    assert shown(pictures, [SMILE]) == ()


def test_one_that_is_shown_twice_counts_twice():
    pictures = np.concatenate([np.arange(90, 200), np.arange(0, 200)])
    assert [one.onset for one in shown(pictures, [SMILE])] == [10, 210]


def test_the_truth_of_a_synthetic_recording_is_read_as_it_was_written(tmp_path):
    performance = Performance.long((3, 4), minutes=0.2, micro_per_min=30.0)
    track = performance.track(200.0)
    truth = RecordingTruth("sub0001", "sub0001_01", 1, (3, 4), 200.0, len(track), event_truths(performance, 200.0))
    write_synthetic_truth(tmp_path, truth, track)
    found = read_performance(tmp_path / "sub0001_01.json")
    assert len(found) == len(truth.expressions) > 2
    for one, event in zip(found, truth.expressions, strict=True):
        assert (one.onset, one.apex, one.offset) == (event.onset, event.apex, event.offset)
        assert (one.kind, one.emotion, len(one.units)) == (event.kind, event.emotion, len(event.units))


def test_another_file_is_refused_in_one_line(tmp_path):
    path = tmp_path / "sub0001_01.json"
    path.write_text("[]")
    with pytest.raises(CaptureError, match="does not tell what is true"):
        read_performance(path)


def test_the_table_of_no_trials_has_its_columns(tmp_path):
    write_truth(tmp_path / "truth.csv", [])
    with (tmp_path / "truth.csv").open(newline="") as file:
        assert next(csv.reader(file))[:4] == ["subject", "file", "onset", "apex"]
