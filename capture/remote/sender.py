"""The sender process: to the camera process and the supervisor it is the recorder; its disk is on another machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import zmq

from capture.errors import CaptureError
from capture.messages import (
    End,
    Event,
    Finished,
    Hello,
    Image,
    Quit,
    RecorderReport,
    Release,
    Start,
    decode,
    encode,
)
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
from capture.remote.address import Endpoint
from capture.remote.connection import Connection
from capture.remote.courier import Courier
from capture.remote.keys import load_capture_keys
from capture.remote.link import Link
from capture.remote.memory import keep_message_memory
from capture.remote.outbox import Outbox
from capture.remote.patience import PATIENCE_S, Patience
from capture.remote.wire import (
    Acknowledge,
    FromStorage,
    Refused,
    Resume,
    Stored,
    Welcome,
    printable,
)
from capture.ring import RingReader
from capture.statistics import RecorderState, RecorderStatistics

_POLL_MS = 20
_MAX_BATCH = 64
_NICENESS = -5
_RING_FULL = 0.95
_ORPHAN_GRACE_S = 5.0


class SenderTask(RecorderTask, frozen=True):
    """What the supervisor tells the sender process at its start; `folder` is the capture machine's own."""

    remote: str
    """Address of the storage machine."""
    keys: str
    """This machine's key file; empty for none."""
    capture: str
    """Unique name of this run of `dfme-capture`."""
    ring_s: float
    """How long the ring lasts."""
    again: bool = False
    """A sender before this one died: the storage machine was there, and comes back if it is not."""


class SenderProcess:
    """The loop between three peers: frames from the camera process, the supervisor's hub, the storage machine.

    Nothing blocks here and nothing is thrown away: a slot goes back to the camera process when the storage machine says
    that its frame is safe, and until then the frame can be sent again.
    """

    def __init__(self, task: SenderTask, hub: HubLink, stop: StopRequest) -> None:
        self._task = task
        self._hub = hub
        self._stop = stop
        self._ring = RingReader(task.ring_fd, populate=True)
        keys = load_capture_keys(Path(task.keys)) if task.keys else None
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._frames: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        for option, value in ((zmq.RCVHWM, 0), (zmq.SNDHWM, 0), (zmq.LINGER, 1000)):
            self._frames.setsockopt(option, value)
        self._frames.connect(task.frames)
        link = Link(context, Endpoint.parse(task.remote, "--remote"), keys)
        self._storage = Connection(link, hub, task.capture, task.ring_s)
        self._courier = Courier(self._storage, hub)
        self._start: Start | None = None
        self._end: End | None = None
        self._end_sent = False
        self._outbox = Outbox()
        self._resumed = False
        self._error = ""
        self._patience = Patience()
        self._theirs = RecorderStatistics(state=RecorderState.IDLE)
        self._trial_began_cpu_s = time.process_time()
        self._reported_ns = 0
        self._introduced = task.again
        self._quit = False

    def run(self) -> None:
        """Work until told to quit; a trial that is open then is ended first, and the small files are copied.

        Raises:
            CaptureError: The storage machine does not answer, or does not let us in.
        """
        if self._task.again:
            self._storage.go_on()
        else:
            self._theirs = self._storage.greet(self._stop)
            self._report()
        self._frames.send(encode(Hello("recorder", os.getpid())))
        self._hub.hello("recorder")
        orphaned_at: float | None = None
        while not (self._quit and self._start is None):
            self._turn()
            if self._stop.requested:
                orphaned_at = orphaned_at or time.monotonic()
                if self._start is None or time.monotonic() - orphaned_at > _ORPHAN_GRACE_S:
                    break
        self._courier.say_goodbye(self._take_answers, lambda: self._stop.requested)
        self._storage.close()
        self._frames.close()
        zmq.Context.instance().term()

    def _turn(self) -> None:
        """One turn of the loop."""
        poller = zmq.Poller()
        for one in (self._frames, self._hub.socket, *self._storage.sockets):
            poller.register(one, zmq.POLLIN)
        poller.poll(_POLL_MS)
        self._take_frames()
        self._take_orders()
        self._take_answers()
        self._send_what_may_be()
        self._give_back()
        now = time.monotonic()
        self._storage.keep_alive(now)
        self._watch_patience(now)
        if self._start is None:
            self._courier.look()
        if time.monotonic_ns() - self._reported_ns >= REPORT_INTERVAL_NS:
            self._report()

    # From the camera process and the supervisor

    def _take_frames(self) -> None:
        for _ in range(_MAX_BATCH):
            if not has_input(self._frames):
                return
            for part in self._frames.recv_multipart(zmq.NOBLOCK):
                message = decode(part)
                if isinstance(message, Image):
                    if self._start is not None and message.series == self._start.series:
                        self._outbox.add(message)
                elif isinstance(message, Start):
                    self._begin(message)
                elif isinstance(message, End):
                    self._ended(message)

    def _take_orders(self) -> None:
        for message in self._hub.received():
            self._quit |= isinstance(message, Quit)
            # The supervisor speaks in the camera process's place when that has died.
            if isinstance(message, Start):
                self._begin(message)
            elif isinstance(message, End):
                self._end_for_camera(message)

    def _end_for_camera(self, message: End) -> None:
        """End a trial whose camera process has died, behind what it told us and what it told nobody."""
        while has_input(self._frames):
            self._take_frames()
        if self._start is not None and not self._error:
            for image in left_in_ring(self._ring, self._start, self._outbox.told):
                self._outbox.add(image)
            message = msgspec.structs.replace(message, frames=self._outbox.told)
        self._ended(message)

    def _begin(self, message: Start) -> None:
        if self._start is not None and self._start.series == message.series:
            return
        self._start, self._end = message, None
        self._end_sent = self._resumed = False
        self._error = ""
        self._patience.relax()
        self._outbox = Outbox()
        self._trial_began_cpu_s = time.process_time()
        self._theirs = msgspec.structs.replace(self._theirs, frames=0, bytes=0, lost_disk=0, queued=0, last_durable=-1)
        self._courier.open(Path(message.path).parent.parent)
        if self._storage.welcome is not None:
            self._introduce(self._storage.welcome)
            self._announce()
        elif not self._task.again:
            self._hub.event("warning", f"no link to {self._storage}; the ring holds what it has not got")

    def _introduce(self, welcome: Welcome) -> None:
        """Say once where the frames go."""
        if not self._introduced:
            self._introduced = True
            kind = "encrypted" if self._task.keys else "not encrypted: it does not leave this machine"
            self._hub.event("info", f"recording on {printable(welcome.host, 60)} ({self._storage}), {kind}")

    def _ended(self, message: End) -> None:
        if self._start is None:
            return
        self._end = msgspec.structs.replace(message, series=self._start.series)
        if self._error:
            self._finish_failed(self._start, self._end)

    # From the storage machine

    def _take_answers(self) -> None:
        for message in self._storage.received():
            self._handle(message)
        if self._storage.welcome is None and self._resumed:
            self._resumed = False
            self._outbox.pause()

    def _handle(self, message: FromStorage) -> None:
        series = self._start.series if self._start is not None else None
        match message:
            case Welcome():
                self._announce()
            case RecorderReport(statistics):
                self._theirs = statistics if self._resumed or series is None else self._only_disk(statistics)
            case Resume(series=of) if of == series:
                self._resume(message)
            case Acknowledge(of, done, durable) if of == series:
                self._outbox.acknowledge(done, durable)
            case Finished(of) if of == series:
                self._finish(message)
            case Event(_, level, _, text):
                self._hub.event(level, f"{self._storage}: {printable(text)}")
            case Stored():
                self._courier.stored(message)
            case Refused(reason):
                self._give_up(printable(reason))
            case _:
                # Of a trial that is over.
                pass

    def _announce(self) -> None:
        """Tell the storage machine, on a new link, of the session and of the trial that is open."""
        self._courier.announce()
        if self._start is not None and not self._error:
            self._resumed = False
            self._storage.say(msgspec.structs.replace(self._start, session=self._courier.session, path=""))

    def _resume(self, message: Resume) -> None:
        if self._error:
            return
        try:
            again = self._outbox.resume(message.expected, message.window)
        except CaptureError as error:
            self._give_up(str(error))
            return
        self._resumed, self._end_sent = True, False
        if again:
            self._hub.event("info", f"{again:,} frames are sent again")

    def _only_disk(self, statistics: RecorderStatistics) -> RecorderStatistics:
        """Of figures that are from before the trial, those that are true of any time."""
        return msgspec.structs.replace(
            self._theirs, disk_free_bytes=statistics.disk_free_bytes, disk_total_bytes=statistics.disk_total_bytes
        )

    # To the storage machine, and back to the camera process

    def _send_what_may_be(self) -> None:
        """Send the frames that the credit allows, straight from their slots, and the end behind the last."""
        if not self._resumed or self._error:
            return
        outbox = self._outbox
        while (image := outbox.next_to_send()) is not None:
            outbox.sent_with(self._storage.send_frame(encode(image), self._ring.pixels(image.slot)))
        if self._end is not None and not self._end_sent and outbox.all_sent:
            self._end_sent = True
            self._storage.say(self._end)

    def _give_back(self) -> None:
        slots = self._outbox.free_slots()
        if slots:
            self._frames.send(encode(Release(slots, self._outbox.durable)))

    # When it goes wrong

    def _watch_patience(self, now: float) -> None:
        """Give a trial up when nothing comes from the storage machine although everything waits for it."""
        full = self._outbox.waiting >= self._ring.slots * _RING_FULL
        if self._start is None or self._error or not (full or self._end is not None):
            self._patience.relax()
            return
        if self._patience.begin(now) and self._storage.welcome is None:
            why = "the trial has ended" if self._end is not None else "the ring is full"
            waiting = f"{self._outbox.waiting:,} frames wait for {self._storage}"
            self._hub.event("warning", f"{why} and {waiting}: {PATIENCE_S:.0f} s at most")
        if self._patience.is_over(now, self._storage.heard):
            # What is still queued reads slots that are to be given back.
            self._storage.drop()
            self._give_up(
                f"{self._storage} did not come back within {PATIENCE_S:.0f} s: "
                f"{self._outbox.durable + 1:,} frames are safe there"
            )

    def _give_up(self, reason: str) -> None:
        """The trial cannot go on: frames that are not safe count as lost on disk, as with a disk that fails."""
        if self._error or self._start is None:
            self._error = reason
            return
        self._error = reason
        self._hub.event("error", reason)
        self._outbox.give_up()
        self._report()
        if self._end is not None:
            self._finish_failed(self._start, self._end)

    def _finish_failed(self, start: Start, end: End) -> None:
        frames = min(self._outbox.durable + 1, end.frames)
        size = frames * self._ring.frame_bytes
        lost = end.frames - frames
        self._finish(Finished(start.series, self._theirs.recording, frames, size, lost, 0.0, self._error))

    def _finish(self, finished: Finished) -> None:
        """The recording is closed; the figures that the monitor shows last are those of the closed recording."""
        self._outbox.give_up()
        self._give_back()
        self._theirs = msgspec.structs.replace(
            self._theirs, frames=finished.frames, lost_disk=finished.lost_disk, queued=0
        )
        self._start = None
        self._report()
        self._hub.send(finished)
        self._frames.send(encode(finished))
        self._courier.look(now=True)

    def _report(self) -> None:
        """The storage machine's figures, with what only this side knows: what waits here, and the processor time."""
        self._reported_ns = time.monotonic_ns()
        used_s = time.process_time()
        theirs, outbox = self._theirs, self._outbox
        state, lost, queued = theirs.state, theirs.lost_disk, 0
        if self._start is not None:
            queued = outbox.waiting
            if self._error:
                state, lost = RecorderState.FAILED, max(outbox.told - outbox.durable - 1, 0)
            elif state is RecorderState.IDLE:
                state = RecorderState.RECORDING
        report = msgspec.structs.replace(
            theirs,
            state=state,
            lost_disk=lost,
            queued=queued,
            write_mb_s=theirs.write_mb_s if self._storage.welcome is not None else 0.0,
            cpu_s=used_s,
            trial_cpu_s=used_s - self._trial_began_cpu_s,
        )
        self._hub.send(RecorderReport(report))


def main() -> None:
    """Entry point of `python -m capture.remote.sender TASK`."""

    def work(task: bytes, hub: HubLink, stop: StopRequest) -> None:
        prefer_this_process(_NICENESS)
        keep_message_memory()
        process = SenderProcess(msgspec.json.decode(task, type=SenderTask), hub, stop)
        quiet_garbage_collector()
        process.run()

    run_process("recorder", work)


if __name__ == "__main__":
    main()
