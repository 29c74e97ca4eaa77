"""What a participant looks like at rest, in the layers that a per-frame renderer moves, shades and puts together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expression.synthetic.head import Head
from expression.synthetic.raster import RasterBuffers
from expression.synthetic.shading import Lighting

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A picture with its coverage, the size of the frame.

    `grey` is display grey, 0 to 255, and is continued beyond the coverage (so that resampling it bleeds nothing dark);
    put over what lies beneath: `alpha * grey + (1 - alpha) * beneath`.
    """

    grey: Floats
    """(768, 1024) float32, 0 to 255."""
    alpha: Floats
    """(768, 1024) float32, 0 to 1."""


@dataclass(frozen=True)
class EyeLayer:
    """One eyeball, painted beyond the opening of the lids so that gaze can move it."""

    left_px: int
    top_px: int
    """Where the patch's upper left pixel lies in the frame."""
    ball: Floats
    """(h, w) float32, 0 to 255: white, iris, pupil, looking straight ahead; without reflections."""
    reflections: Floats
    """(h, w) float32, 0 to 255: lamps mirrored in the cornea and the tear film; added, and (nearly) still under gaze."""
    shadow: Floats
    """(h, w) float32, 0 to 1: shadow of the open lids and lashes; multiplies the ball and stays under gaze."""
    px_per_degree: float
    """Shift of the iris in the picture per degree of gaze, near the centre."""
    opening: Floats
    """(768, 1024) float32, 0 to 1: where the neutral lids leave the eyeball in view."""


@dataclass(frozen=True)
class Appearance:
    """The layers of a neutral face, back to front, and the buffers behind them.

    Order: `background`, `hair_back`, [`mouth`, `eyes` seen through `skin`'s holes], `skin`, `clothes`, `lashes_lower`,
    `lashes_upper`, `hair_front`, `glasses`. The skin's alpha is 0 in the openings of the eyes.
    """

    head: Head
    light: Lighting
    background: Floats
    """(768, 1024) float32, 0 to 255."""
    hair_back: Layer
    """Hair that falls behind neck and ears."""
    mouth: Layer
    """Teeth and darkness behind the lips; shows where the lips part."""
    eyes: tuple[EyeLayer, EyeLayer]
    """The participant's left and right eye."""
    skin: Layer
    """Head, ears and neck with brows and stubble."""
    clothes: Layer
    lashes_lower: Layer
    lashes_upper: Layer
    """Lashes move with the margin of their lid."""
    hair_front: Layer
    """Scalp hair, fringe, beard tips beyond the outline."""
    glasses: Layer
    buffers: RasterBuffers
    """Triangle and barycentric coordinates of the skin in every pixel."""
    normals: Floats
    """(768, 1024, 3) float32, unit length: smooth normals of the skin, without pores; (0, 0, 1) where there is none."""
    occlusion: Floats
    """(768, 1024) float32, 0 to 1: the part of the surroundings that reaches the skin."""
    shadow: Floats
    """(768, 1024, L) float32, 0 to 1: the part of each of the L lamps that reaches the skin."""

    def shading_ratio(self, normals: Floats) -> Floats:
        """How grey changes when the skin's normals change from `self.normals` (a bulge, a wrinkle).

        Args:
            normals: (768, 1024, 3) float32, unit length.

        Returns:
            (768, 1024) float32 factor on `skin.grey`; 1 where nothing changed.
        """
        return self.light.grey_ratio(self.normals, normals, self.occlusion, self.shadow)

    def picture(self) -> Floats:
        """The neutral frame, (768, 1024) float32, 0 to 255."""
        picture = self.background
        picture = _over(self.hair_back, picture)
        picture = _over(self.mouth, picture)
        for eye in self.eyes:
            h, w = eye.ball.shape
            box = (slice(eye.top_px, eye.top_px + h), slice(eye.left_px, eye.left_px + w))
            patch = eye.ball * eye.shadow + eye.reflections
            picture = picture.copy()
            opening = eye.opening[box]
            picture[box] = opening * patch + (1 - opening) * picture[box]
        for layer in (self.skin, self.clothes, self.lashes_lower, self.lashes_upper, self.hair_front, self.glasses):
            picture = _over(layer, picture)
        return np.clip(picture, 0, 255).astype(np.float32)


def _over(layer: Layer, beneath: Floats) -> Floats:
    mixed: Floats = layer.alpha * layer.grey + (1 - layer.alpha) * beneath
    return mixed
