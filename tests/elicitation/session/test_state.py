"""Where a session goes on after an interruption, and what earlier participants saw."""

from __future__ import annotations

import pytest

from capture.session import Session
from elicitation.protocol import lay_out, parse_protocol
from elicitation.session.prepare import shown_before
from elicitation.session.state import Began, Showing, StateLog, StepBegan, StepEnded, next_step, trials_of

PROTOCOL = """
name = "short"
[draw]
count = 2
[[before]]
kind = "baseline"
seconds = 1
[[each]]
kind = "stimulus"
[[each]]
kind = "self_report"
[[after]]
kind = "instruction"
"""
PLAN = lay_out(parse_protocol(PROTOCOL, "short"), 1, ("a", "b"))
BEGAN = Began(1, "short", 1, 0)
ENDED = [StepEnded(number, 1, "done", f"trial-{number}") for number in range(6)]


def test_the_plan_of_these_tests():
    assert [(step.step.kind, step.stimulus) for step in PLAN.steps] == [
        ("baseline", None),
        ("stimulus", "a"),
        ("self_report", "a"),
        ("stimulus", "b"),
        ("self_report", "b"),
        ("instruction", None),
    ]


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        ([], 0),
        ([BEGAN, StepBegan(0, "baseline", 1)], 0),
        ([BEGAN, ENDED[0]], 1),
        # The stimulus step began, and nothing of it was shown: it is done again.
        ([BEGAN, ENDED[0], StepBegan(1, "stimulus", 1, "a")], 1),
        # Frames may have been seen: the session goes on at the next stimulus.
        ([BEGAN, ENDED[0], StepBegan(1, "stimulus", 1, "a"), Showing("a", "t", "f", "s")], 3),
        # Answers are not lost by asking again.
        ([BEGAN, *ENDED[:2], Showing("a", "t", "f", "s"), StepBegan(2, "self_report", 1, "a")], 2),
        ([BEGAN, *ENDED[:3], Showing("a", "t", "f", "s"), Showing("b", "t", "f", "s")], 5),
        ([BEGAN, *ENDED], 6),
    ],
)
def test_a_session_goes_on_where_it_can(entries, number):
    assert next_step(entries, PLAN) == number


def test_what_was_written_is_read_and_a_torn_line_costs_itself_alone(tmp_path):
    (tmp_path / "log").mkdir()
    log = StateLog(tmp_path)
    assert log.entries() == []
    log.add(BEGAN)
    with log.path.open("ab") as file:
        file.write(b'{"what":"step_end')
    log.add(ENDED[1])
    assert log.entries() == [BEGAN, ENDED[1]]
    assert trials_of(log.entries()) == {1: "trial-1"}


def test_each_participant_counts_once_for_a_stimulus_and_rehearsals_not_at_all(tmp_path):
    for participant, stimuli in (("P01", ["a", "b"]), ("P01", ["a"]), ("P02", ["a"]), ("P03", ["c"]), (None, ["d"])):
        session = Session.create(tmp_path, participant)
        for number, stimulus in enumerate(stimuli):
            session.begin_trial(f"trial-{number}", kind="stimulus", stimulus=stimulus)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "session.json").write_text("{")
    assert shown_before(tmp_path, "P03") == {"a": 2, "b": 1}
