"""The simulated camera's person: rendered once, played at once, and never in the way of a recording."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import psutil
import pytest

from capture.errors import BadInput
from capture.simulator import person
from capture.simulator.bank_file import FrameBank, FrameBankWriter
from capture.simulator.person import PersonOnCamera, default_picture
from tests.waiting import wait_for

pytestmark = pytest.mark.alone

SHORT_S = 0.25
FRAMES = round(SHORT_S * person.RATE_FPS)


def lines(shown: PersonOnCamera) -> str:
    return "\n".join(f"{level}: {text}" for level, text in shown.news())


def renderers() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [process for process in found if "capture.simulator.person_renderer" in process.cmdline()]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache in which the person was rendered once, in two starts: the first was ended midway."""
    folder = tmp_path_factory.mktemp("cache")
    with PersonOnCamera(folder, seconds=SHORT_S) as shown:
        shown.wait(patience_s=120)
        assert shown.features["SimulationSource"] == "Bank"
        assert shown.features["SimulationBankPath"] == str(shown.path)
        assert shown.frames_ready >= person.FRAMES_TO_BEGIN
        # Somebody waited for the first frames; from then on rendering gives way to everything else.
        wait_for(lambda: shown.frames_ready == FRAMES or all(process.nice() == 19 for process in renderers()), 100.0)
    assert not renderers()
    return folder


def test_what_an_earlier_start_rendered_is_used_at_once_and_the_rest_is_made(cache):
    with PersonOnCamera(cache, seconds=SHORT_S) as shown:
        begun = shown.frames_ready
        assert begun >= person.FRAMES_TO_BEGIN
        shown.wait(patience_s=0.0)
        assert shown.features
        wait_for(lambda: shown.frames_ready == FRAMES, 100.0)
    with PersonOnCamera(cache, seconds=SHORT_S) as shown:
        shown.wait(patience_s=0.0)
        assert shown.features
        assert not renderers()
        assert lines(shown) == ""
    with FrameBank.open(shown.path) as bank:
        assert bank.frames_ready == FRAMES
        assert (bank.geometry.width_px, bank.geometry.height_px) == (1024, 768)
        first, last = bank.frame(0), bank.frame(FRAMES - 1)
        assert first.std() > 20, "there is a face against a wall"
        difference = np.abs(first.astype(int) - last.astype(int)).mean()
        assert 0 < difference < 6, "the loop closes"


def test_a_bank_that_a_power_cut_damaged_is_made_again_from_there(cache, tmp_path):
    with PersonOnCamera(cache, seconds=SHORT_S) as whole:
        pass
    damaged = tmp_path / whole.path.name
    with FrameBank.open(whole.path) as bank:
        assert bank.frames_ready >= 3
        geometry, frames = bank.geometry, [bank.frame(index) for index in range(3)]
    with FrameBankWriter.create(damaged, 1024, 768, geometry.rate_fps, geometry.frames) as writer:
        for frame in frames:
            writer.append(frame)
    with damaged.open("r+b") as file:
        file.seek(geometry.data_offset + geometry.stride_bytes + 5000)
        file.write(bytes(range(256)))
    with FrameBankWriter.reopen(damaged) as writer:
        assert writer.frames_ready == 1
        writer.append(frames[1])
        writer.append(frames[2])
    with FrameBank.open(damaged) as bank:
        assert bank.frames_ready == 3
        np.testing.assert_array_equal(bank.frame(1), frames[1])


def test_without_a_place_for_the_bank_the_test_picture_stays_and_one_line_says_why(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with PersonOnCamera(tmp_path / "file" / "banks", seconds=SHORT_S) as shown:
        shown.wait(patience_s=100)
        assert shown.features == {}
        (line,) = list(shown.news())
        assert line[0] == "warning"
        assert "test picture" in line[1]
        assert "Not a directory" in line[1]
        assert list(shown.news()) == []


def test_a_machine_too_slow_to_wait_for_shows_the_test_picture_this_time(tmp_path):
    with PersonOnCamera(tmp_path, seconds=SHORT_S) as shown:
        shown.wait(patience_s=0.0)
        assert shown.features == {}
        assert "next time" in lines(shown)
        wait_for(renderers, 100.0)
        (renderer,) = renderers()
        assert renderer.nice() == 19, "a recording begins now"
    assert not renderers()


@pytest.mark.parametrize(("value", "picture"), [("", "person"), ("person", "person"), ("test", "test")])
def test_a_variable_chooses_the_default_picture(monkeypatch, value, picture):
    monkeypatch.setenv("DFME_SIMULATOR_PICTURE", value)
    assert default_picture() == picture


def test_a_variable_with_another_value_is_refused(monkeypatch):
    monkeypatch.setenv("DFME_SIMULATOR_PICTURE", "cat")
    with pytest.raises(BadInput, match="cat"):
        default_picture()


def test_the_banks_name_follows_what_it_shows(tmp_path):
    assert PersonOnCamera(tmp_path).path == PersonOnCamera(tmp_path).path
    assert PersonOnCamera(tmp_path).path != PersonOnCamera(tmp_path, seconds=SHORT_S).path
    assert os.fspath(PersonOnCamera(tmp_path).path).endswith(".bank")
