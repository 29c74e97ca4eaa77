"""Facial motion: dense flow against a reference frame, displacement of regions, strain, and texture change.

    face = FaceMotion(reference, landmarks_px)
    motion = face.measure(frame)  # movement of each region in pixels, and of the head

Everything works on the aligned crop of `expression.face`, 128 pixels a side by default.
"""

from expression.motion.face_motion import FaceMotion
from expression.motion.flow import FLOW_SIZE_PX, Flow, FlowEstimator
from expression.motion.head import HeadMotion
from expression.motion.lbp import chi_square, contrast, feature_difference, lbp_histograms, peak_threshold
from expression.motion.regions import REGION_ORDER, RegionMeter, RegionMotion
from expression.motion.strain import strain_magnitude

__all__ = [
    "FLOW_SIZE_PX",
    "REGION_ORDER",
    "FaceMotion",
    "Flow",
    "FlowEstimator",
    "HeadMotion",
    "RegionMeter",
    "RegionMotion",
    "chi_square",
    "contrast",
    "feature_difference",
    "lbp_histograms",
    "peak_threshold",
    "strain_magnitude",
]
