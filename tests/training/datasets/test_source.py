"""Whether the people of a data set exist is known, and said of every model that is trained on it."""

from __future__ import annotations

import json

import pytest

from training.datasets.source import Source


@pytest.mark.parametrize(
    ("clips", "simulated"),
    [
        ([{"clip": "a", "simulated": True}, {"clip": "b", "simulated": True}], True),
        ([{"clip": "a", "simulated": True}, {"clip": "b", "simulated": False}], False),
        ([{"clip": "a"}], False),
        ([], False),
    ],
)
def test_an_export_of_the_simulated_camera_alone_is_simulated(tmp_path, clips, simulated):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "1.0", "clips": clips}))
    assert Source(str(tmp_path)).simulated is simulated


def test_a_folder_that_does_not_say_is_not(tmp_path):
    assert not Source(str(tmp_path)).simulated
    (tmp_path / "manifest.json").write_text("not JSON")
    assert not Source(str(tmp_path)).simulated
    (tmp_path / "truth").mkdir()
    assert Source(str(tmp_path)).simulated


def test_named_participants_are():
    assert Source("simulated:4x2").simulated
