"""Takes a participant's lines out of a table of an export: tab- or comma-separated, a workbook, or a JSON document."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from capture.errors import RecordingInvalid
from capture.recording.files import read_document, write_whole


def remove_lines(table: Path, name: str, *, only_count: bool = False) -> int:
    """Remove every line in which a cell is `name`; returns how many there were.

    Args:
        table: `.tsv`, `.csv`, `.xlsx`, or `.json` whose document has lists of objects.
        name: What the participant is called in the export.
        only_count: Leave the table as it is.

    Raises:
        RecordingInvalid: The table cannot be read or written as what its name says.
    """
    try:
        match table.suffix:
            case ".json":
                return _from_document(table, name, keep=only_count)
            case ".xlsx":
                return _from_workbook(table, name, keep=only_count)
            case _:
                return _from_text(table, name, "," if table.suffix == ".csv" else "\t", keep=only_count)
    except OSError as error:
        raise RecordingInvalid(f"cannot change {table}: {error.strerror}") from error
    except (ValueError, KeyError, RecursionError, zipfile.BadZipFile, csv.Error) as error:
        raise RecordingInvalid(f"{table} is damaged ({error}): take {name} out of it by hand") from error


def _from_text(table: Path, name: str, delimiter: str, *, keep: bool) -> int:
    lines = list(csv.reader(io.StringIO(read_document(table).decode("utf-8-sig", "replace")), delimiter=delimiter))
    kept = [line for line in lines if name not in line]
    if len(kept) < len(lines) and not keep:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(kept)
        write_whole(table, text.getvalue().encode())
    return len(lines) - len(kept)


def _from_workbook(table: Path, name: str, *, keep: bool) -> int:
    import openpyxl  # noqa: PLC0415 - a tenth of a second, which other commands need not wait for

    book = openpyxl.load_workbook(io.BytesIO(read_document(table)))
    removed = 0
    for sheet in book.worksheets:
        # From below, so that numbers of rows above stay.
        for number in range(sheet.max_row, 0, -1):
            if any(str(cell.value) == name for cell in sheet[number]):
                sheet.delete_rows(number)
                removed += 1
    if removed and not keep:
        packed = io.BytesIO()
        book.save(packed)
        write_whole(table, packed.getvalue())
    return removed


def _from_document(table: Path, name: str, *, keep: bool) -> int:
    content = json.loads(read_document(table))
    removed = 0
    if isinstance(content, dict):
        for key, entries in content.items():
            if isinstance(entries, list):
                kept = [entry for entry in entries if not _names(entry, name)]
                removed += len(entries) - len(kept)
                content[key] = kept
    if removed and not keep:
        write_whole(table, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    return removed


def _names(entry: Any, name: str) -> bool:
    return isinstance(entry, dict) and name in entry.values()
