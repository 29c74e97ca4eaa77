"""The domain: emotions, action units, key-frames, face geometry, motion, sampling, and simulated participants.

Everything else takes its names and rules from here, so that live readout, annotation and training agree. No camera, no
network and no files beside a model file are needed to import it.
"""

from expression.action_units import UNIT_FACTS, ActionUnit, CodedUnit, Side, UnitGroup, canonical
from expression.emotions import BASIC_EMOTIONS, Emotion, parse_emotion
from expression.errors import BadInput, ExpressionError
from expression.keyframes import KeyFrames
from expression.sampling import SamplingMethod, sample_frames
from expression.unit_notation import ForeignUnit, UnitReading, format_units, parse_units, read_units

__all__ = [
    "BASIC_EMOTIONS",
    "UNIT_FACTS",
    "ActionUnit",
    "BadInput",
    "CodedUnit",
    "Emotion",
    "ExpressionError",
    "ForeignUnit",
    "KeyFrames",
    "SamplingMethod",
    "Side",
    "UnitGroup",
    "UnitReading",
    "canonical",
    "format_units",
    "parse_emotion",
    "parse_units",
    "read_units",
    "sample_frames",
]
