"""Labels that labs have: sheets as published, ELAN files, and what we wrote ourselves."""

from __future__ import annotations

import csv
from datetime import datetime
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from annotation import catalogue
from annotation.coded import CodedSample
from annotation.coded.from_study import study_samples
from annotation.export.elan import eaf
from annotation.export.table import csv_table
from annotation.imports.into_study import enter_samples
from annotation.imports.sheets import Source, read_labels
from annotation.outcomes import Outcomes
from annotation.store.schema import ClipRow
from annotation.study import Study
from capture.errors import BadInput
from expression import ActionUnit, CodedUnit, Emotion, KeyFrames, Side
from expression.label_sheets import LabelRow, label_sheet


def sheet(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_casme2(tmp_path):
    file = sheet(
        tmp_path / "CASME2-coding-20140508.xlsx",
        (
            "Subject",
            "Filename",
            None,
            "OnsetFrame",
            "ApexFrame",
            "OffsetFrame",
            None,
            "Action Units",
            "Estimated Emotion",
        ),
        ("01", "EP02_01f", None, 46, 59, 86, None, "12", "happiness"),
        ("01", "EP03_02", None, 131, "/", 161, None, "R4+7", "repression"),
        ("17", "EP02_03", None, 10, 40, None, None, "4", "fear"),
    )

    read = read_labels(file)

    assert read.source is Source.CASME2
    first, second = read.samples
    assert (first.subject, first.name, first.key_frames, first.rate_fps) == (
        "01",
        "EP02_01f",
        KeyFrames(46, 59, 86),
        200,
    )
    assert (first.emotion, [str(unit) for unit in first.units]) == (Emotion.HAPPINESS, ["AU12"])
    assert (second.key_frames.apex, second.emotion) == (None, Emotion.OTHERS)
    assert [str(unit) for unit in second.units] == ["R-AU4", "AU7"]
    assert read.remarks == ("row 3 (17, EP02_03) is left out: no offset",)


def test_samm_whose_header_stands_lower(tmp_path):
    head = ("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro")
    file = sheet(
        tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx",
        ("Spontaneous Actions and Micro-Movements",),
        (),
        (*head, "Action Units", "Estimated Emotion"),
        ("006", "006_1_2", 1, 3485, 3546, 3588, 104, "Micro - 1/2", "AU1+AU2+AU26?", "Surprise"),
        ("006", "006_1_3", 1, 3485, -1, 3588, 104, "Macro", "AU4", "Anger"),
    )

    one, two = read_labels(file).samples

    assert (one.key_frames, one.rate_fps, one.micro) == (KeyFrames(3485, 3546, 3588), 200, True)
    assert one.other_units == ("AU26?",)
    assert (two.key_frames.apex, two.micro) == (None, False)


def test_casme3_smic_and_dfme(tmp_path):
    casme3 = sheet(
        tmp_path / "cas(me)3_part_A_ME_label.xlsx",
        ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"),
        ("spNO.1", "a", 11, 14, 17, "4", "I", "disgust"),
    )
    assert [(one.rate_fps, one.emotion) for one in read_labels(casme3).samples] == [(30, Emotion.DISGUST)]

    smic = sheet(
        tmp_path / "SMIC-HS-E_annotation.xlsx",
        ("Subject", "Filename", "Onset", "Offset"),
        ("s1", "s1_ne_01", 10, 40),
        ("s1", "s1_sur_01", 10, 40),
    )
    negative, surprise = read_labels(smic).samples
    assert (negative.emotion, negative.label, negative.rate_fps) == (None, "negative", 100)
    assert surprise.emotion is Emotion.SURPRISE

    dfme = sheet(
        tmp_path / "train_labels.xlsx",
        ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU"),
        ("sub0001", "sub0001_01", 4, 20, 80, "Disgust", "4+L7"),
    )
    with pytest.raises(BadInput, match="give --fps"):
        read_labels(dfme)
    (one,) = read_labels(dfme, rate_fps=500).samples
    assert ([str(unit) for unit in one.units], one.rate_fps) == (["AU4", "L-AU7"], 500)


@pytest.mark.parametrize(
    "columns",
    [
        "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion",
        "Sub,File Name,Onset Frame No.,Apex Frame No.,Offset Frame No.,AU,Emotion Label",
        "Subject No.,Clip,Onset F,Apex F,Offset F,Action Unit,emotion",
        "SUBJECT_ID,video_name,onset,apex 1,offset,FACS,Label",
        "participant,Folder Name,Onset,Apex,Offset,AUs,Emotions",
    ],
)
@pytest.mark.parametrize(
    ("ending", "encoding", "separator"),
    [(".csv", "utf-8", ","), (".csv", "utf-8-sig", ";"), (".csv", "cp1252", ";"), (".tsv", "utf-16", "\t")],
)
def test_columns_and_files_as_people_and_spreadsheets_write_them(tmp_path, columns, ending, encoding, separator):
    file = tmp_path / f"coding{ending}"
    text = f"{columns},Anmerkung\n01,EP02_01f,46,59,86,12,happiness,l\N{LATIN SMALL LETTER A WITH DIAERESIS}chelt\n"
    file.write_bytes(text.replace(",", separator).encode(encoding))

    (one,) = read_labels(file, rate_fps=200).samples

    assert (one.subject, one.name, one.key_frames) == ("01", "EP02_01f", KeyFrames(46, 59, 86))
    assert ([str(unit) for unit in one.units], one.emotion) == (["AU12"], Emotion.HAPPINESS)


def test_nothing_that_is_exported_is_a_formula_for_a_spreadsheet(tmp_path):
    evil = "=HYPERLINK(1)"
    sample = CodedSample(evil, "-2+3", KeyFrames(1, 2, 3), 200, None, label="@SUM(1)", recording="x")
    file = tmp_path / "expressions.csv"
    file.write_bytes(csv_table([sample]))
    (row,) = csv.DictReader(file.read_text().splitlines())
    assert (row["subject"], row["name"], row["emotion"]) == (f"'{evil}", "'-2+3", "'@SUM(1)")
    (read,) = read_labels(file).samples
    assert (read.subject, read.name, read.label) == (evil, "-2+3", "@SUM(1)")

    book = tmp_path / "labels.xlsx"
    book.write_bytes(label_sheet([LabelRow(evil, evil, 1, 2, 3, "fear", "4")]))
    cells = openpyxl.load_workbook(book).active[2]
    assert [(cell.value, cell.data_type) for cell in cells[:2]] == [(evil, "s")] * 2


SAMPLES = st.builds(
    CodedSample,
    subject=st.from_regex(r"P[0-9]{2}", fullmatch=True),
    name=st.just("session/trial-001"),
    key_frames=st.tuples(st.integers(0, 90_000), st.integers(1, 200), st.integers(1, 200)).map(
        lambda t: KeyFrames(t[0], t[0] + t[1], t[0] + t[1] + t[2])
    ),
    rate_fps=st.just(300.0),
    emotion=st.sampled_from(Emotion),
    units=st.sets(st.sampled_from(ActionUnit), max_size=4).map(
        lambda units: tuple(CodedUnit(unit, Side.BOTH) for unit in sorted(units))
    ),
)


@settings(max_examples=25)
@given(st.lists(SAMPLES, min_size=1, max_size=6))
def test_our_own_csv_is_read_back(tmp_path_factory, samples):
    file = tmp_path_factory.mktemp("csv") / "expressions.csv"
    file.write_bytes(csv_table(samples))

    read = read_labels(file).samples

    facts = [(s.subject, s.name, s.key_frames, s.rate_fps, s.emotion, s.units, s.micro) for s in samples]
    assert [(s.subject, s.name, s.key_frames, s.rate_fps, s.emotion, s.units, s.micro) for s in read] == facts


@settings(max_examples=25)
@given(SAMPLES)
def test_our_own_elan_file_is_read_back_to_the_frame(tmp_path_factory, sample):
    file = tmp_path_factory.mktemp("elan") / "P01_session_trial-001.eaf"
    file.write_bytes(eaf([sample]))

    (read,) = read_labels(file).samples

    assert (read.subject, read.name) == ("P01", "session/trial-001")
    assert (read.key_frames, read.emotion, read.units) == (sample.key_frames, sample.emotion, sample.units)


@settings(max_examples=25, deadline=None)
@given(st.lists(SAMPLES, max_size=4))
def test_our_elan_files_have_the_structure_of_elans_schema(samples):
    document = ET.fromstring(eaf(samples))

    tags = [element.tag for element in document]
    assert tags == ["HEADER", "TIME_ORDER", *["TIER"] * 4, "LINGUISTIC_TYPE"]
    assert set(document.attrib) == {"AUTHOR", "DATE", "FORMAT", "VERSION"}
    assert datetime.fromisoformat(document.attrib["DATE"]).tzinfo is not None
    times = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in document.find("TIME_ORDER")}
    assert list(times.values()) == sorted(times.values())
    assert len(times) == len(document.find("TIME_ORDER"))
    types = {element.attrib["LINGUISTIC_TYPE_ID"] for element in document.iter("LINGUISTIC_TYPE")}
    assert {tier.attrib["LINGUISTIC_TYPE_REF"] for tier in document.iter("TIER")} <= types
    annotations = list(document.iter("ALIGNABLE_ANNOTATION"))
    assert len({one.attrib["ANNOTATION_ID"] for one in annotations}) == len(annotations) == 4 * len(samples)
    for one in annotations:
        assert times[one.attrib["TIME_SLOT_REF1"]] < times[one.attrib["TIME_SLOT_REF2"]]
        assert [child.tag for child in one] == ["ANNOTATION_VALUE"]


def test_an_elan_file_of_others_is_read_by_its_times(tmp_path):
    file = tmp_path / "P03_one.eaf"
    file.write_text(
        """<?xml version="1.0"?><ANNOTATION_DOCUMENT><HEADER/><TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1400"/></TIME_ORDER>
        <TIER TIER_ID="Emotion"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
        TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>Sad</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
        </ANNOTATION_DOCUMENT>"""
    )

    (one,) = read_labels(file, rate_fps=200).samples

    assert (one.key_frames, one.emotion, one.subject) == (KeyFrames(200, None, 279), Emotion.SADNESS, "P03")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.eaf", b"<x/>", "not an ELAN file"),
        ("b.eaf", b"<!DOCTYPE x [<!ENTITY a 'b'>]><ANNOTATION_DOCUMENT/>", "declares a document type"),
        ("c.eaf", b"\xff\xfe", "not an ELAN file"),
        ("d.xlsx", b"PK\x03\x04 nonsense", "cannot be read"),
        ("e.csv", b"a,b\n1,2\n", "no header"),
        ("f.csv", b"subject,name,onset,offset,fps\n", "no expression"),
        ("g.csv", b"Teilnehmer;Clip;Onset;Offset\nP1;c1;1;3\n", "found: Teilnehmer, Clip, Onset, Offset"),
        ("h.csv", b"Subject\nP1\n", "found: Subject"),
        ("i.csv", b"subject,name,onset,offset\nP1,c1,-5,9\n", "its onset '-5' is no frame number"),
        ("j.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx or .csv"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    from expression import ExpressionError

    with pytest.raises((BadInput, ExpressionError), match=words):
        read_labels(tmp_path / name, rate_fps=200 if name[0] != "x" else None)


def test_imported_labels_are_decided_clips_of_the_study(database, tmp_path):
    root = tmp_path / "casme"
    clip = root / "sub01" / "EP02_01f"
    clip.mkdir(parents=True)
    for number in range(40, 100):
        cv2.imwrite(str(clip / f"img{number}.jpg"), np.full((32, 40), number, np.uint8))
    study = Study(default_rate_fps=200)
    samples = [
        CodedSample("01", "EP02_01f", KeyFrames(46, 59, 86), 200, Emotion.HAPPINESS, (CodedUnit(ActionUnit(12)),)),
        CodedSample("01", "EP09_99", KeyFrames(46, 59, 86), 200, Emotion.FEAR),
        CodedSample("01", "EP02_01f", KeyFrames(46, 59, 186), 200, Emotion.FEAR),
    ]
    with database.write() as session:
        catalogue.enter(session, catalogue.scan(root, study))
        entered = enter_samples(session, root, samples, "coding.xlsx")
        again = enter_samples(session, root, samples, "coding.xlsx")

    assert (entered.clips, entered.known, len(entered.unmatched)) == (1, 0, 2)
    assert (again.clips, again.known) == (0, 1)
    with database.read() as session:
        (one,) = study_samples(session, Outcomes())
        assert session.scalars(select(ClipRow.origin)).all() == ["import"]
    # Picture 0 is img40.
    assert (one.key_frames, one.emotion, one.micro) == (KeyFrames(6, 19, 46), Emotion.HAPPINESS, True)
    assert [str(unit) for unit in one.units] == ["AU12"]
