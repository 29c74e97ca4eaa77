"""Tells other programs what was read out: ZeroMQ PUB with msgpack, and the Lab Streaming Layer as an extra.

A message has two parts: a topic, `expression` or `state`, and a msgpack map. That of `expression` has the keys of a
line of `live.jsonl`; that of `state` is sent twice a second and has those of `LiveStatistics`. See docs/live.md.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any, Final

import msgspec
import zmq

from capture.statistics import LiveStatistics
from realtime.results import LiveExpression

DEFAULT_ENDPOINT: Final = "tcp://127.0.0.1:5588"
"""On this machine alone; give another one to serve the lab's network."""
_ANY_PORT: Final = "tcp://127.0.0.1:*"
_QUEUE: Final = 200
"""Messages kept for a subscriber that does not read; it misses the next ones."""


class Publisher:
    """A PUB socket.

    Args:
        context: ZeroMQ's.
        endpoint: Where to bind; empty for the usual place, or a free port where that is taken.

    Raises:
        OSError: The endpoint cannot be bound.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str = "") -> None:
        self._socket: zmq.Socket[bytes] = context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 200)
        self._socket.setsockopt(zmq.SNDHWM, _QUEUE)
        try:
            self._socket.bind(endpoint or DEFAULT_ENDPOINT)
        except zmq.ZMQError as error:
            if endpoint:
                self._socket.close()
                raise OSError(error.errno, f"cannot publish at {endpoint}: {error.strerror}") from error
            self._socket.bind(_ANY_PORT)
        bound = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        self.endpoint = bound.decode().rstrip("\0") if isinstance(bound, bytes) else str(bound)

    def expression(self, expression: LiveExpression) -> None:
        """Tell of an expression."""
        self._send(b"expression", msgspec.msgpack.encode(expression))

    def state(self, statistics: LiveStatistics) -> None:
        """Tell how the service is."""
        plain = msgspec.structs.replace(statistics, recent=())
        self._send(b"state", msgspec.msgpack.encode(plain))

    def close(self) -> None:
        """Close after sending what is queued."""
        self._socket.close()

    def _send(self, topic: bytes, payload: bytes) -> None:
        with contextlib.suppress(zmq.Again):
            self._socket.send_multipart([topic, payload], zmq.NOBLOCK)


class LslOutlet:
    """An outlet `dfme-live` of strings: each sample is an expression as JSON.

    Raises:
        ImportError: pylsl is not installed.
    """

    def __init__(self) -> None:
        import pylsl  # noqa: PLC0415 - an extra

        info = pylsl.StreamInfo("dfme-live", "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, "dfme-live")
        self._outlet: Any = pylsl.StreamOutlet(info)

    def expression(self, expression: LiveExpression) -> None:
        """Send an expression."""
        self._outlet.push_sample([json.dumps(msgspec.to_builtins(expression))])
