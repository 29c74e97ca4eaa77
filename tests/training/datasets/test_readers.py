"""Every data set in the layout that its users have it in, made small."""

from __future__ import annotations

import cv2
import numpy as np
import openpyxl
import pytest

from expression.emotions import Emotion
from expression.errors import BadInput
from expression.keyframes import KeyFrames
from training.datasets.readers import LAYOUTS, read_dataset
from training.datasets.sample import statistics

GREY = np.full((8, 8), 90, np.uint8)


def sheet(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def pictures(folder, pattern, first, last):
    folder.mkdir(parents=True)
    for number in range(first, last + 1):
        cv2.imwrite(str(folder / pattern.format(number)), GREY + number % 50)


def dfme(root):
    header = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU1", "AU2")
    sheet(root / "train_labels.xlsx", header, ("sub0003", "sub0003_01", 2, 5, 9, "surprise", "1+2", "L4"))
    pictures(root / "Part-A@500" / "train_data" / "sub0003_01", "{:05d}.png", 0, 10)


def casme2(root):
    header = (
        "Subject",
        "Filename",
        None,
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        None,
        "Action Units",
        "Estimated Emotion",
    )
    rows = [
        (1, "EP02_01f", None, 46, 50, 54, None, "12", "happiness"),
        (2, "EP02_01f", None, 1, 2, 3, None, "4", "repression"),
    ]
    sheet(root / "CASME2-coding-20140508.xlsx", header, *rows)
    pictures(root / "CASME2-RAW" / "sub01" / "EP02_01f", "img{}.jpg", 46, 54)
    pictures(root / "CASME2-RAW" / "sub02" / "EP02_01f", "img{}.jpg", 1, 3)


def samm(root):
    notes = [("SAMM Micro-Expression FACS Codes Release V2",)] + [("some text",)] * 12
    header = (
        "Subject",
        "Filename",
        "Inducement Code",
        "Onset Frame",
        "Apex Frame",
        "Offset Frame",
        "Duration",
        "Micro",
        "Action Units",
        "Estimated Emotion",
        "Objective Classes",
        "Notes",
    )
    row = ("006", "006_1_2", "4", 5562, 5566, 5570, 9, "Micro - 1/2", "AU12", "Happiness", 1, None)
    sheet(root / "SAMM_Micro_FACS_Codes_v2.xlsx", *notes, header, row)
    pictures(root / "006" / "006_1_2", "006_{:05d}.jpg", 5562, 5570)


def smic(root):
    header = ("Subject", "Filename", "OnsetF", "OffsetF")
    sheet(root / "SMIC-HS-E_annotation.xlsx", header, ("s1", "s1_sur_01", 10, 20), ("s1", "s1_ne_01", 30, 35))
    pictures(root / "HS" / "s1" / "micro" / "surprise" / "s1_sur_01", "image{}.jpg", 10, 20)
    pictures(root / "HS" / "s1" / "micro" / "negative" / "s1_ne_01", "image{}.jpg", 30, 35)


def mmew(root):
    header = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "AUs", "Estimated Emotion")
    sheet(root / "MMEW_Micro_Exp.xlsx", header, (3, "S03-001", 1, 4, 8, "4+7", "anger"))
    pictures(root / "Micro_Expression" / "anger" / "S03-001", "{}.jpg", 1, 8)


def casme3(root):
    header = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
    sheet(
        root / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        header,
        ("spNO.1", "a", 100, 104, 109, "4", 4, "Fear"),
        ("spNO.2", "a", 7, 9, 12, "4", 4, "Disgust"),
    )
    for subject, first, last in (("spNO.1", 98, 110), ("spNO.2", 5, 14)):
        for kind in ("color", "depth"):
            pictures(root / "data" / "part_A" / subject / "a" / kind, "{}.jpg", first, last)


def fourdme(root):
    header = ("sub_ID", "fold_name", "Emotion", "Onset", "Apex", "Offset", "AUs")
    sheet(
        root / "4DME_label_Micro.xlsx",
        header,
        ("s01", "s01_ne_02", "Surprise", 0, 3, 6, "AU1+AU2"),
        ("s01", "s01_ne_03", "Negative", 0, 1, 2, ""),
    )
    pictures(root / "gray_micro" / "s01" / "s01_ne_02", "{:03d}.jpg", 0, 6)


def casmesq(root):
    rows = [
        (1, "anger1_1", 3, 6, 9, "4+5", "anger", "micro-expression"),
        (1, "happy1_1", 2, 6, 9, "12", "happiness", "macro-expression"),
    ]
    sheet(root / "CAS(ME)^2code_final.xlsx", *rows)
    pictures(root / "selectedpic" / "s1" / "anger1_1", "img{}.jpg", 1, 10)
    pictures(root / "selectedpic" / "s1" / "happy1_1", "img{}.jpg", 1, 10)


EXPECTED = {
    "dfme": (dfme, "sub0003", KeyFrames(2, 5, 9), Emotion.SURPRISE, 500, {}),
    "casme2": (
        casme2,
        "1",
        KeyFrames(46, 50, 54),
        Emotion.HAPPINESS,
        200,
        {"label is none of the seven: repression": 1},
    ),
    "samm": (samm, "006", KeyFrames(5562, 5566, 5570), Emotion.HAPPINESS, 200, {}),
    "smic": (smic, "s1", KeyFrames(10, None, 20), Emotion.SURPRISE, 100, {"label is none of the seven: negative": 1}),
    "mmew": (mmew, "3", KeyFrames(1, 4, 8), Emotion.ANGER, 90, {}),
    "casme3": (casme3, "spNO.1", KeyFrames(100, 104, 109), Emotion.FEAR, 30, {}),
    "4dme": (fourdme, "s01", KeyFrames(0, 3, 6), Emotion.SURPRISE, 60, {"label is none of the seven: Negative": 1}),
    "casme^2": (casmesq, "1", KeyFrames(3, 6, 9), Emotion.ANGER, 30, {"macro-expressions": 1}),
}


def test_every_layout_is_tried():
    assert EXPECTED.keys() == LAYOUTS.keys()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("dataset", EXPECTED)
def test_a_data_set_is_read_in_its_own_layout(tmp_path, dataset, named):
    make, subject, key_frames, emotion, rate, passed_over = EXPECTED[dataset]
    make(tmp_path)
    report = read_dataset(tmp_path, dataset if named else "auto")
    sample = report.samples[0]
    assert (report.dataset, sample.subject, sample.key_frames) == (dataset, subject, key_frames)
    assert (sample.emotion, sample.rate_fps) == (emotion, rate)
    assert report.passed_over == passed_over
    assert sample.frames.read(key_frames.peak).shape == (8, 8)


def test_the_folder_is_that_of_the_subject(tmp_path):
    casme3(tmp_path)
    folders = [sample.frames.folder for sample in read_dataset(tmp_path).samples]
    assert [folder.relative_to(tmp_path / "data" / "part_A").as_posix() for folder in folders] == [
        "spNO.1/a/color",
        "spNO.2/a/color",
    ]


def test_units_of_several_columns_are_joined_and_counted_by_class(tmp_path):
    dfme(tmp_path)
    (sample,) = read_dataset(tmp_path).samples
    assert [str(unit) for unit in sample.units] == ["AU1", "AU2", "L-AU4"]
    assert sample.split == "train"
    found = statistics([sample])
    assert (found.samples, found.subjects, dict(found.per_emotion)) == (1, 1, {Emotion.SURPRISE: 1})


def test_the_challenge_is_read_with_units_of_both_sides_and_test_parts_without_labels(tmp_path):
    """Pictures count from nought, units are `4+L2`, and what is to be guessed is passed over."""
    header = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU")
    sheet(
        tmp_path / "train_labels.xlsx",
        header,
        ("sub0003", "sub0003_01", 109, 112, 120, "Disgust", "4+L2"),
        ("sub0003", "sub0003_02", 0, 3, 5, "Others", "1"),
    )
    sheet(tmp_path / "test_A_labels.xlsx", header, ("sub0009", "sub0009_01", 0, 2, 4, None, None))
    pictures(tmp_path / "train_data" / "sub0003_01", "{:05d}.png", 100, 125)
    pictures(tmp_path / "train_data" / "sub0003_02", "{:05d}.png", 0, 5)
    pictures(tmp_path / "test_data_A" / "sub0009_01", "{:05d}.png", 0, 4)
    report = read_dataset(tmp_path)
    (sample,) = report.samples
    assert (sample.subject, sample.emotion, sample.split) == ("sub0003", Emotion.DISGUST, "train")
    assert sample.frames.names[109] == "00109.png"
    assert [str(unit) for unit in sample.units] == ["L-AU2", "AU4"]
    assert report.passed_over == {"label is none of the seven: Others": 1, "label is none of the seven: empty": 1}


@pytest.mark.parametrize(
    "header",
    [
        ("Subject", "Filename", "Onset", "Apex", "Offset", "Estimated Emotion", "AUs"),
        ("subject", "file name", "onset_frame", "apex_frame", "offset_frame", "EMOTION", "Action Units"),
        ("sub_ID", "Fold_Name", "OnsetF", "ApexF", "OffsetF", "Label", "FACS"),
        ("Participant", "Clip", "Onset Frame", "Apex Frame", "Offset Frame", "Emotion label", "AU"),
    ],
)
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_columns_are_known_by_the_names_that_copies_have(tmp_path, header, ending):
    row = ("sub0001", "sub0001_01", 1, 2, 4, "Anger", "4+7")
    path = tmp_path / f"train_labels.{ending}"
    if ending == "xlsx":
        sheet(path, header, row)
    else:
        path.write_text("\n".join(",".join(map(str, cells)) for cells in (header, row)))
    pictures(tmp_path / "train_data" / "sub0001_01", "{:05d}.png", 0, 5)
    (sample,) = read_dataset(tmp_path).samples
    assert (sample.key_frames, sample.emotion, len(sample.units)) == (KeyFrames(1, 2, 4), Emotion.ANGER, 2)


def test_what_was_found_is_listed_where_columns_are_missing(tmp_path):
    sheet(tmp_path / "train_labels.xlsx", ("Person", "Clip", "Begin", "Emotion", "AU"), ("a", "b", 1, "anger", "4"))
    with pytest.raises(BadInput, match=r"onset.*Begin"):
        read_dataset(tmp_path)


def test_what_was_found_is_listed_where_no_sheet_is_known(tmp_path):
    sheet(tmp_path / "my_labels.xlsx", ("Subject",))
    sheet(tmp_path / "more.xlsx", ("Subject",))
    with pytest.raises(BadInput, match=r"found: more\.xlsx, my_labels\.xlsx"):
        read_dataset(tmp_path)


def test_pictures_that_are_elsewhere_are_named(tmp_path):
    dfme(tmp_path)
    (tmp_path / "Part-A@500" / "train_data" / "sub0003_01").rename(tmp_path / "Part-A@500" / "train_data" / "x")
    with pytest.raises(BadInput, match=r"no pictures of the clip.*train_data/x"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"text"])
def test_a_damaged_sheet_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "train_labels.xlsx").write_bytes(content)
    with pytest.raises(BadInput) as refusal:
        read_dataset(tmp_path)
    assert "\n" not in str(refusal.value)
