"""Label sheets: read as people write them, and written as the DFME release has them."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import openpyxl

from expression.errors import BadInput

Row = Mapping[str, str]
"""A row's cells under our names of the columns; a column that occurs several times is joined by `+`."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": ("subject", "sub", "subid", "subjectid", "participant"),
    "name": ("filename", "file", "clip", "foldname", "foldername", "videoname", "video", "name"),
    "onset": ("onset", "onsetframe", "onsetf"),
    "apex": ("apex", "apexframe", "apexf", "apex1", "apexframe1"),
    "offset": ("offset", "offsetframe", "offsetf"),
    "emotion": ("estimatedemotion", "emotion", "emotions", "label", "emotionlabel"),
    "units": ("au", "aus", "actionunits", "actionunit", "facs", "units"),
    "kind": ("type", "micro", "expressiontype", "macromicro", "micromacro"),
    "split": ("split", "set", "partition"),
    "rate": ("ratefps", "fps", "framerate"),
    "part": ("part",),
}
"""Our names of columns, and how data sets spell them (small letters and digits alone)."""
NEEDED: Final = ("subject", "name", "onset", "offset")
WRITTEN: Final = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU")
"""Columns of the DFME release, in their order."""
_TEXT: Final = (".csv", ".tsv", ".txt")
_SEPARATORS: Final = (",", ";", "\t")
_FORMULA: Final = ("=", "+", "-", "@")
_GUARD: Final = "'"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_HEADER_WITHIN: Final = 40
_FEWEST_NAMED: Final = 3


def read_table(path: Path, *, header_at_all: bool = True) -> tuple[dict[str, str], ...]:
    """Rows of a label sheet.

    Args:
        path: An `.xlsx` file, of which the first sheet that has a header counts, or text (`.csv`, `.tsv`, `.txt`) with
            commas, semicolons or tabs, in UTF-8, UTF-16 or the encoding of a western Windows.
        header_at_all: False for sheets that begin with their first sample: columns are then by position subject, name,
            onset, apex, offset, units, emotion, kind (as CAS(ME)^2 has them).

    Raises:
        BadInput: The file cannot be read, or has no header with the columns that are needed.
    """
    seen: list[str] = []
    for cells in _sheets(path):
        if not header_at_all:
            return _by_position(cells)
        header = _header(cells)
        if header is None:
            seen += [cell for row in cells[:_HEADER_WITHIN] for cell in row if cell][:12]
            continue
        place, names = header
        missing = [name for name in NEEDED if name not in names]
        if not missing:
            return tuple(_rows(cells[place + 1 :], names))
        seen += [cell for cell in cells[place] if cell]
    wanted = "; ".join(f"{name} ({'/'.join(COLUMNS[name][:3])})" for name in NEEDED)
    found = ", ".join(seen[:20]) or "nothing"
    raise BadInput(f"{path} has no header with the columns {wanted}; found: {found}")


def _sheets(path: Path) -> Iterable[list[list[str]]]:
    try:
        if path.suffix.lower() in _TEXT:
            yield _cells(_decoded(path.read_bytes()))
            return
        sheets = _workbook(path)
    except FileNotFoundError:
        raise BadInput(f"there is no label sheet {path}") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as a table ({error}): save it as .xlsx or .csv") from error
    yield from sheets


def _decoded(data: bytes) -> str:
    """Text as spreadsheets save it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _cells(text: str) -> list[list[str]]:
    """Text as rows; the separator is the one that gives most rows all columns that are needed."""
    read = [list(csv.reader(io.StringIO(text), delimiter=separator)) for separator in _SEPARATORS]
    rows = max(read, key=lambda rows: sum(len(row) >= len(NEEDED) for row in rows[:_HEADER_WITHIN]))
    return [[_unguarded(cell.strip()) for cell in row] for row in rows]


def guarded(cell: str) -> str:
    """A text that spreadsheets show instead of taking it for a formula; `read_table` takes the guard off again."""
    return f"{_GUARD}{cell}" if cell.startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARD) and cell[1:].startswith(_FORMULA) else cell


def _workbook(path: Path) -> list[list[list[str]]]:
    """The cells of every sheet.

    Raises:
        ValueError: It is no workbook, or a damaged one.
        OSError: The file cannot be read.
    """
    data = path.read_bytes()
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        return [
            [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
        ]
    except zipfile.BadZipFile:
        raise ValueError("not a workbook") from None
    except Exception as error:
        # A damaged workbook makes openpyxl fail with whatever its readers stumble on: KeyError, TypeError, ParseError.
        raise ValueError(f"a damaged workbook: {error}") from error


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _plain(cell: str) -> str:
    """Small letters and digits alone, and without the "No." of frame numbers."""
    return re.sub(r"[^a-z0-9]", "", cell.casefold()).removesuffix("no")


def _known(cell: str) -> str | None:
    plain = _plain(cell)
    for name, spellings in COLUMNS.items():
        if plain in spellings:
            return name
    if re.fullmatch(r"(?:au|actionunit)s?\d*", plain):
        return "units"
    return None


def _header(cells: Sequence[Sequence[str]]) -> tuple[int, dict[str, list[int]]] | None:
    """Row and columns of the header: the first row that names three columns and more."""
    for place, row in enumerate(cells[:_HEADER_WITHIN]):
        names: dict[str, list[int]] = {}
        for column, cell in enumerate(row):
            name = _known(cell)
            if name is not None:
                names.setdefault(name, []).append(column)
        if len(names) >= _FEWEST_NAMED:
            return place, _preferred(row, names)
    return None


def _preferred(row: Sequence[str], names: dict[str, list[int]]) -> dict[str, list[int]]:
    """Of several columns for one thing the best spelling; units may have many."""
    chosen: dict[str, list[int]] = {}
    for name, columns in names.items():
        if name == "units":
            chosen[name] = columns
            continue
        plain = {column: _plain(row[column]) for column in columns}
        chosen[name] = [min(columns, key=lambda column: (COLUMNS[name].index(plain[column]), column))]
    return chosen


def _rows(cells: Iterable[Sequence[str]], names: Mapping[str, Sequence[int]]) -> Iterable[dict[str, str]]:
    for row in cells:
        values = {
            name: "+".join(row[column] for column in columns if column < len(row) and row[column])
            for name, columns in names.items()
        }
        if values["subject"] and values["name"]:
            yield values


def _by_position(cells: Iterable[Sequence[str]]) -> tuple[dict[str, str], ...]:
    order = ("subject", "name", "onset", "apex", "offset", "units", "emotion", "kind")
    rows = (dict(zip(order, row, strict=False)) for row in cells)
    return tuple(row for row in rows if row.get("onset", "").isdigit())


@dataclass(frozen=True)
class LabelRow:
    """One expression, as a line of a label sheet."""

    subject: str
    name: str
    """Of the clip's folder."""
    onset: int
    """Frame numbers are those of the pictures' names."""
    apex: int | None
    offset: int
    emotion: str
    units: str
    """As `format_units` writes them."""


def label_sheet(rows: Iterable[LabelRow]) -> bytes:
    """The content of an `.xlsx` file with the columns of the DFME release; the same bytes for the same rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "labels"
    sheet.append(WRITTEN)
    for row in rows:
        sheet.append((row.subject, row.name, row.onset, row.apex, row.offset, row.emotion, row.units))
        for cell in sheet[sheet.max_row]:
            if cell.data_type == "f":
                # What begins with = is a name here, never a formula.
                cell.data_type = "s"
    packed = io.BytesIO()
    book.save(packed)
    return _without_dates(packed.getvalue())


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
