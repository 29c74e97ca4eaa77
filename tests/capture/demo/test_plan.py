"""The demonstration's documents are such that the parts that read them take them."""

from __future__ import annotations

import pytest

from annotation.study import load_study
from capture.demo.plan import CONSENT, MANIFEST, PROTOCOL, RECIPE, STUDY, StudyPlan
from elicitation.protocol import load_protocol, plan_session
from elicitation.stimuli import Manifest
from expression.synthetic.dataset import Recording, SynthesisPlan, performance_of
from training.recipe import load_recipe


@pytest.mark.parametrize("stimuli", [1, 2, 7])
def test_protocol_stimuli_study_file_and_recipe_are_taken(tmp_path, stimuli):
    plan = StudyPlan(stimuli=stimuli, epochs=3, seed=5)
    plan.write_documents(tmp_path)
    protocol, folder = load_protocol(str(tmp_path / PROTOCOL))
    assert folder == tmp_path
    session = plan_session(protocol, Manifest.load(tmp_path / MANIFEST), seed=1)
    assert len(session.stimuli) == stimuli
    kinds = [planned.step.kind for planned in session.steps]
    assert kinds == ["instruction", "baseline", *["stimulus", "rest", "affect_grade", "self_report"] * stimuli]
    assert "SIMULATED" in load_study(tmp_path / STUDY).name
    assert "SIMULATED" in (tmp_path / CONSENT).read_text()
    assert load_recipe(str(tmp_path / RECIPE)).epochs == 3


@pytest.mark.parametrize("plan", [StudyPlan(), StudyPlan(stimuli=1, stimulus_s=3.0)])
def test_with_the_usual_seed_everybody_shows_enough_to_train_on(plan):
    synthesis = SynthesisPlan(
        seed=plan.seed, part="C", rate_fps=200.0, long=True, minutes=plan.minutes, micro_per_min=plan.micro_per_min
    )
    for number in range(1, plan.participants + 1):
        events = performance_of(synthesis, Recording(number, 1)).events(200.0)
        named = [event for event in events if event.kind == "micro" and event.emotion != "others"]
        assert len(named) >= 4
