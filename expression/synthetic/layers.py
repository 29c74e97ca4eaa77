"""The layers of a participant's picture as a renderer needs them: seen through the lens, multiplied, boxed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.appearance import Appearance, Layer
from expression.synthetic.drawing import FineLayer, fine_grey
from expression.synthetic.resample import STEP, Box
from expression.synthetic.sensor import lens

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sheet:
    """A layer ready to be put over what lies beneath: `grey + (1 - alpha) * beneath`."""

    fine: FineLayer
    box: Box | None
    """Where there is anything, in whole nodes; None for an empty layer."""


@dataclass(frozen=True)
class Layers:
    """Back to front."""

    background: Floats
    head: Sheet
    """Hair behind, mouth, eyes, skin and lashes in one."""
    head_grey: Floats
    """(H, W) float32: its grey, multiplied by its coverage."""
    clothes: Sheet
    front: Sheet
    """Hair in front and glasses: they move with the skull and not with the skin."""
    skin: Floats
    """(H, W) grey of the skin, continued across the openings of the eyes."""
    fine_mouth: npt.NDArray[np.uint16]
    """(FINE * H, FINE * W) grey behind the lips, continued beyond them, as `fine_grey`."""


def prepare(appearance: Appearance) -> Layers:
    """Joins and blurs the layers of a participant.

    Args:
        appearance: The participant at rest.
    """
    nothing = np.zeros_like(appearance.background)
    head, alpha = nothing, nothing
    head, alpha = _put_over(appearance.hair_back, head, alpha)
    head, alpha = _put_over(appearance.mouth, head, alpha)
    for eye in appearance.eyes:
        # Eyes are painted by their own part; here they only close the hole, and the seam along its rim.
        hole = np.asarray(cv2.dilate(eye.opening, np.ones((9, 9), np.uint8)), np.float32)
        head, alpha = _put_over(Layer(appearance.skin.grey, hole), head, alpha)
    for layer in (appearance.skin, appearance.lashes_lower, appearance.lashes_upper):
        head, alpha = _put_over(layer, head, alpha)
    front, front_alpha = _put_over(appearance.hair_front, nothing, nothing)
    front, front_alpha = _put_over(appearance.glasses, front, front_alpha)
    clothes, clothes_alpha = _put_over(appearance.clothes, nothing, nothing)
    return Layers(
        background=lens(appearance.background),
        head=_sheet(head, alpha),
        head_grey=lens(head),
        clothes=_sheet(clothes, clothes_alpha),
        front=_sheet(front, front_alpha),
        skin=lens(appearance.skin.grey),
        fine_mouth=fine_grey(lens(appearance.mouth.grey)),
    )


def _put_over(layer: Layer, grey: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    rest = 1 - layer.alpha
    return layer.alpha * layer.grey + rest * grey, layer.alpha + rest * alpha


def _sheet(grey: Floats, alpha: Floats) -> Sheet:
    there = alpha > 0.004
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    box = None
    if len(rows):
        # Whole nodes of the warp, so that its maps fit.
        box = (
            slice(int(rows[0]) // STEP * STEP, (int(rows[-1]) // STEP + 1) * STEP),
            slice(int(columns[0]) // STEP * STEP, (int(columns[-1]) // STEP + 1) * STEP),
        )
    grey = lens(grey.astype(np.float32))
    alpha = np.clip(lens(alpha.astype(np.float32)), 0, 1)
    return Sheet(FineLayer.of(grey, alpha), box)
