"""A BIDS data set: names and columns of the standard, dates moved, consent honoured, every copy in the ledger."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from capture.errors import BadInput
from capture.participants import Registry
from capture.study import ExportLedger, export_bids
from capture.study.bids_export import read_table


def events_of(out, subject="P07", session="01"):
    return read_table(
        out / f"sub-{subject}/ses-{session}/beh/sub-{subject}_ses-{session}_task-elicit_run-01_events.tsv"
    )


def test_events_count_from_the_first_frame_and_are_in_order(study, tmp_path):
    report = export_bids(study, tmp_path / "bids", images=False)
    assert (report.participants, report.runs, report.videos) == (["P07", "P08"], 2, 0)
    events = events_of(tmp_path / "bids")
    assert list(events[0])[:3] == ["onset", "duration", "trial_type"]
    assert [event["onset"] for event in events] == ["0.010000", "0.030000"]
    marked = events[0]
    assert (marked["trial_type"], marked["value"], marked["intensity"]) == ("expression", "disgust", "4")
    assert (marked["stim_id"], marked["camera_frame"], marked["stim_frame"]) == ("02sa", "5", "0")


def test_every_column_is_described(study, tmp_path):
    export_bids(study, tmp_path / "bids", images=False)
    folder = tmp_path / "bids/sub-P07/ses-01/beh"
    described = json.loads((folder / "sub-P07_ses-01_task-elicit_run-01_events.json").read_text())
    assert set(events_of(tmp_path / "bids")[0]) <= set(described)
    assert described["StimulusPresentation"]["SoftwareName"] == "dfme"
    video = json.loads((folder / "sub-P07_ses-01_task-elicit_run-01_recording-face_video.json").read_text())
    assert (video["FrameRate"], video["FrameCount"], video["Device"]) == (500.0, 40, "dfme Simulated camera")


def test_what_the_operator_wrote_and_when_it_was_stay_at_home(study, tmp_path):
    out = tmp_path / "bids"
    export_bids(study, out, images=False)
    everything = "".join(path.read_text() for path in out.rglob("*") if path.is_file())
    assert "Jane" not in everything
    assert "2031" not in everything
    (scan,) = read_table(out / "sub-P07/ses-01/sub-P07_ses-01_scans.tsv")
    assert datetime.fromisoformat(scan["acq_time"]).year <= 1925
    assert (out / "sub-P07/ses-01" / scan["filename"]).is_file()


def test_dates_of_a_participant_are_moved_alike_in_every_export(study, tmp_path, add_session):
    export_bids(study, tmp_path / "one", images=False)
    add_session("P07")
    export_bids(study, tmp_path / "two", images=False)
    first, second = (tmp_path / name / "sub-P07/ses-01/sub-P07_ses-01_scans.tsv" for name in ("one", "two"))
    assert first.read_text() == second.read_text()
    assert (tmp_path / "two/sub-P07/ses-02").is_dir()


def test_images_go_out_only_where_that_was_agreed_to(study, tmp_path):
    report = export_bids(study, tmp_path / "bids", images=True)
    assert report.videos == 1
    assert [path.parts[-4] for path in (tmp_path / "bids").rglob("*.mkv")] == ["sub-P07"]
    assert any(text.startswith("P08: no images") for text in report.left_out)
    told = {
        row["participant_id"]: row["images_may_be_published"] for row in read_table(tmp_path / "bids/participants.tsv")
    }
    assert told == {"sub-P07": "true", "sub-P08": "false"}
    Registry(study).withdraw("P07", "publication")
    assert export_bids(study, tmp_path / "later", images=True).videos == 0


def test_who_withdrew_is_not_exported(study, tmp_path, add_session):
    Registry(study).withdraw("P07")
    add_session(None)
    report = export_bids(study, tmp_path / "bids", images=True)
    assert report.participants == ["P08"]
    assert not (tmp_path / "bids/sub-P07").exists()
    assert any("took the consent back" in text for text in report.left_out)
    assert any("not in participants.jsonl" in text for text in report.left_out)


def test_stimuli_are_listed_without_their_films(study, tmp_path):
    export_bids(study, tmp_path / "bids", images=False)
    (stimulus,) = read_table(tmp_path / "bids/stimuli/stimuli.tsv")
    assert stimulus == {"stimulus_id": "02sa", "present": "false", "target_emotion": "sadness", "duration": "224"}
    (frames,) = (tmp_path / "bids/sourcedata/sub-P07").rglob("*_stimulusframes.tsv")
    assert read_table(frames)[0]["onset"] == "0.005000"


def test_the_ledger_knows_every_copy_before_it_is_made(study, tmp_path):
    export_bids(study, tmp_path / "bids", images=False)
    (entry,) = ExportLedger(study).entries()
    assert entry.out == str(tmp_path / "bids")
    assert entry.paths["P08"] == ["sub-P08", "sourcedata/sub-P08"]


def test_other_folders_are_not_written_into(study, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        export_bids(study, tmp_path / "mine", images=False)
    assert ExportLedger(study).entries() == []


def test_without_a_registry_nothing_is_exported(tmp_path, add_session):
    session = add_session("P07", tmp_path / "other")
    with pytest.raises(BadInput, match="nothing is known of consent"):
        export_bids(session.path, tmp_path / "bids", images=False)
