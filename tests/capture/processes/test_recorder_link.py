"""What the camera process tells a recorder: a whole trial, whenever the two find each other."""

from __future__ import annotations

import pytest
import zmq

from capture.messages import End, Hello, Image, Start, decode, encode
from capture.processes.recorder_link import RecorderLink
from capture.ring import RingWriter
from capture.statistics import LossLedger

START = Start("series", "session", "trial-001", "trial-001.zarr", 16, 16, 500.0, 1)
IMAGE = Image("series", 0, 1, 2, 3, 4, 0)
END = End("series", 1, LossLedger(), {}, {}, {}, "frames", 5)


@pytest.fixture
def link(tmp_path):
    link = RecorderLink(f"ipc://{tmp_path}/frames", RingWriter.create(slots=8, height_px=16, width_px=16))
    yield link
    link._start = None
    link.close(0)


@pytest.fixture
def recorder(tmp_path, link):
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"ipc://{tmp_path}/frames")
        yield socket


def say_hello(link, recorder) -> None:
    """Returns when the link has heard it."""
    recorder.send(encode(Hello("recorder", 1)))
    link._socket.poll(5000)
    link.receive()


def heard(recorder) -> list[str]:
    kinds = []
    while recorder.poll(5000 if "End" not in kinds else 0):
        kinds += [type(decode(part)).__name__ for part in recorder.recv_multipart()]
    return kinds


STEPS = [
    lambda link: link.start(START),
    lambda link: link.add(IMAGE),
    lambda link: link.announce(),
    lambda link: link.end(END),
]


@pytest.mark.parametrize("before", range(len(STEPS) + 1))
def test_a_recorder_hears_of_the_whole_trial_once_whenever_it_says_hello(link, recorder, before):
    for step in STEPS[:before]:
        step(link)
    say_hello(link, recorder)
    for step in STEPS[before:]:
        step(link)
    assert heard(recorder) == ["Start", "Image", "End"]
