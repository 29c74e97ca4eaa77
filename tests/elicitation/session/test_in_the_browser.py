"""The participant's part: grades and marks in a real browser, beside a real recording, down to the event log."""

from __future__ import annotations

import re

import pytest

from capture.session.events import EventLog
from capture.session.self_report import read_self_report
from expression import BASIC_EMOTIONS

pytestmark = pytest.mark.alone
STEPS = """
[[each]]
kind = "affect_grade"
text = "How strongly did you feel each of these?"
[[each]]
kind = "self_report"
text = "Please mark every expression."
"""


def test_grades_and_marks_come_back_as_they_were_given(study, chromium, until):
    study.write_protocol(each=STEPS, count=1)
    (study.folder / "stimuli.tsv").write_text("stim_id\ttarget_emotion\tduration_s\na\tfear\t2\n")
    with study.start() as process:
        study.wait_for(lambda: re.search(r"pages at (\S+)", events_text(study)))
        url = re.search(r"pages at (\S+)", events_text(study))[1]
        context = chromium.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.goto(url)
        until(page, "document.getElementById('page').className.startsWith('scale')")
        for grade, emotion in enumerate(BASIC_EMOTIONS):
            page.click(f".row[data-emotion='{emotion}'] .choice[data-value='{grade % 6}']")

        study.wait_for(lambda: len(grades(study)) == len(BASIC_EMOTIONS))

        # The page server dies: it is started anew, and the page comes back with the answers that were given.
        study.descendant(process.pid, "elicitation.web").kill()
        study.wait_for(lambda: len(re.findall(r"pages at (\S+)", events_text(study))) == 2)
        assert len(set(re.findall(r"pages at (\S+)", events_text(study)))) == 1
        page.reload()
        until(page, "document.querySelectorAll('.row input:checked').length === 7")
        page.click("footer button")

        until(page, "document.getElementById('page').viewer?.frame === 0")
        frame = study.session().frame_at("a", 1.0).frame
        page.evaluate(f"document.getElementById('page').viewer.seek({frame})")
        until(page, f"document.getElementById('page').viewer.frame === {frame}")
        for key in ("m", "3", "4", "Enter"):
            page.keyboard.press(key)
        study.wait_for(lambda: any(event["trial_type"] == "expression" for event in events(study)))
        until(page, "document.querySelector('li[data-mark=\"1\"]') !== null")
        page.click(".done")
        _, err = process.communicate(timeout=60)
        context.close()
    assert process.returncode == 0, err
    session = study.session()
    assert session.record.elicitation.finished

    trial = session.trials[-1].name
    report = read_self_report(session.path).of_trial(trial)
    assert {one.emotion: one.grade for one in report.grades} == {e.value: n % 6 for n, e in enumerate(BASIC_EMOTIONS)}
    (mark,) = report.marks
    assert (mark.frame, mark.emotion, mark.intensity) == (frame, "disgust", 4)

    (expression,) = (event for event in events(study) if event["trial_type"] == "expression")
    assert (expression["trial"], expression["sample"]) == (trial, str(frame))
    assert (expression["value"], expression["intensity"], expression["stim_id"]) == ("disgust", "4", "a")
    shown = session.stimulus_at(trial, frame)
    assert expression["stim_frame"] == str(shown.stim_frame)
    assert {event["value"]: event["intensity"] for event in grades(study)} == {
        emotion.value: str(number % 6) for number, emotion in enumerate(BASIC_EMOTIONS)
    }
    assert all(float(event["response_time"]) > 0 for event in grades(study))


def events(study):
    return EventLog(study.sessions[-1]).rows()


def grades(study):
    return [event for event in events(study) if event["trial_type"] == "affect_grade" and event["value"] != "n/a"]


def events_text(study):
    return "".join((path / "events.tsv").read_text() for path in study.sessions)
