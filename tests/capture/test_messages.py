"""The grammar: what goes out comes back, and what is not ours is refused without harm."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import MessageRefused
from capture.messages import PROTOCOL_MAJOR, End, Hello, Image, Release, Start, decode, encode
from capture.statistics import LossLedger


def test_a_frame_goes_round_as_start_image_end():
    messages = [
        Start("s", "session", "trial-001", "/d/trial-001.zarr", 768, 1024, 500.0, 7, {"camera": {"model": "m"}}, 100),
        Image("s", 0, 42, 1, 2, 77, 3),
        End("s", 1, LossLedger(camera=2), {"camera": [(43, 44)]}, {"delivered": 1}, {"source": "none"}, "frames", 9),
        Release([3], 0),
    ]
    assert [decode(encode(message)) for message in messages] == messages


@pytest.mark.parametrize("major", [0, PROTOCOL_MAJOR + 1, 99])
def test_another_major_version_is_refused_with_both_versions_named(major):
    stranger = encode(Hello("camera", 1, protocol=(major, 3)))
    with pytest.raises(MessageRefused, match=rf"protocol {major}\.3, this is {PROTOCOL_MAJOR}\."):
        decode(stranger)


def test_a_newer_minor_version_with_a_field_more_is_understood():
    newer = msgspec.msgpack.encode(
        {"type": "hello", "process": "camera", "pid": 1, "colour": "red", "protocol": [PROTOCOL_MAJOR, 99]}
    )
    assert decode(newer) == Hello("camera", 1, protocol=(PROTOCOL_MAJOR, 99))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data):
    with suppress(MessageRefused):
        assert decode(data) is not None


def test_deep_nesting_is_refused():
    with pytest.raises(MessageRefused):
        decode(b"\x91" * 100_000)
