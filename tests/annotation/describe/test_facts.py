"""Tables and pictures of a data set whose counts are known."""

from __future__ import annotations

import cv2
import numpy as np

from annotation.coded import CodedSample
from annotation.describe.facts import class_counts, combination_facts, table_1, unit_percentages
from annotation.describe.pictures import class_distribution, unit_bars
from expression import Emotion, KeyFrames, parse_units
from expression.paper import PARTS


def sample(
    emotion: Emotion, units: str = "", *, subject: str = "P01", rate: float = 200, frames: int = 80
) -> CodedSample:
    marks = KeyFrames(10, 10 + frames // 2, 10 + frames - 1)
    return CodedSample(subject, "x", marks, rate, emotion, parse_units(units), resolution=(1024, 768))


def test_the_papers_own_counts_come_back_by_part():
    samples = [
        sample(emotion, rate=part.rate_fps)
        for part in PARTS
        for emotion, count in part.counts.items()
        for _ in range(count)
    ]

    counts = class_counts(samples)

    assert {part: dict(by) for part, by in counts.items()} == {part.name: dict(part.counts) for part in PARTS}
    facts = table_1("DFME", samples)
    assert (facts.micro, facts.macro, facts.rates_fps, facts.emotions) == (7526, 0, (200, 300, 500), 8)


def test_units_are_counted_in_per_cent_of_their_emotion_with_one_sided_ones_apart():
    happy, contempt = Emotion.HAPPINESS, Emotion.CONTEMPT
    samples = [sample(happy, "6+12"), sample(happy, "12"), sample(contempt, "L12"), sample(contempt, "R12+6")]

    found = unit_percentages(samples)

    assert [(one.what, one.percent) for one in found[happy]] == [("AU12", 100), ("AU6", 50)]
    assert [(one.what, one.percent) for one in found[contempt]] == [("L/R-AU12", 100), ("AU6", 50)]


def test_combinations_are_those_of_the_paper_and_what_else_occurs_often():
    happy = Emotion.HAPPINESS
    samples = (
        [sample(happy, "6+12")] * 3 + [sample(happy, "12")] + [sample(happy, "17+18")] + [sample(Emotion.FEAR, "12")]
    )

    found = {(one.emotion, one.combination): one for one in combination_facts(samples)}

    both = found[happy, "AU6+AU12"]
    assert (both.exact, both.holding, both.percent, both.share, both.in_paper) == (3, 3, 60, 100, True)
    single = found[happy, "AU12"]
    assert (single.exact, single.holding, single.percent, single.share) == (1, 4, 80, 80)
    assert found[happy, "AU17+AU18"].in_paper is False
    assert (found[Emotion.FEAR, "AU4"].exact, found[Emotion.FEAR, "AU4"].shared) == (0, True)


def test_macro_expressions_do_not_count():
    samples = [sample(Emotion.FEAR, "4"), sample(Emotion.FEAR, "4", frames=300)]

    assert class_counts(samples)["C"][Emotion.FEAR] == 1
    assert (table_1("x", samples).micro, table_1("x", samples).macro) == (1, 1)
    assert table_1("x", samples).mean_ms == 400


def test_pictures_are_drawn_whatever_there_is():
    samples = [sample(Emotion.FEAR, "4+7"), sample(Emotion.ANGER, "4", rate=123)]
    for one in (samples, []):
        for content in (class_distribution(class_counts(one)), unit_bars(unit_percentages(one))):
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            assert min(picture.shape[:2]) > 200


def test_the_command_describes_a_label_sheet(tmp_path, call_command):
    from annotation.cli import app
    from annotation.export.table import csv_table

    file = tmp_path / "coded.csv"
    file.write_bytes(csv_table([sample(Emotion.FEAR, "4"), sample(Emotion.ANGER, "4+5", subject="P02")]))

    ended = call_command(app, "stats", file, "--out", tmp_path / "out", "--json")

    assert ended.status == 0
    said = ended.json
    assert (said["dataset"]["subjects"], said["classes"]["C"]["fear"], said["units"]["anger"]) == (
        2,
        1,
        {"AU4": 100.0, "AU5": 100.0},
    )
    names = {"statistics.md", "dataset.csv", "class_distribution.csv", "units.csv", "combinations.csv"}
    assert names | {"class_distribution.png", "units.png"} == {file.name for file in (tmp_path / "out").iterdir()}
