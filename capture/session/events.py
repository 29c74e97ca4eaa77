"""The event log of a session, `events.tsv` with `events.json` beside it, in the columns of BIDS."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture.elicited import Elicited
from capture.errors import BadInput, RecordingInvalid
from capture.recording.attributes import read_json
from capture.recording.files import read_document, write_whole
from capture.recording.layout import write_json
from capture.recording.reader import Recording

_FIRST_COLUMNS = ("onset", "duration", "trial_type", "trial", "sample", "level", "source", "text", "host_ns")
"""Columns of the first logs; more were added behind them."""
_FRAME_COLUMNS = ("frames", "frame_ids")
_ELICITATION_COLUMNS = ("stim_id", "stim_file", "target_emotion", "response_time", "value", "intensity", "stim_frame")
COLUMNS = (*_FIRST_COLUMNS, *_FRAME_COLUMNS, *_ELICITATION_COLUMNS)
_EARLIER_COLUMNS = (_FIRST_COLUMNS, (*_FIRST_COLUMNS, *_FRAME_COLUMNS))
MISSING = "n/a"
_TIME_NS = re.compile(r"[0-9]{1,19}")
_SECONDS = re.compile(r"n/a|-?[0-9]{1,10}\.[0-9]{6}")
_SHAPES = {
    "onset": _SECONDS,
    "duration": _SECONDS,
    "sample": re.compile(r"n/a|[0-9]{1,10}"),
    "level": re.compile(r"info|warning|error"),
    "host_ns": _TIME_NS,
}
"""How the columns look that follow a form."""
_DESCRIPTION: dict[str, dict[str, Any]] = {
    "onset": {"Description": "Time of the event, from the first frame of the trial's recording", "Units": "s"},
    "duration": {"Description": "Length of the event", "Units": "s"},
    "trial_type": {
        "Description": "Kind of event",
        "Levels": {
            "trial": "A trial began or ended",
            "marker": "Set by the operator",
            "still": "A picture was saved",
            "note": "Anything else worth knowing",
            "lost_camera": "Frames were lost in the camera or on its link",
            "lost_incomplete": "Frames arrived with pixels missing",
            "lost_ring": "Frames found no room in memory, because the disk did not keep up",
            "ids": "The camera's counter of frames started over or was reset",
            "camera_lost": "The camera went away",
            "camera_back": "The camera is back; frames: about how many were not taken",
            "rate": "The camera fell below the rate asked for, or is back at it",
            "clock": "The camera's clock stepped, was reset, or could not be fitted",
            "ptp": "The state of the camera's network clock (IEEE 1588) changed",
            "disk": "Frames could not be written",
            "session": "A participant's session began, went on, paused or ended",
            "instruction": "The participant read an instruction",
            "baseline": "The participant was recorded without a stimulus",
            "stimulus": "A stimulus was shown, from its first to its last frame",
            "frames_dropped": "Frames of a stimulus were not shown; frames: how many",
            "rest": "The participant rested",
            "affect_grade": "The participant graded how strongly an emotion was felt",
            "self_report": "The participant went through the recording of their face",
            "expression": "An expression that the participant reports; value: the emotion",
            "questionnaire": "The participant answered the long questionnaire; value: the answer",
        },
    },
    "trial": {"Description": "Trial that the event belongs to"},
    "sample": {"Description": "Frame of the trial's recording nearest to the event, from 0"},
    "level": {"Description": "How serious it is", "Levels": {"info": "", "warning": "", "error": ""}},
    "source": {"Description": "Process that reported it"},
    "text": {"Description": "What happened"},
    "host_ns": {"Description": "Time of the event, CLOCK_MONOTONIC of the recording machine", "Units": "ns"},
    "frames": {"Description": "Number of frames that the event is about"},
    "frame_ids": {"Description": "Their ids, at most a few ranges: 17 20-31; the recording has them all"},
    "stim_id": {"Description": "Stimulus that the event belongs to"},
    "stim_file": {"Description": "Name of the stimulus's file"},
    "target_emotion": {"Description": "Emotion that the stimulus is meant to evoke"},
    "response_time": {"Description": "Time that the participant took for the answer", "Units": "s"},
    "value": {"Description": "What was answered: an emotion, or a choice"},
    "intensity": {"Description": "How strongly it was felt, on the scale of the session's protocol"},
    "stim_frame": {"Description": "Frame of the stimulus, from 0"},
}


@dataclass(frozen=True)
class EventRow:
    """One event."""

    host_ns: int
    level: str
    source: str
    text: str
    trial: str | None = None
    trial_type: str = "note"
    duration_s: float | None = None
    frames: int | None = None
    frame_ids: tuple[tuple[int, int], ...] = ()
    """Inclusive ranges."""
    elicited: Elicited | None = None
    """What it says of a stimulus or an answer."""


class EventLog:
    """Appends events, and rewrites the file whole when onsets become known."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "events.tsv"
        self._current = False

    def create(self) -> None:
        """Make the two files."""
        write_json(self.path.with_suffix(".json"), _DESCRIPTION)
        self.path.write_text("\t".join(COLUMNS) + "\n", encoding="utf-8")

    def append(self, row: EventRow, recording: Recording | None) -> None:
        """Append one event; `recording` is its trial's, or None where that is not known yet."""
        onset, sample = _place(row.host_ns, recording)
        fields = {
            "onset": onset,
            "duration": MISSING if row.duration_s is None else f"{row.duration_s:.6f}",
            "trial_type": row.trial_type,
            "trial": row.trial or MISSING,
            "sample": sample,
            "level": row.level,
            "source": row.source,
            "text": row.text,
            "host_ns": str(row.host_ns),
            "frames": MISSING if row.frames is None else str(row.frames),
            "frame_ids": " ".join(str(a) if a == b else f"{a}-{b}" for a, b in row.frame_ids),
            **_elicited_fields(row.elicited or Elicited()),
        }
        if not self._current:
            self._bring_up_to_date()
        # One write, so that readers never see half a line.
        with self.path.open("ab", buffering=0) as file:
            file.write(_line(fields))

    def rows(self) -> list[dict[str, str]]:
        """All events, by column.

        Raises:
            RecordingInvalid: The file is missing or is not an event log.
        """
        try:
            with io.StringIO(read_document(self.path).decode("utf-8", "replace"), newline="") as file:
                reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restval=MISSING)
                if tuple(reader.fieldnames or ()) not in (COLUMNS, *_EARLIER_COLUMNS):
                    raise RecordingInvalid(f"{self.path} is not an event log of dfme: its columns are others")
                return [{name: row.get(name, MISSING) for name in COLUMNS} for row in reader]
        except OSError as error:
            raise RecordingInvalid(f"cannot read {self.path}: {error.strerror}") from None
        except csv.Error as error:
            raise RecordingInvalid(f"{self.path} is damaged: {error}") from None

    def problems(self) -> list[str]:
        """What is wrong with the two files, a line each; damage within a text cannot be told from the text."""
        found = []
        try:
            for number, row in enumerate(self.rows(), start=2):
                wrong = [name for name, shape in _SHAPES.items() if not shape.fullmatch(row[name])]
                if wrong:
                    found.append(f"{self.path.name}, line {number}, is damaged: {wrong[0]} is {row[wrong[0]]!r}")
        except RecordingInvalid as error:
            found.append(str(error))
        try:
            described = read_json(self.path.with_suffix(".json"))
            if not isinstance(described, dict) or not set(described).issuperset(_FIRST_COLUMNS):
                found.append(f"{self.path.with_suffix('.json')} is damaged: it does not describe every column")
        except RecordingInvalid as error:
            found.append(str(error))
        return found

    def settle(self, recording_of: Callable[[str], Recording | None]) -> int:
        """Fill in onsets and samples that were not known; returns how many events changed.

        Args:
            recording_of: Gives the recording of a trial that has ended, or None.
        """
        rows = self.rows()
        changed = 0
        for row in rows:
            if row["onset"] != MISSING or row["trial"] == MISSING or not _TIME_NS.fullmatch(row["host_ns"]):
                continue
            onset, sample = _place(int(row["host_ns"]), recording_of(row["trial"]))
            if onset != MISSING:
                row["onset"], row["sample"] = onset, sample
                changed += 1
        if changed:
            self._rewrite(rows)
        return changed

    def _bring_up_to_date(self) -> None:
        """A log with the columns of an earlier version gets those of this one before a line is added."""
        with self.path.open("rb") as file:
            header = file.readline()
        if tuple(header.decode("utf-8", "replace").rstrip("\r\n").split("\t")) in _EARLIER_COLUMNS:
            write_json(self.path.with_suffix(".json"), _DESCRIPTION)
            self._rewrite(self.rows())
        self._current = True

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        header = ("\t".join(COLUMNS) + "\n").encode()
        write_whole(self.path, header + b"".join(_line(row) for row in rows))


def _line(fields: dict[str, str]) -> bytes:
    """One line of the table: a field can hold neither the separator nor a line break."""
    cleaned = (" ".join(fields[name].replace("\0", " ").split()) or MISSING for name in COLUMNS)
    return ("\t".join(cleaned) + "\n").encode("utf-8", "replace")


def _elicited_fields(elicited: Elicited) -> dict[str, str]:
    return {
        "stim_id": elicited.stim_id,
        "stim_file": elicited.stim_file,
        "target_emotion": elicited.target_emotion,
        "response_time": MISSING if elicited.response_time_s is None else f"{elicited.response_time_s:.6f}",
        "value": elicited.value,
        "intensity": MISSING if elicited.intensity is None else f"{elicited.intensity:g}",
        "stim_frame": MISSING if elicited.stim_frame is None else str(elicited.stim_frame),
    }


def _place(host_ns: int, recording: Recording | None) -> tuple[str, str]:
    """Onset in seconds from the first frame, and the nearest frame."""
    if recording is None or len(recording) == 0:
        return MISSING, MISSING
    onset = f"{(host_ns - recording.time_of(0)) / 1e9:.6f}"
    try:
        return onset, str(recording.frame_at(host_ns))
    except BadInput:
        return onset, MISSING


def description_of(column: str) -> dict[str, Any]:
    """What `events.json` says of a column."""
    return dict(_DESCRIPTION[column])
