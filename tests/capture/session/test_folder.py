"""The session folder: written whole, found from anywhere inside, one clock over all its trials."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import BadInput, FolderUnusable, RecordingInvalid
from capture.recording.attributes import MonitorLedger
from capture.recording.repair import repair
from capture.session import FramePlace, Session
from capture.session.events import COLUMNS
from capture.statistics import LossLedger

FIRST_NS = 5_000_000_000 + 100 * 2_000_000
NOW = datetime(2031, 5, 4, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def session(tmp_path):
    return Session.create(tmp_path / "sessions", "P07", hardware="simulated_500", now=NOW)


@pytest.fixture
def record_trial(session, make_recording):
    """Runs a trial of `session` whose first frame id is `first_id`; frames come every 2 ms of the id."""

    def run(first_id=100, end=True, **options):
        name = session.next_trial_name()
        path = session.begin_trial(name)
        made = make_recording(f"{name}-{first_id}.zarr", first_id=first_id, **options)
        shutil.move(made, path)
        if end:
            monitor = {"frames": 40, "losses": {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}}
            session.end_trial(
                name, seconds=0.08, frames=40, fps=500.0, lost=LossLedger(), reason="frames", monitor=monitor
            )
        return name

    return run


def events_of(session):
    header, *lines = (session.path / "events.tsv").read_text().splitlines()
    assert header.split("\t") == list(COLUMNS)
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]


def test_a_session_is_named_for_its_time_and_participant(session):
    local = NOW.astimezone().strftime("%Y-%m-%dT%H-%M-%S")

    assert session.path.name == f"{local}_P07"
    assert sorted(entry.name for entry in session.path.iterdir()) == [
        "events.json",
        "events.tsv",
        "log",
        "recordings",
        "session.json",
    ]
    content = json.loads((session.path / "session.json").read_text())
    assert datetime.fromisoformat(content["created"]) == NOW
    assert (content["participant"], content["hardware"], content["trials"]) == ("P07", "simulated_500", [])


def test_two_sessions_of_one_second_do_not_meet(tmp_path):
    first, second = (Session.create(tmp_path, now=NOW) for _ in range(2))

    assert first.path != second.path
    assert Session.open(second.path).record.participant is None


@pytest.mark.parametrize("name", ["../x", "Jane Doe", "", ".hidden", "a/b", "x" * 65])
def test_a_pseudonym_must_fit_into_a_file_name(tmp_path, name):
    with pytest.raises(BadInput, match="use letters, digits"):
        Session.create(tmp_path, name)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(FolderUnusable, match="choose another folder"):
        Session.create(tmp_path / "file")


def test_trials_are_numbered_and_kept(session, record_trial):
    assert [record_trial(), record_trial()] == ["trial-001", "trial-002"]

    again = Session.open(session.path)
    assert again.next_trial_name() == "trial-003"
    entry = again.trial("trial-002")
    assert (entry.recording, entry.frames, entry.seconds, entry.fps) == ("recordings/trial-002.zarr", 40, 0.08, 500.0)
    assert entry.monitor == MonitorLedger(40, LossLedger())
    assert again.monitor_of(session.path / "recordings" / "trial-002.zarr") == entry.monitor


def test_the_name_of_a_recording_that_is_there_is_not_given_again(session):
    (session.recordings / "trial-001.zarr").mkdir()

    assert session.next_trial_name() == "trial-002"


def test_keys_that_others_put_into_session_json_stay(session):
    file = session.path / "session.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "consent": "v2"}))

    Session.open(session.path).begin_trial("trial-001")

    assert json.loads(file.read_text())["consent"] == "v2"


def test_a_session_is_found_from_anywhere_inside(session, record_trial):
    record_trial()

    for inside in (session.path, session.recordings, session.recordings / "trial-001.zarr" / "frames"):
        assert Session.open(inside).path.resolve() == session.path.resolve()
    with pytest.raises(RecordingInvalid, match="is not in a session folder"):
        Session.open(session.path.parent)


def test_a_time_is_found_over_all_trials(session, record_trial):
    record_trial(first_id=100)
    record_trial(first_id=1000)

    place = session.frame_at(FIRST_NS + 900 * 2_000_000 + 7 * 2_000_000)

    assert place == FramePlace("trial-002", 7, session.recordings / "trial-002.zarr")
    assert session.time_of("trial-002", 7) == FIRST_NS + 907 * 2_000_000
    with pytest.raises(BadInput, match="lies in no trial"):
        session.frame_at(FIRST_NS + 500 * 2_000_000)
    with pytest.raises(BadInput, match="no trial 'x'; it has trial-001, trial-002"):
        session.time_of("x", 0)


def test_events_get_their_onset_when_the_trial_has_ended(session, record_trial):
    session.log_event(1_000, "info", "supervisor", "before any trial")
    name = record_trial(end=False)
    session.log_event(FIRST_NS + 10_000_000, "info", "monitor", "a smile", trial=name, trial_type="marker")
    assert [event["onset"] for event in events_of(session)] == ["n/a", "n/a"]

    session.end_trial(name, seconds=0.08, frames=40, fps=500.0, lost={}, reason="frames")
    session.log_event(FIRST_NS + 500_000_000, "warning", "supervisor", "late", trial=name, duration_s=0.25)

    before, marker, late = events_of(session)
    assert before["onset"] == before["sample"] == before["trial"] == "n/a"
    assert (marker["onset"], marker["sample"], marker["trial_type"]) == ("0.010000", "5", "marker")
    assert (late["onset"], late["duration"], late["sample"]) == ("0.500000", "0.250000", "n/a")
    assert late["host_ns"] == str(FIRST_NS + 500_000_000)


def test_every_column_of_the_events_is_described(session):
    assert set(json.loads((session.path / "events.json").read_text())) == set(COLUMNS)


@given(text=st.text(max_size=60))
@settings(max_examples=60)
def test_no_text_breaks_the_table(session, text):
    before = len(session._events.rows())

    session.log_event(5, "info", "test", text)

    rows = session._events.rows()
    assert len(rows) == before + 1
    assert rows[-1]["host_ns"] == "5"


def test_a_trial_that_was_never_ended_is_entered_from_its_recording(session, record_trial):
    name = record_trial(end=False, killed_after=21)
    session.log_event(FIRST_NS + 10_000_000, "info", "monitor", "a smile", trial=name)
    assert Session.open(session.path).adopt_interrupted_trials() == 0

    repair(session.recordings / f"{name}.zarr")
    again = Session.open(session.path)

    assert again.adopt_interrupted_trials() == 1
    entry = Session.open(session.path).trial(name)
    assert (entry.frames, entry.lost, entry.reason) == (21, None, "killed")
    assert events_of(session)[0]["sample"] == "5"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["format", "software", "created", "host", "participant", "hardware", "trials"]
TRIAL_KEYS = ["name", "recording", "started", "seconds", "frames", "fps", "lost", "reason", "monitor"]


@given(key=st.sampled_from(KEYS), trial_key=st.none() | st.sampled_from(TRIAL_KEYS), value=json_values)
@settings(max_examples=150)
def test_hostile_session_files_are_refused_in_one_line_or_harmless(session, key, trial_key, value):
    file = session.path / "session.json"
    original = file.read_text()
    content = json.loads(original)
    if trial_key is None:
        content[key] = value
    else:
        content["trials"] = [{"name": "trial-001", "recording": "recordings/trial-001.zarr", trial_key: value}]
    file.write_text(json.dumps(content))

    refusal = ""
    try:
        again = Session.open(session.path)
        again.next_trial_name()
        again.recording_paths()
    except RecordingInvalid as error:
        refusal = str(error)
    finally:
        file.write_text(original)
    assert "\n" not in refusal


@pytest.mark.parametrize("recording", ["/etc", "../../other.zarr", "recordings/../../x", ""])
def test_a_trial_cannot_lie_outside_its_session(session, recording):
    file = session.path / "session.json"
    content = json.loads(file.read_text())
    content["trials"] = [{"name": "trial-001", "recording": recording}]
    file.write_text(json.dumps(content))

    with pytest.raises(RecordingInvalid, match="lies outside the session"):
        Session.open(session.path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": "2.0"}', "[" * 100_000])
def test_a_session_file_that_is_none_is_refused(session, content):
    (session.path / "session.json").write_text(content)

    with pytest.raises(RecordingInvalid):
        Session.open(session.path)
