"""Lines of one participant are taken out of tables of every kind, and all others stay as they are."""

from __future__ import annotations

import json

import openpyxl
import pytest

from capture.errors import RecordingInvalid
from capture.study.exported_tables import remove_lines

ROWS = [["subject", "name"], ["P01", "a"], ["P02", "P01x"], ["P01", "b"]]


@pytest.mark.parametrize(("suffix", "delimiter"), [(".tsv", "\t"), (".csv", ",")])
def test_text(tmp_path, suffix, delimiter):
    table = tmp_path / f"t{suffix}"
    table.write_text("".join(delimiter.join(row) + "\n" for row in ROWS))

    assert remove_lines(table, "P01") == 2
    assert table.read_text() == "".join(delimiter.join(row) + "\n" for row in (ROWS[0], ROWS[2]))
    assert remove_lines(table, "P01") == 0


def test_workbook(tmp_path):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")

    assert remove_lines(tmp_path / "t.xlsx", "P01") == 2
    assert list(openpyxl.load_workbook(tmp_path / "t.xlsx").active.values) == [tuple(ROWS[0]), tuple(ROWS[2])]


def test_document(tmp_path):
    clips = [{"participant": "P01"}, {"participant": "P02"}]
    (tmp_path / "t.json").write_text(json.dumps({"format": "1.0", "clips": clips}))

    assert remove_lines(tmp_path / "t.json", "P01") == 1
    assert json.loads((tmp_path / "t.json").read_text()) == {"format": "1.0", "clips": clips[1:]}


@pytest.mark.parametrize("name", ["t.xlsx", "t.json", "nothing.tsv"])
def test_what_cannot_be_changed_is_named(tmp_path, name):
    if name != "nothing.tsv":
        (tmp_path / name).write_bytes(b"nonsense")
    with pytest.raises(RecordingInvalid, match=name):
        remove_lines(tmp_path / name, "P01")
