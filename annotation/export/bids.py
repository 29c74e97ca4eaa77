"""Coded expressions as BIDS derivatives: one events table per participant, session and trial."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from annotation.coded import CodedSample
from capture.recording.files import write_whole
from capture.version import software
from expression import format_units

_COLUMNS: Final = ("onset", "duration", "trial_type", "apex", "emotion", "action_units", "onset_frame", "apex_frame")
COLUMNS: Final = (*_COLUMNS, "offset_frame")
_DESCRIPTION: Final = {
    "onset": {"Description": "Time of the first frame of the expression, from the recording's first", "Units": "s"},
    "duration": {"Description": "From the start of the first frame to the end of the last", "Units": "s"},
    "trial_type": {
        "Description": "Kind of expression",
        "Levels": {
            "micro": "At most 500 ms in all, or at most 250 ms from onset to apex",
            "macro": "Longer",
        },
    },
    "apex": {"Description": "Time of the frame of greatest change, from the recording's first frame", "Units": "s"},
    "emotion": {"Description": "What more than half of the annotators chose"},
    "action_units": {"Description": "FACS action units; L- and R- where one half of the face acts alone"},
    "onset_frame": {"Description": "Frame of the recording, from 0"},
    "apex_frame": {"Description": "Frame of the recording, from 0"},
    "offset_frame": {"Description": "Last frame of the expression, from 0"},
}


def write_derivatives(out: Path, samples: Sequence[CodedSample], name: str) -> list[Path]:
    """Write `sub-*/ses-*/beh/*_desc-coded_events.tsv` with `.json`, and the description.

    Args:
        out: Folder of the derivative data set.
        samples: Of a study.
        name: Of the study.

    Returns:
        The tables, relative to `out`.
    """
    about = {
        "Name": f"{name}: coded expressions",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "dfme", "Version": software()}],
    }
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "dataset_description.json", json.dumps(about, indent=1, ensure_ascii=False).encode() + b"\n")
    by_recording: dict[str, list[CodedSample]] = defaultdict(list)
    for sample in samples:
        by_recording[sample.recording].append(sample)
    written = []
    numbers = session_numbers(samples)
    for of_recording in by_recording.values():
        first = of_recording[0]
        table = _place(first, numbers[first.subject, first.name.rpartition("/")[0]])
        path = out / table
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path.with_suffix(".json"), json.dumps(_DESCRIPTION, indent=1).encode() + b"\n")
        write_whole(path, _table(of_recording))
        written.append(table)
    return written


def _place(sample: CodedSample, session_number: int) -> Path:
    """Sessions are numbered: the folder's own name holds the day of the visit."""
    session, _, trial = sample.name.rpartition("/")
    subject = f"sub-{bids_label(sample.subject)}"
    run = re.search(r"(\d+)$", trial)
    task = f"task-elicit_run-{run[1]}" if session and run else f"task-{bids_label(trial)}"
    visit = f"ses-{session_number:02d}"
    return Path(subject) / visit / "beh" / f"{subject}_{visit}_{task}_desc-coded_events.tsv"


def session_numbers(samples: Sequence[CodedSample]) -> dict[tuple[str, str], int]:
    """Each subject's sessions, numbered from 1 in the order of their names, which is that of time."""
    numbers: dict[tuple[str, str], int] = {}
    for subject in {sample.subject for sample in samples}:
        sessions = sorted({sample.name.rpartition("/")[0] for sample in samples if sample.subject == subject})
        numbers.update({(subject, session): number for number, session in enumerate(sessions, start=1)})
    return numbers


def bids_label(text: str) -> str:
    """BIDS labels are letters and digits."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or "unknown"


def _table(samples: Sequence[CodedSample]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in sorted(samples, key=lambda one: one.key_frames.onset):
        marks, rate = sample.key_frames, sample.rate_fps
        writer.writerow(
            [
                f"{marks.onset / rate:.6f}",
                f"{marks.frames / rate:.6f}",
                "micro" if sample.micro else "macro",
                "n/a" if marks.apex is None else f"{marks.apex / rate:.6f}",
                sample.emotion.value if sample.emotion else "n/a",
                format_units(sample.units, style="facs") or "n/a",
                marks.onset,
                "n/a" if marks.apex is None else marks.apex,
                marks.offset,
            ]
        )
    return text.getvalue().encode()
