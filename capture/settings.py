"""Hardware files: one TOML per camera and rate, read into frozen settings; every mistake names file, line and key."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pydantic import ValidationError as SchemaError

from capture.errors import ConfigError, RateUnreachable
from capture.toml_file import parse_table, read_text, validated, words_of

FeatureValue = bool | int | float | str
"""What a GenICam feature holds, as plain Python; `"command"` executes a command feature."""

FEATURE_KEY = re.compile(r"^(?P<name>[A-Za-z_]\w*)(?:\[(?P<selector>[A-Za-z_]\w*)=(?P<entry>\w+)\])?$")
"""`Gain`, or `Gain[GainSelector=DigitalAll]` for a feature behind a selector (the notation of the SFNC)."""

Names = Annotated[tuple[str, ...], Field(strict=False)]
"""A TOML array of texts."""

EXPOSURE_MARGIN_US = 50.0
"""What cameras need between two exposures for readout and reset, at least at the rates where a period is long."""
EXPOSURE_MARGIN_SHARE = 0.1
"""The same for short periods: no more than this share of one."""


def max_exposure_us(rate_fps: float) -> float:
    """The longest exposure that leaves room for `rate_fps`, in microseconds."""
    period_us = 1e6 / rate_fps
    return period_us - min(EXPOSURE_MARGIN_US, EXPOSURE_MARGIN_SHARE * period_us)


_DEFAULT_RING_SECONDS = 2.0
_DEFAULT_RING_BYTES = 4_000_000_000
_FEWEST_SLOTS = 8


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Selection(_Frozen):
    """Which camera, when a producer shows several; what is left out matches any. Values match whole, not in part."""

    vendor: str | None = None
    """As the producer reports it."""
    model: str | None = None
    """As the producer reports it."""
    serial_number: str | None = None
    """The safest of the four: it never changes."""
    user_defined_name: str | None = None
    """The name given to the camera in its own memory (DeviceUserID)."""

    def asked(self) -> dict[str, str]:
        """The fields that were given."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Trigger(_Frozen):
    """What starts an exposure: the camera's own clock, a command, or an edge on an input line."""

    mode: Literal["off", "software", "line"] = "off"
    """`off` runs free at `rate_fps`; `line` exposes on an edge, at most `rate_fps` times a second."""
    line: str = "Line0"
    """Entry of TriggerSource; used with mode `line`."""
    activation: Literal["RisingEdge", "FallingEdge", "AnyEdge"] = "RisingEdge"
    """Entry of TriggerActivation; used with mode `line`."""


class HardwareSettings(_Frozen):
    """One camera at one rate: where its producer is, which camera, and every feature that recording depends on."""

    name: Annotated[str, Field(min_length=1)]
    """What the operator reads on the screen."""
    producer: Annotated[str, Field(min_length=1)]
    """`simulator`, `viky`, `auto` (every producer on GENICAM_GENTL64_PATH), a path, or a file name on that path."""
    selection: Selection = Selection()
    """Which camera of the producer; the first one where nothing is given."""

    rate_fps: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
    """Frames per second."""
    rate_tolerance: Annotated[float, Field(gt=0, le=0.5)] = 0.01
    """Share by which the camera's rate may differ from the rate asked for."""
    width_px: Annotated[int, Field(ge=1, le=65_535)] = 1024
    """Width of a frame."""
    height_px: Annotated[int, Field(ge=1, le=65_535)] = 768
    """Height of a frame; on most sensors fewer lines make a higher rate."""
    offset_x_px: Annotated[int, Field(ge=0)] | None = None
    """Left edge on the sensor; left out: as the camera has it."""
    offset_y_px: Annotated[int, Field(ge=0)] | None = None
    """Upper edge on the sensor; left out: as the camera has it."""
    pixel_format: Literal["Mono8"] = "Mono8"
    """One byte a pixel: what recordings hold."""
    exposure_us: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Exposure time; left out: as the camera has it."""

    trigger: Trigger = Trigger()
    """What starts an exposure."""
    throughput_limit_bytes_s: Literal["off", "keep"] | Annotated[int, Field(gt=0)] = "off"
    """DeviceLinkThroughputLimit: lifted, left as it is, or set; the usual reason for a rate that stays low."""
    ptp: bool = False
    """Synchronise the camera's clock over the network (IEEE 1588)."""
    chunks: Names = ()
    """ChunkSelector entries to send behind each image; none switches chunks off."""

    user_set: str | None = None
    """User set to load before everything else, usually `Default`; left out: none."""
    features_before: dict[str, FeatureValue] = {}
    """Features of this camera that must be set first: link configuration, sensor mode."""
    features: dict[str, FeatureValue] = {}
    """Features of this camera, set in the order given once size, exposure and rate stand."""
    optional: Names = ()
    """Names in `features` and `features_before` that are left out where the camera has no such feature."""

    buffers: Annotated[int, Field(ge=4, le=4096)] | None = None
    """Buffers handed to the producer; left out: half a second of frames, 128 to 512."""
    fetch_timeout_ms: Annotated[int, Field(ge=1, le=1000)] = 50
    """Longest wait for one frame; nothing else runs in the camera process meanwhile."""
    ring_seconds: Annotated[float, Field(gt=0, le=600)] | None = None
    """Length of the frame ring between camera and disk; left out: two seconds of frames, at most 4 GB of memory."""
    reconnect_seconds: Annotated[float, Field(ge=0, le=86_400)] = 30.0
    """How long a camera that went away is waited for, in a trial that stays open; 0 ends the trial at once."""
    when_ring_full: Literal["stop", "lose"] = "stop"
    """`stop` ends the trial cleanly just before the ring would overflow; `lose` goes on and counts what is lost."""

    _notes: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("features", "features_before", mode="before")
    @classmethod
    def _features_are_plain(cls, features: object) -> object:
        for key, value in features.items() if isinstance(features, Mapping) else ():
            if not FEATURE_KEY.match(str(key)):
                raise ValueError(f"{key} = {value!r}: no feature name; write Gain or 'Gain[GainSelector=DigitalAll]'")
            if not isinstance(value, bool | int | float | str) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                raise ValueError(f"{key} = {value!r}: a feature takes true or false, a number or a text")
        return features

    @model_validator(mode="after")
    def _exposure_fits_the_rate(self) -> HardwareSettings:
        longest = max_exposure_us(self.rate_fps)
        if self.exposure_us is not None and self.exposure_us > longest:
            raise ValueError(
                f"exposure_us = {self.exposure_us:g} does not fit {self.rate_fps:g} fps: at most {longest:.0f} µs"
            )
        return self

    @property
    def frame_bytes(self) -> int:
        """Pixel bytes of one frame."""
        return self.width_px * self.height_px

    @property
    def gentl_buffers(self) -> int:
        """Buffers handed to the producer."""
        return self.buffers or min(512, max(128, math.ceil(self.rate_fps / 2)))

    @property
    def ring_slots(self) -> int:
        """Frames in the ring between camera and disk."""
        if self.ring_seconds is not None:
            return max(_FEWEST_SLOTS, math.ceil(self.rate_fps * self.ring_seconds))
        affordable = _DEFAULT_RING_BYTES // self.frame_bytes
        return max(_FEWEST_SLOTS, min(math.ceil(self.rate_fps * _DEFAULT_RING_SECONDS), affordable))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed on the way from the file to here, a line each, for the operator."""
        return self._notes

    def with_rate(self, fps: float) -> HardwareSettings:
        """The same camera at another rate; an exposure that no longer fits is shortened, and `notes` says so.

        Raises:
            RateUnreachable: No camera runs at that rate.
        """
        if fps == self.rate_fps:
            return self
        changed: dict[str, object] = {"rate_fps": fps}
        notes = self._notes
        if self.exposure_us is not None and fps > 0 and self.exposure_us > max_exposure_us(fps):
            changed["exposure_us"] = float(math.floor(max_exposure_us(fps)))
            notes += (
                f"exposure shortened from {self.exposure_us:g} to {changed['exposure_us']:g} µs to make room for "
                f"{fps:g} fps",
            )
        try:
            settings = HardwareSettings.model_validate(self.model_dump() | changed)
        except SchemaError as error:
            raise RateUnreachable(f"{fps:g} fps: {words_of(error.errors()[0])}") from None
        settings._notes = notes
        return settings


def hardware_files() -> dict[str, Path]:
    """The hardware files that come with the program, by name without `.toml`."""
    folder = Path(str(resources.files("hw_configs")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def resolve_hardware(name_or_path: str | None, fps: float | None) -> Path:
    """The hardware file that the user means.

    Args:
        name_or_path: A path, or the name of a file that comes with the program, with or without `.toml`. None takes
            the simulated camera.
        fps: The rate asked for; chooses among the simulated cameras. Settings of another rate are to be read with
            `HardwareSettings.with_rate`.

    Raises:
        ConfigError: There is no such file; names what is close and what there is.
    """
    known = hardware_files()
    if name_or_path is None:
        return known.get(f"simulated_{500.0 if fps is None else fps:g}", known["simulated_500"])
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    stem = path.name.removesuffix(".toml")
    if path.parent == Path() and stem in known:
        return known[stem]
    close = difflib.get_close_matches(stem, known, n=3)
    proposal = f"did you mean {' or '.join(close)}? " if close else ""
    raise ConfigError(f"no hardware file {name_or_path}: {proposal}there are {', '.join(known)}, or give a path")


def load_hardware(path: Path) -> HardwareSettings:
    """Read a hardware file; a producer path that starts with `./` or `../` counts from the file's folder.

    Raises:
        ConfigError: The file cannot be read, is no TOML, or has a wrong key; one line with file, line and key.
    """
    text = read_text(path, ConfigError)
    content = parse_table(text, str(path), ConfigError)
    producer = content.get("producer")
    if isinstance(producer, str) and producer.startswith(("./", "../")):
        content["producer"] = os.path.normpath(path.parent.absolute() / producer)
    return validated(content, text, str(path), HardwareSettings, ConfigError)


def open_hardware(name_or_path: str | None, fps: float | None) -> HardwareSettings:
    """The settings that the user means: `resolve_hardware`, `load_hardware` and `with_rate` in one."""
    settings = load_hardware(resolve_hardware(name_or_path, fps))
    return settings if fps is None else settings.with_rate(fps)
