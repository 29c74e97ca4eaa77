"""Protocol files: the bundled one, what a lab may change, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elicitation.errors import ProtocolInvalid
from elicitation.protocol import load_protocol, parse_protocol, plan_session
from elicitation.stimuli import Manifest

SMALL = 'name = "small"\n[[each]]\nkind = "stimulus"\n'


def test_the_papers_protocol_comes_along_and_covers_its_steps():
    protocol, _ = load_protocol("dfme")
    plan = plan_session(protocol, Manifest.of_paper(), seed=1)
    assert len(plan.stimuli) == 10
    kinds = [planned.step.kind for planned in plan.steps]
    assert kinds[:3] == ["instruction", "baseline", "instruction"]
    assert kinds[3:7] == ["stimulus", "rest", "affect_grade", "self_report"]
    assert kinds.count("stimulus") == 10
    assert [planned.number for planned in plan.steps] == list(range(len(plan.steps)))
    assert protocol.penalty.questions


def test_the_same_seed_plans_the_same_session():
    protocol, _ = load_protocol("dfme")
    assert (
        plan_session(protocol, Manifest.of_paper(), 5).stimuli == plan_session(protocol, Manifest.of_paper(), 5).stimuli
    )
    assert (
        plan_session(protocol, Manifest.of_paper(), 5).stimuli != plan_session(protocol, Manifest.of_paper(), 6).stimuli
    )


def test_texts_may_be_in_any_language(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(SMALL + 'text = "请保持中性表情"\n[words]\nnext = "Weiter"\n', encoding="utf-8")
    protocol, folder = load_protocol(str(file))
    assert protocol.each[0].text == "请保持中性表情"
    assert folder == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "x.toml, line 1, column 7, key name: "),
        ('name = "x"\n', "key each is missing"),
        (SMALL + 'colour = "red"\n', "line 4, key each.0.colour is not known"),
        (SMALL + "seconds = 3\n", "as long as its video"),
        (SMALL + SMALL.split("\n", 1)[1], "2 stimulus steps"),
        (SMALL + '[[after]]\nkind = "rest"\n', "needs seconds"),
        ('name = "x"\n[[each]]\nkind = "self_report"\n[[each]]\nkind = "stimulus"\n', "behind stimulus"),
        (SMALL + '[[before]]\nkind = "dance"\n', "line 5, key before.0.kind"),
        (SMALL + '[words]\nhapiness = "Freude"\n', "no page has a text 'hapiness': is happiness meant"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text, message):
    with pytest.raises(ProtocolInvalid, match=message) as caught:
        parse_protocol(text, "x.toml")
    assert "\n" not in str(caught.value)


def test_an_unknown_protocol_is_answered_with_those_that_come_along():
    with pytest.raises(ProtocolInvalid, match="dfme"):
        load_protocol("paper2")


@given(st.text(max_size=300))
def test_no_text_does_harm(text):
    with contextlib.suppress(ProtocolInvalid):
        parse_protocol(text, "x.toml")
