"""Lips, cheeks and chin: action units 10 to 28."""

from __future__ import annotations

from typing import Final

from expression.action_units import ActionUnit
from expression.synthetic.action_fields.face_points import MOUTH_HALF, MOUTH_Y, FacePoints, Field, Floats, Lips, smooth


def _upper(p: FacePoints, weight: Floats) -> Floats:
    return weight if p.lips is Lips.UPPER else 0 * weight


def _lower(p: FacePoints, weight: Floats) -> Floats:
    return weight if p.lips is Lips.LOWER else 0 * weight


def _along_lips(p: FacePoints) -> Floats:
    # A pulled corner takes the lip along, less and less towards the middle.
    return smooth(p.out / MOUTH_HALF * 0.9)


def _upper_lip_raiser(p: FacePoints) -> Floats:
    lip = p.bump(1.15, 66.9, 0.95, 0.85) + 0.45 * p.bump(0, 66.7, 0.55, 0.75)
    cheek = p.bump(2.2, 69.2, 0.95, 1.3, 20)
    wing = p.bump(1.5, 69.1, 0.5, 0.6)
    fold = p.bump(2.45, 68.5, 0.5, 1.1, -20)
    lifted = _upper(p, lip * p.gape**0.7)
    return p.vector(
        outward=0.05 * lifted,
        up=0.55 * lifted + 0.3 * cheek + 0.1 * wing,
        forward=0.1 * lifted + 0.14 * fold + 0.06 * cheek,
    )


def _lip_corner_puller(p: FacePoints) -> Floats:
    corner = p.bump(2.75, 66.25, 1.25, 1.05, 35) * _along_lips(p)
    cheek = p.bump(3.7, 68.7, 1.2, 1.15)
    apple = p.bump(3.4, 69.7, 1.1, 0.75)
    return p.vector(
        outward=0.62 * corner + 0.1 * cheek,
        up=0.72 * corner + 0.24 * cheek,
        forward=-0.32 * corner + 0.26 * apple,
    )


def _dimpler(p: FacePoints) -> Floats:
    corner = p.bump(2.55, 66.1, 0.75, 0.6) * _along_lips(p)
    pit = p.bump(2.95, 66.0, 0.35, 0.55)
    bulge = p.bump(3.6, 65.9, 0.45, 0.9)
    flat = p.bump(1.4, MOUTH_Y, 0.8, 0.6)
    toward = (MOUTH_Y - p.y) * flat
    return p.vector(
        outward=0.26 * corner - 0.2 * bulge,
        up=0.06 * corner + 0.16 * toward,
        forward=-0.3 * pit - 0.12 * corner + 0.16 * bulge,
    )


def _lip_corner_depressor(p: FacePoints) -> Floats:
    corner = p.bump(2.5, 66.0, 0.95, 0.9) * _along_lips(p)
    below = p.bump(2.6, 64.8, 0.9, 0.9)
    bag = p.bump(2.7, 65.1, 0.45, 0.4)
    return p.vector(
        outward=0.12 * corner + 0.05 * below, up=-0.58 * corner - 0.22 * below, forward=-0.08 * corner + 0.1 * bag
    )


def _lower_lip_depressor(p: FacePoints) -> Floats:
    lip = p.bump(0.9, 65.5, 1.05, 0.85) + 0.35 * p.bump(0, 65.5, 0.5, 0.8)
    pulled = _lower(p, lip * p.gape**0.8)
    chin = p.bump(1.1, 64.4, 1.1, 0.7)
    return p.vector(outward=0.1 * pulled, up=-0.5 * pulled - 0.14 * chin, forward=0.08 * pulled - 0.06 * chin)


def _chin_raiser(p: FacePoints) -> Floats:
    boss = p.bump(0, 63.7, 1.35, 0.95)
    lip = p.bump(0, 65.6, 1.25, 0.8)
    above = p.bump(0, 66.6, 1.15, 0.6)
    return p.vector(up=0.5 * boss + 0.36 * lip + 0.16 * above, forward=0.12 * boss + 0.18 * lip)


def _lip_pucker(p: FacePoints) -> Floats:
    ring = p.bump(0, MOUTH_Y, 2.3, 1.3)
    drawn = ring * smooth(p.out / 2.6)
    corner = p.bump(2.5, MOUTH_Y, 1.0, 0.9)
    front = p.bump(0, MOUTH_Y, 1.2, 0.9)
    taller = (p.y - MOUTH_Y) * p.bump(0, MOUTH_Y, 1.1, 0.75)
    return p.vector(outward=-0.62 * drawn - 0.25 * corner, up=0.1 * taller, forward=0.6 * front)


def _lip_stretcher(p: FacePoints) -> Floats:
    corner = p.bump(2.6, 66.0, 1.3, 0.85) * _along_lips(p)
    cheek = p.bump(3.7, 65.7, 0.85, 1.3)
    flat = (MOUTH_Y - p.y) * p.bump(0.8, MOUTH_Y, 1.3, 0.65)
    return p.vector(
        outward=0.78 * corner + 0.16 * cheek, up=-0.1 * corner + 0.22 * flat, forward=-0.25 * corner - 0.04 * cheek
    )


def _squeeze(p: FacePoints, above: float, below: float, reach: float) -> Floats:
    # Vermilion turns inward: its border comes to the line between the lips, which hides what has gone past.
    lens = smooth(p.gape * 1.6)
    hill = p.bump(0, MOUTH_Y, 30, reach) * lens
    return -above * _upper(p, hill) + below * _lower(p, hill)


def _lip_tightener(p: FacePoints) -> Floats:
    up = _squeeze(p, 0.17, 0.21, 0.64)
    corner = p.bump(2.4, MOUTH_Y, 0.9, 0.6)
    edge = p.bump(0, 66.95, 1.3, 0.22) + p.bump(0, 65.05, 1.2, 0.25)
    return p.vector(outward=-0.16 * corner, up=up, forward=0.03 * edge - 0.04 * p.bump(0, MOUTH_Y, 1.6, 0.4))


def _lip_presser(p: FacePoints) -> Floats:
    up = _squeeze(p, 0.2, 0.26, 0.75)
    corner = p.bump(2.45, MOUTH_Y, 0.8, 0.6)
    chin = p.bump(0, 64.0, 1.2, 0.9)
    rim = p.bump(0, 67.1, 1.4, 0.3) + p.bump(0, 64.9, 1.3, 0.35)
    return p.vector(
        outward=0.05 * corner,
        up=up + 0.12 * chin,
        forward=0.13 * rim - 0.12 * p.bump(0, MOUTH_Y, 1.7, 0.4) + 0.06 * chin,
    )


def _lips_part(p: FacePoints) -> Floats:
    above = _upper(p, p.bump(0, 66.5, 1.5, 0.7) * p.gape)
    below = _lower(p, p.bump(0, 65.5, 1.5, 0.9) * p.gape)
    return p.vector(up=0.12 * above - 0.4 * below)


def _lip_suck(p: FacePoints) -> Floats:
    up = _squeeze(p, 0.66, 0.72, 0.95)
    chin = p.bump(0, 64.2, 1.4, 0.9)
    lips = p.bump(0, MOUTH_Y, 2.0, 0.8)
    return p.vector(up=up + 0.12 * chin, forward=-0.4 * lips + 0.06 * chin)


LOWER_FACE: Final[dict[ActionUnit, Field]] = {
    ActionUnit.UPPER_LIP_RAISER: _upper_lip_raiser,
    ActionUnit.LIP_CORNER_PULLER: _lip_corner_puller,
    ActionUnit.DIMPLER: _dimpler,
    ActionUnit.LIP_CORNER_DEPRESSOR: _lip_corner_depressor,
    ActionUnit.LOWER_LIP_DEPRESSOR: _lower_lip_depressor,
    ActionUnit.CHIN_RAISER: _chin_raiser,
    ActionUnit.LIP_PUCKER: _lip_pucker,
    ActionUnit.LIP_STRETCHER: _lip_stretcher,
    ActionUnit.LIP_TIGHTENER: _lip_tightener,
    ActionUnit.LIP_PRESSER: _lip_presser,
    ActionUnit.LIPS_PART: _lips_part,
    ActionUnit.LIP_SUCK: _lip_suck,
}
