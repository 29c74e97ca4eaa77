"""What a storage machine believes of a message: nothing that does not keep to the grammar and its limits."""

from __future__ import annotations

import contextlib
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import MessageRefused
from capture.messages import PROTOCOL_MAJOR, End, Image, Start
from capture.remote import wire
from capture.remote.wire import Knock, SessionFile, SessionOpen, Welcome, from_capture, from_storage, pack
from capture.statistics import LossLedger

START = Start("series", "2031-05-04T10-15-00_P07", "trial-001", "", 768, 1024, 500.0, 1)
IMAGE = Image("series", 3, 4, 5, 6, 7, 0)
KNOCK = Knock("c0ffee", "lab", 2.0)
OUTSIDE = ["", ".", "..", "../x", "/etc", "a/../b", "a/b", "a\\b", "a\0b", "a b", ".hidden", "a\n", "ä", "x" * 129]


def refused(message: object) -> str:
    with pytest.raises(MessageRefused) as caught:
        from_capture(msgspec.msgpack.encode(message))
    return str(caught.value)


@pytest.mark.parametrize(
    "message",
    [START, IMAGE, KNOCK, SessionOpen("s", b"{}", "f"), SessionFile("log/camera.log", 3, 0, b"abc"), wire.Bye()],
)
def test_what_keeps_to_the_grammar_arrives_as_it_was_sent(message):
    assert from_capture(pack(message)) == message


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data):
    with contextlib.suppress(MessageRefused):
        assert isinstance(from_capture(data), wire.FromCapture)


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(max_size=9), st.lists, max_leaves=20))
def test_any_msgpack_value_is_a_message_or_refused(value):
    try:
        data = msgspec.msgpack.encode(value)
    except OverflowError:
        return
    with pytest.raises(MessageRefused):
        from_capture(data)


@given(st.integers(0, len(pack(START)) - 1), st.integers(0, 255))
def test_a_message_with_a_damaged_byte_is_within_its_limits_or_refused(place, value):
    data = bytearray(pack(START))
    data[place] = value
    try:
        message = from_capture(bytes(data))
    except MessageRefused:
        return
    if isinstance(message, Start):
        assert wire.is_plain_name(message.session)
        assert wire.is_plain_name(message.trial)
        assert 0 < message.height_px * message.width_px <= wire.LARGEST_FRAME_BYTES


@given(st.text())
def test_a_plain_name_stays_in_its_folder(text):
    if wire.is_plain_name(text):
        assert "/" not in text
        assert text not in (".", "..")
        assert text == text.strip()
        assert text.isprintable()


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_elsewhere_are_refused(name):
    assert "plain name" in refused(msgspec.structs.replace(START, session=name))
    assert "plain name" in refused(msgspec.structs.replace(START, trial=name))
    assert "plain name" in refused(SessionOpen(name, b"{}", "f"))


@pytest.mark.parametrize(
    "name", [*(n for n in OUTSIDE if n != "a/b"), "a/b/c", "recordings/x", "recordings", "../log/x"]
)
def test_small_files_lie_in_the_session_and_not_among_the_recordings(name):
    assert "small file" in refused(SessionFile(name, 1, 0, b"x"))


@pytest.mark.parametrize(
    ("size", "offset", "data"),
    [(1, 0, b"xx"), (1, -1, b"x"), (2, 2, b"x"), (wire.LARGEST_FILE_BYTES + 1, 0, b""), (2**24, 0, bytes(2**20 + 1))],
)
def test_a_piece_must_fit_its_file(size, offset, data):
    assert "does not fit" in refused(SessionFile("events.tsv", size, offset, data))


@pytest.mark.parametrize(
    "change",
    [{"host_ns": 0}, {"host_ns": -1}, {"seq": -1}, {"frame_id": -1}, {"device_ns": -5}, {"crc32c": 2**32}],
)
def test_values_of_a_frame_fit_their_arrays(change):
    assert refused(msgspec.structs.replace(IMAGE, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"height_px": 0},
        {"height_px": 65_536, "width_px": 65_536},
        {"rate_fps": 0.0},
        {"rate_fps": math.nan},
        {"series": ""},
        {"attributes": {"camera": b"bytes"}},
    ],
)
def test_a_trial_that_could_not_be_written_is_refused(change):
    assert refused(msgspec.structs.replace(START, **change))


def test_an_end_that_could_not_be_written_is_refused():
    end = End("series", 1, LossLedger(), {}, {}, {"source": b"bytes"}, "operator")
    assert "JSON" in refused(end)


def test_a_message_that_is_too_long_is_refused_before_it_is_read():
    assert "at most" in refused(SessionOpen("s", bytes(wire.LARGEST_CONTROL_BYTES), "f"))


@pytest.mark.parametrize("major", [0, PROTOCOL_MAJOR + 1])
def test_another_major_version_is_refused_by_both_sides_in_one_line(major):
    with pytest.raises(MessageRefused, match=rf"capture machine speaks protocol {major}\.0.*same dfme version"):
        from_capture(pack(msgspec.structs.replace(KNOCK, protocol=(major, 0))))
    with pytest.raises(MessageRefused, match=rf"storage machine speaks protocol {major}\.0.*same dfme version"):
        from_storage(pack(Welcome("host", "/data", protocol=(major, 0))))


@given(st.text())
def test_text_of_a_peer_is_one_printable_line(text):
    shown = wire.printable(text)
    assert shown.isprintable()
    assert len(shown) <= 300
