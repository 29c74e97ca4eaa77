"""Messages from a stranger: refused where they are taken, and the frames of a trial are none the worse for it."""

from __future__ import annotations

import msgspec
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import CaptureError, MessageRefused
from capture.messages import Hello, Image, Release, Start, decode, encode
from capture.processes.recorder_link import RecorderLink
from capture.ring import RingReader, RingWriter
from tests.fuzz.seeds import messages


def with_field(message, name, value) -> bytes:
    """The message as a stranger would send it."""
    return msgspec.msgpack.encode({**msgspec.to_builtins(message), "type": message.__struct_config__.tag, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("slot", -1), ("seq", -3), ("frame_id", -1), ("host_ns", -1), ("device_ns", -1), ("crc32c", 2**32), ("slot", "0")],
)
def test_a_frame_with_an_impossible_figure_is_refused(name, value):
    with pytest.raises(MessageRefused):
        decode(with_field(Image("s", 0, 42, 1, 2, 77, 0), name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [("height_px", 0), ("width_px", 10**6), ("rate_fps", float("nan")), ("rate_fps", float("inf")), ("rate_fps", -1.0)],
)
def test_a_trial_with_an_impossible_figure_is_refused(name, value):
    start = Start("s", "session", "trial-001", "/d/t.zarr", 64, 64, 500.0, 7)
    with pytest.raises(MessageRefused):
        decode(with_field(start, name, value))


def test_a_refusal_is_one_line_whatever_it_quotes():
    with pytest.raises(MessageRefused) as refused:
        decode(msgspec.msgpack.encode({"type": "image\n\x1b[2J"}))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("slot", [8, 2**31, 2**63])
def test_slots_that_the_ring_has_not_are_neither_read_nor_freed(slot):
    ring = RingWriter.create(slots=8, height_px=64, width_px=64)
    ring.begin(0)
    ring.publish(0, 0, 1, 2, 3)
    ring.release(slot)
    ring.release(-8)
    assert ring.used == 1
    with pytest.raises(CaptureError, match="not in a ring of 8"):
        RingReader(ring.fd).span(slot, 1)


@given(
    strange=st.lists(
        st.binary(max_size=60) | st.builds(lambda s: encode(Release(s, 0)), st.lists(st.integers(0, 2**64 - 1)))
    )
)
def test_the_camera_goes_on_whatever_it_is_told_by_a_stranger(tmp_path_factory, strange):
    endpoint = f"ipc://{tmp_path_factory.mktemp('x')}/f"
    ring = RingWriter.create(slots=8, height_px=64, width_px=64)
    link = RecorderLink(endpoint, ring)
    context: zmq.Context = zmq.Context()
    peer = context.socket(zmq.DEALER)
    try:
        peer.connect(endpoint)
        link.start(messages()[1])
        for part in [*strange, encode(Hello("recorder", 1))]:
            peer.send(part)
        while peer.poll(0) == 0:
            link.receive()
        assert 0 <= ring.used <= ring.slots
    finally:
        peer.close(linger=0)
        link._start = None
        link.close(0)
        context.term()
