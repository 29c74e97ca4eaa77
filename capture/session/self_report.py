"""`self_report.json` of a session: what the participant answered on scales, on the own recording, and to questions.

Grades, marks and answers that count stand in the lists; what a participant changed or took back stays beside them.
Times are CLOCK_MONOTONIC in nanoseconds, like those of the recordings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec

from capture.errors import RecordingInvalid
from capture.recording.files import read_document, write_whole

SELF_REPORT_FILE: Final = "self_report.json"
SELF_REPORT_FORMAT: Final = "1.0"
Intensity = Annotated[int, msgspec.Meta(ge=1, le=5)]
FrameNumber = Annotated[int, msgspec.Meta(ge=0)]


class EarlierGrade(msgspec.Struct, frozen=True):
    """A grade that the participant replaced."""

    grade: int
    given_ns: int


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """How strongly an emotion was felt, on the affective grade scale."""

    emotion: str
    grade: Annotated[int, msgspec.Meta(ge=0, le=10)]
    of: Annotated[int, msgspec.Meta(ge=1, le=10)] = 5
    """The highest grade of the scale."""
    given_ns: int
    revised: tuple[EarlierGrade, ...] = ()
    """What was answered before, oldest first."""


class EarlierMark(msgspec.Struct, frozen=True, kw_only=True):
    """A mark as it was before the participant changed it."""

    frame: FrameNumber
    emotion: str
    intensity: Intensity
    given_ns: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An expression that the participant found in the own recording."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    """Within the trial, from 1; never given twice."""
    trial: str
    recording: str
    """Path of the recording, relative to the session folder where it lies in there."""
    frame: FrameNumber
    """Frame in the recording, from 0 over the frames that count."""
    host_ns: int
    """When the frame was taken; 0 where the recording does not say."""
    stimulus_time_s: float | None = None
    """Place in the stimulus that was on the screen at that frame; None where none was."""
    emotion: str
    intensity: Intensity
    given_ns: int
    revised: tuple[EarlierMark, ...] = ()
    """What it was before, oldest first."""
    removed_ns: int | None = None
    """When it was taken away; then it stands in `removed`."""
    key: str = ""
    """What the page called it when it sent it, so that a mark that is sent twice counts once."""


class TrialReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered about one trial."""

    trial: str
    stim_id: str = ""
    grades: tuple[Grade, ...] = ()
    """At most one per emotion."""
    marks: tuple[Mark, ...] = ()
    """By number; those that count."""
    removed: tuple[Mark, ...] = ()
    """Marks that the participant took away."""


class EarlierAnswer(msgspec.Struct, frozen=True):
    """An answer that the participant replaced."""

    answer: str
    given_ns: int


class QuestionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a questionnaire."""

    question: str
    answer: str
    given_ns: int
    revised: tuple[EarlierAnswer, ...] = ()


class QuestionnaireReport(msgspec.Struct, frozen=True, kw_only=True):
    """One questionnaire that was filled in."""

    step: int
    """Number of the step in the session's plan."""
    trial: str = ""
    answers: tuple[QuestionAnswer, ...] = ()


class SelfReport(msgspec.Struct, frozen=True, kw_only=True):
    """`self_report.json`."""

    format: str = SELF_REPORT_FORMAT
    trials: tuple[TrialReport, ...] = ()
    questionnaires: tuple[QuestionnaireReport, ...] = ()

    def of_trial(self, trial: str) -> TrialReport:
        """What was answered about `trial`; empty where nothing was."""
        return next((known for known in self.trials if known.trial == trial), TrialReport(trial=trial))


def read_self_report(session: Path) -> SelfReport:
    """The self-report of a session folder; an empty one where the file is not there.

    Raises:
        RecordingInvalid: The file cannot be read, or is not one of ours.
    """
    path = session / SELF_REPORT_FILE
    try:
        report = msgspec.json.decode(read_document(path), type=SelfReport)
    except FileNotFoundError:
        return SelfReport()
    except OSError as error:
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingInvalid(f"{path} is not a self-report ({error}): restore it from a copy") from None
    if report.format.partition(".")[0] != SELF_REPORT_FORMAT.partition(".")[0]:
        raise RecordingInvalid(f"{path} has format {report.format}: a newer dfme wrote it, update this one")
    return report


def write_self_report(session: Path, report: SelfReport) -> None:
    """Write `report` whole into a session folder: readers find the old answers or the new ones.

    Raises:
        OSError: It cannot be written; the old file stays.
    """
    write_whole(session / SELF_REPORT_FILE, msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
