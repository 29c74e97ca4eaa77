"""A participant's session from its first step to its last, and what is left when it is cut short."""

from __future__ import annotations

import json
import signal

import numpy as np
import psutil
import pytest

from capture.recording.verify import verify
from capture.session.events import EventLog
from capture.session.stimulus_frames import read_stimulus_frames
from tests.elicitation.session.conftest import RATE_FPS, SECONDS

pytestmark = pytest.mark.alone

FRAMES = round(SECONDS * RATE_FPS)


def test_a_whole_session_is_recorded_logged_and_finished(study):
    done = study.run("--json", "--seed", 5)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["elicitation"] == {
        "protocol": "short",
        "seed": 5,
        "finished": True,
        "stimuli": result["elicitation"]["stimuli"],
        "shown": result["elicitation"]["stimuli"],
        "dropped": result["elicitation"]["dropped"],
    }
    assert sorted(result["elicitation"]["stimuli"]) == ["a", "b"]
    session = study.session()
    assert [(trial.kind, trial.reason) for trial in session.trials] == [
        ("baseline", "protocol"),
        ("stimulus", "protocol"),
        ("stimulus", "protocol"),
    ]
    assert all(verify(path, monitor=session.monitor_of(path)).ok for path in session.recording_paths())

    # Each trial is recorded from before the first frame of its stimulus until after the last.
    rows = read_stimulus_frames(session.path / "stimulus_frames.parquet")
    assert [row.stim_frame for row in rows] == [*range(FRAMES)] * 2
    for trial in session.trials[1:]:
        shown = [row.host_ns for row in rows if row.trial == trial.name and not row.dropped]
        times = session.recording(trial.name).times_ns()
        assert times[0] < shown[0]
        assert shown[-1] < times[-1]

    # Stimulus time and camera frame are asked in both directions, and agree with the table.
    for row in [row for row in rows if not row.dropped][::7]:
        place = session.frame_at(row.stim_id, row.pts_s)
        assert place.trial == row.trial
        times = session.recording(row.trial).times_ns()
        assert place.frame == int(np.abs(times - row.host_ns).argmin())
        back = session.stimulus_at(place.trial, place.frame + 1)
        assert abs(back.time_s - row.pts_s) < 0.05
        assert back.stim_id == row.stim_id

    events = EventLog(session.path).rows()
    kinds = [event["trial_type"] for event in events]
    assert {"session", "instruction", "baseline", "stimulus", "rest"} <= set(kinds)
    stimuli = [event for event in events if event["trial_type"] == "stimulus"]
    assert [event["stim_id"] for event in stimuli] == result["elicitation"]["stimuli"]
    assert all(float(event["onset"]) > 0.2 and float(event["duration"]) > 1.5 for event in stimuli)
    assert [event["target_emotion"] for event in sorted(stimuli, key=lambda e: e["stim_id"])] == ["fear", "disgust"]
    dropped = sum(row.dropped for row in rows)
    assert ("frames_dropped" in kinds) == (dropped > 0)
    assert (session.path / "stimuli.tsv").read_text().startswith("stim_id\t")

    # The next session of the same participant is another one.
    assert session.record.elicitation.finished


def test_a_killed_player_costs_its_stimulus_and_the_session_goes_on(study):
    with study.start("--json") as process:
        study.wait_for(lambda: study.frames_shown() >= 30)
        study.descendant(process.pid, "elicitation.player").kill()
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["elicitation"]["finished"]
    rows = read_stimulus_frames(study.session().path / "stimulus_frames.parquet")
    first, second = study.session().record.elicitation.stimuli
    assert 30 <= sum(row.stim_id == first for row in rows) < FRAMES
    assert sum(row.stim_id == second for row in rows) == FRAMES
    assert "the player process ended" in err
    assert [entry["how"] for entry in study.state() if entry["what"] == "step_ended"].count("failed") == 1


def test_a_killed_elicitation_process_goes_on_at_the_next_stimulus_beside_the_same_camera(study):
    with study.start("--json") as process:
        study.wait_for(lambda: study.frames_shown() >= 30)
        camera = study.descendant(process.pid, "capture.processes.camera")
        study.descendant(process.pid, "elicitation.session").kill()
        study.wait_for(lambda: [entry["what"] for entry in study.state()].count("began") == 2)
        assert study.descendant(process.pid, "capture.processes.camera") == camera
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    result = json.loads(out.splitlines()[-1])["elicitation"]
    assert result["finished"]
    assert "the session goes on at the next trial" in err
    session = study.session()
    first, second = session.record.elicitation.stimuli
    assert result["shown"] == [first, second]
    rows = read_stimulus_frames(session.path / "stimulus_frames.parquet")
    assert 30 <= sum(row.stim_id == first for row in rows) < FRAMES
    assert sum(row.stim_id == second for row in rows) == FRAMES
    assert all(verify(path, monitor=session.monitor_of(path)).ok for path in session.recording_paths())


def test_a_killed_tree_goes_on_at_the_next_stimulus_in_the_same_folder(study):
    with study.start() as process:
        study.wait_for(lambda: study.frames_shown() >= 30)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            member.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    psutil.wait_procs(family, 30)
    again = study.run("--json")
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout.splitlines()[-1])["elicitation"]
    assert result["finished"]
    session = study.session()
    assert result["shown"] == list(session.record.elicitation.stimuli)
    assert [trial.kind for trial in session.trials] == ["baseline", "stimulus", "stimulus"]
    assert "was interrupted and is made whole" in again.stderr
    rows = read_stimulus_frames(session.path / "stimulus_frames.parquet")
    first, second = session.record.elicitation.stimuli
    assert 30 <= sum(row.stim_id == first for row in rows) < FRAMES
    assert sum(row.stim_id == second for row in rows) == FRAMES
    assert all(trial.seconds is not None and trial.frames for trial in session.trials)
    assert [entry["next_step"] for entry in study.state() if entry["what"] == "began"] == [0, 4]


def test_ctrl_c_leaves_a_session_that_goes_on(study):
    study.write_protocol(rest=120)
    with study.start() as process:
        study.wait_for(lambda: any(entry.get("kind") == "rest" for entry in study.state()))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    entry = study.session().record.elicitation
    assert not entry.finished
    study.write_protocol(rest=0.1)
    refused = study.run()
    assert refused.returncode == 2
    assert "was changed since" in refused.stderr
    assert "--no-resume" in refused.stderr


@pytest.mark.beside_others
def test_a_text_without_a_font_is_said_before_anything_starts(study):
    study.write_protocol(each='[[each]]\nkind = "rest"\nseconds = 1\ntext = "Rest.\U000f1234"\n')
    done = study.run()
    assert done.returncode == 2
    assert "no font on this machine has all letters of “Rest." in done.stderr
    assert study.sessions == []


@pytest.mark.beside_others
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--participant", "P99"], "no participant 'P99'"),
        (["--participant", "P08"], "has not agreed to be recorded"),
        (["--stimuli", "/nowhere"], "no folder /nowhere"),
        (["--stimuli", "."], " is absent: no video in . is named"),
        (["--elicit", "nothing"], "'nothing'"),
        (["--duration", "3"], "leave out --duration"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(study, arguments, says):
    if "P08" in arguments:
        from capture.participants import Registry

        Registry(study.out).add("P08")
    done = study.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert study.sessions == []
