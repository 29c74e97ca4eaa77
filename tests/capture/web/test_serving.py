"""What a server's socket does, below everything that pages see."""

from __future__ import annotations

import socket

from starlette.responses import PlainTextResponse

from capture.web import WebServer, checked_address


def test_the_end_of_an_answer_does_not_wait_for_an_acknowledgement():
    """Answers go out in two pieces: the second one must not be held back until the first has been acknowledged."""
    accepted: list[int] = []
    with WebServer(PlainTextResponse("here"), checked_address("127.0.0.1", 0)) as server:
        accepted.append(server._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    assert accepted == [1]
