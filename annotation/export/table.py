"""Coded expressions as one CSV table, which `dfme-annotate import` reads back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from annotation.coded import CodedSample
from expression import format_units
from expression.label_sheets import guarded

COLUMNS: Final = (
    *("subject", "name", "onset", "apex", "offset", "emotion", "units", "kind", "rate_fps"),
    *("first_frame", "last_frame"),
)


def csv_table(samples: Iterable[CodedSample]) -> bytes:
    """One line per expression; frame numbers are those of the recording, empty cells are not known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in samples:
        marks = sample.key_frames
        first, last = sample.clip_frames or ("", "")
        writer.writerow(
            [
                guarded(sample.subject),
                guarded(sample.name),
                marks.onset,
                "" if marks.apex is None else marks.apex,
                marks.offset,
                sample.emotion.value if sample.emotion else guarded(sample.label),
                format_units(sample.units, style="facs"),
                "micro" if sample.micro else "macro",
                f"{sample.rate_fps:g}",
                first,
                last,
            ]
        )
    return text.getvalue().encode()
