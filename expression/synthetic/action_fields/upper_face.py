"""Brows, forehead and the skin around the eyes: action units 1, 2, 4, 5, 6 and 7."""

from __future__ import annotations

from typing import Final

from expression.action_units import ActionUnit
from expression.synthetic.action_fields.face_points import BROW_Y, FacePoints, Field, Floats


def _forehead(p: FacePoints) -> Floats:
    # The frontalis hangs on the brow: most there, less and less up to the hairline, and nothing on the lid.
    reach: Floats = p.ramp_y(79.6, BROW_Y + 0.2) * p.ramp_y(73.3, BROW_Y) * p.front * p.beside_eye
    return reach


def _inner_brow_raiser(p: FacePoints) -> Floats:
    weight = p.plateau(0, 1.3, 0.85) * _forehead(p)
    return p.vector(outward=-0.08 * weight, up=0.72 * weight, forward=0.05 * weight)


def _outer_brow_raiser(p: FacePoints) -> Floats:
    weight = p.plateau(3.6, 4.8, 0.9) * _forehead(p)
    return p.vector(outward=0.06 * weight, up=0.7 * weight)


def _brow_lowerer(p: FacePoints) -> Floats:
    reach = p.ramp_y(78.2, BROW_Y + 0.3) * p.ramp_y(72.7, BROW_Y + 0.1) * p.front * p.beside_eye
    down = p.plateau(0, 2.2, 1.3) * reach
    together: Floats = p.plateau(0.8, 1.9, 0.85) * reach
    root = p.bump(0, 73.7, 0.55, 0.5)
    bulge = p.bump(0, 74.3, 0.75, 0.6)
    ridge = p.bump(1.5, 74.2, 1.1, 0.35)
    return p.vector(outward=-0.26 * together, up=-0.46 * down - 0.1 * root, forward=0.1 * bulge + 0.05 * ridge)


def _upper_lid_raiser(p: FacePoints) -> Floats:
    # The margin itself is moved with the lids; above it the fold sinks into the orbit.
    fold = p.bump(3.2, 73.75, 1.0, 0.25)
    return p.vector(forward=-0.06 * fold)


def _cheek_raiser(p: FacePoints) -> Floats:
    # The ring muscle of the eye draws the skin around it towards the eye.
    cheek = p.bump(3.5, 70.7, 1.6, 1.0) * p.beside_eye
    pouch = p.bump(3.2, 71.7, 1.3, 0.45) * p.beside_eye
    temple = p.bump(5.3, 72.7, 0.75, 1.0) * p.beside_eye
    brow = p.bump(4.2, 74.5, 1.2, 0.6) * p.beside_eye
    return p.vector(
        outward=-0.22 * temple - 0.05 * cheek,
        up=0.42 * cheek + 0.14 * pouch + 0.05 * temple - 0.16 * brow,
        forward=0.16 * cheek + 0.12 * pouch,
    )


def _lid_tightener(p: FacePoints) -> Floats:
    below = p.bump(3.1, 72.0, 1.2, 0.4) * p.beside_eye
    corner = p.bump(4.9, 72.75, 0.5, 0.5) * p.beside_eye
    return p.vector(outward=-0.06 * below - 0.06 * corner, up=0.16 * below, forward=0.09 * below)


UPPER_FACE: Final[dict[ActionUnit, Field]] = {
    ActionUnit.INNER_BROW_RAISER: _inner_brow_raiser,
    ActionUnit.OUTER_BROW_RAISER: _outer_brow_raiser,
    ActionUnit.BROW_LOWERER: _brow_lowerer,
    ActionUnit.UPPER_LID_RAISER: _upper_lid_raiser,
    ActionUnit.CHEEK_RAISER: _cheek_raiser,
    ActionUnit.LID_TIGHTENER: _lid_tightener,
}
