"""Sets a camera up in the one order that works on all of them, and proves that it can do what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capture.camera.features import COMMAND, Features
from capture.errors import FeatureError, OptionRefused, RateUnreachable
from capture.settings import FeatureValue, HardwareSettings

_RATE = ("AcquisitionFrameRate", "AcquisitionFrameRateAbs")
_RATE_ENABLE = ("AcquisitionFrameRateEnable", "AcquisitionFrameRateEnabled")
_RESULTING_RATE = (
    "ResultingFrameRate",
    "AcquisitionResultingFrameRate",
    "BslResultingAcquisitionFrameRate",
    "ResultingFrameRateAbs",
    "mvResultingFrameRate",
)
_EXPOSURE = ("ExposureTime", "ExposureTimeAbs")
_PTP = ("PtpEnable", "GevIEEE1588")
_PTP_STATUS = ("PtpStatus", "GevIEEE1588Status")
_TELLING = ("DeviceTemperature", "DeviceFirmwareVersion", "Gain", "BlackLevel", *_EXPOSURE, *_RATE, *_RESULTING_RATE)
"""Features that are read into the recording whether or not they were set."""


@dataclass(frozen=True)
class Resulting:
    """What the camera came to once everything was set."""

    width_px: int
    height_px: int
    rate_fps: float
    ptp_status: str | None
    notes: tuple[str, ...]
    """What the operator should know: features left out, limits that the camera does not have."""


def configure(
    features: Features, settings: HardwareSettings, overrides: Mapping[str, FeatureValue], camera: str
) -> Resulting:
    """Apply the settings and check the outcome.

    The order: user set, features that come first, format and size, trigger off, exposure, throughput limit, rate,
    features of this camera, overrides, chunks and PTP, and the trigger last, so that nothing fires half-way.

    Raises:
        FeatureError: A feature is missing, refused, or reads back differently; or the size is wrong.
        OptionRefused: That is so of one of the overrides.
        RateUnreachable: The camera offers less (or no less) than the rate asked for; names what limits it.
    """
    notes: list[str] = []
    if settings.user_set is not None and features.apply_if_there("UserSetSelector", settings.user_set):
        features.apply("UserSetLoad", COMMAND)
    _apply_all(features, settings.features_before, settings, notes)
    _set_size(features, settings)
    _trigger_off(features)
    _set_exposure(features, settings, camera)
    _set_throughput(features, settings, notes)
    _set_rate(features, settings, camera)
    _apply_all(features, settings.features, settings, notes)
    for name, value in overrides.items():
        _apply_override(features, name, value)
    _set_chunks(features, settings)
    _set_ptp(features, settings, camera)
    _set_trigger(features, settings)
    rate_fps = _check_rate(features, settings, camera)
    features.confirm()
    for name in _TELLING:
        if name not in features.was_read and features.readable(name):
            features.was_read[name] = features.read(name)
    status = features.first(_PTP_STATUS)
    return Resulting(
        *_check_size(features, settings, camera),
        rate_fps=rate_fps,
        ptp_status=None if status is None else str(features.read(status)),
        notes=tuple(notes),
    )


def _apply_override(features: Features, name: str, value: FeatureValue) -> None:
    try:
        features.apply(name, value)
    except FeatureError as error:
        raise OptionRefused(f"--set {name}={value}: {str(error).partition(': correct')[0]}") from error


def _apply_all(
    features: Features, wanted: Mapping[str, FeatureValue], settings: HardwareSettings, notes: list[str]
) -> None:
    for key, value in wanted.items():
        name = key.partition("[")[0]
        if name in settings.optional and not features.exists(name):
            notes.append(f"{name} left out: the camera has no such feature")
            continue
        features.apply(key, value)


def _set_size(features: Features, settings: HardwareSettings) -> None:
    features.apply_if_there("AcquisitionMode", "Continuous")
    features.apply("PixelFormat", settings.pixel_format)
    # An offset left over from before can make the wanted size impossible.
    for name in ("OffsetX", "OffsetY"):
        features.apply_if_there(name, 0)
    features.apply("Width", settings.width_px)
    features.apply("Height", settings.height_px)
    for name, value in (("OffsetX", settings.offset_x_px), ("OffsetY", settings.offset_y_px)):
        if value is not None:
            features.apply(name, value)


def _trigger_off(features: Features) -> None:
    if features.readable("TriggerMode"):
        features.apply_if_there("TriggerSelector", "FrameStart")
        features.apply("TriggerMode", "Off")


def _set_exposure(features: Features, settings: HardwareSettings, camera: str) -> None:
    for automatic in ("ExposureAuto", "GainAuto"):
        features.apply_if_there(automatic, "Off")
    if settings.exposure_us is not None:
        features.apply(_needed(features, _EXPOSURE, camera, "exposure_us"), settings.exposure_us)


def _set_throughput(features: Features, settings: HardwareSettings, notes: list[str]) -> None:
    limit = settings.throughput_limit_bytes_s
    if limit == "off" and features.writable("DeviceLinkThroughputLimitMode"):
        features.apply("DeviceLinkThroughputLimitMode", "Off")
    elif isinstance(limit, int):
        features.apply_if_there("DeviceLinkThroughputLimitMode", "On")
        features.apply("DeviceLinkThroughputLimit", limit)
        if limit < settings.frame_bytes * settings.rate_fps:
            notes.append(f"the throughput limit of {limit:,} B/s is below what the rate needs")


def _set_rate(features: Features, settings: HardwareSettings, camera: str) -> None:
    enable = features.first(_RATE_ENABLE)
    if enable is not None:
        features.apply_if_there(enable, settings.trigger.mode != "line")
    if settings.trigger.mode == "line":
        return  # the edges set the pace; whether the camera can follow is checked at the end
    name = _needed(features, _RATE, camera, "rate_fps")
    slowest, fastest = features.limits(name)
    if not slowest * (1 - settings.rate_tolerance) <= settings.rate_fps <= fastest * (1 + settings.rate_tolerance):
        limit = _what_limits(features, settings) if settings.rate_fps > fastest else ""
        raise RateUnreachable(
            f"{camera} offers {slowest:g} to {fastest:g} fps at {settings.width_px}x{settings.height_px}, not "
            f"{settings.rate_fps:g}{limit}"
        )
    features.apply(name, min(max(settings.rate_fps, slowest), fastest), tolerance=settings.rate_tolerance)


def _set_chunks(features: Features, settings: HardwareSettings) -> None:
    if not settings.chunks:
        features.apply_if_there("ChunkModeActive", False)
        return
    features.apply("ChunkModeActive", True)
    for chunk in settings.chunks:
        features.apply(f"ChunkEnable[ChunkSelector={chunk}]", True)


def _set_ptp(features: Features, settings: HardwareSettings, camera: str) -> None:
    if settings.ptp:
        features.apply(_needed(features, _PTP, camera, "ptp"), True)
        for latch in ("PtpDataSetLatch", "GevIEEE1588DataSetLatch"):
            features.apply_if_there(latch, COMMAND)  # the status is that of the last latch


def _set_trigger(features: Features, settings: HardwareSettings) -> None:
    trigger = settings.trigger
    if trigger.mode == "off":
        return
    features.apply_if_there("TriggerSelector", "FrameStart")
    features.apply("TriggerSource", "Software" if trigger.mode == "software" else trigger.line)
    if trigger.mode == "line":
        features.apply("TriggerActivation", trigger.activation)
    features.apply("TriggerMode", "On")


def _check_rate(features: Features, settings: HardwareSettings, camera: str) -> float:
    # With a trigger the edges set the pace: what the rate feature says then means nothing.
    name = features.first(_RESULTING_RATE if settings.trigger.mode == "line" else (*_RESULTING_RATE, *_RATE))
    resulting = features.number(name)
    if resulting is None:
        return settings.rate_fps
    wrong = abs(resulting - settings.rate_fps) > settings.rate_tolerance * settings.rate_fps
    too_slow = resulting < settings.rate_fps
    if wrong and (too_slow or settings.trigger.mode == "off"):
        limit = _what_limits(features, settings) if too_slow else ""
        raise RateUnreachable(
            f"{camera} will deliver {resulting:g} fps ({name}) at {settings.width_px}x{settings.height_px}, not "
            f"{settings.rate_fps:g}{limit}"
        )
    return resulting


def what_limits(features: Features, settings: HardwareSettings) -> str:
    """Why a camera is slower than the rate asked for, and what to do about it."""
    limits = _limits(features, settings)
    name = features.first(_RESULTING_RATE)
    resulting = features.number(name)
    if limits:
        return "its " + " and its ".join(limits)
    if resulting is not None and resulting < settings.rate_fps * (1 - settings.rate_tolerance):
        return f"it says {name} {resulting:g}: ask for a lower rate, fewer lines, or look into the sensor's modes"
    return "exposure and throughput limit allow the rate: look at the trigger, at the link, and at what else is on it"


def _limits(features: Features, settings: HardwareSettings) -> list[str]:
    limits = []
    exposure_us = features.number(features.first(_EXPOSURE))
    if exposure_us and 1e6 / exposure_us <= settings.rate_fps * (1 + settings.rate_tolerance):
        limits.append(f"exposure of {exposure_us:g} µs allows at most {1e6 / exposure_us:.0f}")
    throughput = features.number("DeviceLinkThroughputLimit")
    mode = features.read("DeviceLinkThroughputLimitMode") if features.readable("DeviceLinkThroughputLimitMode") else ""
    if throughput and mode != "Off" and throughput < settings.frame_bytes * settings.rate_fps:
        limits.append(
            f"throughput limit of {throughput:.0f} B/s allows at most {throughput / settings.frame_bytes:.0f}"
        )
    return limits


def _what_limits(features: Features, settings: HardwareSettings) -> str:
    limits = _limits(features, settings)
    if limits:
        return ": its " + " and its ".join(limits)
    return ": ask for a lower rate, fewer lines, or look into the sensor's modes"


def _check_size(features: Features, settings: HardwareSettings, camera: str) -> tuple[int, int]:
    width, height = features.number("Width"), features.number("Height")
    if (width, height) != (settings.width_px, settings.height_px):
        raise FeatureError(
            f"{camera} is set to {width:g}x{height:g} pixels, not to {settings.width_px}x{settings.height_px}: a "
            "feature or an override changed the size"
        )
    if (pixel_format := features.read("PixelFormat")) != settings.pixel_format:
        raise FeatureError(
            f"{camera} is set to {pixel_format} pixels by an override, recordings hold {settings.pixel_format}"
        )
    return settings.width_px, settings.height_px


def _needed(features: Features, names: tuple[str, ...], camera: str, key: str) -> str:
    name = features.first(names)
    if name is None:
        raise FeatureError(f"{camera} has no {' or '.join(names)}, which {key} of the hardware file needs")
    return name
