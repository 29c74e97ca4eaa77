"""The way of one frame: from the camera's buffer into a ring slot, counted, and told to the recorder."""

from __future__ import annotations

import time

import google_crc32c
import numpy as np

from capture.camera import Camera, Delivery
from capture.camera.clock_watch import ClockWatch
from capture.errors import CameraLost
from capture.messages import Image
from capture.processes.rate import RateMeter
from capture.processes.recorder_link import RecorderLink
from capture.processes.trial import Trial
from capture.ring import RingWriter

ANNOUNCE_AFTER_S = 0.032
"""Descriptors of this much time are sent together (see docs/decisions/0004-descriptors-travel-together.md)."""
_MAX_ANNOUNCED_TOGETHER = 16
_SECOND_NS = 1_000_000_000


class Intake:
    """Takes frames of trials; the camera may be another one after each outage, the rest stays."""

    def __init__(
        self, ring: RingWriter, to_recorder: RecorderLink, meter: RateMeter, clock: ClockWatch, rate_fps: float
    ) -> None:
        self._ring = ring
        self._to_recorder = to_recorder
        self._meter = meter
        self._clock = clock
        self._rate_fps = rate_fps
        together = min(round(rate_fps * ANNOUNCE_AFTER_S), _MAX_ANNOUNCED_TOGETHER, ring.slots // 4)
        self._announce_at = max(together, 1)

    def take(self, trial: Trial, delivery: Delivery) -> None:
        """Copy one frame into the ring, once, and give its buffer back to the camera."""
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

    @staticmethod
    def take_incomplete(trial: Trial, camera: Camera) -> None:
        """Count frames that arrived with pixels missing."""
        for frame_id in camera.take_incomplete():
            trial.incomplete(frame_id, time.monotonic_ns())

    def drain(self, trial: Trial, camera: Camera, *, keep: bool) -> None:
        """Fetch what was exposed before the camera stopped; it is part of the trial, or surplus."""
        silence_ns = int(min(max(0.05, 1.5 / self._rate_fps), 1.0) * _SECOND_NS)
        last_ns = time.monotonic_ns()
        while time.monotonic_ns() - last_ns < silence_ns:
            try:
                delivery = camera.fetch()
            except CameraLost:
                break  # the trial is over, and what had arrived is taken
            if delivery is None:
                if keep:
                    self.take_incomplete(trial, camera)
                continue
            last_ns = delivery.host_ns
            if keep:
                self.take(trial, delivery)
            else:
                trial.surplus += 1
                delivery.requeue()
        if keep:
            self.take_incomplete(trial, camera)
        else:
            trial.surplus += len(camera.take_incomplete())
