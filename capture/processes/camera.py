"""The camera process: fetches frames, puts them into ring slots, tells the recorder. Nothing else runs here.

The genicam binding holds the interpreter lock while it waits for a frame, so whatever else lived in this process
would stop with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import uuid
from typing import Any

import google_crc32c
import msgspec
import numpy as np

from capture.camera import Camera, Delivery
from capture.camera.clock_watch import ClockWatch
from capture.errors import CameraLost
from capture.messages import (
    CameraReport,
    End,
    Image,
    Quit,
    Start,
    StartTrial,
    StopTrial,
    TrialEnded,
    TrialStarted,
)
from capture.processes.common import (
    REPORT_INTERVAL_NS,
    CameraTask,
    HubLink,
    StopRequest,
    prefer_this_process,
    quiet_garbage_collector,
    run_process,
)
from capture.processes.rate import RateMeter
from capture.processes.recorder_link import RecorderLink
from capture.processes.trial import Trial
from capture.ring import RingWriter
from capture.settings import HardwareSettings
from capture.statistics import CameraState, CameraStatistics, LossLedger

_NICENESS = -10
ANNOUNCE_AFTER_S = 0.032
"""Descriptors are sent together when this much time's worth of frames is there. A write of 16 frames costs the system
a third of 16 writes (see docs/decisions/0004-descriptors-travel-together.md)."""
_MAX_ANNOUNCED_TOGETHER = 16
_SECOND_NS = 1_000_000_000
_LAST_WORDS_S = 5.0
"""How long the process stays for a recorder that has not closed the recording yet."""


class CameraProcess:
    """The loop around one camera: preview between trials, and trials when the supervisor asks for them."""

    def __init__(self, task: CameraTask, hub: HubLink, stop: StopRequest, camera: Camera, ring: RingWriter) -> None:
        self._task = task
        self._hub = hub
        self._stop = stop
        self._camera = camera
        self._ring = ring
        self._rate_fps = float(task.settings["rate_fps"])
        together = min(round(self._rate_fps * ANNOUNCE_AFTER_S), _MAX_ANNOUNCED_TOGETHER, ring.slots // 4)
        self._announce_at = max(together, 1)
        self._to_recorder = RecorderLink(task.frames, ring)
        self._trial: Trial | None = None
        self._request: StartTrial | None = None
        self._state = CameraState.STARTING
        self._meter = RateMeter()
        self._clock = ClockWatch(camera)
        self._quit = False
        self._stop_reason: str | None = None
        self._last = Trial("", "", self._rate_fps)
        self._reported_ns = 0
        self._counted_ns = 0
        self._notes_told = 0
        self._trial_began_cpu_s = time.process_time()
        self._producer: tuple[int | None, int | None] = (None, None)
        self._stop_fill = task.stop_at_fill * ring.slots
        description = camera.description
        self._name = f"{description.vendor} {description.model} {description.serial_number}".strip()

    def run(self) -> None:
        """Work until told to quit, or until the camera is lost; a trial that runs then is ended first."""
        self._hub.hello("camera")
        try:
            while not self._quit:
                if self._request is not None:
                    self._run_trial(self._request)
                elif self._task.preview:
                    self._run_preview()
                else:
                    self._wait_for_orders()
            self._state = CameraState.STOPPED
        finally:
            self._report()
            self._to_recorder.close(_LAST_WORDS_S)

    def _wait_for_orders(self) -> None:
        """Nothing to do: no trial, and nobody looks."""
        self._state = CameraState.STOPPED if self._last.name else CameraState.STARTING
        self._hub.socket.poll(REPORT_INTERVAL_NS // 1_000_000)
        self._house_keeping(time.monotonic_ns())

    def _run_preview(self) -> None:
        """Keep the newest frames in the ring for whoever looks, recording none."""
        self._state = CameraState.PREVIEW
        self._meter.reset()
        self._camera.start()
        fetch, ring = self._camera.fetch, self._ring
        count = 0
        while self._request is None and not self._quit:
            delivery = fetch()
            if delivery is None:
                self._house_keeping(time.monotonic_ns())
                continue
            self._to_recorder.receive()
            slot = ring.acquire()
            if slot is not None:
                ring.begin(slot)
                ring.pixels(slot)[:] = memoryview(delivery.pixels)[: ring.frame_bytes]
                ring.publish(slot, count, delivery.frame_id, delivery.device_ns, delivery.host_ns)
                ring.release(slot)
            delivery.requeue()
            count += 1
            self._meter.frame(delivery.device_ns or delivery.host_ns)
            if delivery.host_ns - self._reported_ns >= REPORT_INTERVAL_NS:
                self._house_keeping(delivery.host_ns)
        self._camera.stop()

    def _run_trial(self, request: StartTrial) -> None:
        """Record one trial from the first frame to the `end` message."""
        trial = Trial(request.trial, uuid.uuid4().hex, self._rate_fps, request.max_frames, request.max_seconds)
        self._trial, self._last, self._request = trial, trial, None
        self._ring.reset_maximum()
        self._meter.reset()
        self._producer = (None, None)
        self._clock.begin()
        self._to_recorder.start(self._start_message(trial, request))
        self._hub.send(TrialStarted(trial.series, trial.name, time.monotonic_ns()))
        self._state = CameraState.RECORDING
        reason = "camera process failed"
        try:
            self._camera.start()
            self._trial_began_cpu_s = time.process_time()
            reason = self._record(trial)
            self._camera.end_exposure()
            self._drain(trial, keep=reason not in ("frames", "duration"))
        except CameraLost:
            reason = "camera lost"
            self._state = CameraState.LOST
            raise
        finally:
            self._end_trial(trial, reason)
        self._camera.stop()

    def _record(self, trial: Trial) -> str:
        """Take frames until something ends the trial; returns what did."""
        fetch = self._camera.fetch
        while True:
            delivery = fetch()
            if delivery is None:
                self._house_keeping(time.monotonic_ns())
            else:
                reason = trial.over(delivery.device_ns or delivery.host_ns, delivery.host_ns)
                if reason is not None:
                    trial.surplus += 1
                    delivery.requeue()
                    return reason
                self._take(trial, delivery)
                if delivery.host_ns - self._reported_ns >= REPORT_INTERVAL_NS:
                    self._house_keeping(delivery.host_ns)
                if self._ring.used >= self._stop_fill:
                    return "ring"
                if trial.frames == trial.max_frames:
                    return "frames"
            if self._stop_reason is not None:
                return self._stop_reason

    def _take(self, trial: Trial, delivery: Delivery) -> None:
        """Copy one frame into the ring, once, and give its buffer back to the camera."""
        for frame_id in self._camera.take_incomplete():
            trial.incomplete(frame_id)
        frame_id, device_ns, host_ns = delivery.frame_id, delivery.device_ns, delivery.host_ns
        time_ns = device_ns or host_ns
        trial.frame(frame_id, time_ns, host_ns)
        self._meter.frame(time_ns)
        ring = self._ring
        slot = ring.acquire()
        if slot is None:
            self._to_recorder.receive()
            slot = ring.acquire()
        if slot is None:
            trial.no_slot(frame_id)
            delivery.requeue()
            return
        pixels = np.frombuffer(delivery.pixels, np.uint8, ring.frame_bytes)
        # Before the copy: the checksum brings the frame into the cache, and the copy then finds it there.
        checksum = google_crc32c.value(pixels)
        ring.begin(slot)
        ring.pixels(slot)[:] = pixels.data
        ring.publish(slot, trial.frames, frame_id, device_ns, host_ns)
        delivery.requeue()
        self._to_recorder.add(Image(trial.series, trial.frames, frame_id, device_ns, host_ns, checksum, slot))
        trial.kept()
        self._clock.arrival(device_ns, host_ns)
        if self._to_recorder.unannounced >= self._announce_at:
            self._to_recorder.announce()
            self._to_recorder.receive()

    def _drain(self, trial: Trial, *, keep: bool) -> None:
        """Fetch what was exposed before the camera stopped; it is part of the trial, or surplus."""
        silence_ns = int(min(max(0.05, 1.5 / self._rate_fps), 1.0) * _SECOND_NS)
        last_ns = time.monotonic_ns()
        while time.monotonic_ns() - last_ns < silence_ns:
            delivery = self._camera.fetch()
            if delivery is None:
                continue
            last_ns = delivery.host_ns
            if keep:
                self._take(trial, delivery)
            else:
                trial.surplus += 1
                delivery.requeue()
        missing = self._camera.take_incomplete()
        if not keep:
            trial.surplus += len(missing)
            return
        for frame_id in missing:
            trial.incomplete(frame_id)

    def _end_trial(self, trial: Trial, reason: str) -> None:
        """Say what was counted, to the recorder and to the supervisor."""
        self._read_producer()
        statistics = trial.statistics()
        end = End(
            series=trial.series,
            frames=trial.frames,
            losses=statistics.losses,
            lost_ids=trial.lost_ids(),
            producer={"delivered": self._producer[0], "underrun": self._producer[1], "surplus": trial.surplus},
            clock=self._clock.finish(),
            reason=reason,
            host_ns=time.monotonic_ns(),
        )
        self._to_recorder.end(end)
        self._hub.send(TrialEnded(trial.name, end, statistics.seconds, trial.fps))
        self._trial = None
        self._stop_reason = None
        self._report()

    def _house_keeping(self, now_ns: int) -> None:
        """Everything that is due ten times a second, or once a second."""
        self._to_recorder.announce()
        self._to_recorder.receive()
        for message in self._hub.received():
            if isinstance(message, StartTrial) and self._trial is None:
                self._request = message
            elif isinstance(message, StopTrial):
                self._stop_reason = message.reason
            elif isinstance(message, Quit):
                self._quit = True
                self._stop_reason = self._stop_reason or "operator"
        if self._stop.requested:
            self._quit = True
            self._stop_reason = self._stop_reason or "signal"
        if self._trial is None:
            self._stop_reason = None
        if now_ns - self._counted_ns >= _SECOND_NS and self._state in (CameraState.PREVIEW, CameraState.RECORDING):
            self._counted_ns = now_ns
            self._read_producer()
            if self._trial is not None:
                self._clock.look()
        if now_ns - self._reported_ns >= REPORT_INTERVAL_NS:
            self._reported_ns = now_ns
            self._report()
            self._tell_notes()

    def _tell_notes(self) -> None:
        """What the camera object found worth knowing, once; some of it only the first frame shows."""
        notes = self._camera.notes
        for note in notes[self._notes_told :]:
            self._hub.event("warning", note)
        self._notes_told = len(notes)

    def _read_producer(self) -> None:
        """The producer's own counts; the last ones known where the camera no longer answers."""
        with contextlib.suppress(CameraLost):
            counters = self._camera.counters()
            self._producer = (counters.delivered, counters.underrun)

    def _report(self) -> None:
        trial = self._last
        statistics = trial.statistics()
        ring = self._ring.statistics()
        self._hub.send(
            CameraReport(
                CameraStatistics(
                    state=self._state,
                    camera=self._name,
                    simulated=self._camera.description.simulated,
                    rate_asked_fps=self._rate_fps,
                    rate_measured_fps=self._meter.fps,
                    frames=statistics.frames,
                    losses=LossLedger(
                        camera=statistics.losses.camera,
                        incomplete=statistics.losses.incomplete,
                        ring=statistics.losses.ring,
                    ),
                    last_frame_id=statistics.last_frame_id,
                    ring_slots=ring.slots,
                    ring_used=ring.used,
                    ring_used_max=ring.used_max,
                    producer_delivered=self._producer[0],
                    producer_underrun=self._producer[1],
                    clock_source=self._clock.source,
                    clock_residual_ns=self._clock.residual_ns,
                    cpu_s=time.process_time(),
                    trial_cpu_s=time.process_time() - self._trial_began_cpu_s,
                )
            )
        )

    def _start_message(self, trial: Trial, request: StartTrial) -> Start:
        described = self._described()
        return Start(
            series=trial.series,
            session=request.session,
            trial=trial.name,
            path=request.path,
            height_px=self._ring.height_px,
            width_px=self._ring.width_px,
            rate_fps=self._rate_fps,
            host_ns=time.monotonic_ns(),
            attributes=described,
            published=self._ring.published,
        )

    def _described(self) -> dict[str, Any]:
        return {
            "camera": dataclasses.asdict(self._camera.description),
            "features": {"set": dict(self._camera.features_set), "read": dict(self._camera.features_read)},
        }


def main() -> None:
    """Entry point of `python -m capture.processes.camera TASK`."""

    def work(task_json: bytes, hub: HubLink, stop: StopRequest) -> None:
        prefer_this_process(_NICENESS)
        task = msgspec.json.decode(task_json, type=CameraTask)
        settings = HardwareSettings.model_validate(task.settings)
        with Camera.open(settings, task.overrides) as camera:
            # harvesters installs a SIGINT handler of its own; Ctrl-C is the supervisor's business.
            stop.install()
            process = CameraProcess(task, hub, stop, camera, RingWriter(task.ring_fd, populate=True))
            quiet_garbage_collector()
            process.run()

    run_process("camera", work)


if __name__ == "__main__":
    main()
