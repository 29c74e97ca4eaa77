"""Where the simulated camera is looked for: the variable first, then the installed package, then beside the module."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.errors import CameraNotFound
from capture.simulator import producer_path as module
from capture.simulator.producer_path import producer_path


def test_the_variable_goes_before_every_other_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine.cti"
    mine.touch()
    monkeypatch.setenv("DFME_SIMULATOR", str(mine))
    assert producer_path() == mine


def test_a_variable_that_names_no_file_is_an_error_that_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFME_SIMULATOR", str(tmp_path / "gone.cti"))
    with pytest.raises(CameraNotFound, match=r"DFME_SIMULATOR names .*gone\.cti"):
        producer_path()


def test_without_variable_and_installation_the_file_beside_the_module_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DFME_SIMULATOR", raising=False)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "producer_path.py"))
    monkeypatch.setattr(module, "_DISTRIBUTION", "dfme-that-is-not-installed")
    with pytest.raises(CameraNotFound, match="not installed: install dfme"):
        producer_path()
    beside = tmp_path / "dfme_simulator.cti"
    beside.touch()
    assert producer_path() == beside
