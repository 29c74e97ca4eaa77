"""Exports: the frames and marks are those of the study, and only of those who agreed."""

from __future__ import annotations

import json
import shutil

import cv2
import openpyxl
import pytest
from sqlalchemy import select

from annotation.api_models import KeyFrameAnswer
from annotation.cli import app
from annotation.rounds import decide
from annotation.store import Database
from annotation.store.schema import ClipRow, DecisionRow, RoundRow
from capture.participants import Registry
from capture.study.export_ledger import ExportLedger
from capture.study.withdrawal import find_participant, remove_participant
from expression.label_sheets import read_table
from tests.annotation.conftest import write_session
from tests.annotation.people import small_study
from tests.annotation.studies import code_study


@pytest.fixture
def run(call_command):
    """Runs a command of `dfme-annotate`; gives status, the JSON object, and standard error."""

    def call(*arguments):
        ended = call_command(app, *arguments)
        last = ended.out.strip().splitlines()[-1] if ended.out.strip() else ""
        return ended.status, json.loads(last) if last.startswith("{") else ended.out, ended.err

    return call


@pytest.fixture
def coded_folder(study_folder):
    """A study with two participants, coded in its own SQLite database."""
    from datetime import datetime

    write_session(study_folder, "P02", trials=1, now=datetime(2030, 1, 1, 10, 0, 0))
    database = Database.open(f"sqlite:///{study_folder}/annotation/annotation.sqlite")
    code_study(database, study_folder, small_study())
    database.close()
    return study_folder


def agree(folder, **participants) -> None:
    registry = Registry(folder)
    for name, (items, publish) in participants.items():
        registry.add(name)
        registry.consent(name, form="v1", form_text="text", items=items, publish_images=publish)


def test_the_data_set_has_the_frames_and_marks_of_the_study(run, coded_folder, tmp_path):
    status, said, _ = run("export", coded_folder, "--out", tmp_path / "out", "--json")

    assert status == 0
    assert (said["clips"], said["participants"], said["left_out"]) == (6, 2, {})
    assert "nobody's consent was checked" in said["warning"]
    rows = list(openpyxl.load_workbook(tmp_path / "out" / "train_labels.xlsx").active.values)
    assert rows[0] == ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU")
    assert rows[1] == ("P01", "P01_01", 20, 50, 90, "happiness", "6+12")
    assert rows[2] == ("P01", "P01_02", 10, 40, 100, "contempt", "L12")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    first = manifest["clips"][0]
    assert (first["onset"], first["apex"], first["offset"], first["first_frame"]) == (100, 130, 170, 80)
    assert (first["participant"], first["rate_fps"]) == ("P01", 500.0)
    pictures = sorted((tmp_path / "out" / "train_data" / "P01_01").iterdir())
    assert [picture.name for picture in pictures[:2]] == ["00000.png", "00001.png"]
    assert len(pictures) == 111
    assert [int(cv2.imread(str(pictures[i]), 0)[5, 5]) for i in (0, 20, 110)] == [80, 100, 190]
    assert [row["name"] for row in read_table(tmp_path / "out" / "train_labels.xlsx")][-1] == "P02_02"


def test_pictures_around_the_key_frames_and_other_formats(run, coded_folder, tmp_path):
    arguments = ["--context", 5, "--format", "dfme", "--format", "bids", "--format", "elan", "--format", "csv"]
    status, _, _ = run("export", coded_folder, "--out", tmp_path / "out", *arguments)

    assert status == 0
    assert len(list((tmp_path / "out" / "train_data" / "P01_01").iterdir())) == 170 - 100 + 1 + 10
    tables = sorted((tmp_path / "out" / "derivatives" / "dfme").rglob("*_events.tsv"))
    assert tables[0].name == "sub-P01_ses-01_task-elicit_run-001_desc-coded_events.tsv"
    lines = tables[0].read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["onset", "duration", "trial_type"]
    assert lines[1].split("\t")[:3] == ["0.200000", "0.142000", "micro"]
    assert len(list((tmp_path / "out" / "elan").rglob("*.eaf"))) == 3
    assert len((tmp_path / "out" / "expressions.csv").read_text().splitlines()) == 7


def test_only_those_who_agreed_are_in_an_export_and_the_ledger_knows_it(run, coded_folder, tmp_path):
    agree(
        coded_folder, P01=({"analysis": True, "sharing": False}, True), P02=({"analysis": True, "sharing": True}, False)
    )

    _, shared, _ = run("export", coded_folder, "--out", tmp_path / "shared", "--for", "sharing", "--json")
    assert shared["left_out"] == {"P01": "did not agree to sharing"}
    assert {folder.name[:3] for folder in (tmp_path / "shared" / "train_data").iterdir()} == {"P02"}
    assert "2030" not in (tmp_path / "shared" / "manifest.json").read_text()

    _, published, _ = run("export", coded_folder, "--out", tmp_path / "published", "--for", "publication", "--json")
    assert list(published["left_out"]) == ["P02"]
    Registry(coded_folder).withdraw("P01")
    status, _, error = run("export", coded_folder, "--out", tmp_path / "again", "--for", "publication")
    assert (status, "nobody agreed" in error) == (2, True)

    entries = ExportLedger(coded_folder).entries()
    assert [sorted(entry.paths) for entry in entries] == [["P02"], ["P01"]]
    for entry in entries:
        assert all((tmp_path / entry.out / path).is_dir() for paths in entry.paths.values() for path in paths)


def test_a_withdrawal_takes_a_participant_out_of_every_export(run, coded_folder, tmp_path):
    everything = [part for one in ("dfme", "bids", "elan", "csv") for part in ("--format", one)]
    run("export", coded_folder, "--out", tmp_path / "out", *everything)
    remove_participant(find_participant("P01", coded_folder), coded_folder)

    held = [
        file
        for file in (tmp_path / "out").rglob("*")
        if "P01" in file.name or (file.suffix in (".json", ".tsv", ".csv", ".eaf") and "P01" in file.read_text())
    ]
    assert held == []
    rows = list(openpyxl.load_workbook(tmp_path / "out" / "train_labels.xlsx").active.values)
    assert [row[1] for row in rows] == ["Filename", "P02_01", "P02_02"]
    assert len((tmp_path / "out" / "expressions.csv").read_text().splitlines()) == 3


def test_an_export_never_mixes_with_what_is_there(run, coded_folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")

    status, _, error = run("export", coded_folder, "--out", tmp_path / "out")

    assert (status, "not empty" in error) == (2, True)
    assert ExportLedger(coded_folder).entries() == []


def test_recordings_that_are_gone_are_left_out(run, coded_folder, tmp_path):
    shutil.rmtree(next(coded_folder.glob("*_P02")))

    _, said, _ = run("export", coded_folder, "--out", tmp_path / "out", "--json")

    assert (said["participants"], said["clips"]) == (1, 4)


def test_the_leads_word_counts_in_the_export(run, coded_folder, tmp_path):
    database = Database.open(f"sqlite:///{coded_folder}/annotation/annotation.sqlite")
    with database.write() as session:
        row = session.scalar(select(RoundRow).where(RoundRow.kind == "keyframes"))
        clip = session.scalar(select(ClipRow).order_by(ClipRow.id))
        answer = KeyFrameAnswer(expression=True, onset=101, apex=135, offset=180)
        decide(session, row, clip, answer, by="lena", reason="looked again")
        assert session.scalar(select(DecisionRow.by)) == "lena"
    database.close()

    run("export", coded_folder, "--out", tmp_path / "out")

    rows = list(openpyxl.load_workbook(tmp_path / "out" / "train_labels.xlsx").active.values)
    assert rows[1][2:5] == (21, 55, 100)


def test_agreement_is_printed_and_drawn(run, coded_folder, tmp_path):
    status, said, _ = run("agreement", coded_folder, "--plots", tmp_path / "plots", "--json")
    assert status == 0
    assert [one["kind"] for one in said["rounds"]] == ["keyframes", "units", "crosscheck", "emotion"]
    assert len(said["plots"]) == len(list((tmp_path / "plots").iterdir())) == 12

    status, text, _ = run("agreement", coded_folder, "--round", 1)
    assert "Apex, median absolute deviation" in text
    assert run("agreement", coded_folder, "--round", 99)[0] == 2


def test_users_are_entered_on_the_command_line(run, study_folder):
    status, said, _ = run("user", "add", study_folder, "ana", "--role", "keyframe", "--role", "au", "--json")
    assert (status, said["roles"], len(said["password"]) >= 12) == (0, ["au", "keyframe"], True)
    assert run("user", "add", study_folder, "ana", "--role", "au")[0] == 2
    assert run("user", "add", study_folder, "b a d", "--role", "au")[0] == 2
    assert run("user", "set", study_folder, "nobody", "--new-password")[0] == 2
    assert "ana" in run("user", "ls", study_folder)[1]


@pytest.mark.parametrize("command", [("serve",), ("import",), ("agreement",), ("export",), ("stats",), ("user", "add")])
def test_every_command_has_help_with_an_example(run, command):
    status, text, _ = run(*command, "--help")

    assert status == 0
    assert "Example" in text
    assert f"dfme-annotate {' '.join(command)} " in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["agreement", "{tmp}/nothing"],
        ["agreement", "{study}"],
        ["export", "{study}", "--out", "{tmp}/out"],
        ["export", "{study}", "--out", "{tmp}/out", "--for", "fun"],
        ["serve", "{tmp}/nothing"],
        ["serve", "{study}", "--host", "0.0.0.0"],
        ["serve", "{study}", "--tls-cert", "x.pem"],
        ["serve", "{study}", "--db", "nonsense"],
        ["import", "{tmp}/nothing.xlsx", "--out", "{tmp}/x.csv"],
        ["import", "{tmp}/nothing.xlsx"],
        ["stats", "{tmp}/nothing"],
        ["stats", "{study}"],
    ],
)
def test_bad_usage_is_one_line_and_status_2(run, study_folder, tmp_path, arguments):
    status, _, error = run(*[one.format(study=study_folder, tmp=tmp_path) for one in arguments])

    assert status == 2
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
