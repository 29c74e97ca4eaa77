"""One GenICam camera: opened, set up, started, fetched from. The camera process alone imports this.

The binding holds the interpreter lock while it waits for a frame, so nothing else should run where a camera does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType, TracebackType
from typing import Any, Self, final

from genicam import gentl

from capture.camera.configure import configure, what_limits
from capture.camera.device import DeviceIdentity, OpenDevice, open_device
from capture.camera.features import GENICAM_ERRORS, Features, reason
from capture.camera.ptp import PtpFeatures
from capture.camera.raw_fetch import Delivery, DeviceTime, RawFetch, check_layout, device_time_of, no_device_time, tell
from capture.clock import LatchBracket
from capture.errors import CameraLost, FeatureError
from capture.settings import FeatureValue, HardwareSettings

__all__ = ["Camera", "CameraDescription", "Delivery", "LatchBracket", "ProducerCounters"]

_SILENCE_NS = 300_000_000
"""After this long without a frame the camera is asked whether it is still there: a register read, 30 µs and up."""
_SAME_CLOCK_NS = 5_000_000_000
"""Frame timestamps further than this from the latched time come from another clock (a frame grabber's)."""

_LATCHES = (
    ("TimestampLatch", "TimestampLatchValue", None),
    ("GevTimestampControlLatch", "GevTimestampValue", "GevTimestampTickFrequency"),
)


@dataclass(frozen=True)
class CameraDescription(DeviceIdentity):
    """Who the camera is and what it was set to; goes into every recording."""

    simulated: bool = False
    """True where the producer makes the images up."""
    width_px: int = 0
    height_px: int = 0
    rate_asked_fps: float = 0.0
    rate_resulting_fps: float = 0.0
    """What the camera says it will deliver."""
    payload_bytes: int = 0
    """Size of one buffer; larger than the image where the producer reserves or appends."""
    ptp_status: str | None = None
    has_latch: bool = False
    """The camera can tell its time on request. Settled by the first frame, see `Camera.latch`."""
    has_timestamp: bool = False
    """Frames carry device time. Settled by the first frame."""

    __str__ = DeviceIdentity.__str__


@dataclass(frozen=True)
class ProducerCounters:
    """The GenTL producer's own counts; None where it keeps none."""

    delivered: int | None
    """Frames since `start`."""
    underrun: int | None
    """Frames since `start` that found no free buffer."""
    queued: int | None
    """Buffers free for the producer."""
    awaiting: int | None
    """Frames that wait to be fetched."""


@final
class Camera:
    """A camera that is ours until `close`. Use it as a context manager, from one thread.

    Once a camera is lost, every method but `stop` and `close` may raise `CameraLost`.
    """

    def __init__(self, device: OpenDevice, settings: HardwareSettings) -> None:
        self._device = device
        self._settings = settings
        self._acquirer = device.acquirer
        self._name = str(device.identity)
        self._features = Features(self._acquirer.remote_device.node_map, self._name)
        self._stream = self._acquirer.data_streams[0]
        self._raw: RawFetch | None = None
        self._incomplete: list[int] = []
        self._last_frame_ns = 0
        self._base = (0, 0)
        self._notes = settings.notes + device.notes
        self._latch_nodes = self._find_latch()
        self.ptp = PtpFeatures(self._features)
        """The camera's PTP features, whatever they are called."""
        self._description = CameraDescription(**vars(device.identity))

    @classmethod
    def open(cls, settings: HardwareSettings, overrides: Mapping[str, FeatureValue] = MappingProxyType({})) -> Camera:
        """Open the camera that the settings mean and set it up.

        Args:
            settings: What the hardware file says.
            overrides: Features to set on top of the file's, in order: `{"SimulationSource": "Stamped"}`.

        Raises:
            CameraNotFound: No producer, or no such camera; names what there is.
            CameraBusy: Another program holds it.
            CameraLost: It does not answer.
            FeatureError: A feature is missing, refused, or reads back differently.
            RateUnreachable: It cannot deliver the rate; names what it offers and what limits it.
        """
        device = open_device(settings)
        try:
            camera = cls(device, settings)
            camera._set_up(overrides)
        except BaseException:
            _close(device)
            raise
        return camera

    def _set_up(self, overrides: Mapping[str, FeatureValue]) -> None:
        resulting = configure(self._features, self._settings, overrides, self._name)
        self.ptp = PtpFeatures(self._features)
        payload_bytes = self._payload_bytes()
        if payload_bytes < self._settings.frame_bytes:
            raise FeatureError(
                f"{self._name}: its buffers hold {payload_bytes} bytes, one frame has {self._settings.frame_bytes}"
            )
        self._notes += resulting.notes
        self._description = replace(
            self._description,
            simulated=self._device.simulated,
            width_px=resulting.width_px,
            height_px=resulting.height_px,
            rate_asked_fps=self._settings.rate_fps,
            rate_resulting_fps=resulting.rate_fps,
            payload_bytes=payload_bytes,
            ptp_status=resulting.ptp_status,
            has_latch=self._latch_nodes is not None,
            has_timestamp=bool(tell(self._acquirer.device, "timestamp_frequency")),
        )

    @property
    def description(self) -> CameraDescription:
        """Who the camera is and what it came to."""
        return self._description

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know about the set-up, a line each."""
        return self._notes

    @property
    def features_set(self) -> dict[str, FeatureValue]:
        """What was asked of the camera, in the order in which it was set."""
        return dict(self._features.was_set)

    @property
    def features_read(self) -> dict[str, FeatureValue]:
        """What the camera read back, and a few features that nobody set."""
        return dict(self._features.was_read)

    def set(self, name: str, value: FeatureValue) -> FeatureValue:
        """Set one feature (`"command"` executes a command) and return what the camera read back.

        Raises:
            FeatureError: It is missing, refused, or reads back differently.
        """
        return self._features.apply(name, value)

    def get(self, name: str) -> FeatureValue:
        """Read one feature.

        Raises:
            FeatureError: It is missing or cannot be read.
        """
        return self._features.read(name)

    def start(self) -> None:
        """Begin acquisition; `counters` start anew.

        Raises:
            CameraLost: The camera or its producer refuses to start.
        """
        if self._raw is not None:
            raise RuntimeError("the camera is running already")
        self._incomplete = []
        before = (tell(self._stream, "num_delivered"), tell(self._stream, "num_underrun"))
        monitor = next(iter(self._acquirer._new_buffer_event_monitor_dict.values()))  # there is no public way to it
        try:
            self._acquirer.num_buffers = max(self._settings.gentl_buffers, self._acquirer.min_num_buffers)
            self._acquirer.start()
        except (*GENICAM_ERRORS, ValueError) as error:
            with suppress(*GENICAM_ERRORS):
                self._acquirer.stop()
            raise CameraLost(f"{self._name} does not start ({reason(error)})") from error
        # Some producers count from each start, some from opening the stream.
        now = (tell(self._stream, "num_delivered"), tell(self._stream, "num_underrun"))
        self._base = tuple(  # type: ignore[assignment]  # two in, two out
            was if was and current is not None and current >= was else 0
            for was, current in zip(before, now, strict=True)
        )
        self._raw = RawFetch(monitor, self._stream.module, self._learn)
        self._last_frame_ns = time.monotonic_ns()

    def fetch(self, timeout_s: float | None = None) -> Delivery | None:
        """The next complete frame; None when none came in time, or an incomplete one did (`take_incomplete`).

        Nothing else in this process runs while it waits.

        Args:
            timeout_s: Longest wait; that of the hardware file where left out.

        Raises:
            CameraLost: The camera is gone.
            FeatureError: The first frame shows another size than was set.
        """
        raw = self._raw
        if raw is None:
            raise RuntimeError("fetch before start")
        try:
            delivery = raw.fetch(self._settings.fetch_timeout_ms if timeout_s is None else round(timeout_s * 1000))
        except gentl.TimeoutException:
            self._ask_after_silence()
            return None
        except GENICAM_ERRORS as error:
            raise CameraLost(self._lost(reason(error))) from error
        if delivery is not None:
            self._last_frame_ns = delivery.host_ns
        return delivery

    def take_incomplete(self) -> list[int]:
        """Ids of the frames that arrived with pixels missing since the last call; their buffers went back."""
        if self._raw is not None:
            self._incomplete += self._raw.take_incomplete()
        taken, self._incomplete = self._incomplete, []
        return taken

    def answers(self) -> bool:
        """Whether the camera is still there."""
        try:
            self._ask()
        except (*GENICAM_ERRORS, FeatureError):
            return False
        return True

    def what_limits(self) -> str:
        """What keeps the camera below its rate as it is set now, for the operator."""
        try:
            return what_limits(self._features, self._settings)
        except (*GENICAM_ERRORS, FeatureError):
            return "it does not say why"

    def counters(self) -> ProducerCounters:
        """The producer's own counts since `start`."""
        delivered, underrun = tell(self._stream, "num_delivered"), tell(self._stream, "num_underrun")
        return ProducerCounters(
            delivered=None if delivered is None else delivered - self._base[0],
            underrun=None if underrun is None else underrun - self._base[1],
            queued=tell(self._stream, "num_queued"),
            awaiting=tell(self._stream, "num_awaiting_delivery"),
        )

    def latch(self) -> LatchBracket | None:
        """The camera's clock, bracketed by ours; None where it cannot tell, or frames carry another clock's time."""
        if self._latch_nodes is None:
            return None
        command, value, ns_per_tick = self._latch_nodes
        try:
            before_ns = time.monotonic_ns()
            command.execute(False)  # the binding takes it by position; verifying would widen the bracket
            after_ns = time.monotonic_ns()
            return LatchBracket(before_ns, round(value.value * ns_per_tick), after_ns)
        except GENICAM_ERRORS:
            return None

    def end_exposure(self) -> None:
        """Tell the camera to stop exposing; frames already on their way can still be fetched."""
        if self._raw is not None:
            with suppress(*GENICAM_ERRORS):
                self._acquirer.remote_device.node_map.AcquisitionStop.execute()

    def stop(self) -> None:
        """End acquisition and take the buffers back; does nothing when it is not running."""
        if self._raw is None:
            return
        self._raw.close()
        self._incomplete += self._raw.take_incomplete()
        self._raw = None
        # A camera that is gone answers each step of stopping with an error; `close` lets go of the rest.
        with suppress(*GENICAM_ERRORS):
            self._acquirer.stop()

    def close(self) -> None:
        """Stop and let go of the camera; may be called again, and never raises."""
        self.stop()
        self._latch_nodes = None
        self._features.release()
        _close(self._device)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _payload_bytes(self) -> int:
        try:
            if self._stream.defines_payload_size():
                return int(self._stream.payload_size)
        except GENICAM_ERRORS:
            pass
        return int(self._features.read("PayloadSize"))

    def _find_latch(self) -> tuple[Any, Any, float] | None:
        for command, value, frequency in _LATCHES:
            if self._features.writable(command) and self._features.exists(value):
                ticks = self._features.number(frequency) if frequency else 1e9
                if ticks:
                    return self._features.node(command), self._features.node(value), 1e9 / ticks
        return None

    def _learn(self, buffer: Any) -> DeviceTime:
        """Check the first frame, and find out how the producer tells when it was exposed."""
        check_layout(buffer, self._name, self._settings.width_px, self._settings.height_px)
        device_time = device_time_of(buffer, self._acquirer.device)
        if device_time is None:
            self._latch_nodes = None
        elif (bracket := self.latch()) and abs(bracket.device_ns - device_time(buffer)) > _SAME_CLOCK_NS:
            self._latch_nodes = None
            self._notes += ("frames carry the time of another clock than the camera's latch: the latch is not used",)
        self._description = replace(
            self._description, has_timestamp=device_time is not None, has_latch=self._latch_nodes is not None
        )
        return device_time or no_device_time

    def _ask_after_silence(self) -> None:
        """Some producers only time out when a cable is pulled; reading a register tells."""
        now = time.monotonic_ns()
        if now - self._last_frame_ns < _SILENCE_NS:
            return
        self._last_frame_ns = now
        try:
            self._ask()
        except GENICAM_ERRORS as error:
            raise CameraLost(self._lost(reason(error))) from error

    def _ask(self) -> None:
        self._features.node("Width").get_value(False, True)  # by position: not from the cache

    def _lost(self, why: str) -> str:
        return f"{self._name} stopped answering ({why}): check its power and its cables, then start again"


def _close(device: OpenDevice) -> None:
    # harvesters lets go in many steps, and each may fail once a camera is gone.
    with suppress(Exception):
        device.stack.close()
