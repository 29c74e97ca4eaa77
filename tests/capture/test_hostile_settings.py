"""Hardware files that TOML or Python cannot swallow are refused in one line that names the file."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import ConfigError
from capture.settings import load_hardware
from capture.simulator.frame_bank import FrameBank, FrameBankError
from tests.fuzz.contract import bounded_time, only_our_errors

GOOD = 'name = "Mine"\nproducer = "simulator"\nrate_fps = 500\n'


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{b=" * 5_000,
        "a." * 5_000 + "b = 1",
        GOOD + "offset_x_px = " + "9" * 5_000,
        GOOD + "exposure_us = nan",
        GOOD + "exposure_us = inf",
        GOOD + "[features]\nGain = inf",
        GOOD + "width_px = 1e400",
        GOOD + '"a\\nb\\u001b[2J" = 1',
        GOOD + 'trigger = "\\u0000"',
        "\ufeff\x00",
        "x" * (2 << 20),
    ],
    ids=range(12),
)
def test_what_python_cannot_read_is_the_files_fault(tmp_path, text):
    file = tmp_path / "camera.toml"
    file.write_text(text)
    with bounded_time(), pytest.raises(ConfigError) as refused:
        load_hardware(file)
    assert str(file) in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_pipe_is_no_hardware_file_and_no_bank(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with bounded_time():
        with pytest.raises(ConfigError, match="not a regular file"):
            load_hardware(tmp_path / "pipe")
        with pytest.raises(FrameBankError, match="not a frame bank"):
            FrameBank.open(tmp_path / "pipe")
    with pytest.raises(FrameBankError, match="not a frame bank"):
        FrameBank.open(tmp_path)


@given(text=st.text(max_size=200))
def test_any_text_is_settings_or_refused(tmp_path, text):
    file = tmp_path / "camera.toml"
    file.write_text(GOOD + text, errors="surrogatepass")
    with only_our_errors():
        load_hardware(file)
