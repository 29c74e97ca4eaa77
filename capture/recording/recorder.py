"""The recorder: takes frames from ring slots to the disk and gives the slots back."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from capture.errors import CaptureError
from capture.messages import End, Finished, Image, Release, Start
from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.writer import RecordingWriter, written_before
from capture.ring import RingReader
from capture.statistics import RecorderState, RecorderStatistics
from capture.version import software

FLUSH_INTERVAL_S = 0.032
"""Frames become readable in the recording at least this often, and only then are their slots given back: what a kill
of the recorder takes is still in the ring, and a kill of everything costs this and what was on its way."""
_MAX_RUN = 16
"""Frames handed to the disk in one call: beyond four the disk gains nothing, and slots come back later."""
_RATE_WINDOW_S = 1.0
_RING_SHARE = 4


class Recorder:
    """Writes one trial after the other. Knows nothing of sockets: it is told, and returns what is to be said.

    Frames that cannot be written are counted with their ids and their slots are given back, so that a failing disk
    never stops the camera; the trial is then ended by whoever reads `statistics()`.
    """

    def __init__(self, ring: RingReader, folder: Path) -> None:
        self._ring = ring
        self._folder = folder
        self._state = RecorderState.IDLE
        self._start: Start | None = None
        self._writer: RecordingWriter | None = None
        self._frames = 0
        self._bytes = 0
        self._durable = -1
        self._room = (0, 0)
        self._direct = True
        self._lost_ids: list[int] = []
        self._held: list[tuple[int, int]] = []
        self._resumed_at = 0
        self._error = ""
        self._rate_mark = (time.monotonic(), 0)
        self._write_mb_s = 0.0
        self._started = 0.0
        self._trial_began_cpu_s = time.process_time()

    def start(self, message: Start) -> list[str]:
        """Open the recording of a trial, or go on with it where a recorder before this one died.

        Returns:
            What the operator should know, a line each.
        """
        self._start = message
        self._frames = self._bytes = self._resumed_at = 0
        self._durable = -1
        self._lost_ids = []
        self._held = []
        self._error = ""
        self._folder = Path(message.path).parent
        self._started = time.monotonic()
        self._trial_began_cpu_s = time.process_time()
        self._rate_mark = (self._started, 0)
        self._state = RecorderState.RECORDING
        geometry = ShardGeometry(message.height_px, message.width_px)
        path = Path(message.path)
        # A small ring must not run dry of slots while frames wait to become safe.
        flush_frames = min(round(message.rate_fps * FLUSH_INTERVAL_S), self._ring.slots // _RING_SHARE)
        remarks = []
        try:
            before = written_before(path, message.series)
            if before is not None and before[0] == "complete":
                # The recorder before this one closed the recording and died before it could say so.
                self._frames = self._resumed_at = before[1]
                self._bytes = before[1] * geometry.frame_bytes
                self._durable = before[1] - 1
                return ["the recording was closed already"]
            if before is not None:
                self._writer = RecordingWriter.resume(path, geometry, flush_frames=flush_frames)
                self._note_progress(self._writer)
                remarks.append(f"the recording goes on behind its {self._frames:,} frames")
            else:
                attributes = self._attributes(message, "recording")
                self._writer = RecordingWriter(path, geometry, flush_frames=flush_frames, attributes=attributes)
        except (CaptureError, OSError) as error:
            self._fail(error)
            return remarks
        self._direct = self._writer.statistics().direct_io
        if not self._direct:
            remarks.append(
                f"{self._folder} has no O_DIRECT: writing through the page cache, expect stalls at high rates"
            )
        return remarks

    def write(self, images: Sequence[Image]) -> Release:
        """Write these frames, in this order; returns the slots of all frames that are safe by now.

        Frames of another trial, and those that a recorder before this one made safe, are not written again.
        """
        start = self._start
        if start is None:
            return Release([], self._durable)
        done = [image.slot for image in images if image.series == start.series and image.seq < self._resumed_at]
        fresh = [image for image in images if image.series == start.series and image.seq >= self._resumed_at]
        for run in _runs(fresh, self._ring.slots):
            self._write_run(run)
        return self._safe(done)

    def settle(self) -> Release:
        """Make all frames written so far safe, for when no more come for a while; returns their slots."""
        if self._writer is not None and self._state is RecorderState.RECORDING:
            try:
                self._writer.flush()
            except (CaptureError, OSError) as error:
                self._fail(error)
            self._note_progress(self._writer)
        return self._safe([])

    def end(self, message: End, damaged_ids: Sequence[int] = ()) -> Finished:
        """Close the recording with the ledger of the whole trial.

        Args:
            message: What the camera process counted.
            damaged_ids: Frames that reached the recorder with other pixels than the camera process had.
        """
        start, writer = self._start, self._writer
        if start is None:
            raise CaptureError("an end without a start")
        if writer is not None:
            try:
                writer.flush()
            except (CaptureError, OSError) as error:
                self._lost_ids[:0] = writer.drop_unflushed()
                self._fail(error)
            self._note_progress(writer)
            attributes = self._attributes(start, "complete")
            attributes["frames"] = self._frames
            attributes["clock"] = message.clock
            attributes["ledger"] = {
                "end": msgspec.to_builtins(message),
                "recorder": {
                    "frames": self._frames,
                    "lost_disk": len(self._lost_ids),
                    "lost_ids": self._lost_ids[:1000],
                    **({"damaged_ids": list(damaged_ids)} if damaged_ids else {}),
                },
            }
            try:
                writer.close(attributes)
            except (CaptureError, OSError) as error:
                self._fail(error)
        seconds = time.monotonic() - self._started
        self._writer = None
        self._start = None
        failed = self._state is RecorderState.FAILED
        if not failed:
            self._state = RecorderState.IDLE
        return Finished(
            series=start.series,
            path=start.path,
            frames=self._frames,
            bytes=self._bytes,
            lost_disk=len(self._lost_ids),
            write_mb_s=self._bytes / 1e6 / seconds if seconds > 0 else 0.0,
            error=self._error,
        )

    @property
    def resumed_at(self) -> int:
        """Frames of this trial that an earlier recorder had made safe; those are not needed again."""
        return self._resumed_at

    @property
    def told(self) -> int:
        """Frames of this trial that came, to this recorder and to those before it: the place of the next one."""
        return self._frames + len(self._lost_ids)

    @property
    def durable(self) -> int:
        """The last frame of this trial that would survive a crash; -1 before the first."""
        return self._durable

    @property
    def recording(self) -> Start | None:
        """The trial being written, if any."""
        return self._start

    def statistics(self) -> RecorderStatistics:
        """Figures of the recorder; the write rate covers the time since the last call that was a second ago."""
        now = time.monotonic()
        mark, mark_bytes = self._rate_mark
        if now - mark >= _RATE_WINDOW_S:
            self._write_mb_s = (self._bytes - mark_bytes) / 1e6 / (now - mark)
            self._rate_mark = (now, self._bytes)
        # A share that does not answer for a moment must not end the recorder.
        with contextlib.suppress(OSError):
            disk = os.statvfs(self._folder)
            self._room = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)
        used_cpu_s = time.process_time()
        return RecorderStatistics(
            state=self._state,
            recording=self._start.path if self._start else "",
            frames=self._frames,
            bytes=self._bytes,
            lost_disk=len(self._lost_ids),
            queued=self._waiting(),
            write_mb_s=self._write_mb_s,
            disk_free_bytes=self._room[0],
            disk_total_bytes=self._room[1],
            direct_io=self._direct,
            last_durable=self._durable,
            cpu_s=used_cpu_s,
            trial_cpu_s=used_cpu_s - self._trial_began_cpu_s,
        )

    def _waiting(self) -> int:
        """Frames of the trial that are in the ring and neither on disk nor given up."""
        if self._start is None:
            return 0
        return max(self._ring.published - self._start.published - self._frames - len(self._lost_ids), 0)

    def _write_run(self, run: Sequence[Image]) -> None:
        self._held.extend((image.slot, image.seq) for image in run)
        writer = self._writer
        if writer is None and self._state is RecorderState.RECORDING:
            self._fail(CaptureError("frames came for a recording that was closed already"))
        if writer is None or self._state is RecorderState.FAILED:
            self._lost_ids.extend(image.frame_id for image in run)
            return
        before = writer.statistics().frames
        try:
            writer.append(
                self._ring.span(run[0].slot, len(run)),
                {
                    "frame_id": [image.frame_id for image in run],
                    "device_ns": [image.device_ns for image in run],
                    "host_ns": [image.host_ns for image in run],
                    "crc32c": [image.crc32c for image in run],
                },
            )
            if writer.flush_due:
                writer.flush()
        except (CaptureError, OSError) as error:
            written = writer.statistics().frames - before
            self._lost_ids.extend(image.frame_id for image in run[written:])
            self._fail(error)
        self._note_progress(writer)

    def _safe(self, slots: list[int]) -> Release:
        """`slots` and those of frames that are durable; of all frames once the disk has failed."""
        failed = self._state is RecorderState.FAILED
        count = next(
            (i for i, (_, seq) in enumerate(self._held) if seq > self._durable and not failed), len(self._held)
        )
        slots.extend(slot for slot, _ in self._held[:count])
        del self._held[:count]
        return Release(slots, self._durable)

    def _note_progress(self, writer: RecordingWriter) -> None:
        statistics = writer.statistics()
        self._frames = statistics.frames
        self._bytes = statistics.bytes
        self._durable = statistics.last_durable
        self._resumed_at = statistics.resumed_at

    def _fail(self, error: Exception) -> None:
        self._state = RecorderState.FAILED
        self._error = self._error or str(error)

    @property
    def error(self) -> str:
        """What went wrong in this trial, or nothing."""
        return self._error

    def _attributes(self, start: Start, state: str) -> dict[str, object]:
        return {
            "format": FORMAT_VERSION,
            "software": software(),
            "state": state,
            "session": start.session,
            "trial": start.trial,
            "series": start.series,
            "rate_fps": start.rate_fps,
            "height_px": start.height_px,
            "width_px": start.width_px,
            "started_host_ns": start.host_ns,
            **start.attributes,
        }


def _runs(images: Sequence[Image], slots: int) -> Iterator[Sequence[Image]]:
    """Cut `images` where the next slot does not lie behind the one before, and at the longest run."""
    begin = 0
    for i, (one, two) in enumerate(pairwise(images), start=1):
        if two.slot != one.slot + 1 or i - begin >= _MAX_RUN or two.slot >= slots:
            yield images[begin:i]
            begin = i
    if images:
        yield images[begin:]
