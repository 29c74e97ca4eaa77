"""Every error that capture raises on purpose: one line that names the thing and the remedy."""

from __future__ import annotations


class CaptureError(Exception):
    """Something failed while we ran; the command ends with exit status 1."""

    exit_code = 1

    def __str__(self) -> str:
        # What a damaged file or a stranger said may be quoted in it, and must neither break the line nor the terminal.
        return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in super().__str__())


class BadInput(CaptureError):
    """What the user gave cannot be used; the command ends with exit status 2."""

    exit_code = 2


class ConfigError(BadInput):
    """A hardware file cannot be read, or one of its keys is wrong; names file, line and key."""


class CameraNotFound(BadInput):
    """No producer, or no camera that matches the selection; names what was found instead."""


class FeatureError(CaptureError):
    """The camera lacks a feature, refuses a value, or reads back another one."""


class OptionRefused(FeatureError):
    """What the command line asks of a feature cannot be; nothing is wrong with the hardware file."""

    exit_code = 2


class RateUnreachable(BadInput):
    """The camera cannot deliver the rate that was asked for; names what it offers."""


class CameraBusy(CaptureError):
    """Another process holds the camera."""


class CameraLost(CaptureError):
    """The camera stopped answering while it was in use."""


class RingTooLarge(BadInput):
    """The ring does not fit into memory."""


class FolderUnusable(BadInput):
    """The output folder cannot be made or written."""


class NoSpace(CaptureError):
    """The disk has no room for what was asked."""


class RecordingInvalid(CaptureError):
    """A recording is missing, damaged beyond what can be read, or not one of ours."""


class MessageRefused(CaptureError):
    """A message has an unknown major version or does not follow the grammar."""


class ProcessDied(CaptureError):
    """One of our processes ended without saying why."""
