"""The layers of a participant's picture as a renderer needs them: seen through the lens, multiplied, boxed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.appearance import Appearance, Layer
from expression.synthetic.resample import STEP, Box, finer
from expression.synthetic.sensor import lens

Floats = npt.NDArray[np.float32]


ROOM_PX: Final = 24
"""Motion up to which only the pieces of a layer have to be drawn; beyond, all of its surroundings are."""
_BAND: Final = 64


@dataclass(frozen=True)
class Piece:
    """A rectangle of the frame that a layer has to be drawn in."""

    box: Box
    solid: bool
    """Nothing shines through here, so nothing has to be mixed."""


@dataclass(frozen=True)
class Sheet:
    """A layer ready to be put over what lies beneath: `grey + (1 - alpha) * beneath`."""

    grey: Floats
    """(H, W) float32, multiplied by alpha."""
    alpha: Floats
    """(H, W) float32."""
    fine_grey: Floats
    """(FINE * H, FINE * W): `grey`, for being moved."""
    fine_alpha: Floats
    box: Box | None
    """Where there is anything, in whole nodes; None for an empty layer."""
    pieces: tuple[Piece, ...]
    """The parts of the frame that it can reach while it moves by no more than `ROOM_PX`."""


@dataclass(frozen=True)
class Layers:
    """Back to front."""

    background: Floats
    head: Sheet
    """Hair behind, mouth, eyes, skin and lashes in one."""
    clothes: Sheet
    front: Sheet
    """Hair in front and glasses: they move with the skull and not with the skin."""
    skin: Floats
    """(H, W) grey of the skin, continued across the openings of the eyes."""
    fine_mouth: Floats
    """(FINE * H, FINE * W) grey behind the lips, continued beyond them."""


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
        clothes=_sheet(clothes, clothes_alpha),
        front=_sheet(front, front_alpha),
        skin=lens(appearance.skin.grey),
        fine_mouth=finer(lens(appearance.mouth.grey)),
    )


def put_over(grey: Floats, alpha: Floats, picture: Floats, box: Box) -> None:
    """Puts a multiplied layer (h, w) over a box of a picture, in place."""
    beneath = picture[box]
    cv2.subtract(1.0, alpha, alpha)  # type: ignore[call-overload]
    cv2.multiply(beneath, alpha, alpha)
    cv2.add(alpha, grey, beneath)


def _put_over(layer: Layer, grey: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    rest = 1 - layer.alpha
    return layer.alpha * layer.grey + rest * grey, layer.alpha + rest * alpha


def _sheet(grey: Floats, alpha: Floats) -> Sheet:
    there = alpha > 0.004
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return Sheet(grey, alpha, grey, alpha, None, ())
    # Whole nodes of the warp, so that its maps fit.
    box = (
        slice(rows[0] // STEP * STEP, (rows[-1] // STEP + 1) * STEP),
        slice(columns[0] // STEP * STEP, (columns[-1] // STEP + 1) * STEP),
    )
    alpha = np.clip(lens(alpha.astype(np.float32)), 0, 1)
    grey = lens(grey.astype(np.float32))
    return Sheet(grey, alpha, finer(grey), finer(alpha), box, _pieces(alpha))


def _pieces(alpha: Floats) -> tuple[Piece, ...]:
    """Cuts the frame into bands, and each band where it turns from empty to mixed or solid."""
    around = np.ones((2 * ROOM_PX + 1, 2 * ROOM_PX + 1), np.uint8)
    empty = cv2.dilate(alpha, around) < 0.002
    solid = cv2.erode(alpha, around, borderValue=1) > 0.998
    pieces = []
    for top in range(0, len(alpha), _BAND):
        band = slice(top, min(top + _BAND, len(alpha)))
        kind = np.where(empty[band].all(0), 0, np.where(solid[band].all(0), 2, 1))
        # Short stretches are not worth a call of their own: they are drawn as mixed.
        for value in (0, 2):
            kind = _without_short(kind, value)
        starts = [0, *(np.flatnonzero(np.diff(kind)) + 1)]
        for start, stop in zip(starts, [*starts[1:], len(kind)], strict=True):
            if kind[start]:
                pieces.append(Piece((band, slice(int(start), int(stop))), bool(kind[start] == 2)))
    return tuple(pieces)


def _without_short(kind: npt.NDArray[np.int64], value: int) -> npt.NDArray[np.int64]:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], kind == value, [0]])))
    result = kind.copy()
    for start, stop in ends.reshape(-1, 2):
        if stop - start < 88:
            result[start:stop] = 1
    return result
