"""`dfme-elicit` as its user runs it."""

from __future__ import annotations

from functools import partial

import pytest

from elicitation.cli import app


@pytest.fixture
def elicit(call_command):
    """Runs `dfme-elicit` with these arguments."""
    return partial(call_command, app)


@pytest.fixture
def manifest(tmp_path):
    file = tmp_path / "stimuli.tsv"
    file.write_text("stim_id\ttarget_emotion\tduration_s\na\tfear\t1\nb\tdisgust\t1\n")
    return file


def test_placeholders_pass_the_check_that_the_labs_own_videos_must_pass(elicit, tmp_path, manifest):
    videos = tmp_path / "videos"
    assert elicit("placeholders", "--out", videos, "--manifest", manifest).status == 0
    done = elicit("validate", "--stimuli", videos, "--manifest", manifest, "--refresh", 60, "--json")
    assert done.status == 0, done.err
    assert done.json["ok"]
    assert done.json["findings"] == []

    (videos / "b.mp4").unlink()
    (videos / "a.mp4").write_bytes(b"not a video")
    done = elicit("validate", "--stimuli", videos, "--manifest", manifest)
    assert done.status == 1
    assert "error: b: absent" in done.out
    assert "error: a: " in done.out


def test_a_plan_is_the_same_for_the_same_seed(elicit):
    first, again, other = (elicit("plan", "--seed", seed, "--json").json for seed in (3, 3, 4))
    assert first == again
    assert first["stimuli"] != other["stimuli"]
    assert len(first["stimuli"]) == 10
    assert "affect_grade" in elicit("plan", "--seed", 3).out


def test_ratings_become_a_selection(elicit, tmp_path):
    ratings = tmp_path / "ratings.tsv"
    rows = ["v1\ta\tfear\t4", "v2\ta\tfear\t5", "v1\tb\tsad\t2", "v2\tb\tfear\t5"]
    ratings.write_text("volunteer\tstimulus\temotion\tintensity\n" + "\n".join(rows) + "\n")
    kept = [one for one in elicit("select", ratings, "--json").json["stimuli"] if one["kept"]]
    assert [(one["stimulus"], one["emotion"], one["intensity"]) for one in kept] == [("a", "fear", 4.5)]
    assert "no emotion named by more than 50%" in elicit("select", ratings).out


def test_a_participant_consents_and_takes_it_back(elicit, tmp_path):
    study = tmp_path / "study"
    pseudonym = elicit("participant", "add", "--study", study).out.strip()
    (tmp_path / "consent-v2.txt").write_text("I agree to be recorded.")
    given = ["--form", tmp_path / "consent-v2.txt", "--agree", "recording", "--refuse", "sharing"]
    done = elicit("participant", "consent", pseudonym, "--study", study, *given)
    assert "consent-v2: agreed to recording; no images" in done.out
    assert elicit("participant", "list", "--study", study, "--json").json["participants"][0]["may_be_recorded"]
    elicit("participant", "withdraw", pseudonym, "--study", study)
    listed = elicit("participant", "list", "--study", study, "--json").json["participants"]
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
def test_bad_input_is_one_line_that_names_it(elicit, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    done = elicit(*arguments)
    assert done.status == 2
    assert says in done.error
