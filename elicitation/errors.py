"""What can go wrong around a participant's session, each with its remedy."""

from __future__ import annotations

from capture.errors import BadInput, CaptureError


class ElicitationError(CaptureError):
    """Something failed while a session was prepared or run; the command ends with exit status 1."""


class ManifestInvalid(BadInput):
    """A manifest of stimuli cannot be read; names file, line and column."""


class ProtocolInvalid(BadInput):
    """A protocol file cannot be read, or one of its keys is wrong; names file, line and key."""


class DrawImpossible(BadInput):
    """The stimuli at hand do not allow the draw that the protocol asks for."""


class RatingsInvalid(BadInput):
    """Ratings of stimuli cannot be read, or do not suffice for a selection."""
