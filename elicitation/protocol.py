"""The protocol of a session: which steps, in which order, how long, in whose words; a TOML file that a lab edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from capture.toml_file import parse, read_text
from elicitation.draw import Candidate, draw_stimuli
from elicitation.errors import ProtocolInvalid
from elicitation.stimuli import Manifest
from elicitation.web.words import ENGLISH

_BUNDLED = resources.files("elicitation") / "protocols"
StepKind = Literal["instruction", "baseline", "stimulus", "rest", "affect_grade", "self_report", "questionnaire"]
_TIMED: Final = frozenset({"baseline", "rest"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Part):
    """One thing that happens to the participant."""

    kind: StepKind
    text: str = ""
    """What the participant reads; may be empty where the step has pictures of its own."""
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    """How long it lasts; without it a step lasts until the participant, or the operator, ends it."""
    ends_by: Literal["participant", "operator"] = "participant"
    """Who ends an instruction without a time."""

    @model_validator(mode="after")
    def _timed_steps_have_a_time(self) -> Step:
        if self.kind in _TIMED and self.seconds is None:
            raise ValueError(f"a {self.kind} step needs seconds")
        if self.kind == "stimulus" and self.seconds is not None:
            raise ValueError("a stimulus step lasts as long as its video: leave out seconds")
        return self


class Draw(_Part):
    """Which stimuli a participant sees."""

    count: Annotated[int, Field(ge=1, le=100)] = 10
    balanced: bool = True
    """Prefer, within each emotion, what fewest earlier participants saw."""


class ScreenSettings(_Part):
    """The participant's screen."""

    display: str = ""
    """Name or number of the display; empty for the last one."""
    photodiode_patch: bool = False
    browser: str = "chromium"
    """Program that shows scales and self-report full screen; empty: the operator opens the address by hand."""


class Question(_Part):
    """One question of the long questionnaire."""

    text: str
    answers: tuple[str, ...] = ("1", "2", "3", "4", "5")


class Penalty(_Part):
    """The long, boring questionnaire for repeated visible expressions, at the operator's word."""

    text: str = ""
    questions: tuple[Question, ...] = ()


class Protocol(_Part):
    """One protocol file."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    stimuli: str = ""
    """Manifest of the stimuli, relative to this file; empty for the paper's fifteen."""
    stimulus_folder: str = "stimuli"
    """Where the lab's videos lie, relative to this file."""
    draw: Draw = Draw()
    screen: ScreenSettings = ScreenSettings()
    margin_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """A trial is recorded from this long before its first shown frame until this long after its last."""
    before: tuple[Step, ...] = ()
    each: tuple[Step, ...] = Field(min_length=1)
    """For every drawn stimulus."""
    after: tuple[Step, ...] = ()
    penalty: Penalty = Penalty()
    words: dict[str, str] = {}
    """Texts on buttons and scales, by key, for other languages; what is not given stays English."""

    @model_validator(mode="after")
    def _words_have_a_place(self) -> Protocol:
        for key in self.words:
            if key not in ENGLISH:
                close = get_close_matches(key, ENGLISH, n=1)
                meant = f"is {close[0]} meant?" if close else "the keys are in elicitation/web/words.py"
                raise ValueError(f"no page has a text {key!r}: {meant}")
        return self

    @model_validator(mode="after")
    def _stimuli_are_shown_once_each(self) -> Protocol:
        shown = sum(step.kind == "stimulus" for step in self.each)
        if shown != 1:
            raise ValueError(f"each: {shown} stimulus steps, there must be exactly one")
        if any(step.kind == "stimulus" for step in (*self.before, *self.after)):
            raise ValueError("a stimulus step belongs into each")
        kinds = [step.kind for step in self.each]
        if "self_report" in kinds and kinds.index("self_report") < kinds.index("stimulus"):
            raise ValueError("each: self_report comes behind stimulus")
        return self


@dataclass(frozen=True)
class PlannedStep:
    """One step of one participant's session."""

    number: int
    """From 0, over the whole session."""
    step: Step
    stimulus: str | None
    """Stimulus id, for the steps that belong to one."""
    stimulus_number: int | None
    """From 1."""


@dataclass(frozen=True)
class Plan:
    """What one participant's session consists of; the same seed and history give the same plan."""

    protocol: Protocol
    seed: int
    stimuli: tuple[str, ...]
    steps: tuple[PlannedStep, ...]


def load_protocol(name: str) -> tuple[Protocol, Path]:
    """The protocol file `name`, or the bundled one of that name; with the folder that its paths are relative to.

    Raises:
        ProtocolInvalid: There is none, or a key is wrong; names file, line and key.
    """
    path = Path(name)
    if not path.exists() and path.suffix != ".toml" and len(path.parts) == 1:
        bundled = _BUNDLED / f"{name}.toml"
        if bundled.is_file():
            return parse_protocol(bundled.read_text(encoding="utf-8"), name), Path.cwd()
        known = ", ".join(sorted(p.name.removesuffix(".toml") for p in _BUNDLED.iterdir() if p.name.endswith(".toml")))
        raise ProtocolInvalid(
            f"there is no protocol file {name!r}, and none of that name comes along; there are {known}"
        )
    return parse_protocol(read_text(path, ProtocolInvalid), str(path)), path.parent


def parse_protocol(text: str, name: str) -> Protocol:
    """A protocol from TOML.

    Args:
        text: The file's content.
        name: The file, for messages.

    Raises:
        ProtocolInvalid: Not TOML, or a key is wrong.
    """
    return parse(text, name, Protocol, ProtocolInvalid)


def plan_session(protocol: Protocol, manifest: Manifest, seed: int, shown: dict[str, int] | None = None) -> Plan:
    """Draw the stimuli and lay out every step of a session.

    Args:
        protocol: What happens.
        manifest: What can be shown: every stimulus in it.
        seed: Of the draw; kept with the session.
        shown: How many earlier participants saw each stimulus; used where the protocol wants balance.

    Raises:
        DrawImpossible: The manifest does not allow the draw.
    """
    candidates = [Candidate(stimulus.stim_id, stimulus.target_emotion) for stimulus in manifest.stimuli]
    drawn = draw_stimuli(candidates, protocol.draw.count, seed, shown if protocol.draw.balanced else None)
    return lay_out(protocol, seed, drawn)


def lay_out(protocol: Protocol, seed: int, drawn: tuple[str, ...]) -> Plan:
    """Every step of a session for stimuli that are drawn already."""
    steps = tuple(
        PlannedStep(number, step, stimulus, stimulus_number)
        for number, (step, stimulus, stimulus_number) in enumerate(_laid_out(protocol, drawn))
    )
    return Plan(protocol, seed, drawn, steps)


def _laid_out(protocol: Protocol, drawn: tuple[str, ...]) -> Iterator[tuple[Step, str | None, int | None]]:
    for step in protocol.before:
        yield step, None, None
    for number, stimulus in enumerate(drawn, start=1):
        for step in protocol.each:
            yield step, stimulus, number
    for step in protocol.after:
        yield step, None, None
