"""Where the skin goes when a facial muscle acts: one smooth field per action unit, in the mean head's coordinates."""

from __future__ import annotations

from expression.synthetic.action_fields.face_points import FacePoints, Lips
from expression.synthetic.action_fields.lower_face import LOWER_FACE
from expression.synthetic.action_fields.nose_and_jaw import NOSE_AND_JAW
from expression.synthetic.action_fields.upper_face import UPPER_FACE

__all__ = ["LOWER_FACE", "NOSE_AND_JAW", "UPPER_FACE", "FacePoints", "Lips"]
