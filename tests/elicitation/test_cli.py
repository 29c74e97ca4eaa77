"""`dfme-elicit` as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ELICIT = [sys.executable, "-P", "-m", "elicitation.cli"]


def elicit(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ELICIT, *map(str, arguments)], capture_output=True, text=True, timeout=150, check=False)


def answer(done: subprocess.CompletedProcess[str]) -> dict:
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def manifest(tmp_path):
    file = tmp_path / "stimuli.tsv"
    file.write_text("stim_id\ttarget_emotion\tduration_s\na\tfear\t1\nb\tdisgust\t1\n")
    return file


def test_placeholders_pass_the_check_that_the_labs_own_videos_must_pass(tmp_path, manifest):
    videos = tmp_path / "videos"
    assert elicit("placeholders", "--out", videos, "--manifest", manifest).returncode == 0
    done = elicit("validate", "--stimuli", videos, "--manifest", manifest, "--refresh", 60, "--json")
    assert done.returncode == 0, done.stderr
    assert answer(done)["ok"]
    assert answer(done)["findings"] == []

    (videos / "b.mp4").unlink()
    (videos / "a.mp4").write_bytes(b"not a video")
    done = elicit("validate", "--stimuli", videos, "--manifest", manifest)
    assert done.returncode == 1
    assert "error: b: absent" in done.stdout
    assert "error: a: " in done.stdout


def test_a_plan_is_the_same_for_the_same_seed():
    first, again, other = (answer(elicit("plan", "--seed", seed, "--json")) for seed in (3, 3, 4))
    assert first == again
    assert first["stimuli"] != other["stimuli"]
    assert len(first["stimuli"]) == 10
    assert "affect_grade" in elicit("plan", "--seed", 3).stdout


def test_ratings_become_a_selection(tmp_path):
    ratings = tmp_path / "ratings.tsv"
    rows = ["v1\ta\tfear\t4", "v2\ta\tfear\t5", "v1\tb\tsad\t2", "v2\tb\tfear\t5"]
    ratings.write_text("volunteer\tstimulus\temotion\tintensity\n" + "\n".join(rows) + "\n")
    kept = [one for one in answer(elicit("select", ratings, "--json"))["stimuli"] if one["kept"]]
    assert [(one["stimulus"], one["emotion"], one["intensity"]) for one in kept] == [("a", "fear", 4.5)]
    assert "no emotion named by more than 50%" in elicit("select", ratings).stdout


def test_a_participant_consents_and_takes_it_back(tmp_path):
    study = tmp_path / "study"
    pseudonym = elicit("participant", "add", "--study", study).stdout.strip()
    (tmp_path / "consent-v2.txt").write_text("I agree to be recorded.")
    given = ["--form", tmp_path / "consent-v2.txt", "--agree", "recording", "--refuse", "sharing"]
    done = elicit("participant", "consent", pseudonym, "--study", study, *given)
    assert "consent-v2: agreed to recording; no images" in done.stdout
    assert answer(elicit("participant", "list", "--study", study, "--json"))["participants"][0]["may_be_recorded"]
    elicit("participant", "withdraw", pseudonym, "--study", study)
    listed = answer(elicit("participant", "list", "--study", study, "--json"))["participants"]
    assert [one["may_be_recorded"] for one in listed] == [False]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["validate", "--stimuli", "nowhere"], "is not a folder"),
        (["placeholders", "--out", "x", "--seconds", "0"], "--seconds 0"),
        (["select", "nowhere.tsv"], "No such file"),
        (["select", "nowhere.tsv", "--quota", "fear"], "--quota fear"),
        (["select", "nowhere.tsv", "--min-share", "2"], "min_target_share 2"),
        (["plan", "nothing"], "there is no protocol file 'nothing'"),
        (["participant", "withdraw", "P1", "--study", "nowhere"], "no participant 'P1'"),
    ],
)
def test_bad_input_is_one_line_that_names_it(tmp_path, arguments, says):
    done = elicit(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
