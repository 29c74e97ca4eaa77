"""The steps of a session: what the participant sees in each, what is recorded, and what stands in the event log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from capture.elicited import Elicited
from capture.errors import CaptureError
from capture.messages import Finished
from capture.recording.reader import Recording
from capture.session.stimulus_frames import StimulusFrame
from elicitation.protocol import PlannedStep, Protocol
from elicitation.session.desk import now_ns
from elicitation.session.prepare import Prepared, video_seconds
from elicitation.session.shown_frames import keep_stimulus_frames, shown_frames
from elicitation.session.stage import Outcome, Stage
from elicitation.session.state import Showing, StateLog, trials_of
from elicitation.web import messages as web

_REHEARSED_ANSWER_S: Final = 5.0
"""How long a page of the participant's is shown in a rehearsal at speed, in the session's time."""
_PENALTY_STEP: Final = -1
"""Number of the questionnaire that is no step of the protocol."""


class StepResult(msgspec.Struct, frozen=True):
    """How a step ended."""

    outcome: Outcome
    trial: str | None = None
    """Trial that was recorded."""
    refused: str = ""
    """Why it could not be recorded: the step is to be done again."""
    failed: bool = False
    explained: bool = False
    """Whether the log says already why it was skipped."""


class Steps:
    """Carries out one step after the other on a stage."""

    def __init__(self, prepared: Prepared, stage: Stage, state: StateLog, *, by_itself: bool = False) -> None:
        self._prepared = prepared
        self._stage = stage
        self._state = state
        self._by_itself = by_itself
        """A rehearsal without hands: the participant's steps end after a while."""
        self._now: PlannedStep | None = None
        self._page_began_ns = 0
        self._trials = trials_of(state.entries())
        stage.answered = self._answered

    @property
    def _protocol(self) -> Protocol:
        return self._prepared.plan.protocol

    def carry_out(self, planned: PlannedStep) -> StepResult:
        """Do one step to its end."""
        self._now = planned
        kinds: dict[str, Callable[[PlannedStep], StepResult]] = {
            "instruction": self._instruction,
            "baseline": self._baseline,
            "stimulus": self._stimulus,
            "rest": self._rest,
            "affect_grade": self._affect_grade,
            "self_report": self._self_report,
            "questionnaire": self._questionnaire,
        }
        result = kinds[planned.step.kind](planned)
        if result.trial is not None:
            self._trials[planned.number] = result.trial
        return result

    def penalty(self) -> Outcome:
        """The long questionnaire at the operator's word, between two steps."""
        self._now = None
        self._stage.statistics = msgspec.structs.replace(
            self._stage.statistics, phase="questionnaire", waits_for="participant"
        )
        return self._ask(self._penalty_page(_PENALTY_STEP), "questionnaire", None)

    # --- texts and pauses ------------------------------------------------------------------------------------------

    def _instruction(self, planned: PlannedStep) -> StepResult:
        step = planned.step
        if step.seconds is None and step.ends_by == "participant":
            page = web.Show(
                page="text",
                step=planned.number,
                text=step.text,
                words=self._protocol.words,
                language=self._protocol.language,
            )
            return StepResult(self._ask(page, "instruction", planned))
        return self._text_for_a_while(planned)

    def _rest(self, planned: PlannedStep) -> StepResult:
        return self._text_for_a_while(planned)

    def _text_for_a_while(self, planned: PlannedStep) -> StepResult:
        began_ns = now_ns()
        self._stage.show_text(planned.step.text)
        outcome = self._stage.until(seconds=self._lasting(planned.step.seconds))
        self._over(planned.step.kind, planned, began_ns)
        return StepResult(outcome)

    def _lasting(self, seconds: float | None) -> float | None:
        """Length of a step as it goes here: rehearsed at speed, everything is shorter and nothing waits for hands."""
        if seconds is None:
            return _REHEARSED_ANSWER_S / self._stage.speed if self._by_itself else None
        return seconds / self._stage.speed

    # --- recorded steps --------------------------------------------------------------------------------------------

    def _baseline(self, planned: PlannedStep) -> StepResult:
        self._stage.show_text(planned.step.text)
        trial = self._stage.start_trial("baseline", None)
        if not trial:
            return self._refused()
        # The camera takes a moment from its start to its first frame.
        self._stage.until(seconds=self._protocol.margin_s / self._stage.speed, skippable=False)
        began_ns = now_ns()
        outcome = self._stage.until(seconds=self._lasting(planned.step.seconds))
        ended_ns = now_ns()
        self._stage.stop_trial()
        self._over("baseline", planned, began_ns, ended_ns, trial)
        return StepResult(outcome, trial)

    def _stimulus(self, planned: PlannedStep) -> StepResult:
        stage, stim_id = self._stage, planned.stimulus or ""
        video = self._prepared.files[stim_id]
        margin_s = self._protocol.margin_s / stage.speed
        # Dark, and ready to play, before the camera runs.
        stage.show_text("")
        trial = stage.start_trial("stimulus", stim_id)
        if not trial:
            return self._refused()
        stage.until(seconds=margin_s, skippable=False)
        flips = f"log/flips/{trial}.{stim_id}.jsonl"
        showing = Showing(stim_id, trial, flips, stage.flip_source)
        self._state.add(showing)
        played = stage.play(stim_id, video, stage.session / flips, video_seconds(video) or 0.0)
        stage.show_text("")
        stage.until(seconds=margin_s, skippable=False)
        ended_early = stage.trial is not None and stage.trial.ended
        finished = stage.stop_trial()
        rows = shown_frames(stage.session, showing)
        keep_stimulus_frames(stage.session, self._state.entries())
        self._log_stimulus(planned, trial, rows)
        if ended_early:
            stage.event("warning", f"the recording of {stim_id} ended before the stimulus did", "stimulus", trial=trial)
        elif finished is not None and rows:
            self._check_margins(stim_id, trial, finished, rows)
        outcome: Outcome = "done" if played is not None and played.complete else "skipped"
        return StepResult(outcome, trial, failed=played is None)

    def _refused(self) -> StepResult:
        reason = self._stage.trial.refused if self._stage.trial is not None else ""
        self._stage.trial = None
        return StepResult("skipped", refused=reason or "the camera did not start")

    def _log_stimulus(self, planned: PlannedStep, trial: str, rows: list[StimulusFrame]) -> None:
        stage, stim_id = self._stage, planned.stimulus or ""
        about = self._about(stim_id)
        shown = [row for row in rows if not row.dropped]
        if not shown:
            stage.event("error", f"{stim_id}: no frame was shown", "stimulus", trial=trial, elicited=about)
            return
        lost = len(rows) - len(shown)
        late = sum(row.late for row in rows)
        seconds = (shown[-1].host_ns - shown[0].host_ns) / 1e9
        said = f"{stim_id}: {len(shown):,} frames shown in {seconds:.3f} s, {lost} dropped, {late} late"
        first_ns = shown[0].host_ns
        stage.event("info", said, "stimulus", host_ns=first_ns, duration_s=seconds, trial=trial, elicited=about)
        stage.statistics = msgspec.structs.replace(stage.statistics, dropped=stage.statistics.dropped + lost)
        if lost:
            first = next(row for row in rows if row.dropped)
            text = f"{stim_id}: {lost} frames were not shown, the first is frame {first.stim_frame}"
            about = msgspec.structs.replace(about, stim_frame=first.stim_frame)
            stage.event(
                "warning", text, "frames_dropped", host_ns=first.due_ns, trial=trial, frames=lost, elicited=about
            )

    def _check_margins(self, stim_id: str, trial: str, finished: Finished, rows: list[StimulusFrame]) -> None:
        """The recording must begin before the first shown frame and end after the last one."""
        try:
            times = Recording.open(finished.path).times_ns()
        except CaptureError:
            return  # on the storage machine
        shown = [row.host_ns for row in rows if not row.dropped]
        if shown and (not len(times) or times[0] > shown[0] or times[-1] < shown[-1]):
            text = f"{stim_id}: the recording does not span what was shown: give the camera more time with margin_s"
            self._stage.event("error", text, "stimulus", trial=trial, elicited=self._about(stim_id))

    # --- the participant's answers ---------------------------------------------------------------------------------

    def _affect_grade(self, planned: PlannedStep) -> StepResult:
        page = web.Show(
            page="scale",
            step=planned.number,
            text=planned.step.text,
            trial=self._trial_of(planned) or "",
            stim_id=planned.stimulus or "",
            words=self._protocol.words,
            language=self._protocol.language,
        )
        return StepResult(self._ask(page, "affect_grade", planned))

    def _self_report(self, planned: PlannedStep) -> StepResult:
        trial, stim_id = self._trial_of(planned), planned.stimulus or ""
        recording = self._stage.session / "recordings" / f"{trial}.zarr"
        if trial is None or not recording.is_dir():
            why = "nothing was recorded" if trial is None else f"there is no recording of {trial} on this machine"
            self._stage.event("warning", f"no self-report on {stim_id or 'this step'}: {why}", "self_report")
            return StepResult("skipped", explained=True)
        page = web.Show(
            page="self_report",
            step=planned.number,
            text=planned.step.text,
            trial=trial,
            stim_id=stim_id,
            recording=str(recording.absolute()),
            stimulus=str(self._prepared.files.get(stim_id, "")),
            words=self._protocol.words,
            language=self._protocol.language,
        )
        return StepResult(self._ask(page, "self_report", planned))

    def _questionnaire(self, planned: PlannedStep) -> StepResult:
        return StepResult(self._ask(self._penalty_page(planned.number), "questionnaire", planned))

    def _penalty_page(self, number: int) -> web.Show:
        penalty = self._protocol.penalty
        questions = tuple(web.Question(one.text, one.answers) for one in penalty.questions)
        return web.Show(
            page="questionnaire",
            step=number,
            text=penalty.text,
            questions=questions,
            words=self._protocol.words,
            language=self._protocol.language,
        )

    def _ask(self, page: web.Show, kind: str, planned: PlannedStep | None) -> Outcome:
        self._page_began_ns = began_ns = now_ns()
        outcome = self._stage.page(page, self._lasting(None))
        self._over(kind, planned, began_ns, trial=page.trial or None)
        return outcome

    def _answered(self, answer: web.Answer) -> None:
        """One answer becomes one line of the event log; a change is another line."""
        kinds = {"scale": "affect_grade", "self_report": "expression", "questionnaire": "questionnaire"}
        about = self._about(answer.stim_id)
        response_s = (answer.host_ns - self._page_began_ns) / 1e9 if self._page_began_ns else None
        graded = isinstance(answer.value, int) and answer.page != "questionnaire"
        about = msgspec.structs.replace(
            about,
            response_time_s=response_s,
            value=answer.item if answer.page != "questionnaire" else str(answer.value),
            intensity=float(answer.value) if graded and isinstance(answer.value, int) else None,
            stim_frame=self._stimulus_frame(answer),
        )
        said = f"{answer.item}: {'taken back' if answer.value is None else answer.value}"
        if answer.mark is not None:
            said = f"mark {answer.mark}, frame {answer.frame}, {said}"
        if answer.revision:
            said += f" (change {answer.revision})"
        self._stage.event(
            "info",
            said,
            kinds.get(answer.page, "note"),
            # A mark belongs to the moment that was marked; its column `sample` is then the frame.
            host_ns=answer.frame_host_ns or answer.host_ns,
            trial=answer.trial or None,
            elicited=about,
        )

    def _stimulus_frame(self, answer: web.Answer) -> int | None:
        if answer.stimulus_time_s is None:
            return None
        showings = [
            entry
            for entry in self._state.entries()
            if isinstance(entry, Showing) and (entry.trial, entry.stim_id) == (answer.trial, answer.stim_id)
        ]
        rows = shown_frames(self._stage.session, showings[-1]) if showings else []
        seen = [row.stim_frame for row in rows if not row.dropped and row.pts_s <= answer.stimulus_time_s + 1e-6]
        return max(seen, default=None)

    # --- what several share ----------------------------------------------------------------------------------------

    def _trial_of(self, planned: PlannedStep) -> str | None:
        """The trial in which this step's stimulus was shown."""
        for other in self._prepared.plan.steps:
            if other.step.kind == "stimulus" and other.stimulus_number == planned.stimulus_number:
                return self._trials.get(other.number)
        return None

    def _about(self, stim_id: str) -> Elicited:
        if stim_id not in self._prepared.manifest.by_id:
            return Elicited()
        video: Path | None = self._prepared.files.get(stim_id)
        target = str(self._prepared.stimulus(stim_id).target_emotion)
        return Elicited(stim_id, video.name if video is not None else "", target)

    def _over(
        self, kind: str, planned: PlannedStep | None, began_ns: int, ended_ns: int = 0, trial: str | None = None
    ) -> None:
        """The line of a step that is over."""
        stim_id = (planned.stimulus if planned is not None else None) or ""
        seconds = ((ended_ns or now_ns()) - began_ns) / 1e9
        said = f"{kind.replace('_', ' ')}{f' on {stim_id}' if stim_id else ''}, {seconds:.1f} s"
        self._stage.event(
            "info", said, kind, host_ns=began_ns, duration_s=seconds, trial=trial, elicited=self._about(stim_id)
        )
