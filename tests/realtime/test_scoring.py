"""`dfme-live score`: the challenge's protocol, on cases that can be counted by hand."""

from __future__ import annotations

import json

import pytest

from capture.console import run_command
from realtime.cli import app
from realtime.scoring import Interval, matched, score

TABLE = """subject,file,onset,apex,offset,kind,emotion,AUs
sub0001,long/sub0001_01.zarr,100,130,199,micro,fear,4
sub0001,long/sub0001_01.zarr,500,530,599,micro,disgust,4+7
sub0002,long/sub0002_01.zarr,100,130,199,micro,happiness,12
sub0002,long/sub0002_01.zarr,900,990,1400,macro,happiness,12
"""


def line(onset: int, offset: int, emotion: str, kind: str = "micro") -> str:
    values = {"onset": onset, "apex": onset, "offset": offset, "kind": kind, "emotion": emotion}
    return json.dumps({"type": "expression", **values, "probabilities": {}, "latency_ms": 1.0}) + "\n"


@pytest.fixture
def folder(tmp_path):
    """One right with the right name, one right with a wrong name, one false alarm; the second subject has no lines."""
    (tmp_path / "spotting.csv").write_text(TABLE)
    lines = line(100, 199, "fear") + line(520, 610, "sadness") + line(2000, 2100, "fear")
    (tmp_path / "sub0001_01.live.jsonl").write_text(lines)
    return tmp_path


def call(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run_command(app, ["score", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_overlap_counts_frames_inclusively():
    assert Interval(0, 9).iou(Interval(5, 14)) == pytest.approx(5 / 15)
    assert Interval(0, 9).iou(Interval(10, 19)) == 0
    assert Interval(3, 3).iou(Interval(3, 3)) == 1


def test_half_is_enough_and_less_is_not():
    assert matched([Interval(0, 9)], [Interval(0, 4)])
    assert not matched([Interval(0, 9)], [Interval(0, 3)])


def test_a_truth_is_found_once():
    assert len(matched([Interval(0, 9)], [Interval(0, 9), Interval(0, 8)])) == 1


def test_misses_of_a_recording_without_lines_count(folder, capsys):
    code, stdout, _ = call(capsys, folder, folder / "spotting.csv", "--json")
    assert code == 0
    result = json.loads(stdout.splitlines()[-1])
    assert (result["truths"], result["spotted"], result["found"], result["named"]) == (3, 3, 2, 1)
    assert result["f1"] == pytest.approx(2 * 2 / 6, abs=1e-4)
    # Fear is right; disgust was missed and sadness said: (1 + 0 + 0) / 3.
    assert result["recognition_f1"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["strs"] == pytest.approx(2 / 9, abs=1e-4)


def test_false_alarms_of_a_recording_without_truth_count():
    result = score({"a": [Interval(0, 9)], "b": []}, {"a": [Interval(0, 9)], "b": [Interval(0, 9)]})
    assert result.f1 == pytest.approx(2 / 3)


def test_a_macro_expression_counts_where_it_is_asked_for(folder, capsys):
    _, stdout, _ = call(capsys, folder, folder / "spotting.csv", "--kind", "all", "--json")
    assert json.loads(stdout.splitlines()[-1])["truths"] == 4


def test_a_whole_challenge_counted_by_hand():
    """Two subjects, a recording without truth, one without predictions; the public evaluator leaves both out."""
    truths = {
        "s1_a": [Interval(10, 29, "micro", "fear"), Interval(60, 79, "micro", "anger")],
        "s1_neutral": [],
        "s2_silent": [Interval(5, 24, "micro", "sadness"), Interval(50, 69, "micro", "fear")],
        "s2_b": [Interval(0, 19, "micro", "others"), Interval(100, 400, "macro", "happiness")],
    }
    spotted = {
        # The first overlaps by 15 of 25; the second is the same truth again; the third by 9 of 31.
        "s1_a": [
            Interval(15, 34, "micro", "fear"),
            Interval(11, 21, "micro", "fear"),
            Interval(71, 90, "micro", "anger"),
        ],
        "s1_neutral": [Interval(7, 30, "micro", "fear")],
        # Found, of no emotion that is scored; and a macro-expression, which is another question.
        "s2_b": [Interval(2, 21, "micro", "disgust"), Interval(120, 400, "macro", "happiness")],
    }
    result = score(truths, spotted)
    assert (result.truths, result.spotted, result.found) == (5, 5, 2)
    assert (result.missed, result.false_alarms) == (3, 3)
    assert (result.precision, result.recall) == (pytest.approx(2 / 5), pytest.approx(2 / 5))
    assert result.f1 == pytest.approx(2 * 2 / 10)
    assert (result.named, result.recognition_f1) == (1, 1.0)
    assert result.strs == pytest.approx(0.4)
    assert score(truths, spotted, "macro").f1 == 1
    assert score(truths, spotted, "all").f1 == pytest.approx(2 * 3 / 12)


def test_where_two_predictions_fit_the_better_one_is_taken():
    truth = Interval(0, 99)
    assert matched([truth], [Interval(0, 59), Interval(5, 99)]) == [(truth, Interval(5, 99))]


def test_perfect_predictions_score_one():
    truth = {"a": [Interval(0, 9, "micro", "fear"), Interval(50, 80, "micro", "anger")]}
    assert score(truth, truth).strs == 1


@pytest.mark.parametrize(
    ("table", "lines", "named"),
    [
        ("file,onset\n", line(0, 9, ""), "offset"),
        (TABLE.replace("100", "x"), line(0, 9, ""), "line 2"),
        (TABLE, "no json\n", "holds no lines"),
        (TABLE, line(0, 9, ""), "tells of none"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_line(tmp_path, capsys, table, lines, named):
    (tmp_path / "truth.csv").write_text(table)
    (tmp_path / "other.jsonl").write_text(lines)
    code, _, stderr = call(capsys, tmp_path / "other.jsonl", tmp_path / "truth.csv")
    assert code == 2
    assert named in stderr
    assert len(stderr.strip().splitlines()) == 1
