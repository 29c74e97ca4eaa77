"""The domain: emotions, action units, key-frames, face geometry, motion, sampling, and simulated participants.

Everything else takes its names and rules from here, so that live readout, annotation and training agree. No camera, no
network and no files beside a model file are needed to import it.
"""

from expression.action_units import ActionUnit, CodedUnit, Side
from expression.emotions import BASIC_EMOTIONS, Emotion

__all__ = ["BASIC_EMOTIONS", "ActionUnit", "CodedUnit", "Emotion", "Side"]
