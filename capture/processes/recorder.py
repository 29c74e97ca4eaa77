"""The recorder process: receives frame descriptors, lets the recorder write them, and sends the slots back."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import zmq

from capture.messages import End, Hello, Image, Message, Quit, RecorderReport, Release, Start, decode, encode
from capture.processes.common import (
    REPORT_INTERVAL_NS,
    HubLink,
    RecorderTask,
    StopRequest,
    has_input,
    prefer_this_process,
    quiet_garbage_collector,
    run_process,
)
from capture.processes.salvage import left_in_ring
from capture.recording.recorder import Recorder
from capture.ring import RingReader
from capture.statistics import RecorderState

_POLL_MS = 100
_MAX_BATCH = 64
"""Descriptors taken at once; bounds how long slots wait for their release."""
_NICENESS = -5
_ORPHAN_GRACE_S = 5.0
"""How long after the supervisor's death the recorder waits for the camera's `end` before it closes by itself."""


class RecorderProcess:
    """The loop between two sockets: frames from the camera process, the hub of the supervisor."""

    def __init__(self, task: RecorderTask, hub: HubLink, stop: StopRequest) -> None:
        self._hub = hub
        self._stop = stop
        self._ring = RingReader(task.ring_fd, populate=True)
        self._recorder = Recorder(self._ring, Path(task.folder))
        self._frames: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._frames.setsockopt(zmq.RCVHWM, 0)
        self._frames.setsockopt(zmq.SNDHWM, 0)
        self._frames.setsockopt(zmq.LINGER, 1000)
        self._frames.connect(task.frames)
        self._reported_ns = 0
        self._quit = False
        self._said_failed = False

    def run(self) -> None:
        """Work until told to quit; a trial that is open then is closed first."""
        poller = zmq.Poller()
        poller.register(self._frames, zmq.POLLIN)
        poller.register(self._hub.socket, zmq.POLLIN)
        self._frames.send(encode(Hello("recorder", os.getpid())))
        self._hub.hello("recorder")
        orphaned_at: float | None = None
        while not (self._quit and self._recorder.recording is None):
            ready = dict(poller.poll(_POLL_MS))
            if self._frames in ready:
                self._take_frames()
            if self._hub.socket in ready:
                self._take_orders()
            if not ready:
                self._give_back(self._recorder.settle())
            self._report_if_due()
            if self._stop.requested:
                orphaned_at = orphaned_at or time.monotonic()
                if time.monotonic() - orphaned_at > _ORPHAN_GRACE_S or self._recorder.recording is None:
                    break
        self._frames.close()
        zmq.Context.instance().term()

    def _take_orders(self) -> None:
        for message in self._hub.received():
            self._quit |= isinstance(message, Quit)
            # The supervisor speaks in the camera process's place when that has died.
            if isinstance(message, Start) and self._recorder.recording is None:
                self._handle(message)
            elif isinstance(message, End) and self._recorder.recording is not None:
                self._end_for_camera(message)

    def _end_for_camera(self, message: End) -> None:
        """End a trial whose camera process has died, behind what it told us and what it told nobody."""
        while has_input(self._frames):
            self._take_frames()
        start = self._recorder.recording
        if start is not None:
            for image in left_in_ring(self._ring, start, self._recorder.told):
                self._write([image])
            self._handle(msgspec.structs.replace(message, frames=self._recorder.told))

    def _take_frames(self) -> None:
        images: list[Image] = []
        while len(images) < _MAX_BATCH and has_input(self._frames):
            for part in self._frames.recv_multipart(zmq.NOBLOCK):
                message = decode(part)
                if isinstance(message, Image):
                    images.append(message)
                else:
                    self._write(images)
                    images = []
                    self._handle(message)
        self._write(images)

    def _write(self, images: list[Image]) -> None:
        if images:
            self._give_back(self._recorder.write(images))

    def _give_back(self, release: Release) -> None:
        if release.slots:
            self._frames.send(encode(release))

    def _handle(self, message: Message) -> None:
        if isinstance(message, Start):
            self._said_failed = False
            for remark in self._recorder.start(message):
                self._hub.event("warning", remark)
            self._report()
        elif isinstance(message, End):
            if self._recorder.recording is None:
                # It came before our hello was heard: the answer to that tells of the whole trial, its end included.
                return
            self._give_back(self._recorder.settle())
            finished = self._recorder.end(message)
            self._report()
            self._hub.send(finished)
            self._frames.send(encode(finished))

    def _report_if_due(self) -> None:
        if time.monotonic_ns() - self._reported_ns >= REPORT_INTERVAL_NS:
            self._report()

    def _report(self) -> None:
        self._reported_ns = time.monotonic_ns()
        statistics = self._recorder.statistics()
        if statistics.state is RecorderState.FAILED and not self._said_failed:
            self._said_failed = True
            self._hub.event("error", self._recorder.error, "disk")
        self._hub.send(RecorderReport(statistics))


def main() -> None:
    """Entry point of `python -m capture.processes.recorder TASK`."""

    def work(task: bytes, hub: HubLink, stop: StopRequest) -> None:
        prefer_this_process(_NICENESS)
        process = RecorderProcess(msgspec.json.decode(task, type=RecorderTask), hub, stop)
        quiet_garbage_collector()
        process.run()

    run_process("recorder", work)


if __name__ == "__main__":
    main()
