"""The operator's word: pause and go on, the next step, the long questionnaire; and a rehearsal without a camera."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from capture.session.stimulus_frames import read_stimulus_frames
from tests.elicitation.session.conftest import RATE_FPS, SECONDS

pytestmark = pytest.mark.alone
FRAMES = round(SECONDS * RATE_FPS)
ELICIT = [sys.executable, "-P", "-m", "elicitation.cli", "run"]


def rehearsal(study, *arguments):
    return subprocess.Popen(
        [*ELICIT, str(study.protocol), "--stimuli", str(study.videos), "--rehearse", "--json", *arguments],
        env=study.environment,
        cwd=study.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def log_of(study):
    (path,) = (study.folder / "rehearsals").glob("*/log/elicitation.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def kinds_of(study):
    return [entry["kind"] for entry in log_of(study) if entry["what"] == "step"]


def test_the_operator_gives_the_questionnaire_pauses_and_goes_on(study):
    # Steps that would last for minutes, and end because the operator says so.
    study.write_protocol(rest=600)
    with rehearsal(study) as process:

        def type_in(text):
            process.stdin.write(text)
            process.stdin.flush()

        def wait_until_said(text):
            said = ""
            while text not in said:
                said = process.stderr.readline()
                assert said

        # A stimulus is never stopped in the middle: the pause comes behind it, and says so.
        study.wait_for(lambda: kinds_of(study)[-1] == "stimulus")
        type_in("p\n")
        wait_until_said("pauses after this stimulus")
        wait_until_said("PAUSED")
        assert (kinds_of(study)[-1], log_of(study)[-1]["what"], log_of(study)[-1]["how"]) == (
            "stimulus",
            "step_ended",
            "done",
        )
        (table,) = (study.folder / "rehearsals").glob("*/stimulus_frames.parquet")
        assert [row.stim_frame for row in read_stimulus_frames(table)] == [*range(FRAMES)]
        type_in("p\n")
        study.wait_for(lambda: kinds_of(study)[-1] == "rest")
        type_in("p\nL\nn\n")
        wait_until_said("open the participant's pages at")
        type_in("n\n")
        wait_until_said("PAUSED")
        assert kinds_of(study).count("stimulus") == 1
        type_in("p\n")
        study.wait_for(lambda: kinds_of(study)[-1] == "stimulus" and kinds_of(study).count("stimulus") == 2)
        study.wait_for(lambda: kinds_of(study)[-1] == "rest")
        type_in("n\n")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["finished"]
    ended = [entry["how"] for entry in log_of(study) if entry["what"] == "step_ended"]
    assert ended == ["done", "done", "done", "skipped", "done", "skipped"]
    (events,) = (study.folder / "rehearsals").glob("*/events.tsv")
    assert "\tquestionnaire\t" in events.read_text()


def test_a_rehearsal_at_speed_waits_for_nobody(study):
    study.write_protocol(
        rest=10, top='language = "de"', each='[[each]]\nkind = "instruction"\ntext = "Go on."\n', count=1
    )
    (study.folder / "stimuli.tsv").write_text("stim_id\ttarget_emotion\tduration_s\na\tfear\t2\n")
    with rehearsal(study, "--speed", "20") as process:
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["finished"]
    assert kinds_of(study) == ["instruction", "baseline", "stimulus", "rest", "instruction"]
    assert "texts of the participant's pages that stay English" in err


@pytest.mark.beside_others
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--speed", "0.5"], "--speed 0.5"),
        (["--fps", "500"], "--fps is not an option of a rehearsal"),
        (["--participant", "P07"], "--participant is not an option of a rehearsal"),
    ],
)
def test_what_a_rehearsal_does_not_take_is_named(study, arguments, says):
    with rehearsal(study, *arguments) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert says in err
