"""Reads the small tables that a lab edits by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from capture.errors import BadInput
from capture.toml_file import read_text

_MOST_BYTES: Final = 4 << 20


def read_table(path: Path, refused: type[BadInput]) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """A tab-separated table whose first line names the columns.

    Args:
        path: A regular file in UTF-8.
        refused: The error to raise.

    Returns:
        Line number and cells by column of each line that is not empty, and the names of the columns.

    Raises:
        BadInput: Of the type `refused`; names the line.
    """
    text = read_text(path, refused, _MOST_BYTES)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter="\t", strict=True))
    except csv.Error as error:
        raise refused(f"{path}: not a tab-separated table ({error})") from None
    if not lines or len(lines[0]) < 2:
        raise refused(f"{path}: not a tab-separated table with a line of column names")
    header = [name.strip() for name in lines[0]]
    if len(set(header)) < len(header):
        raise refused(f"{path}: a column stands there twice")
    rows = []
    for line, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise refused(f"{path}, line {line}: {len(cells)} columns, the first line has {len(header)}")
        rows.append((line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    return rows, header
