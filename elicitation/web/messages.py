"""What the participant's pages are told, and what they answer: one JSON object a line, over standard input and output.

`python -m elicitation.web --session FOLDER` says `Ready` once and then takes orders. Every answer of the participant is
in `self_report.json` of the session before it is said here. Times are CLOCK_MONOTONIC in nanoseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from expression import BASIC_EMOTIONS

Page = Literal["scale", "self_report", "text", "questionnaire", "blank"]
_ALL_SEVEN = tuple(emotion.value for emotion in BASIC_EMOTIONS)


class Question(msgspec.Struct, frozen=True):
    """One question of a questionnaire."""

    text: str
    answers: tuple[str, ...] = ("1", "2", "3", "4", "5")


class Show(msgspec.Struct, frozen=True, kw_only=True, tag_field="order", tag="show"):
    """Show a page until something else is shown. Shown again, a page has the answers that were given before."""

    page: Page
    step: int = 0
    """Number of the step in the session's plan; comes back in the answers."""
    text: str = ""
    """What the participant reads above the page."""
    words: dict[str, str] = {}
    """Texts of buttons and labels by key; what is not given stays English (`elicitation.web.words`)."""
    language: str = "en"
    seconds: float | None = None
    """Of a text page: counts down from here; whoever gave the order ends the page."""
    button: bool = True
    """Whether the participant can end the page; a text page without one waits for the next order."""
    trial: str = ""
    stim_id: str = ""
    recording: str = ""
    """Of a self-report: the trial's recording, absolute or relative to the session folder."""
    stimulus: str = ""
    """Of a self-report: the video that was shown; empty where there is none to show."""
    in_step: tuple[tuple[int, float], ...] = ()
    """Pairs of frame in the recording and seconds in the stimulus, ascending, straight lines between. Empty: read from
    `stimulus_frames.parquet` of the session."""
    emotions: tuple[str, ...] = _ALL_SEVEN
    grades: Annotated[int, msgspec.Meta(ge=1, le=10)] = 5
    """Of a scale: the highest grade; the lowest is 0."""
    questions: tuple[Question, ...] = ()
    lossless: bool = False
    """Of a self-report: send frames as PNG, pixel for pixel, instead of JPEG."""


class Quit(msgspec.Struct, frozen=True, tag_field="order", tag="quit"):
    """End the server, and the browser that it started."""


class Ready(msgspec.Struct, frozen=True, tag_field="kind", tag="ready"):
    """The server answers."""

    url: str
    """Address with the token that lets a browser in; for the participant's screen alone."""


class BrowserState(msgspec.Struct, frozen=True, tag_field="kind", tag="browser"):
    """What became of the browser on the participant's screen."""

    state: Literal["started", "ended", "missing", "connected", "silent"]
    """`connected` and `silent`: whether a page follows the server, whoever opened it."""
    text: str = ""
    """One line for the operator."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="answer"):
    """The participant answered, or changed or took back an answer; it is saved."""

    page: Page
    host_ns: int
    """When it was given."""
    step: int = 0
    trial: str = ""
    stim_id: str = ""
    item: str = ""
    """Emotion of a grade or mark; text of a question."""
    value: int | str | None = None
    """Grade, intensity from 1 to 5, or answer to a question; None where a mark was taken away."""
    mark: int | None = None
    """Number of the mark in its trial, from 1; None for other answers."""
    revision: int = 0
    """How many times this answer was changed before."""
    recording: str = ""
    frame: int | None = None
    """Of a mark: frame in the recording."""
    frame_host_ns: int | None = None
    """Of a mark: when that frame was taken."""
    stimulus_time_s: float | None = None
    """Of a mark: place in the stimulus that was on the screen at that frame; None where none was."""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="done"):
    """The participant ended the page."""

    page: Page
    host_ns: int
    step: int = 0
    trial: str = ""
    stim_id: str = ""


class Failed(msgspec.Struct, frozen=True, tag_field="kind", tag="failed"):
    """An order could not be carried out; what was shown before stays."""

    error: str
    page: str = ""


Order = Show | Quit
Reply = Ready | BrowserState | Answer | Done | Failed
order_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
reply_decoder: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
