"""Hardware files: what they may say, and how a mistake in one is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from capture.errors import ConfigError, RateUnreachable
from capture.settings import (
    HardwareSettings,
    hardware_files,
    load_hardware,
    max_exposure_us,
    open_hardware,
    resolve_hardware,
)

HEAD = 'name = "A camera"\nproducer = "viky"\nrate_fps = 200\n'


@pytest.fixture
def hardware_file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "hw.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_with_name_producer_and_rate_is_enough(hardware_file):
    settings = load_hardware(hardware_file(HEAD))
    assert (settings.width_px, settings.height_px, settings.pixel_format) == (1024, 768, "Mono8")
    assert settings.frame_bytes == 786_432
    assert settings.trigger.mode == "off"
    assert settings.throughput_limit_bytes_s == "off"
    assert settings.fetch_timeout_ms == 50
    assert settings.ring_seconds is None


def test_features_keep_their_order_and_their_kind(hardware_file):
    text = HEAD + '[features]\nZoom = 2\nGain = 1.0\nReverseX = true\nMode = "Fast"\n"Gain[GainSelector=All]" = 3.5\n'
    features = load_hardware(hardware_file(text)).features
    assert list(features.items()) == [
        ("Zoom", 2),
        ("Gain", 1.0),
        ("ReverseX", True),
        ("Mode", "Fast"),
        ("Gain[GainSelector=All]", 3.5),
    ]
    assert [type(value) for value in features.values()] == [int, float, bool, str, float]


def test_settings_are_frozen(hardware_file):
    settings = load_hardware(hardware_file(HEAD))
    with pytest.raises(ValidationError):
        settings.rate_fps = 300.0


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('name = "a"\nproducer = \n', "line 2, column 12, key producer", "invalid value"),
        ('name = "a"\nname = "b"\n', "line 2", "key name"),
        ('name = "a', "line 1", "unterminated"),
        ("[selection\n", "line 1", "[selection"),
        ('name = "a"\nproducer = "viky"\n', "key rate_fps is missing", "Frames per second"),
        (HEAD + "widht_px = 3\n", "line 4, key widht_px", "did you mean width_px?"),
        (HEAD + "colour = true\n", "line 4, key colour", "allowed are name, producer"),
        (HEAD + '\n# a remark\n[selection]\nvender = "x"\n', "line 7, key selection.vender", "did you mean vendor?"),
        (HEAD + 'selection.vender = "x"\n', "line 4, key selection.vender", "did you mean vendor?"),
        (HEAD + "[selection]\nserial_number = 12\n", "line 5, key selection.serial_number", "valid string, not 12"),
        (HEAD + '[trigger]\nmode = "oft"\n', "line 5, key trigger.mode", "'off', 'software' or 'line', not 'oft'"),
        (HEAD + 'trigger = "off"\n', "line 4, key trigger", "[trigger] with its keys below"),
        (HEAD + 'width_px = "1024"\n', "line 4, key width_px", "integer, not '1024'"),
        (HEAD + "height_px = 0\n", "line 4, key height_px", "greater than or equal to 1, not 0"),
        (HEAD + 'pixel_format = "RGB8"\n', "line 4, key pixel_format", "'Mono8', not 'RGB8'"),
        (HEAD + 'throughput_limit_bytes_s = "of"\n', "line 4, key throughput_limit_bytes_s", "'off' or 'keep'"),
        (HEAD + "exposure_us = 5000\n", "line 4, key exposure_us = 5000", "200 fps: at most 4950"),
        (HEAD + "[features]\nGain = [1, 2]\n", "line 5, key Gain = [1, 2]", "true or false, a number or a text"),
        (HEAD + '[features]\n"Gain Raw" = 1\n', "line 5, key Gain Raw", "no feature name"),
        (HEAD.replace("200", "-3"), "line 3, key rate_fps", "greater than 0, not -3"),
        (HEAD.replace("200", "nan"), "line 3, key rate_fps", "finite"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_line_and_key(hardware_file, text, where, what):
    path = hardware_file(text)
    with pytest.raises(ConfigError) as caught:
        load_hardware(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert where in message
    assert what in message
    assert "\n" not in message


def test_several_mistakes_are_counted(hardware_file):
    with pytest.raises(ConfigError, match="and 1 more to put right"):
        load_hardware(hardware_file(HEAD + "width_px = 0\nheight_px = 0\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml"):
        load_hardware(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not a text in UTF-8"):
        load_hardware(binary)


def test_a_producer_beside_the_file_counts_from_the_file(hardware_file):
    path = hardware_file(HEAD.replace("viky", "./sdk/mine.cti"))
    assert load_hardware(path).producer == str(path.parent / "sdk" / "mine.cti")


@given(st.floats(0.5, 50_000))
def test_any_rate_leaves_an_exposure_that_fits(fps):
    settings = HardwareSettings(name="a", producer="viky", rate_fps=200.0, exposure_us=4900.0).with_rate(fps)
    assert settings.rate_fps == fps
    assert settings.exposure_us is not None
    assert settings.exposure_us <= max_exposure_us(fps) < 1e6 / fps
    assert bool(settings.notes) == (settings.exposure_us != 4900.0)


def test_a_shortened_exposure_is_said():
    settings = open_hardware("simulated_200", 500)
    assert settings.exposure_us == 1950
    assert settings.notes == ("exposure shortened from 4000 to 1950 µs to make room for 500 fps",)
    assert open_hardware("simulated_500", 200).notes == ()


@pytest.mark.parametrize("fps", [0, -200, float("nan"), float("inf"), 1e9])
def test_a_rate_that_no_camera_has_is_refused(fps):
    with pytest.raises(RateUnreachable, match="fps"):
        open_hardware("simulated_500", fps)


@pytest.mark.parametrize(("fps", "buffers"), [(1, 128), (200, 128), (500, 250), (1000, 500), (5000, 512)])
def test_buffers_hold_half_a_second_within_bounds(fps, buffers):
    assert open_hardware("simulated_500", fps).gentl_buffers == buffers


def test_the_ring_holds_the_seconds_asked_for():
    settings = open_hardware("simulated_500", None)
    assert settings.ring_slots == 1000
    assert settings.with_rate(5000).ring_slots * settings.frame_bytes <= 4e9, "a high rate must not fill the memory"
    assert settings.model_copy(update={"ring_seconds": 0.5}).ring_slots == 250
    assert settings.model_copy(update={"ring_seconds": 0.001}).ring_slots == 8


@pytest.mark.parametrize(
    ("fps", "name"), [(None, "500"), (200, "200"), (300.0, "300"), (500, "500"), (750, "500"), (29.97, "500")]
)
def test_without_a_file_the_simulated_camera_is_meant(fps, name):
    assert resolve_hardware(None, fps).name == f"simulated_{name}.toml"


@pytest.mark.parametrize("name", ["viky", "viky.toml"])
def test_a_file_is_found_by_name(name):
    assert resolve_hardware(name, 200) == hardware_files()["viky"]


def test_a_file_of_the_users_goes_before_ours(hardware_file, monkeypatch):
    path = hardware_file(HEAD)
    mine = path.rename(path.with_name("viky.toml"))
    monkeypatch.chdir(mine.parent)
    assert resolve_hardware("viky.toml", None) == Path("viky.toml")
    assert resolve_hardware(str(mine), None) == mine


def test_a_misspelt_name_gets_a_proposal_and_the_list():
    with pytest.raises(
        ConfigError, match=r"no hardware file simulatd_500: did you mean simulated_500.*there are .*viky"
    ):
        resolve_hardware("simulatd_500", 500)
    with pytest.raises(ConfigError, match=r"no hardware file /nowhere/viky\.toml"):
        resolve_hardware("/nowhere/viky.toml", 500)
