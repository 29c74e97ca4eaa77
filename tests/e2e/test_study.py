"""A whole pilot study by one command, at its smallest: what it leaves behind is checked, part by part."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import pytest

from capture.participants import Registry
from capture.session import SESSION_FILE, Session
from capture.session.self_report import read_self_report
from expression.bundle import Bundle
from expression.emotions import BASIC_EMOTIONS
from realtime.scoring import read_truth

MISSING = [name for name in ("torch", "lightning", "sklearn") if find_spec(name) is None]
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(MISSING), reason=f"a model needs {', '.join(MISSING)}: pip install 'dfme[training]'"),
]
PARTICIPANTS = 3
"""Fewer cannot be parted into training, choosing the epoch and testing."""


class Played:
    """The folder of a study that was played, and what the command said of it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        command = [sys.executable, "-P", "-m", "capture.session_cli", "demo", "--out", str(out), "--json"]
        smallest = ["--stimuli", "1", "--seconds", "2.5", "--epochs", "2"]
        done = subprocess.run([*command, *smallest], capture_output=True, text=True, timeout=850, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        self.progress = done.stderr
        self.said = json.loads(done.stdout.splitlines()[-1])
        self.sessions = [Session.open(file.parent) for file in sorted((out / "study").glob(f"*/{SESSION_FILE}"))]
        self.recordings = {
            f"{session.path.name}/{trial.name}": session.recording(trial.name)
            for session in self.sessions
            for trial in session.trials
        }
        with (out / "coded" / "samples.tsv").open(newline="") as file:
            self.coded = list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def played(tmp_path_factory, simulator) -> Played:
    assert simulator.is_file()
    return Played(tmp_path_factory.mktemp("pilot") / "study")


def captures(played: Played) -> list[dict]:
    """What `dfme-capture` said, of each participant and, at last, of the one who was recorded with the new model."""
    logs = sorted((played.out / "log").glob("*dfme-capture.out"))
    return [json.loads(log.read_text().splitlines()[-1]) for log in logs]


def test_everybody_agreed_saw_a_stimulus_and_reported(played):
    registry = Registry(played.out / "study")
    assert len(played.sessions) == len(played.said["participants"]) == PARTICIPANTS
    marks = 0
    for session in played.sessions:
        assert registry.participant(session.record.participant).may_be_recorded
        assert session.record.elicitation.finished
        assert [bool(trial.stimulus) for trial in session.trials] == [False, True]
        report = read_self_report(session.path).of_trial(session.trials[-1].name)
        assert {grade.emotion for grade in report.grades} == {emotion.value for emotion in BASIC_EMOTIONS}
        marks += len(report.marks)
        stimulus = session.trials[-1].stimulus
        assert session.frame_at(stimulus, 1.0).trial == session.trials[-1].name
    assert marks > 0


def test_every_frame_was_recorded(played):
    frames = {name: len(recording) for name, recording in played.recordings.items()}
    assert len(frames) == played.said["recordings"] == 2 * PARTICIPANTS
    assert played.said["frames"] == sum(frames.values())
    assert (played.said["lost"], played.said["verified"]) == (0, True)
    for name, recording in played.recordings.items():
        assert recording.rate_fps == 200
        assert len(set(recording.frame_id.tolist())) == frames[name]
        assert frames[name] >= (700 if name.endswith("002") else 300)


def test_the_readout_says_of_every_frame_whether_it_was_looked_at(played):
    said_of_all = captures(played)
    assert len(said_of_all) == PARTICIPANTS + 1
    for said in said_of_all:
        frames = sum(trial["frames"] for trial in said.get("trials", [said]))
        assert said["live"]["frames_analysed"] + said["live"]["frames_skipped"] == frames
        assert said["live"]["restarts"] == 0


def test_what_coders_settled_lies_where_the_truth_is(played):
    truth = read_truth(played.out / "truth.csv")
    participants = {session.path.name: session.record.participant for session in played.sessions}
    assert len(played.coded) == played.said["clips"] >= PARTICIPANTS
    errors = []
    for row in played.coded:
        session, trial = row["recording"].split("/")
        onset, offset = int(row["recording_onset"]), int(row["recording_offset"])
        assert 0 <= onset < int(row["recording_apex"]) < offset < len(played.recordings[row["recording"]])
        if trial == "trial-001":  # the baseline: coded, but not scored
            continue
        near = [one for one in truth[f"{participants[session]}_{trial}"] if one.onset < offset and onset < one.offset]
        errors += [abs(near[0].onset - onset), abs(near[0].offset - offset)] if len(near) == 1 else [1000]
    assert median(errors) <= 4
    assert {row["emotion"] for row in played.coded} <= {*(e.value for e in BASIC_EMOTIONS), "others"}
    # Pictures of each clip, as the frames of the recording are.
    for row in played.coded:
        pictures = list((played.out / "coded" / "train_data" / row["clip"]).glob("*.png"))
        assert len(pictures) > int(row["offset"])


def test_coders_disagreed_and_agreement_was_computed(played):
    (log,) = [
        file for file in sorted((played.out / "log").glob("*dfme-annotate.out")) if '"figures"' in file.read_text()
    ]
    rounds = {one["kind"]: one for one in json.loads(log.read_text().splitlines()[-1])["rounds"]}
    assert {"keyframes", "units", "emotion"} <= set(rounds)
    figures = {f"{kind} {one['key']}": one["value"] for kind, found in rounds.items() for one in found["figures"]}
    assert 0 < figures["keyframes onset_mad_frames"] < 6
    assert 0 < figures["emotion fleiss_kappa"] < 1
    assert 0 < figures["units r_pooled"] <= 1
    assert len(rounds["emotion"]["coders"]) == 7
    assert played.said["answers"] > 14 * len(played.coded)


def test_the_model_knows_all_but_one_and_reads_out_everybody(played):
    bundle = Bundle.open(played.out / "models" / "demo")
    seen = {subject.rpartition("/")[2] for subject in bundle.record.subjects}
    assert bundle.record.simulated
    assert len(seen) == PARTICIPANTS - 1
    assert seen < set(played.said["participants"])
    truth = read_truth(played.out / "truth.csv")
    scores = played.said["spotting"]
    assert scores["live"]["truths"] == scores["demo"]["truths"] == sum(map(len, truth.values())) > 0
    # Over a recording nothing is passed over, live only where the machine is busy.
    assert scores["demo"]["found"] > 0
    passed_over = sum(said["live"]["frames_skipped"] for said in captures(played))
    assert scores["live"]["found"] > 0 or passed_over > 0.1 * played.said["frames"]
    assert scores["loaded"]["recordings"] == 1
    assert scores["loaded"]["truths"] > 0
    assert captures(played)[-1]["live"]["model"] == "demo"
    assert scores["held out"]["recordings"] == 1
    files = list((played.out / "found").rglob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(lines) == scores["demo"]["spotted"]
    assert all(line["model"] == "demo" for line in lines)
    assert all(abs(sum(line["probabilities"].values()) - 1) < 0.01 for line in lines)


def test_the_page_shows_it_all_and_needs_nothing_else(played):
    page = Path(played.said["page"]).read_text()
    assert page.count("SIMULATED") >= 2
    assert f"{played.said['frames']:,}" in page
    assert all(page.count(one) > 3 for one in played.said["participants"])
    assert page.count("<svg") == PARTICIPANTS + 1 + 2  # a timeline each, bars, two tables of who was taken for whom
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    logs = list((played.out / "log").glob("*.log"))
    assert len(logs) == played.said["commands"]
    commands = page.partition("Every command")[2]
    assert commands.count("\ndfme-") + commands.count(">dfme-") == len(logs)
    for name in ("elicit", "train", "capture", "session", "annotate", "live"):
        assert f"dfme-{name} " in commands
    # Progress of every command, counted to the announced end.
    assert f"[{len(logs)}/{len(logs)}]" in played.progress
