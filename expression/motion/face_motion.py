"""Movement of a face frame by frame: flow, head and regions together, as live readout and preprocessing use them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.face.reference import Points
from expression.motion.flow import LATTICE_STEP_PX, FlowEstimator, Image
from expression.motion.head import HeadMotion
from expression.motion.regions import REGION_ORDER, RegionMeter, RegionMotion

JUMP_SHARE: Final = 0.01
"""Shift of the head between two frames, as a share of the crop, from which the search starts anew. At 200 frames a
second that is two face widths a second; where frames were skipped it is reached sooner."""


class FaceMotion:
    """Movement of successive frames against one reference.

    The head's movement of the frame before is where the next one starts, so what a frame gives depends a little (some
    hundredths of a pixel) on the frames before it. Not thread-safe.

    Args:
        reference: (size, size) aligned crop; see `FlowEstimator`.
        landmarks_px: (478, 2) landmarks of the reference frame in the crop; see `RegionMeter`.

    Raises:
        PictureUnusable: Reference or landmarks have another shape or type.
    """

    def __init__(self, reference: Image, landmarks_px: Points | None = None) -> None:
        self.estimator = FlowEstimator(reference)
        self.meter = RegionMeter(
            self.estimator.size_px, landmarks_px, step_px=LATTICE_STEP_PX, noise_px=self.estimator.noise_px()
        )
        self._head: HeadMotion | None = None

    def measure(self, frame: Image) -> RegionMotion:
        """Movement of head and regions in this frame.

        Raises:
            PictureUnusable: The frame has another shape or type than the reference.
        """
        motion = None
        if self._head is not None:
            motion = self.meter.measure(self.estimator.lattice_flow(frame, self._head))
            if math.dist(motion.head.shift_px, self._head.shift_px) > JUMP_SHARE * self.estimator.size_px:
                motion = None
        if motion is None:
            head = self.meter.head_motion(self.estimator.lattice_flow(frame))
            motion = self.meter.measure(self.estimator.lattice_flow(frame, head))
        self._head = motion.head
        return motion

    def measure_all(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Displacement of the regions in each of (T, size, size) frames: (T, 20, 2) float32 in pixels."""
        displacements = np.empty((len(frames), len(REGION_ORDER), 2), np.float32)
        for index, frame in enumerate(frames):
            displacements[index] = self.measure(frame).displacement_px
        return displacements
