"""What is written beside synthetic recordings can be read back, and is the same bytes every time."""

from __future__ import annotations

import csv
from dataclasses import fields

import numpy as np
import pytest

from expression.errors import BadInput
from expression.synthetic.performance import Performance
from expression.synthetic.state import FaceTrack
from expression.synthetic.truth import (
    RecordingTruth,
    event_truths,
    read_track,
    read_truth,
    write_spotting_table,
    write_truth,
)
from expression.unit_notation import parse_units


@pytest.fixture(scope="module")
def performance() -> Performance:
    return Performance.long([3], minutes=0.5)


@pytest.fixture(scope="module")
def truth(performance) -> RecordingTruth:
    events = event_truths(performance, 200)
    return RecordingTruth("sub0001", "sub0001_01", 5, (3,), 200.0, performance.frames(200), events)


def test_events_and_intensities_come_back(tmp_path, performance, truth):
    track = performance.track(200)
    write_truth(tmp_path, truth, track)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sub0001_01.json", "sub0001_01.npz"]
    assert read_truth(tmp_path / "sub0001_01.json") == truth
    back = read_track(tmp_path / "sub0001_01.npz")
    for entry in fields(FaceTrack):
        np.testing.assert_array_equal(getattr(back, entry.name), getattr(track, entry.name))


def test_the_files_do_not_depend_on_when_they_were_written(tmp_path, performance, truth):
    for folder in ("a", "b"):
        write_truth(tmp_path / folder, truth, performance.track(200))
    for name in ("sub0001_01.json", "sub0001_01.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_intensities_in_the_truth_are_those_of_the_apex(performance, truth):
    track = performance.track(200)
    assert truth.expressions
    for event in truth.expressions:
        assert parse_units(event.unit_list) == tuple(unit.coded for unit in event.units)
        strongest = max(max(unit.left, unit.right) for unit in event.units)
        assert max(track.left[event.apex].max(), track.right[event.apex].max()) == pytest.approx(strongest, rel=0.02)


def test_the_spotting_table_has_a_row_per_expression(tmp_path, truth):
    write_spotting_table(tmp_path / "spotting.csv", [("long/sub0001_01.zarr", truth)])
    with (tmp_path / "spotting.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["onset"]), int(row["offset"]), row["kind"]) for row in rows] == [
        (event.onset, event.offset, event.kind) for event in truth.expressions
    ]
    assert {row["file"] for row in rows} == {"long/sub0001_01.zarr"}
    assert list(rows[0]) == ["subject", "file", "onset", "apex", "offset", "kind", "emotion", "AUs"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"subject": 1}', b"\xff"])
def test_other_files_are_refused_by_name(tmp_path, content):
    for name, read in (("x.json", read_truth), ("x.npz", read_track)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=name):
            read(tmp_path / name)
        with pytest.raises(BadInput, match="nothing"):
            read(tmp_path / "nothing")
