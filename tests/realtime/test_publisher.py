"""Other programs hear of expressions: by ZeroMQ, and by the Lab Streaming Layer where it is installed."""

from __future__ import annotations

import json

import msgspec
import pytest
import zmq

from capture.statistics import LiveStatistics
from realtime.publisher import LslOutlet, Publisher
from realtime.results import LiveExpression

EXPRESSION = LiveExpression(
    onset=300,
    apex=330,
    offset=370,
    kind="micro",
    emotion="surprise",
    probabilities={"surprise": 0.75, "fear": 0.25},
    latency_ms=81.5,
    trial="trial-001",
    regions=("left brow",),
    model="ours",
)
AS_JSON = json.loads(msgspec.json.encode(EXPRESSION))


@pytest.fixture
def context():
    made = zmq.Context()
    yield made
    made.destroy(linger=0)


def test_a_subscriber_hears_expressions_and_the_state_as_maps(context, tmp_path):
    publisher = Publisher(context, f"ipc://{tmp_path}/readout")
    with context.socket(zmq.SUB) as socket:
        socket.connect(publisher.endpoint)
        socket.subscribe(b"")
        # A subscription takes a moment to arrive; the state is told until it is heard.
        while not socket.poll(20):
            publisher.state(LiveStatistics(running=True, model="ours"))
        topic, payload = socket.recv_multipart()
        assert (topic, msgspec.msgpack.decode(payload)["model"]) == (b"state", "ours")
        publisher.expression(EXPRESSION)
        while topic != b"expression":
            assert socket.poll(10_000)
            topic, payload = socket.recv_multipart()
        assert msgspec.msgpack.decode(payload) == AS_JSON
    publisher.close()


def test_where_the_place_is_taken_another_is_found_unless_it_was_asked_for(context):
    first = Publisher(context, "tcp://127.0.0.1:*")
    with pytest.raises(OSError, match="cannot publish at"):
        Publisher(context, first.endpoint)
    first.close()
    usual, beside = Publisher(context), Publisher(context)
    assert usual.endpoint != beside.endpoint
    usual.close()
    beside.close()


def test_an_outlet_of_the_lab_streaming_layer_sends_expressions_as_json():
    pylsl = pytest.importorskip("pylsl")
    outlet = LslOutlet()
    streams = pylsl.resolve_byprop("name", "dfme-live", timeout=10)
    inlet = pylsl.StreamInlet(streams[0])
    inlet.open_stream(timeout=10)
    outlet.expression(EXPRESSION)
    sample, _ = inlet.pull_sample(timeout=10)
    assert json.loads(sample[0]) == AS_JSON
    inlet.close_stream()
