"""The label sheet of synthetic clips: an xlsx file with the columns of the DFME release, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import openpyxl

from expression.synthetic.truth import RecordingTruth, write_whole

COLUMNS: Final = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def write_label_sheet(path: Path, truths: Iterable[RecordingTruth]) -> None:
    """Writes one row per micro-expression; frame numbers are those of the pictures' names.

    Args:
        path: The file, `….xlsx`; it appears whole.
        truths: Of the clips, in the order of the rows.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "labels"
    sheet.append(COLUMNS)
    for truth in truths:
        for event in truth.expressions:
            frames = (event.onset, event.apex, event.offset)
            sheet.append((truth.subject, truth.name, *frames, event.emotion, event.unit_list))
    packed = io.BytesIO()
    book.save(packed)
    write_whole(path, _without_dates(packed.getvalue()))


def _without_dates(content: bytes) -> bytes:
    """The same archive without the time of its making."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "docProps/core.xml":
                data = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z", data)
            stamped = zipfile.ZipInfo(entry.filename, _EPOCH)
            stamped.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(stamped, data)
    return plain.getvalue()
