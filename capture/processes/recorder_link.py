"""The camera process's side of the recording path: descriptors out, slots back, nothing forgotten before it is safe."""

from __future__ import annotations

import time
from collections import deque

import zmq

from capture.errors import MessageRefused
from capture.messages import End, Finished, Hello, Image, Release, Start, decode, encode
from capture.processes.common import has_input
from capture.ring import RingWriter

_POLL_MS = 20


class RecorderLink:
    """Tells the recorder of each frame, and of all that it may have missed when it is started anew.

    A slot is given back only when its frame would survive the recorder, so whatever was told and not given back is
    still in the ring: a recorder that says hello in the middle of a trial is told the trial's start and all of that
    again. Nothing is said before the first hello: a recorder whose connection came about in the middle of a short
    trial would hear of its end alone. Sending never blocks; what nobody received is told with the next hello.
    """

    def __init__(self, endpoint: str, ring: RingWriter) -> None:
        self._ring = ring
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        for option in (zmq.SNDHWM, zmq.RCVHWM):
            self._socket.setsockopt(option, 0)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._socket.bind(endpoint)
        self._start: Start | None = None
        self._end: End | None = None
        self._held: deque[tuple[int, bytes]] = deque()
        self._told = 0
        self._greeted = False

    @property
    def unannounced(self) -> int:
        """Frames in the ring that the recorder was not told of."""
        return len(self._held) - self._told

    def start(self, message: Start) -> None:
        """A trial begins."""
        self._start, self._end = message, None
        self._send([encode(message)])

    def add(self, image: Image) -> None:
        """A frame is in its slot; `announce` tells of it."""
        self._held.append((image.slot, encode(image)))

    def announce(self) -> None:
        """Tell of the frames added since the last call, in one message."""
        count = self.unannounced
        if count:
            fresh = [self._held[i][1] for i in range(-count, 0)]
            self._told += count
            self._send(fresh)

    def end(self, message: End) -> None:
        """The trial ends, after the frames added so far."""
        self.announce()
        self._end = message
        self._send([encode(message)])

    def receive(self) -> None:
        """Take slots back, and answer a recorder that has just come up."""
        while has_input(self._socket):
            try:
                message = decode(self._socket.recv(zmq.NOBLOCK))
            except MessageRefused:
                # Whoever speaks like that is no recorder of ours; the frames of a trial matter more.
                continue
            if isinstance(message, Release):
                for slot in message.slots:
                    self._give_back(slot)
            elif isinstance(message, Hello):
                self._greeted = True
                self._tell_again()
            elif isinstance(message, Finished) and self._start is not None and message.series == self._start.series:
                self._start = self._end = None

    def close(self, patience_s: float) -> None:
        """Close once the recorder has closed the recording, or after `patience_s`."""
        deadline = time.monotonic() + patience_s
        while self._start is not None and time.monotonic() < deadline:
            self._socket.poll(_POLL_MS)
            self.receive()
        self._socket.close()
        self._context.term()

    def _give_back(self, slot: int) -> None:
        self._ring.release(slot)
        # Frames are given back in the order in which they were told, but for those that were told twice.
        if self._held and self._held[0][0] == slot:
            self._held.popleft()
            self._told = max(self._told - 1, 0)

    def _tell_again(self) -> None:
        if self._start is None:
            return
        self._send([encode(self._start)])
        self._told = len(self._held)
        if self._held:
            self._send([image for _, image in self._held])
        if self._end is not None:
            self._send([encode(self._end)])

    def _send(self, parts: list[bytes]) -> None:
        if not self._greeted:
            return
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            # No recorder is connected. Its successor says hello and is told everything.
            return
