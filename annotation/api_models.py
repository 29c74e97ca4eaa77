"""What the annotation server's API takes and gives coders: pydantic models, for server, tests and load script alike."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from expression import BadInput, Emotion, format_units, parse_units

MOST_FRAMES: Final = 2**40
"""Beyond any recording, and within what databases and browsers count exactly."""


class Role(StrEnum):
    """What a user may do. One user can have several roles."""

    LEAD = "lead"
    SELECTOR = "selector"
    KEYFRAME = "keyframe"
    AU = "au"
    EMOTION = "emotion"


class RoundKind(StrEnum):
    """The steps of annotation, in their order."""

    SELECTION = "selection"
    KEYFRAMES = "keyframes"
    UNITS = "units"
    CROSSCHECK = "crosscheck"
    EMOTION = "emotion"


class RoundState(StrEnum):
    """A closed round takes no more answers, and its answers may be seen."""

    OPEN = "open"
    CLOSED = "closed"


class ApiModel(BaseModel):
    """Refuses what it does not know, so that a misspelt field is an error and not a silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Frame = Annotated[int, Field(ge=0, le=MOST_FRAMES)]
"""Number of a frame in its recording, from 0."""
Note = Annotated[str, StringConstraints(max_length=2000)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Text = r"^[^\x00]*$"
"""No database keeps a zero."""
Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class Login(ApiModel):
    """Name and password."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=Text)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Me(ApiModel):
    """Who is logged in."""

    name: str
    roles: list[Role]


class PasswordChange(ApiModel):
    """A user's own new password; other log-ins of theirs end."""

    old: Annotated[str, StringConstraints(max_length=200)]
    new: Password


class NewUser(ApiModel):
    """A user to enter; without a password a random one is made and given back once."""

    name: UserName
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    password: Password | None = None


class UserChange(ApiModel):
    """What to change of a user; None leaves it."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))] | None = None
    active: bool | None = None
    new_password: bool = False
    """Make a random password, and give it back once."""


class User(ApiModel):
    """A user, as leads see them."""

    id: Id
    name: str
    roles: list[Role]
    active: bool
    password: str | None = None
    """Only in the answer to the request that made it."""


class UnitInfo(ApiModel):
    """An action unit that coders are offered."""

    code: str
    """`AU12`, `M57`."""
    number: int
    """FACS number: what a coder types."""
    title: str
    group: str
    """`upper face`, `lower face`, `miscellaneous`."""
    one_sided: bool
    """Whether `L-AU12` and `R-AU12` are offered."""


class RoundRules(ApiModel):
    """How many code each clip in a kind of round."""

    kind: RoundKind
    role: Role
    """Who does it."""
    coders: int


class StudyInfo(ApiModel):
    """What a page needs to draw its controls."""

    name: str
    units: list[UnitInfo]
    emotions: list[Emotion]
    """In the order of their keys 1 to 8."""
    rules: list[RoundRules]
    software: str


class Fragment(ApiModel):
    """A part of a recording that holds an expression: frames, both inclusive."""

    first_frame: Frame
    last_frame: Frame
    note: Note = ""

    @model_validator(mode="after")
    def _ordered(self) -> Fragment:
        if self.last_frame < self.first_frame:
            raise ValueError(f"a fragment cannot end at {self.last_frame}, before it starts at {self.first_frame}")
        return self


class SelectionAnswer(ApiModel):
    """Stage 1: all fragments of one recording. Each change is sent as the whole list."""

    kind: Literal["selection"] = "selection"
    fragments: Annotated[list[Fragment], Field(max_length=10_000)] = []
    finished: bool = False
    """The recording was gone through to its end."""


class KeyFrameAnswer(ApiModel):
    """Round a: onset, apex and offset as frame numbers of the recording, or that there is no expression."""

    kind: Literal["keyframes"] = "keyframes"
    expression: bool
    """False: no expression here; the three marks are then null."""
    onset: Frame | None = None
    apex: Frame | None = None
    offset: Frame | None = None
    several: bool = False
    """The clip holds more than one expression: the lead will cut it anew."""
    note: Note = ""

    @model_validator(mode="after")
    def _complete(self) -> KeyFrameAnswer:
        marks = (self.onset, self.apex, self.offset)
        if not self.expression:
            if any(mark is not None for mark in marks):
                raise ValueError("without an expression there are no key-frames: send null")
            return self
        onset, apex, offset = marks
        if onset is None or apex is None or offset is None:
            raise ValueError("an expression has onset, apex and offset: mark all three")
        if not onset <= apex <= offset:
            raise ValueError(f"onset {onset}, apex {apex}, offset {offset} are not in this order")
        return self


class _Units(ApiModel):
    units: Annotated[list[Annotated[str, StringConstraints(max_length=12)]], Field(max_length=72)] = []
    """Codes such as `AU4`, `L-AU12`, `M57`; each unit once. Empty: no unit."""
    note: Note = ""

    @field_validator("units")
    @classmethod
    def _known(cls, codes: list[str]) -> list[str]:
        # Our own errors are not what pydantic expects of a validator.
        try:
            units = parse_units("+".join(codes))
        except BadInput as error:
            raise ValueError(str(error)) from None
        return format_units(units, style="facs").split("+") if units else []


class UnitsAnswer(_Units):
    """Round b: the action units that occur in the clip, each on both sides or on one."""

    kind: Literal["units"] = "units"


class CrossCheckAnswer(_Units):
    """Round b, where two coders differed: what this coder holds to be right after the discussion."""

    kind: Literal["crosscheck"] = "crosscheck"


class EmotionAnswer(ApiModel):
    """Round c: one of eight labels."""

    kind: Literal["emotion"] = "emotion"
    emotion: Emotion
    note: Note = ""


Answer = Annotated[
    SelectionAnswer | KeyFrameAnswer | UnitsAnswer | CrossCheckAnswer | EmotionAnswer, Field(discriminator="kind")
]


class NewAnswer(ApiModel):
    """An answer as it is sent. It becomes a new row; earlier ones stay."""

    answer: Answer
    frame_shown: Frame | None = None
    """Frame on the canvas when it was given."""
    version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """One more than the version that was changed; a clash is refused with 409. None: whatever comes next."""


class StoredAnswer(ApiModel):
    """An answer as it was stored."""

    answer: Answer
    version: int
    """1 for the first."""
    given: datetime
    """UTC."""
    frame_shown: int | None


class ItemSummary(ApiModel):
    """One line of a coder's work list."""

    item: Id
    kind: RoundKind
    round: Id
    position: int
    """From 1, in this coder's own order within the round."""
    done: bool
    open: bool
    """Whether it can still be changed."""


class WorkList(ApiModel):
    """All work of the one who asks, open rounds first, each in the coder's order."""

    items: list[ItemSummary]
    done: int
    """Of the open rounds."""
    total: int


class KeyFrameMarks(ApiModel):
    """Key-frames as frame numbers of the recording."""

    onset: Frame
    apex: Frame | None
    offset: Frame


class CoderUnits(ApiModel):
    """What one coder marked in a closed round."""

    coder: str
    units: list[str]
    note: str = ""


class Item(ApiModel):
    """One piece of work: a clip or, in selection, a recording."""

    item: Id
    kind: RoundKind
    round: Id
    position: int
    done: bool
    open: bool
    label: str
    """Says in short what it is, without the participant: `clip 12 of 80`."""
    rate_fps: float
    width_px: int
    height_px: int
    first_frame: Frame
    """Of the clip."""
    last_frame: Frame
    shown_first: Frame
    """First frame that may be fetched: some context before the clip."""
    shown_last: Frame
    face: tuple[int, int, int, int] | None
    """x, y, width, height of the face in the frame; null while unknown."""
    answer: StoredAnswer | None
    """The own last answer."""
    key_frames: KeyFrameMarks | None = None
    """What round a settled; in later rounds."""
    units: list[str] | None = None
    """What round b settled; in the emotion round."""
    coder_units: list[CoderUnits] | None = None
    """What the coders marked in round b; in the cross-check."""
    stimulus: str | None = None
    """Name of what was on the screen; where the round may see it."""
    stimulus_emotion: Emotion | None = None


class FrameQuery(ApiModel):
    """How a frame is cut and packed."""

    crop: Literal["full", "face"] = "full"
    side: Annotated[int, Field(ge=32, le=4096)] | None = None
    """Longest side in pixels at most."""
    quality: Annotated[int, Field(ge=30, le=95)] = 80


class MotionCurve(ApiModel):
    """How much the face moves, over the frames that may be seen."""

    state: Literal["ready", "computing", "none"]
    progress: float
    """0 to 1."""
    reason: str = ""
    """Why there is none."""
    frames: list[int] = []
    motion_px: list[float] = []
    """Movement of the strongest face region against its surroundings in time, pixels of a 128 pixel crop."""
    head_px: list[float] = []


class StimulusSpan(ApiModel):
    """What was on the screen."""

    first_frame: int
    last_frame: int
    name: str
    emotion: Emotion | None = None


class SelfReport(ApiModel):
    """What the participant said of a moment."""

    frame: int
    emotion: Emotion | None
    intensity: float | None


class Candidate(ApiModel):
    """What the live service spotted."""

    onset: int
    apex: int | None
    offset: int
    emotion: str | None = None
    probability: float | None = None


class Timeline(ApiModel):
    """Layers under the picture; those that the round must not see are null."""

    first_frame: Frame
    last_frame: Frame
    motion: MotionCurve
    stimulus: list[StimulusSpan] | None = None
    self_reports: list[SelfReport] | None = None
    candidates: list[Candidate] | None = None


class Problem(ApiModel):
    """Every error: what is wrong and what to do."""

    detail: str
