"""What the storage machine does with frames, orders and files, whatever order they come in."""

from __future__ import annotations

import json

import google_crc32c
import msgspec
import numpy as np
import pytest

from capture.errors import CaptureError
from capture.messages import End, Event, Finished, Image, Start
from capture.recording.reader import Recording
from capture.remote import intake as module
from capture.remote.intake import Intake
from capture.remote.session_copy import FolderCopy, identity
from capture.remote.wire import Acknowledge, Refused, Resume, SessionFile, SessionOpen, Stored
from capture.session import Session
from capture.statistics import LossLedger, RecorderState

HEIGHT, WIDTH = 16, 64
SERIES = "series-1"


@pytest.fixture
def theirs(tmp_path):
    """The session on the capture machine."""
    session = Session.create(tmp_path / "capture", "P07")
    session.begin_trial("trial-001")
    return session


@pytest.fixture
def out(tmp_path):
    """Where the storage machine writes."""
    folder = tmp_path / "storage"
    folder.mkdir()
    return folder


@pytest.fixture
def intake(out, theirs):
    """Somebody to send to, with the session open."""
    made = Intake(out, "lab")
    assert made.open_session(session_open(theirs)) == []
    return made


def session_open(theirs: Session) -> SessionOpen:
    return SessionOpen(theirs.path.name, (theirs.path / "session.json").read_bytes(), identity(theirs.path))


def start(theirs: Session, series: str = SERIES, trial: str = "trial-001", **change: object) -> Start:
    message = Start(series, theirs.path.name, trial, "", HEIGHT, WIDTH, 100.0, 1)
    return msgspec.structs.replace(message, **change)


def pixels(seq: int) -> bytes:
    return np.full(HEIGHT * WIDTH, seq % 251, np.uint8).tobytes()


def send(intake: Intake, seq: int, *, damage: bool = False, series: str = SERIES) -> list:
    crc32c = google_crc32c.value(pixels(seq)) ^ int(damage)
    image = Image(series, seq, 500 + seq, 10 + seq, 20 + seq, crc32c, 0)
    place = intake.slot_for(image)
    if place is None:
        return ["unwanted"]
    place[:] = pixels(seq)
    return intake.arrived(image)


def end(frames: int, series: str = SERIES) -> End:
    producer = {"delivered": frames, "underrun": 0, "surplus": 0}
    return End(series, frames, LossLedger(), {}, producer, {"source": "none"}, "operator", 99)


def only(kind: type, said: list):
    (found,) = (message for message in said if isinstance(message, kind))
    return found


def test_a_trial_becomes_a_recording_like_any_other(intake, theirs, out):
    assert only(Resume, intake.start(start(theirs))).expected == 0
    for seq in range(40):
        send(intake, seq)
        intake.write(settle=True)
    finished = only(Finished, intake.end(end(40)))
    assert (finished.frames, finished.lost_disk, finished.error) == (40, 0, "")
    recording = Recording.open(out / theirs.path.name / "recordings" / "trial-001.zarr")
    assert recording.frame_id.tolist() == list(range(500, 540))
    assert [int(recording.frame(i)[0, 0]) for i in range(40)] == list(range(40))
    assert recording.attributes.state == "complete"
    (trial,) = intake.finished
    assert (trial.frames, trial.damaged, trial.resumed, trial.error) == (40, 0, 0, "")


def test_only_what_is_durable_is_acknowledged(intake, theirs, out):
    intake.start(start(theirs))
    for seq in range(3):
        send(intake, seq)
    acknowledged = only(Acknowledge, intake.write(settle=True))
    assert (acknowledged.done, acknowledged.durable) == (3, 2)
    path = out / theirs.path.name / "recordings" / "trial-001.zarr"
    assert len(Recording.open(path)) == 3


def test_frames_that_come_twice_or_out_of_turn_are_left_alone(intake, theirs):
    intake.start(start(theirs))
    send(intake, 0)
    assert send(intake, 0) == ["unwanted"]
    assert send(intake, 2) == ["unwanted"]
    assert send(intake, 1, series="another") == ["unwanted"]
    send(intake, 1)
    assert only(Finished, intake.end(end(2))).frames == 2


def test_who_sends_more_than_was_granted_is_told_so(intake, theirs, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 10_000)
    window = only(Resume, intake.start(start(theirs))).window
    for seq in range(window):
        send(intake, seq)
    with pytest.raises(CaptureError, match="granted"):
        send(intake, window)


def test_after_a_cut_the_trial_goes_on_behind_the_last_frame_that_arrived(intake, theirs):
    intake.start(start(theirs))
    for seq in range(5):
        send(intake, seq)
    assert only(Resume, intake.start(start(theirs))).expected == 5
    send(intake, 5)
    assert only(Finished, intake.end(end(6))).frames == 6
    assert intake.finished[0].resumed == 1


def test_after_a_restart_the_trial_goes_on_behind_the_last_frame_that_is_safe(intake, theirs, out):
    intake.start(start(theirs))
    for seq in range(7):
        send(intake, seq)
    safe = only(Acknowledge, intake.write(settle=True)).done
    send(intake, 7)

    successor = Intake(out, "lab")
    successor.open_session(session_open(theirs))
    said = successor.start(start(theirs))
    assert only(Resume, said).expected == safe == 7
    assert only(Acknowledge, said).done == safe
    for seq in range(7, 10):
        send(successor, seq)
    assert only(Finished, successor.end(end(10))).frames == 10
    recording = Recording.open(out / theirs.path.name / "recordings" / "trial-001.zarr")
    assert recording.frame_id.tolist() == list(range(500, 510))


def test_an_end_whose_answer_was_lost_can_be_said_again(intake, theirs):
    intake.start(start(theirs))
    send(intake, 0)
    first = only(Finished, intake.end(end(1)))
    assert only(Resume, intake.start(start(theirs))).expected == 1
    assert only(Finished, intake.end(end(1))) == first
    assert len(intake.finished) == 1


def test_a_frame_that_arrives_damaged_is_asked_for_once_more(intake, theirs):
    intake.start(start(theirs))
    send(intake, 0)
    assert only(Resume, send(intake, 1, damage=True)).expected == 1
    assert send(intake, 2) == ["unwanted"], "sent before the sender heard of it"
    assert intake.end(end(3)) == [], "an end that overtook the frame"
    for seq in (1, 2):
        send(intake, seq)
    assert only(Finished, intake.end(end(3))).frames == 3
    assert intake.finished[0].damaged == 0


def test_a_frame_that_is_damaged_twice_is_kept_counted_and_named(intake, theirs, out):
    intake.start(start(theirs))
    send(intake, 0, damage=True)
    said = send(intake, 0, damage=True)
    assert "frame 500" in only(Event, said).text
    intake.end(end(1))
    assert intake.finished[0].damaged == 1
    recording = Recording.open(out / theirs.path.name / "recordings" / "trial-001.zarr")
    assert recording.raw_attributes["ledger"]["recorder"]["damaged_ids"] == [500]


def test_a_trial_whose_capture_machine_does_not_come_back_is_closed_and_says_so(intake, theirs, out):
    intake.start(start(theirs))
    for seq in range(4):
        send(intake, seq)
    intake.abandon("lab was not heard for 90 s")
    recording = Recording.open(out / theirs.path.name / "recordings" / "trial-001.zarr")
    assert len(recording) == 4
    assert recording.attributes.ledger.end is not None
    assert not recording.attributes.ledger.end.exact
    assert "silence" in only(Refused, intake.start(start(theirs))).reason


def test_another_trial_closes_one_that_was_given_up(intake, theirs):
    intake.start(start(theirs))
    send(intake, 0)
    said = intake.start(start(theirs, "series-2", "trial-002"))
    assert only(Resume, said).series == "series-2"
    assert [trial.trial for trial in intake.finished] == ["trial-001"]


def test_a_trial_without_its_session_is_refused(out, theirs):
    assert "session" in only(Refused, Intake(out, "lab").start(start(theirs))).reason


def test_a_recording_is_never_written_over(intake, theirs):
    intake.start(start(theirs))
    intake.end(end(0))
    intake.start(start(theirs, "series-2"))
    send(intake, 0, series="series-2")
    finished = only(Finished, intake.end(end(1, "series-2")))
    assert finished.lost_disk == 1
    assert "never written over" in finished.error


def test_when_the_machine_is_stopped_the_trial_is_ended_from_there(intake, theirs):
    intake.start(start(theirs))
    send(intake, 0)
    intake.stopping = "dfme-record was stopped"
    assert intake.report().statistics.state is RecorderState.FAILED
    finished = only(Finished, intake.end(end(1)))
    assert (finished.frames, finished.lost_disk, finished.error) == (1, 0, "dfme-record was stopped")


def test_large_frames_get_a_small_window(intake, theirs, monkeypatch):
    monkeypatch.setattr(module, "_WINDOW_BYTES", 20 * HEIGHT * WIDTH)
    assert only(Resume, intake.start(start(theirs))).window == 20


def test_a_session_of_the_same_name_from_another_machine_is_refused(intake, theirs, out):
    other = json.loads((theirs.path / "session.json").read_text())
    other["host"] = "another"
    refused = only(
        Refused, Intake(out, "b").open_session(SessionOpen(theirs.path.name, json.dumps(other).encode(), "elsewhere"))
    )
    assert "another session" in refused.reason


def test_the_capture_machines_own_folder_is_refused(theirs):
    same = Intake(theirs.path.parent, "lab")
    assert "both machines write into" in only(Refused, same.open_session(session_open(theirs))).reason


def copy_all(copy: FolderCopy, intake: Intake) -> list[SessionFile]:
    pieces, piece = [], copy.begin()
    while piece is not None:
        pieces.append(piece)
        piece = copy.stored(only(Stored, intake.store(piece)))
    return pieces


def test_small_files_are_copied_whole_and_again_only_when_they_changed(intake, theirs, out):
    large = np.random.default_rng(1).bytes(5 * 2**20 + 3)
    (theirs.path / "stimulus_frames.parquet").write_bytes(large)
    (theirs.path / "log" / "camera.log").write_text("a line")
    (theirs.path / "half.partial").write_text("not yet")
    (theirs.path / "recordings" / "other.zarr").mkdir(parents=True)
    copy = FolderCopy(theirs.path)
    assert len(copy_all(copy, intake)) >= 6
    there = out / theirs.path.name
    assert (there / "stimulus_frames.parquet").read_bytes() == large
    assert (there / "log" / "camera.log").read_text() == "a line"
    assert (there / "events.tsv").read_bytes() == (theirs.path / "events.tsv").read_bytes()
    assert not list(there.rglob("*.partial"))
    assert not (there / "recordings" / "other.zarr").exists()
    assert copy_all(copy, intake) == []
    (theirs.path / "log" / "camera.log").write_text("a line, and another")
    assert [piece.name for piece in copy_all(copy, intake)] == ["log/camera.log"]


def test_a_copy_that_a_cut_interrupted_starts_its_file_anew(intake, theirs, out):
    large = bytes(3 * 2**20)
    (theirs.path / "live.jsonl").write_bytes(large)
    copy = FolderCopy(theirs.path)
    piece = copy.begin()
    while piece is not None and piece.name != "live.jsonl":
        piece = copy.stored(only(Stored, intake.store(piece)))
    assert piece is not None
    intake.store(piece)
    copy.again()
    names = [piece.name for piece in copy_all(copy, intake)]
    assert "live.jsonl" in names
    assert (out / theirs.path.name / "live.jsonl").read_bytes() == large


def test_a_piece_that_does_not_follow_is_refused_and_leaves_nothing(intake, theirs, out):
    assert only(Stored, intake.store(SessionFile("events.tsv", 9, 3, b"abc"))).error
    intake.store(SessionFile("events.tsv", 9, 0, b"abc"))
    assert only(Stored, intake.store(SessionFile("events.tsv", 9, 6, b"abc"))).error
    assert not list((out / theirs.path.name).rglob("*.partial"))


def test_a_link_that_lies_in_the_way_is_not_followed(intake, theirs, out, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (out / theirs.path.name / "events.tsv").symlink_to(victim)
    intake.store(SessionFile("events.tsv", 3, 0, b"new"))
    assert victim.read_text() == "mine"
    assert (out / theirs.path.name / "events.tsv").read_text() == "new"
