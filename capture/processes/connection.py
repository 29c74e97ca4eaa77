"""The way to one camera: open, gone, and open again, with the producer's counts over all of it."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Mapping

from capture.camera import Camera
from capture.errors import CameraLost, CaptureError
from capture.settings import FeatureValue, HardwareSettings, Selection

_RETRY_NS = 300_000_000
"""Pause between two attempts to find a camera again; an attempt keeps this process from everything else."""
_DRIFTING = ("DeviceTemperature",)


class Connection:
    """Holds the camera; after `lose` it is closed, and `try_again` opens the very same one anew.

    The library behind it is closed and opened with the camera: producers keep lists, handles and sockets of a device
    that vanished, and a reset is the one thing that all of them recover from.

    Args:
        camera: Open and set up.
        settings: What it was opened with.
        overrides: Features set on top of the settings.
    """

    def __init__(self, camera: Camera, settings: HardwareSettings, overrides: Mapping[str, FeatureValue]) -> None:
        self.camera = camera
        self.lost_since_ns: int | None = None
        self._settings = _only(camera, settings)
        self._overrides = overrides
        self._read_before = camera.features_read
        self._tried_ns = 0
        self._why = ""
        self._running = False
        self.begin_trial()

    @property
    def lost(self) -> bool:
        """Whether the camera is away."""
        return self.lost_since_ns is not None

    @property
    def patience_s(self) -> float:
        """How long a camera that is away is waited for."""
        return self._settings.reconnect_seconds

    def lost_s(self, now_ns: int) -> float | None:
        """How long the camera has been away; None while it is there."""
        return None if self.lost_since_ns is None else max(now_ns - self.lost_since_ns, 0) / 1e9

    def begin_trial(self) -> None:
        """The producer's counts start anew."""
        self._before: tuple[int | None, int | None] = (0, 0)
        self.producer: tuple[int | None, int | None] = (None, None)
        """Frames delivered and underruns since the trial began; None where the producer does not tell."""

    def start(self) -> None:
        """Begin acquisition.

        Raises:
            CameraLost: The camera or its producer refuses.
        """
        self.camera.start()
        self._running = True

    def stop(self) -> None:
        """End acquisition."""
        self._running = False
        self.camera.stop()

    def read_producer(self) -> None:
        """Take the producer's own counts; the last ones known where it no longer answers."""
        with contextlib.suppress(CameraLost):
            now = self.camera.counters()
            self.producer = (_sum(self._before[0], now.delivered), _sum(self._before[1], now.underrun))

    def lose(self, now_ns: int) -> None:
        """The camera is gone: take the last counts, and put away everything that was made for it."""
        if self._running:
            self.read_producer()
            self._before = self.producer
        self._running = False
        if self.lost_since_ns is None:
            self.lost_since_ns = now_ns
        self.camera.close()
        self._tried_ns = 0
        # Buffers hang in cycles of the binding, and collection is off in this process.
        gc.unfreeze()
        gc.collect()

    def try_again(self, now_ns: int) -> bool:
        """Look for the camera when it is time to; returns whether it is back, set up as before and not yet started."""
        if now_ns - self._tried_ns < _RETRY_NS:
            return False
        try:
            self.camera = Camera.open(self._settings, self._overrides)
        except CaptureError as error:
            self._why = str(error)
            self._tried_ns = time.monotonic_ns()
            return False
        gc.freeze()
        self.lost_since_ns = None
        return True

    def gave_up(self, now_ns: int) -> CameraLost | None:
        """What to raise when the camera has been away for too long; None while there is patience left."""
        away_s = self.lost_s(now_ns)
        if away_s is None or away_s < self.patience_s:
            return None
        return CameraLost(
            f"{self.camera.description} stopped answering and did not come back within {self.patience_s:g} s: check "
            f"its power and its cables, then start again ({self._why})"
        )

    def changed_features(self) -> list[str]:
        """Features that nobody set and that read differently since the camera was opened anew, a line each.

        Those that were set read as before, or the camera would not have been opened.
        """
        before, self._read_before = self._read_before, self.camera.features_read
        return [
            f"{name} reads {now} since the camera is back, it read {before[name]}: set it in the hardware file"
            for name, now in self._read_before.items()
            if name in before and name not in _DRIFTING and name not in self.camera.features_set and before[name] != now
        ]


def _only(camera: Camera, settings: HardwareSettings) -> HardwareSettings:
    """The settings for this camera and no other: the first of several may be another one later."""
    found = camera.description
    names = ("vendor", "model", "serial_number") if found.serial_number else ("vendor", "model", "user_defined_name")
    chosen = {name: getattr(found, name) or None for name in names}
    return settings.model_copy(update={"selection": Selection(**chosen)})


def _sum(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else before + now
