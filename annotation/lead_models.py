"""What the annotation server's API takes and gives leads: rounds, results, decisions, agreement."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from annotation.api_models import Answer, ApiModel, Fragment, Frame, Id, KeyFrameMarks, RoundKind, RoundState, Text
from expression import Emotion


class RecordingInfo(ApiModel):
    """A recording of the study."""

    id: Id
    session: str
    trial: str
    participant: str | None
    frames: int
    rate_fps: float
    missing: bool
    clips: int


class NewRound(ApiModel):
    """Opens a round over everything that is ready for it, or over some recordings alone."""

    kind: RoundKind
    recordings: Annotated[list[Id], Field(max_length=100_000)] | None = None
    """Only of these; None: all."""


class CoderProgress(ApiModel):
    """How far a coder is."""

    coder: str
    done: int
    total: int


class Round(ApiModel):
    """A round and how far it is; no answers."""

    id: Id
    kind: RoundKind
    state: RoundState
    opened: datetime
    closed: datetime | None
    clips: int
    progress: list[CoderProgress]
    disagreements: int | None = None
    """Clips that wait for the lead's decision; null while the round is open."""


class Ready(ApiModel):
    """What the next round of a kind could be opened over."""

    kind: RoundKind
    clips: int
    coders_needed: int
    coders_there: int


class RoundList(ApiModel):
    """All rounds, and what could be opened."""

    rounds: list[Round]
    ready: list[Ready]


class CoderAnswer(ApiModel):
    """One coder's last answer on a clip."""

    coder: str
    answer: Answer
    version: int
    repeat: bool
    """Given on a hidden repeat: counts for self-consistency alone."""


class ClipResult(ApiModel):
    """What a closed round says of a clip."""

    clip: Id
    """Of the recording, in selection."""
    recording: Id
    first_frame: int
    last_frame: int
    settled: bool
    """Decided by the coders or the lead, who may also have cut the clip anew."""
    by: Literal["coders", "lead", "nobody"]
    reason: str
    """Why it is not settled, or how it was."""
    answer: Answer | None
    """What counts."""
    micro: bool | None = None
    """Whether the key-frames make it a micro-expression."""
    answers: list[CoderAnswer]


class RoundResults(ApiModel):
    """All clips of a closed round."""

    round: Id
    kind: RoundKind
    clips: list[ClipResult]


class Decision(ApiModel):
    """The lead's word on a clip on which coders do not agree."""

    answer: Answer
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=Text)]


class Split(ApiModel):
    """Cuts a clip that holds several expressions anew; the old one is retired."""

    fragments: Annotated[list[Fragment], Field(min_length=1, max_length=100)]


class ClipView(ApiModel):
    """A clip as leads see it: what to show while deciding."""

    clip: Id
    recording: Id
    session: str
    trial: str
    rate_fps: float
    width_px: int
    height_px: int
    first_frame: Frame
    last_frame: Frame
    shown_first: Frame
    shown_last: Frame
    face: tuple[int, int, int, int] | None
    key_frames: KeyFrameMarks | None
    units: list[str] | None
    emotion: Emotion | None


Cell = str | int | float | None
"""Of a table; null where a figure is not defined."""


class Figure(ApiModel):
    """One figure of agreement."""

    key: str
    """For programs: `fleiss_kappa`."""
    name: str
    """For people."""
    value: float | None
    """null where it is not defined."""
    low: float | None = None
    """Of the 95 % bootstrap interval."""
    high: float | None = None
    unit: str = ""
    """`frames`, `ms`, `share`; empty for a coefficient."""
    reading: str = ""
    """Of a kappa: `substantial`."""
    about: str = ""
    """What it counts, in one sentence."""


class FigureTable(ApiModel):
    """A table of agreement."""

    key: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]


class AgreementReport(ApiModel):
    """How far the coders of a closed round agree, computed from the raw answers."""

    round: int
    kind: RoundKind
    clips: int
    coders: list[str]
    figures: list[Figure]
    tables: list[FigureTable]
    plots: list[str]
    """Names for `/api/rounds/{round}/plots/{name}.svg`."""
