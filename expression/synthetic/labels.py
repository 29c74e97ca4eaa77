"""The label sheet of synthetic clips: an xlsx file with the columns of the DFME release, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from expression.label_sheets import LabelRow, label_sheet
from expression.synthetic.truth import RecordingTruth, write_whole


def write_label_sheet(path: Path, truths: Iterable[RecordingTruth]) -> None:
    """Writes one row per micro-expression; frame numbers are those of the pictures' names.

    Args:
        path: The file, `….xlsx`; it appears whole.
        truths: Of the clips, in the order of the rows.
    """
    rows = (
        LabelRow(truth.subject, truth.name, event.onset, event.apex, event.offset, event.emotion or "", event.unit_list)
        for truth in truths
        for event in truth.expressions
    )
    write_whole(path, label_sheet(rows))
