"""The hot path of the camera process: frames from a GenTL producer with as little Python between as there can be."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, final

from capture.camera.features import GENICAM_ERRORS
from capture.errors import FeatureError

DeviceTime = Callable[[Any], int]
"""From a genicam buffer to the time of exposure on the camera's clock, in nanoseconds."""

_LATEST_NS = 2**63 - 1


@final
class Delivery:
    """One complete frame in the producer's buffer; the buffer is ours until `requeue`."""

    __slots__ = ("_buffer", "_give_back", "device_ns", "frame_id", "host_ns", "pixels")

    frame_id: int
    """The producer's count of frames, lost ones included."""
    device_ns: int
    """Time of exposure on the camera's clock; 0 where it tells none."""
    host_ns: int
    """CLOCK_MONOTONIC right after the producer reported the frame."""
    pixels: bytes
    """The buffer itself, not a copy: width * height bytes of image, then whatever the producer appends."""

    def requeue(self) -> None:
        """Give the buffer back to the producer; `pixels` must not be used afterwards."""
        self._give_back(self._buffer, False)  # False: do not fill it with zeros first

    def __init__(self, buffer: Any, host_ns: int, device_time: DeviceTime, give_back: Callable[..., Any]) -> None:
        self.host_ns = host_ns
        self.frame_id = buffer.frame_id
        taken_ns = device_time(buffer)
        # A clock that was set below zero tells no time that can be reckoned with.
        self.device_ns = taken_ns if taken_ns <= _LATEST_NS else 0
        self.pixels = buffer.raw_buffer
        self._buffer = buffer
        self._give_back = give_back


class RawFetch:
    """Fetches with the event manager and the data stream that harvesters made, without harvesters' own layers.

    harvesters' `fetch` keeps statistics and polls its clock; worse, giving a buffer back in its default way fills it
    with zeros (benchmarks/camera_fetch.py measures both). What a producer can tell of a frame is found out with the
    first one and not asked again.
    """

    def __init__(self, monitor: Any, stream: Any, on_first: Callable[[Any], DeviceTime]) -> None:
        self._monitor = monitor
        self._wait = monitor.update_event_data
        self._queue = stream.queue_buffer
        self._on_first = on_first
        self._device_time: DeviceTime | None = None
        self._incomplete: list[int] = []

    def fetch(self, timeout_ms: int) -> Delivery | None:
        """The next frame, or None when an incomplete one came instead.

        Raises:
            genicam.gentl.TimeoutException: Nothing came in time.
            genicam.gentl.GenericException: The device is gone.
        """
        self._wait(timeout_ms)
        host_ns = time.monotonic_ns()
        buffer = self._monitor.buffer
        if not buffer.is_complete():
            self._incomplete.append(tell(buffer, "frame_id") or 0)
            self._queue(buffer, False)
            return None
        if self._device_time is None:
            self._device_time = self._on_first(buffer)
        return Delivery(buffer, host_ns, self._device_time, self._give_back)

    def _give_back(self, buffer: Any, clear: bool) -> None:
        self._queue(buffer, clear)

    def take_incomplete(self) -> list[int]:
        """Ids of incomplete frames since the last call."""
        taken, self._incomplete = self._incomplete, []
        return taken

    def close(self) -> None:
        """From now on buffers that come back are let go: the producer no longer knows them."""
        self._queue = _let_go


def _let_go(*_: object) -> None:
    pass


def tell(module: Any, name: str) -> int | None:
    """A number that a GenTL module may or may not know."""
    try:
        return int(getattr(module, name))
    except GENICAM_ERRORS:
        return None


def check_layout(buffer: Any, camera: str, width_px: int, height_px: int) -> None:
    """Compare what the producer says of a frame with the size that was set.

    Raises:
        FeatureError: Another size, gaps between the lines, or something in front of the image.
    """
    told = (tell(buffer, "width") or width_px, tell(buffer, "height") or height_px)
    gaps = (tell(buffer, "padding_x") or 0) + (tell(buffer, "image_offset") or 0)
    if told != (width_px, height_px) or gaps or buffer.size < width_px * height_px:
        raise FeatureError(
            f"{camera} sends {buffer.size} bytes with {told[0]}x{told[1]} pixels and {gaps} bytes in front of lines or "
            f"image, not {width_px}x{height_px} pixels and nothing else: set its pixel format and size in the hardware "
            "file"
        )


def device_time_of(buffer: Any, device: Any) -> DeviceTime | None:
    """How frames of this producer tell the time of exposure; None where they do not.

    Producers of GenTL 1.5 and later know nanoseconds, older ones ticks of a frequency that the device tells.
    """
    if tell(buffer, "timestamp_ns"):
        return _nanoseconds
    ticks_per_s = tell(device, "timestamp_frequency")
    if ticks_per_s and tell(buffer, "timestamp"):
        return lambda later: int(later.timestamp) * 1_000_000_000 // ticks_per_s
    return None


def no_device_time(_: Any) -> int:
    """For producers that tell no time."""
    return 0


def _nanoseconds(buffer: Any) -> int:
    return buffer.timestamp_ns  # type: ignore[no-any-return]  # the binding is untyped, and int() would cost here
