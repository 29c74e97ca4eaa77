"""What a recognition network sees of an expression: the same numbers live and in training."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from expression.errors import PictureUnusable
from expression.keyframes import KeyFrames
from expression.motion.face_motion import FaceMotion
from expression.motion.strain import strain_magnitude
from expression.sampling import SamplingMethod, sample_frames

ClipChannels = Literal["grey", "rgb", "flow", "flow-strain"]
"""What the planes of a clip are.

- `grey`: one plane of brightness.
- `rgb`: the same plane three times, for networks that were first trained on coloured video.
- `flow`: two planes, displacement to the right and down since the onset, the head's movement taken off.
- `flow-strain`: the two, and the optical strain.
"""
CHANNEL_COUNTS: Final[dict[ClipChannels, int]] = {"grey": 1, "rgb": 3, "flow": 2, "flow-strain": 3}
STRAIN_GAIN: Final = 10.0
"""Strain is a change of length per length; this brings it to the size that movements have."""

Clip = npt.NDArray[np.float32]
"""(channels, frames, size, size)."""


class ClipRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """How the frames of an aligned clip become a network's input."""

    frames: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    size_px: Annotated[int, msgspec.Meta(ge=16, le=1024)] = 224
    """Side of what the network sees."""
    crop_px: Annotated[int, msgspec.Meta(ge=16, le=1024)] = 224
    """Side of the aligned crop that it is made from; for flow a multiple of 16 from 32 on."""
    channels: ClipChannels = "grey"
    sampling: SamplingMethod = "adaptive-halves"
    mean: float = 0.5
    """Taken off brightness of 0 to 1; flow is zero on average by itself."""
    scale: Annotated[float, msgspec.Meta(gt=0)] = 0.25
    """What one is afterwards: brightness of 0 to 1, or pixels of movement in the crop."""

    @property
    def channel_count(self) -> int:
        """Planes of a frame."""
        return CHANNEL_COUNTS[self.channels]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(channels, frames, size, size) of one clip."""
        return self.channel_count, self.frames, self.size_px, self.size_px

    def frame_numbers(self, key_frames: KeyFrames) -> npt.NDArray[np.int64]:
        """The frames of the expression that are looked at: (frames,) int64, ascending."""
        return sample_frames(key_frames, self.frames, self.sampling)


def clip_input(
    recipe: ClipRecipe, crops: npt.NDArray[np.uint8], onset_crop: npt.NDArray[np.uint8] | None = None
) -> Clip:
    """Make a network's input from the sampled frames of one aligned clip.

    Args:
        recipe: How.
        crops: (frames, crop, crop) uint8, the frames that `ClipRecipe.frame_numbers` names, aligned by the onset frame
            (`expression.face.align`).
        onset_crop: (crop, crop) uint8, what flow is measured against; None where the first of `crops` is the onset.

    Returns:
        (channels, frames, size, size) float32.

    Raises:
        PictureUnusable: The crops have another shape or type than the recipe says.
    """
    wanted = (recipe.frames, recipe.crop_px, recipe.crop_px)
    if crops.shape != wanted or crops.dtype != np.uint8:
        raise PictureUnusable(f"the clip needs uint8 crops of {wanted}, not {crops.dtype} of {crops.shape}")
    if recipe.channels in ("flow", "flow-strain"):
        return _flow_planes(recipe, crops, crops[0] if onset_crop is None else onset_crop)
    grey = np.stack([_at_size(crop.astype(np.float32), recipe.size_px) for crop in crops])
    grey = (grey / np.float32(255) - np.float32(recipe.mean)) / np.float32(recipe.scale)
    return np.ascontiguousarray(np.broadcast_to(grey, (recipe.channel_count, *grey.shape)))


def _flow_planes(recipe: ClipRecipe, crops: npt.NDArray[np.uint8], onset_crop: npt.NDArray[np.uint8]) -> Clip:
    motion = FaceMotion(onset_crop)
    planes: Clip = np.empty(recipe.shape, np.float32)
    for number, crop in enumerate(crops):
        head = motion.measure(crop).head
        flow = motion.estimator.lattice_flow(crop, head)
        still = motion.meter.stabilised(flow)
        layers = [still[..., 0], still[..., 1]]
        if recipe.channels == "flow-strain":
            # The lattice has one point in two pixels.
            layers.append(strain_magnitude(still / np.float32(2)) * np.float32(STRAIN_GAIN))
        for channel, layer in enumerate(layers):
            planes[channel, number] = _at_size(np.ascontiguousarray(layer), recipe.size_px)
    return planes / np.float32(recipe.scale)


def _at_size(plane: npt.NDArray[np.float32], size_px: int) -> npt.NDArray[np.float32]:
    if plane.shape == (size_px, size_px):
        return plane
    shrinks = size_px < len(plane)
    resized = cv2.resize(plane, (size_px, size_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)
