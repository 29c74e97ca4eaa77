"""Runs a session from its next step to its last, with pauses and penalties between steps."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final

import msgspec

from capture.messages import Planned
from capture.statistics import ElicitationStatistics
from elicitation.errors import ElicitationError
from elicitation.protocol import PlannedStep
from elicitation.session.desk import Desk, now_ns
from elicitation.session.prepare import Prepared
from elicitation.session.shown_frames import keep_stimulus_frames
from elicitation.session.stage import SessionOver, Stage
from elicitation.session.state import Began, Finished, StateLog, StepBegan, StepEnded, next_step
from elicitation.session.steps import StepResult, Steps
from elicitation.web.words import ENGLISH, in_words_of

MANIFEST_COPY: Final = "stimuli.tsv"
"""What could be shown, kept with the session."""
_ENDED_BY: Final = {"instruction", "affect_grade", "self_report", "questionnaire"}
"""Steps without a time of their own."""


class Runner:
    """One session; `run` once."""

    def __init__(
        self, prepared: Prepared, stage: Stage, desk: Desk, *, by_itself: bool = False, storage: str = ""
    ) -> None:
        self._prepared = prepared
        self._stage = stage
        self._desk = desk
        self._state = StateLog(stage.session)
        self._storage = storage
        """Address of the storage machine; empty where recordings stay here."""
        self._steps = Steps(prepared, stage, self._state, by_itself=by_itself)

    def run(self) -> bool:
        """Go through the steps that are left; returns whether nothing is left.

        Raises:
            ElicitationError: The participant's screen cannot be used.
        """
        plan, stage = self._prepared.plan, self._stage
        # Half a second that would otherwise pass between the first stimulus and what follows it.
        import_module("pyarrow.parquet")
        self._desk.plan(Planned(plan.protocol.name, self._prepared.protocol_sha256, plan.seed, plan.stimuli))
        self._prepared.manifest.save(stage.session / MANIFEST_COPY)
        entries = self._state.entries()
        first = next_step(entries, plan)
        if entries:
            # What the player wrote before a crash belongs into the table, too.
            keep_stimulus_frames(stage.session, entries)
        self._state.add(Began(now_ns(), plan.protocol.name, plan.seed, first))
        how = f"goes on at step {first + 1} of {len(plan.steps)}" if entries else f"begins, seed {plan.seed}"
        stage.event("info", f"session {plan.protocol.name} {how}: {' '.join(plan.stimuli)}", "session")
        self._tell_of_words()
        self._tell_of_replay(plan.steps[first:])
        try:
            for planned in plan.steps[first:]:
                self._between()
                self._step(planned)
            self._between()
        except SessionOver:
            stage.statistics = msgspec.structs.replace(stage.statistics, phase="ended", waits_for="")
            return False
        self._state.add(Finished(now_ns()))
        stage.statistics = self._where(None, "finished")
        stage.event("info", f"session {plan.protocol.name} is complete", "session")
        stage.report()
        return True

    def _tell_of_words(self) -> None:
        """A participant who reads Arabic is not to find English buttons without the operator's knowing."""
        protocol = self._prepared.plan.protocol
        # Those of volunteers who rate stimuli are not shown in a session.
        english = [key for key in ENGLISH if key not in protocol.words and not key.startswith("rate_")]
        if english and protocol.language.split("-")[0] != "en":
            self._stage.event(
                "warning",
                f"texts of the participant's pages that stay English: {len(english)}, such as {english[0]!r}; "
                "[words] of the protocol replaces them",
                "session",
            )

    def _tell_of_replay(self, steps: Sequence[PlannedStep]) -> None:
        reports = sum(planned.step.kind == "self_report" for planned in steps)
        if self._storage and reports:
            self._stage.event(
                "warning",
                f"recordings go to {self._storage}, so the participant cannot replay them here: {reports} self-reports "
                "are left out; scales and questionnaire stay",
                "session",
            )

    def _step(self, planned: PlannedStep) -> None:
        stage, kind = self._stage, planned.step.kind
        while True:
            waits_for = planned.step.ends_by if kind in _ENDED_BY and planned.step.seconds is None else ""
            stage.statistics = self._where(planned, kind, waits_for)
            stage.report()
            self._state.add(StepBegan(planned.number, kind, now_ns(), planned.stimulus))
            result = self._carried_out(planned)
            if not result.refused:
                break
            stage.event("error", f"this step waits until the operator goes on: {result.refused}", "session")
            stage.pausing = True
            self._between()
        if result.outcome == "skipped" and not result.explained and stage.speed == 1.0:
            stage.event("info", f"{kind.replace('_', ' ')} was ended early", "session", trial=result.trial)
        how = "failed" if result.failed else "skipped" if result.outcome == "skipped" else "done"
        self._state.add(StepEnded(planned.number, now_ns(), how, result.trial))  # type: ignore[arg-type]  # one of the three

    def _carried_out(self, planned: PlannedStep) -> StepResult:
        try:
            return self._steps.carry_out(planned)
        except ElicitationError as error:
            if planned.step.kind in ("stimulus", "baseline"):
                self._stage.stop_trial()
            return StepResult("skipped", refused=str(error))

    def _between(self) -> None:
        """Between two steps: the questionnaire, and a pause, where the operator asked for them."""
        stage = self._stage
        while stage.penalty or stage.pausing:
            if stage.penalty:
                stage.penalty = False
                self._steps.penalty()
            if stage.pausing:
                stage.statistics = msgspec.structs.replace(stage.statistics, phase="paused", waits_for="operator")
                stage.event("info", "paused", "session")
                stage.show_text(in_words_of(self._prepared.plan.protocol.words)["session_paused"])
                stage.until(lambda: not stage.pausing or stage.penalty, skippable=False)

    def _where(self, planned: PlannedStep | None, phase: str, waits_for: str = "") -> ElicitationStatistics:
        plan = self._prepared.plan
        return ElicitationStatistics(
            protocol=plan.protocol.name,
            phase=phase,
            step=planned.number + 1 if planned is not None else len(plan.steps),
            steps=len(plan.steps),
            stimulus=(planned.stimulus or "") if planned is not None else "",
            stimulus_number=(planned.stimulus_number or 0) if planned is not None else 0,
            stimuli=len(plan.stimuli),
            waits_for=waits_for,
            dropped=self._stage.statistics.dropped,
        )
