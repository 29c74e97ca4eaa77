"""How far a session has come: an append-only file that a session interrupted by a crash goes on from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from capture.errors import RecordingInvalid
from capture.recording.files import read_document
from elicitation.protocol import Plan

STATE_FILE: Final = "elicitation.jsonl"


class Began(msgspec.Struct, frozen=True, tag="began", tag_field="what"):
    """The session began, or went on after an interruption."""

    host_ns: int
    protocol: str
    seed: int
    next_step: int
    """Number of the step that comes first."""


class StepBegan(msgspec.Struct, frozen=True, tag="step", tag_field="what"):
    """A step began."""

    number: int
    kind: str
    host_ns: int
    stimulus: str | None = None


class Showing(msgspec.Struct, frozen=True, tag="showing", tag_field="what"):
    """A stimulus is about to be shown; from here on it counts as seen."""

    stim_id: str
    trial: str
    flips: str
    """File with a line per frame, relative to the session folder."""
    source: str
    """Where the times in it come from."""


class StepEnded(msgspec.Struct, frozen=True, tag="step_ended", tag_field="what"):
    """A step is over."""

    number: int
    host_ns: int
    how: Literal["done", "skipped", "failed"]
    trial: str | None = None
    """Trial that was recorded in it."""


class Finished(msgspec.Struct, frozen=True, tag="finished", tag_field="what"):
    """Nothing of the session is left to do."""

    host_ns: int


Entry = Began | StepBegan | Showing | StepEnded | Finished
_decoder = msgspec.json.Decoder(Entry)


class StateLog:
    """The file in a session's `log` folder."""

    def __init__(self, session: Path) -> None:
        self.path = session / "log" / STATE_FILE

    def add(self, entry: Entry) -> None:
        """Append a line; it is on disk when this returns. A line torn by a crash is closed first."""
        line = msgspec.json.encode(entry) + b"\n"
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                line = b"\n" + line
            os.write(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)

    def entries(self) -> list[Entry]:
        """Every whole line, in order; empty where there is no file.

        Raises:
            RecordingInvalid: It cannot be read.
        """
        try:
            lines = read_document(self.path).split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RecordingInvalid(f"cannot read {self.path}: {error.strerror}") from None
        entries: list[Entry] = []
        for line in lines:
            try:
                entries.append(_decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # torn by a crash
        return entries


def next_step(entries: list[Entry], plan: Plan) -> int:
    """Number of the step that a session goes on with; the number of steps where nothing is left.

    A step that was interrupted is done again, but for a stimulus of which frames may have been seen: what it evokes
    cannot be evoked twice, so the session goes on at the next stimulus.
    """
    ended = {entry.number for entry in entries if isinstance(entry, StepEnded)}
    seen = {entry.stim_id for entry in entries if isinstance(entry, Showing)}
    left = [step for step in plan.steps if step.number not in ended]
    while left and left[0].step.kind == "stimulus" and left[0].stimulus in seen:
        interrupted = left[0].stimulus_number
        left = [step for step in left if step.stimulus_number != interrupted]
    return left[0].number if left else len(plan.steps)


def trials_of(entries: list[Entry]) -> dict[int, str]:
    """Trials recorded so far, by the number of the step."""
    return {entry.number: entry.trial for entry in entries if isinstance(entry, StepEnded) and entry.trial}
