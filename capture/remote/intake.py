"""What the storage machine does with one capture: frames into a ring, checked, and from there to the disk.

Knows nothing of sockets: it is told, and returns what is to be said.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import google_crc32c
import msgspec
import numpy as np

from capture.errors import CaptureError
from capture.messages import End, Event, Finished, Image, RecorderReport, Start
from capture.recording.recorder import Recorder
from capture.remote.session_copy import SessionStore
from capture.remote.wire import Acknowledge, FromStorage, Refused, Resume, SessionFile, SessionOpen, Stored, printable
from capture.ring import RingReader, RingWriter
from capture.statistics import LossLedger, RecorderState, RecorderStatistics

MOST_WINDOW = 64
FEWEST_WINDOW = 16
_WINDOW_BYTES = 256 * 2**20
"""Memory for frames that arrived and are not safe yet, as far as the fewest frames allow."""
_BATCH = 8
"""Frames written together: beyond four the disk gains nothing."""
_BATCH_AGE_S = 0.02
"""Longest that a frame waits for others to be written with it."""
_NAMED_DAMAGE = 1000

Says = list[FromStorage]


@dataclass(frozen=True)
class ReceivedTrial:
    """One trial that was received, for the operator and for `--json`."""

    session: str
    trial: str
    recording: str
    host: str
    frames: int
    bytes: int
    lost_disk: int
    damaged: int
    """Frames that arrived with other pixels than the camera process had, twice."""
    resumed: int
    """Times that the link, or one of the programs, came back in the middle."""
    seconds: float
    write_mb_s: float
    cpu_ms_per_frame: float
    error: str


class _Trial:
    """The trial being received."""

    def __init__(self, start: Start, ring: RingWriter, recorder: Recorder) -> None:
        self.start = start
        self.ring = ring
        self.recorder = recorder
        self.expected = recorder.resumed_at
        """The next frame, by its place in the recording."""
        self.batch: list[Image] = []
        """Frames in the ring that the recorder has not been given."""
        self.batch_since = 0.0
        self.asked_again = -1
        """A frame that arrived damaged and was asked for once more."""
        self.rewinding = False
        """Whether it has not come yet."""
        self.damaged: list[int] = []
        self.resumed = int(recorder.resumed_at > 0)
        self.began = time.monotonic()
        self.cpu_s = time.process_time()

    @property
    def next_slot(self) -> int:
        """Where the next frame goes.

        Raises:
            CaptureError: There is no room: the peer sends more than it was granted.
        """
        slot = self.ring.acquire()
        if slot is None:
            raise CaptureError("it sends more frames than it was granted")
        return slot

    def resume(self) -> Resume:
        """From where on frames are to be sent."""
        return Resume(self.start.series, self.expected, self.ring.slots)

    def acknowledge(self) -> Acknowledge:
        """What need not be kept any more."""
        return Acknowledge(self.start.series, self.expected - self.ring.used, self.recorder.durable)


class Intake:
    """Receives what one capture machine sends: one session at a time, one trial after the other.

    A frame is in one place at a time: in a slot that `slot_for` names until `arrived` takes it, then with the recorder
    until that says that it is safe.
    """

    def __init__(self, out: Path, host: str) -> None:
        self._out = out
        self._host = host
        self._session: SessionStore | None = None
        self._places: tuple[RingWriter, Recorder] | None = None
        self._trial: _Trial | None = None
        self._last: Finished | None = None
        self._abandoned = ""
        self._told_failure = False
        self.stopping = ""
        """Why trials are to be ended from here, if they are."""
        self.finished: list[ReceivedTrial] = []
        """Trials since the last look; whoever looks empties it."""

    @property
    def trial(self) -> Start | None:
        """The trial that is open, if any."""
        return self._trial.start if self._trial is not None else None

    def open_session(self, message: SessionOpen) -> Says:
        """A session begins, or goes on after the link was cut."""
        if self._session is None or self._session.path.name != message.session:
            if self._trial is not None:
                return [Refused(f"{self._trial.start.trial} of another session is open")]
            self._session = SessionStore(self._out, message.session)
        try:
            self._session.open(message.record, message.folder)
        except CaptureError as error:
            self._session = None
            return [Refused(str(error))]
        return []

    def store(self, piece: SessionFile) -> Says:
        """A piece of a small file."""
        if self._session is None:
            return [Stored(piece.name, piece.offset, "no session is open")]
        return [self._session.store(piece)]

    def settle_session(self) -> None:
        """The small files are all there."""
        if self._session is not None:
            self._session.settle()

    def start(self, message: Start) -> Says:
        """A trial begins, or goes on after the link was cut, or after one of the two programs was started anew."""
        if self._session is None or self._session.path.name != message.session:
            return [Refused("a trial without its session")]
        if self._trial is not None and self._trial.start.series == message.series:
            self._trial.resumed += 1
            self._trial.rewinding = False
            return [self._trial.resume(), self._trial.acknowledge()]
        if self._trial is not None:
            self.abandon("the capture machine gave it up")
        if message.series == self._abandoned:
            return [Refused(f"{message.trial} was closed here after too long a silence")]
        if self._last is not None and self._last.series == message.series:
            # It was closed, and the word of it was lost on the way: the end is asked for again.
            told = self._last.frames + self._last.lost_disk
            return [
                Resume(message.series, told, MOST_WINDOW),
                Acknowledge(message.series, told, self._last.frames - 1),
            ]
        path = self._session.path / "recordings" / f"{message.trial}.zarr"
        try:
            ring, recorder = self._places_for(message, path.parent)
        except (CaptureError, OSError) as error:
            return [Refused(str(error))]
        start = msgspec.structs.replace(message, path=str(path), published=ring.published)
        remarks = recorder.start(start)
        self._told_failure = False
        self._trial = trial = _Trial(start, ring, recorder)
        return [*(_event("warning", remark) for remark in remarks), trial.resume(), trial.acknowledge()]

    def slot_for(self, image: Image) -> memoryview | None:
        """Where the pixels of this frame go, or None where they are not wanted: twice, or out of turn.

        Raises:
            CaptureError: The peer sends more than it was granted.
        """
        trial = self._trial
        if trial is None or image.series != trial.start.series or image.seq != trial.expected:
            return None
        return trial.ring.pixels(trial.next_slot)

    def arrived(self, image: Image) -> Says:
        """The pixels of this frame are in the place that `slot_for` gave for it."""
        trial = self._trial
        if trial is None:
            return []
        slot = trial.next_slot
        says: Says = []
        pixels = np.frombuffer(trial.ring.pixels(slot), np.uint8)
        if google_crc32c.value(pixels) != image.crc32c:
            if trial.asked_again != image.seq:
                trial.asked_again, trial.rewinding = image.seq, True
                return [*self.write(), trial.resume()]
            # The second time it is not the way here that damages it. Kept as it is: `verify` names it as well.
            trial.damaged.append(image.frame_id)
            if len(trial.damaged) <= _NAMED_DAMAGE:
                text = (
                    f"frame {image.frame_id} of {trial.start.trial} arrived with damaged pixels, twice: kept as it is"
                )
                says.append(_event("error", text))
        trial.rewinding = False
        trial.ring.begin(slot)
        trial.ring.publish(slot, image.seq, image.frame_id, image.device_ns, image.host_ns)
        trial.expected += 1
        if not trial.batch:
            trial.batch_since = time.monotonic()
        trial.batch.append(msgspec.structs.replace(image, slot=slot))
        if len(trial.batch) >= _BATCH:
            says += self.write()
        return says

    @property
    def write_due(self) -> bool:
        """Whether frames have waited long enough for others."""
        trial = self._trial
        return bool(trial and trial.batch and time.monotonic() - trial.batch_since >= _BATCH_AGE_S)

    def write(self, *, settle: bool = False) -> Says:
        """Write what has arrived; with `settle` also make it safe, for when no more comes for a while."""
        trial = self._trial
        if trial is None:
            return []
        batch, trial.batch = trial.batch, []
        slots = trial.recorder.write(batch).slots if batch else []
        if settle:
            slots += trial.recorder.settle().slots
        for slot in slots:
            trial.ring.release(slot)
        says: Says = [trial.acknowledge()] if slots else []
        if trial.recorder.error and not self._told_failure:
            self._told_failure = True
            says.append(_event("error", trial.recorder.error))
        return says

    def end(self, message: End) -> Says:
        """The trial ends; nothing is done while frames before that are still asked for."""
        trial = self._trial
        if trial is None:
            return [self._last] if self._last is not None and self._last.series == message.series else []
        if trial.rewinding or message.series != trial.start.series:
            return []
        says = self.write(settle=True)
        return [*says, *self._close(trial, message)]

    def abandon(self, reason: str) -> Says:
        """Close the open trial without the capture machine's word on it."""
        trial = self._trial
        if trial is None:
            return []
        self.write(settle=True)
        self._abandoned = trial.start.series
        end = End(trial.start.series, trial.expected, LossLedger(), {}, {}, {"source": "none"}, reason, exact=False)
        return self._close(trial, end)

    def close(self) -> None:
        """The capture machine has gone: let go of the ring's memory, and of files that are half there."""
        if self._session is not None:
            self._session.close()
        self._drop_places()

    def _drop_places(self) -> None:
        if self._places is not None:
            os.close(self._places[0].fd)
            self._places = None

    def statistics(self) -> RecorderStatistics:
        """Figures of the recorder here; with nothing recorded yet, of the disk alone."""
        if self._places is not None:
            return self._places[1].statistics()
        disk = os.statvfs(self._out)
        return RecorderStatistics(
            state=RecorderState.IDLE,
            disk_free_bytes=disk.f_bavail * disk.f_frsize,
            disk_total_bytes=disk.f_blocks * disk.f_frsize,
        )

    def report(self) -> RecorderReport:
        """What the capture machine's monitor shows; a recorder that has failed has the trial ended there."""
        statistics = self.statistics()
        if self.stopping and self._trial is not None:
            statistics = msgspec.structs.replace(statistics, state=RecorderState.FAILED)
        return RecorderReport(statistics)

    def _close(self, trial: _Trial, end: End) -> Says:
        finished = trial.recorder.end(end, damaged_ids=trial.damaged[:_NAMED_DAMAGE])
        finished = msgspec.structs.replace(finished, error=finished.error or self.stopping)
        used_s = time.process_time() - trial.cpu_s
        self._trial = None
        self._last = finished
        self.finished.append(
            ReceivedTrial(
                session=trial.start.session,
                trial=trial.start.trial,
                recording=finished.path,
                host=self._host,
                frames=finished.frames,
                bytes=finished.bytes,
                lost_disk=finished.lost_disk,
                damaged=len(trial.damaged),
                resumed=trial.resumed,
                seconds=time.monotonic() - trial.began,
                write_mb_s=finished.write_mb_s,
                cpu_ms_per_frame=used_s * 1e3 / max(finished.frames, 1),
                error=finished.error or ("" if end.exact else printable(end.reason)),
            )
        )
        return [self.report(), finished]

    def _places_for(self, start: Start, folder: Path) -> tuple[RingWriter, Recorder]:
        """A ring for frames of this size and the recorder that empties it; those there are, where they fit."""
        size = (start.height_px, start.width_px)
        if self._places is not None and (self._places[0].height_px, self._places[0].width_px) == size:
            return self._places
        slots = max(FEWEST_WINDOW, min(MOST_WINDOW, _WINDOW_BYTES // (start.height_px * start.width_px)))
        ring = RingWriter.create(slots=slots, height_px=start.height_px, width_px=start.width_px)
        self._drop_places()
        self._places = ring, Recorder(RingReader(ring.fd), folder)
        return self._places


def _event(level: Literal["info", "warning", "error"], text: str) -> Event:
    return Event(time.monotonic_ns(), level, "storage", text)
