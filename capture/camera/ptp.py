"""How well a camera's clock follows its network's (IEEE 1588): read now and then, told when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from capture.camera.features import Features
from capture.errors import CaptureError

_READ_EVERY_NS = 5_000_000_000
_MAX_READINGS = 2_000
_FOLLOWING = ("Slave", "Master")
"""States in which a clock has the network's time; a master gives it."""

# Names of the SFNC, then those of cameras from before it named them.
_NAMES = (
    ("PtpEnable", "PtpStatus", "PtpServoStatus", "PtpOffsetFromMaster", "PtpDataSetLatch"),
    (
        "GevIEEE1588",
        "GevIEEE1588Status",
        "GevIEEE1588ServoStatus",
        "GevIEEE1588OffsetFromMaster",
        "GevIEEE1588DataSetLatch",
    ),
)


@dataclass(frozen=True)
class PtpReading:
    """What a camera said of its PTP clock at one moment; None where it does not say."""

    host_ns: int
    status: str | None
    servo: str | None
    offset_ns: int | None
    """Device time less the master's."""

    @property
    def synchronised(self) -> bool:
        """Whether the clock follows its master, as far as the camera says."""
        return self.status in _FOLLOWING and self.servo in (None, "Locked")

    @property
    def words(self) -> str:
        """`Slave, servo Locked`."""
        return f"{self.status or 'status unknown'}" + (f", servo {self.servo}" if self.servo else "")


class PtpFeatures:
    """The PTP features that a camera has, whatever they are called there."""

    def __init__(self, features: Features) -> None:
        self._features = features
        for names in _NAMES:
            self._enable, self._status, self._servo, self._offset, self._latch = names
            if features.readable(self._status) or features.readable(self._enable):
                self.present = True
                return
        self.present = False

    @property
    def enabled(self) -> bool:
        """Whether the camera was told to follow a master."""
        return self.present and self._read(self._enable) is True

    def read(self, host_ns: int) -> PtpReading | None:
        """State, servo and offset as they are now; None where the camera has no PTP, or does not answer."""
        if not self.present:
            return None
        try:
            self._features.execute_if_there(self._latch)
        except CaptureError:
            return None
        status, servo, offset = self._read(self._status), self._read(self._servo), self._read(self._offset)
        if status is None and servo is None and offset is None:
            return None
        return PtpReading(
            host_ns,
            None if status is None else str(status),
            None if servo is None else str(servo),
            int(offset) if isinstance(offset, int | float) else None,
        )

    def _read(self, name: str) -> Any:
        if not self._features.readable(name):
            return None
        try:
            return self._features.read(name)
        except CaptureError:
            return None


class PtpCamera(Protocol):
    """A camera that can be asked about PTP."""

    @property
    def ptp(self) -> PtpFeatures:
        """Its PTP features."""


class PtpWatch:
    """Readings over one trial, each five seconds while PTP is on; one where it is off."""

    def __init__(self) -> None:
        self._readings: list[PtpReading] = []
        self._enabled = False
        self._told: PtpReading | None = None
        self._every_ns = _READ_EVERY_NS

    def look(self, camera: PtpCamera, now_ns: int) -> tuple[PtpReading, PtpReading] | None:
        """Take a reading when one is due; returns the reading before and this one where state or servo differ."""
        if self._readings and (not self._enabled or now_ns - self._readings[-1].host_ns < self._every_ns):
            return None
        reading = camera.ptp.read(now_ns)
        if reading is None:
            return None
        self._enabled = camera.ptp.enabled
        self._readings.append(reading)
        if len(self._readings) >= _MAX_READINGS:
            del self._readings[1::2]
            self._every_ns *= 2
        before, self._told = self._told, reading
        changed = before is not None and (before.status, before.servo) != (reading.status, reading.servo)
        return (before, reading) if before is not None and changed else None

    def as_attributes(self) -> dict[str, Any]:
        """What goes into the recording's `clock`: nothing where the camera has no PTP."""
        if not self._readings:
            return {}
        readings = [[r.host_ns, r.status, r.servo, r.offset_ns] for r in self._readings]
        return {"ptp": {"enabled": self._enabled, "readings": readings}}
