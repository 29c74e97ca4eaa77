"""Session folders that somebody made to do harm."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.session import Session
from tests.fuzz import seeds
from tests.fuzz.contract import bounded_time, command, only_our_errors
from tests.fuzz.hostile import VALUES, places


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return seeds.make_session(tmp_path_factory.mktemp("template"))


@pytest.fixture
def session(template, tmp_path):
    return seeds.restore(template, tmp_path / "sessions" / "one")


def all_commands(session, *, damaged: bool = True) -> None:
    with bounded_time():
        for words in (("ls",), ("info",), ("verify",), ("repair",)):
            for options in ((), ("--json",)):
                status, _ = command(words[0], session, *options)
                assert not damaged or status in (1, 2), words
        command("ls", session.parent, "--json")
        status, text = command("ls", session.parent)
        assert status == int(damaged)
        assert not damaged or "damaged" in text


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", "[" * 100_000, '{"format": NaN}', '{"format":"1.0","host":"\\ud800"}'),
        '{"format":"1.0","trials":[{"name":"a","recording":"/etc"}]}',
        '{"format":"1.0","trials":[{"name":"a","recording":"recordings/../../x"}]}',
    ],
    ids=range(9),
)
def test_a_session_file_that_is_none_is_said_in_one_line(session, content):
    (session / "session.json").write_text(content)
    all_commands(session)


def test_pipes_and_folders_are_no_session_files(session):
    (session / "events.tsv").unlink()
    os.mkfifo(session / "events.tsv")
    all_commands(session, damaged=False)
    assert command("repair", session)[0] == 1


def test_a_recording_that_is_a_link_to_elsewhere_is_not_repaired_with_the_session(session, tmp_path):
    elsewhere = tmp_path / "elsewhere.zarr"
    place = session / "recordings" / "trial-001.zarr"
    shutil.move(place, elsewhere)
    place.symlink_to(elsewhere)
    (elsewhere / "host_ns" / "zarr.json").unlink()
    status, _ = command("repair", session)
    assert status == 1
    assert not (elsewhere / "host_ns" / "zarr.json").exists()
    assert command("repair", elsewhere)[0] == 0


@pytest.mark.parametrize(
    "line", ["\0" * 50, "n/a\t" * 8 + "9" * 5000, "n/a\t" * 3 + "trial-001\t" * 5 + "\u0663" * 30, "\x1b]0;x\x07"]
)
def test_any_line_may_stand_in_the_event_log(session, line):
    with (session / "events.tsv").open("a") as file:
        file.write(line + "\n")
    for words in ("ls", "info", "repair"):
        assert command(words, session)[0] in (0, 1)


def test_names_cannot_drive_the_terminal(session):
    document = json.loads((session / "session.json").read_text())
    document |= {"participant": "\x1b]0;x\x07\x1b[2J[blink]", "host": "\x9b2J\r\n\n", "software": "\u202e"}
    document["trials"][0] |= {"name": "a\nb\x1b[H", "reason": "\x1bc"}
    (session / "session.json").write_text(json.dumps(document))
    for words in ("ls", "info"):
        status, text = command(words, session)
        assert status == 0
        assert "\x1b" not in text


@given(data=st.data(), value=st.sampled_from(VALUES))
@settings(max_examples=40)
def test_any_value_of_the_session_file_may_be_anything(template, tmp_path, data, value):
    session = seeds.restore(template, tmp_path / "sessions" / "one")
    document = json.loads((session / "session.json").read_text())
    container, key = data.draw(st.sampled_from(list(places(document))))
    container[key] = value
    (session / "session.json").write_text(json.dumps(document))
    with bounded_time():
        for words in (("ls",), ("info",), ("ls", "--json"), ("info", "--json")):
            command(words[0], session, *words[1:])
        with only_our_errors():
            made = Session.open(session)
            made.settle_events()
            made.frame_at(seeds.FIRST_NS)
