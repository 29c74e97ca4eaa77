"""Between trials: the newest frames go into the ring for whoever looks, and none is recorded."""

from __future__ import annotations

from collections.abc import Callable

from capture.camera import Camera
from capture.processes.rate import RateMeter
from capture.ring import RingWriter


class Preview:
    """Shows what the running camera sees.

    Args:
        camera: Started.
        ring: Gets each frame; its slot is free again at once.
        meter: Gets each frame's time.
        free_slots: Called before a slot is taken, so that those of the trial before come back.
    """

    def __init__(self, camera: Camera, ring: RingWriter, meter: RateMeter, free_slots: Callable[[], None]) -> None:
        self._fetch = camera.fetch
        self._ring = ring
        self._meter = meter
        self._free_slots = free_slots
        self._count = 0

    def next_frame(self) -> int | None:
        """Show one frame; returns when it arrived (CLOCK_MONOTONIC, ns), or None when none came in time.

        Raises:
            CameraLost: The camera is gone.
        """
        delivery = self._fetch()
        if delivery is None:
            return None
        self._free_slots()
        ring = self._ring
        slot = ring.acquire()
        if slot is not None:
            ring.begin(slot)
            ring.pixels(slot)[:] = memoryview(delivery.pixels)[: ring.frame_bytes]
            ring.publish(slot, self._count, delivery.frame_id, delivery.device_ns, delivery.host_ns)
            ring.release(slot)
        delivery.requeue()
        self._count += 1
        self._meter.frame(delivery.device_ns or delivery.host_ns)
        return delivery.host_ns
