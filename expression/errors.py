"""Every error that the domain raises on purpose: one line that names the thing and the remedy."""

from __future__ import annotations


class ExpressionError(Exception):
    """Something failed while we computed; a command ends with exit status 1."""

    exit_code = 1


class BadInput(ExpressionError):
    """What the user gave cannot be used; a command ends with exit status 2."""

    exit_code = 2


class LabelUnknown(BadInput):
    """A text names no emotion that we know; lists what is accepted."""


class UnitsUnreadable(BadInput):
    """A text is not a list of action units, or names one that is not coded here; says which part of it."""


class KeyFramesInvalid(BadInput):
    """Onset, apex and offset are not in this order, or a frame number or rate makes no sense."""


class ModelUnavailable(ExpressionError):
    """A model file is neither in the offline folder nor can it be fetched; names the file and the folder."""


class FaceUnusable(ExpressionError):
    """A picture does not show the face as it is needed; says what is wrong and what to do about it."""


class FaceNotFound(FaceUnusable):
    """A picture shows no face where one is needed."""


class FaceTooSmall(FaceUnusable):
    """The face has too few pixels for movements to be seen."""


class FaceCutOff(FaceUnusable):
    """The face reaches beyond the picture's edge."""


class FaceTurned(FaceUnusable):
    """The head is turned too far from the camera to be laid onto a frontal face."""


class PictureUnusable(BadInput):
    """An array is not a picture of the kind, shape or type that is needed; says which one it is."""


class UnknownTarget(BadInput):
    """The face material holds no morph target or region of this name."""
