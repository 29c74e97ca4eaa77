"""Where GenTL producers are looked for."""

import os

import pytest

from capture.camera.producers import find_producers, installed_producers, is_simulated
from capture.errors import CameraNotFound


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Two folders of producers, as two camera makers' installers leave them."""
    first, second = tmp_path / "first sdk", tmp_path / "second"
    for folder, names in ((first, ["coaxlink.cti", "gigelink.cti", "readme.txt"]), (second, ["other.cti"])):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("")
    monkeypatch.setenv("GENICAM_GENTL64_PATH", os.pathsep.join([str(first), "", str(tmp_path / "gone"), str(second)]))
    return [first / "coaxlink.cti", first / "gigelink.cti", second / "other.cti"]


def test_auto_takes_every_installed_producer_in_order(installed):
    assert find_producers("auto") == installed


def test_a_producer_in_two_folders_of_the_path_counts_once(installed, monkeypatch):
    folder = str(installed[0].parent)
    monkeypatch.setenv("GENICAM_GENTL64_PATH", f"{folder}:{folder}/../{installed[0].parent.name};{folder}")
    assert installed_producers() == installed[:2]


@pytest.mark.parametrize("name", ["other.cti", "other"])
def test_a_file_name_is_looked_up_on_the_path(installed, name):
    assert find_producers(name) == [installed[2]]


def test_a_path_is_taken_as_it_is(installed, monkeypatch):
    assert find_producers(str(installed[0])) == [installed[0]]
    monkeypatch.setenv("SDK", str(installed[0].parent))
    assert find_producers("$SDK/coaxlink.cti") == [installed[0]]


def test_a_misspelt_name_gets_a_proposal(installed):
    with pytest.raises(CameraNotFound, match=r"no GenTL producer coxlink\.cti .* did you mean coaxlink\.cti\?"):
        find_producers("coxlink.cti")


def test_a_path_without_a_file_is_told(installed):
    with pytest.raises(CameraNotFound, match=r"no GenTL producer /nowhere/x\.cti: correct `producer`"):
        find_producers("/nowhere/x.cti")


def test_nothing_installed_says_what_to_do(monkeypatch):
    monkeypatch.delenv("GENICAM_GENTL64_PATH", raising=False)
    with pytest.raises(CameraNotFound, match=r"the variable is empty.*install the camera maker's SDK"):
        find_producers("auto")
    with pytest.raises(CameraNotFound, match="there is none"):
        find_producers("mine")


def test_viky_is_found_beside_the_genicam_package():
    (path,) = find_producers("viky")
    assert path.is_file()
    assert is_simulated(path)
    assert not is_simulated(path.with_name("coaxlink.cti"))
