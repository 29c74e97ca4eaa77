"""Keys are made once, kept secret, and checked before anything is sent."""

from __future__ import annotations

import stat

import pytest

from capture.errors import BadInput
from capture.remote.address import Endpoint
from capture.remote.keys import load_capture_keys, load_storage_keys, make_keys, require_keys


def test_each_side_gets_one_file_that_only_its_owner_can_read(tmp_path):
    made = make_keys(tmp_path / "keys")
    for file in (made.storage, made.capture):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    storage, capture = load_storage_keys(made.storage), load_capture_keys(made.capture)
    assert capture.storage.public == storage.storage.public
    assert storage.name_of(capture.capture.public) == "capture"
    assert storage.storage.secret not in made.capture.read_text()


def test_another_capture_machine_is_added_and_the_first_stays(tmp_path):
    first = make_keys(tmp_path)
    second = make_keys(tmp_path, "lab2")
    assert (first.added, second.added) == (False, True)
    storage = load_storage_keys(second.storage)
    assert set(storage.clients) == {"capture", "lab2"}
    assert load_capture_keys(second.capture).storage == load_capture_keys(first.capture).storage


def test_keys_are_never_written_over(tmp_path):
    made = make_keys(tmp_path)
    before = made.storage.read_bytes(), made.capture.read_bytes()
    with pytest.raises(BadInput, match="already"):
        make_keys(tmp_path)
    made.storage.unlink()
    with pytest.raises(BadInput, match="never written over"):
        make_keys(tmp_path)
    assert made.capture.read_bytes() == before[1]


@pytest.mark.parametrize("name", ["", "storage", "../x", "a b", "x" * 41])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, name):
    with pytest.raises(BadInput, match="--client"):
        make_keys(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path):
    made = make_keys(tmp_path)
    made.capture.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        load_capture_keys(made.capture)


def test_the_file_of_the_other_machine_is_named_as_such(tmp_path):
    made = make_keys(tmp_path)
    with pytest.raises(BadInput, match="of the storage machine"):
        load_capture_keys(made.storage)
    with pytest.raises(BadInput, match="of a capture machine"):
        load_storage_keys(made.capture)


@pytest.mark.parametrize(
    "change", [("\nsecret", "\nsecrets"), ("[storage]", "[store]"), ('= "', "= "), ("\npublic", "\npublik")]
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, change):
    made = make_keys(tmp_path)
    text = made.capture.read_text().replace(*change, 1)
    made.capture.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_capture_keys(made.capture)
    assert "\n" not in str(caught.value)
    assert str(made.capture) in str(caught.value)


def test_two_keys_that_are_no_pair_are_refused(tmp_path):
    one, two = make_keys(tmp_path / "1"), make_keys(tmp_path / "2")
    secrets = [load_capture_keys(made.capture).capture.secret for made in (one, two)]
    one.capture.write_text(one.capture.read_text().replace(*secrets))
    with pytest.raises(BadInput, match="do not belong together"):
        load_capture_keys(one.capture)


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1:5599", "tcp://localhost:5599", "tcp://[::1]:5599", "tcp://127.9.9.9:1"]
)
def test_what_stays_on_this_machine_needs_no_keys(text):
    require_keys(Endpoint.parse(text, "--listen"), None)


@pytest.mark.parametrize(
    "text", ["tcp://10.0.0.2:5599", "tcp://*:5599", "tcp://store:1", "tcp://0.0.0.0:1", "tcp://[::]:1"]
)
def test_what_could_leave_this_machine_needs_keys(text):
    with pytest.raises(BadInput, match="only encrypted"):
        require_keys(Endpoint.parse(text, "--listen"), None)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.2:5599", "tcp://10.0.0.2", "tcp://:5", "tcp://h:0", "tcp://h:70000", "udp://h:1", "tcp://a b:1"],
)
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(BadInput, match=r"write tcp://HOST:PORT"):
        Endpoint.parse(text, "--remote")


def test_an_address_reads_back_as_it_was_written():
    for text in ("tcp://10.0.0.2:5599", "tcp://[fe80::1]:5599", "tcp://store.lab:5599"):
        assert str(Endpoint.parse(text, "--remote")) == text
