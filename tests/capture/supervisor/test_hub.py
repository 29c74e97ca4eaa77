"""The supervisor's hub: who says hello is told things, and nothing that arrives ends the supervisor."""

from __future__ import annotations

import os

import pytest
import zmq

from capture.errors import MessageRefused
from capture.messages import Hello, Quit, decode, encode
from capture.supervisor.hub import Hub

_TIMEOUT_MS = 5000


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


@pytest.fixture
def peer(hub):
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(hub.endpoint)
        yield socket


def test_a_process_that_said_hello_is_told_things(hub, peer):
    peer.send(encode(Hello("monitor", os.getpid())))
    assert next(hub.received(_TIMEOUT_MS)) == Hello("monitor", os.getpid())
    assert hub.present == {"monitor"}
    hub.tell("monitor", Quit())
    assert peer.poll(_TIMEOUT_MS)
    assert decode(peer.recv()) == Quit()
    hub.forget("monitor")
    assert hub.present == frozenset()


@pytest.mark.parametrize("parts", [[b"nonsense"], [b"", b""], [b"a", b"b", b"c"]])
def test_what_is_no_message_is_refused_and_the_next_one_is_heard(hub, peer, parts):
    peer.send_multipart(parts)
    assert isinstance(next(hub.received(_TIMEOUT_MS)), MessageRefused)
    peer.send(encode(Quit()))
    assert next(hub.received(_TIMEOUT_MS)) == Quit()
