"""Nose and jaw: action units 9, 31, 38 and 39."""

from __future__ import annotations

from typing import Final

from expression.action_units import ActionUnit
from expression.synthetic.action_fields.face_points import FacePoints, Field, Floats, Lips


def _nose_wrinkler(p: FacePoints) -> Floats:
    wing = p.bump(1.45, 69.1, 0.7, 0.8)
    side = p.bump(1.1, 71.0, 0.8, 1.2)
    root = p.bump(0.35, 73.0, 0.7, 0.6) * p.beside_eye
    cheek = p.bump(2.4, 70.4, 0.9, 0.9) * p.beside_eye
    brow = p.bump(0.8, 74.4, 1.1, 0.55) * p.beside_eye
    lip = p.bump(1.2, 67.1, 0.9, 0.75) * (p.gape**0.7 if p.lips is Lips.UPPER else 0)
    return p.vector(
        outward=-0.04 * side,
        up=0.34 * wing + 0.26 * side + 0.06 * root + 0.22 * cheek - 0.26 * brow + 0.2 * lip,
        forward=0.08 * root + 0.1 * cheek + 0.06 * side,
    )


def _jaw_clencher(p: FacePoints) -> Floats:
    # The masseter swells in front of the angle of the jaw, where the face turns away from the camera.
    muscle = p.bump(5.4, 65.7, 0.9, 1.4)
    return p.vector(outward=0.26 * muscle, forward=0.4 * muscle)


def _nostril_dilator(p: FacePoints) -> Floats:
    wing = p.bump(1.6, 69.0, 0.5, 0.6)
    return p.vector(outward=0.24 * wing, up=0.05 * wing, forward=0.04 * wing)


def _nostril_compressor(p: FacePoints) -> Floats:
    wing = p.bump(1.6, 69.0, 0.55, 0.6)
    side = p.bump(1.3, 70.2, 0.5, 0.6)
    return p.vector(outward=-0.2 * wing - 0.06 * side, up=-0.04 * wing, forward=-0.05 * wing)


NOSE_AND_JAW: Final[dict[ActionUnit, Field]] = {
    ActionUnit.NOSE_WRINKLER: _nose_wrinkler,
    ActionUnit.JAW_CLENCHER: _jaw_clencher,
    ActionUnit.NOSTRIL_DILATOR: _nostril_dilator,
    ActionUnit.NOSTRIL_COMPRESSOR: _nostril_compressor,
}
