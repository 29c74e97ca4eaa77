"""The hardware files that come with the program."""

import re

import pytest

from capture.settings import HardwareSettings, hardware_files, load_hardware

EXAMPLES = ["io_industries_flare_12m_cxp", "optronis_cp80_3_540", "mikrotron_eosens_cxp", "emergent_hz_10000_g"]


@pytest.mark.parametrize("name", sorted(hardware_files()))
def test_every_file_follows_the_schema(name):
    settings = load_hardware(hardware_files()[name])
    assert settings.pixel_format == "Mono8"
    assert settings.name


@pytest.mark.parametrize("fps", [200, 300, 500])
def test_the_simulated_camera_comes_at_three_rates(fps):
    settings = load_hardware(hardware_files()[f"simulated_{fps}"])
    assert (settings.producer, settings.rate_fps) == ("simulator", fps)
    assert (settings.width_px, settings.height_px) == (1024, 768)
    assert not settings.selection.asked()


def test_viky_is_set_to_what_it_can_do():
    settings = load_hardware(hardware_files()["viky"])
    assert (settings.rate_fps, settings.width_px, settings.height_px) == (200, 800, 768)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_real_cameras_say_how_to_wire_them_and_what_to_check(name):
    text = hardware_files()[name].read_text(encoding="utf-8")
    for heading in ("# Wiring ", "Power:", "# Link ", "# Trigger ", "# Producer "):
        assert heading in text
    assert re.search(r"check on your camera|SURE", text)
    assert "MB/s" in text


@pytest.mark.parametrize("name", [*EXAMPLES, "any_camera"])
def test_lines_that_are_commented_out_are_valid_too(name, tmp_path):
    text = hardware_files()[name].read_text(encoding="utf-8")
    switched_on = re.sub(r'^# (?=\[\w+\]|"?\w+(\[\w+=\w+\])?"? = )', "", text, flags=re.MULTILINE)
    assert switched_on != text
    path = tmp_path / "all.toml"
    path.write_text(switched_on, encoding="utf-8")
    load_hardware(path)


def test_any_camera_shows_every_key():
    text = hardware_files()["any_camera"].read_text(encoding="utf-8")
    missing = [
        key for key in HardwareSettings.model_fields if not re.search(rf"^(# )?(\[)?{key}\b", text, re.MULTILINE)
    ]
    assert missing == []
