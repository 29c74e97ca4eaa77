"""What each action unit does to a head: displacement of its skin, motion of its lids, motion of the whole head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.action_units import ActionUnit, Side
from expression.synthetic.action_fields import LOWER_FACE, NOSE_AND_JAW, UPPER_FACE, FacePoints, Lips
from expression.synthetic.action_fields.face_points import MOUTH_Y, Field, smooth
from expression.synthetic.head import Head

Floats = npt.NDArray[np.float32]

FIELDS: Final[dict[ActionUnit, Field]] = {**UPPER_FACE, **NOSE_AND_JAW, **LOWER_FACE}
"""Skin displacement of every unit that moves skin: all but M57 and M58."""

_MIDLINE_CM: Final = 1.1
"""Half width of the band around the midline in which a one-sided action fades out."""


@dataclass(frozen=True)
class LidMotion:
    """How far a unit at full intensity closes the lids, as shares of the eye's neutral opening; negative opens."""

    upper: float = 0
    lower: float = 0


LIDS: Final[dict[ActionUnit, LidMotion]] = {
    ActionUnit.INNER_BROW_RAISER: LidMotion(upper=-0.03),
    ActionUnit.OUTER_BROW_RAISER: LidMotion(upper=-0.03),
    ActionUnit.BROW_LOWERER: LidMotion(upper=0.1),
    ActionUnit.UPPER_LID_RAISER: LidMotion(upper=-0.26),
    ActionUnit.CHEEK_RAISER: LidMotion(upper=0.08, lower=0.16),
    ActionUnit.LID_TIGHTENER: LidMotion(upper=0.12, lower=0.3),
    ActionUnit.NOSE_WRINKLER: LidMotion(upper=0.08, lower=0.08),
}
BLINK: Final = LidMotion(upper=0.94, lower=0.06)
"""A full blink: the upper lid comes down, the lower one hardly moves."""


@dataclass(frozen=True)
class HeadMotion:
    """How a unit at full intensity moves the whole head."""

    forward_cm: float
    """Towards the camera: the head appears larger."""
    up_cm: float
    pitch_deg: float
    """Chin up is positive."""


HEAD: Final[dict[ActionUnit, HeadMotion]] = {
    ActionUnit.HEAD_FORWARD: HeadMotion(forward_cm=5.0, up_cm=-0.5, pitch_deg=1.0),
    ActionUnit.HEAD_BACK: HeadMotion(forward_cm=-4.5, up_cm=0.3, pitch_deg=-1.0),
}

SWALLOW_CM: Final = 1.3
"""Rise of the larynx in a full swallow."""
BREATH_CM: Final = 0.35
"""Rise of the shoulders in a full breath."""


def displacement(points: Floats, unit: ActionUnit, side: Side, lips: Lips) -> Floats:
    """Where a unit at full intensity takes points of the base mesh's face.

    Args:
        points: (N, 3) positions on the base mesh, cm (`Material.vertices`, or carried from there by a subdivision).
        unit: Any unit; M57 and M58 move no skin of their own.
        side: The half of the face that acts. Left and right add up to both.
        lips: Whether the points belong to the face above or below the line between the lips. Away from the
            opening of the mouth it makes no difference.

    Returns:
        (N, 3) float32, cm.
    """
    if unit not in FIELDS:
        return np.zeros_like(points)
    moved = FIELDS[unit](FacePoints.of(points, lips))
    if side is Side.BOTH:
        return moved
    return moved * half(points, side)[:, None]


def swallow(points: Floats) -> Floats:
    """(N, 3) displacement in cm by a full swallow: the larynx rises, the floor of the mouth and the chin tighten."""
    x, y, z = points.T
    throat = np.exp(-0.5 * ((x / 1.5) ** 2 + ((y - 58.3) / 2.2) ** 2)) * smooth((z - 1.5) / 3)
    chin = FacePoints.of(points, Lips.LOWER).bump(0, 63.9, 1.2, 0.9)
    moved = np.zeros_like(points)
    moved[:, 1] = SWALLOW_CM * throat + 0.12 * chin
    moved[:, 2] = 0.2 * throat
    return moved


def belongs_to(points: Floats) -> npt.NDArray[np.bool_]:
    """(...) whether points (..., 3) of the base mesh lie above the line between the lips."""
    above: npt.NDArray[np.bool_] = points[..., 1] > MOUTH_Y
    return above


def vertex_displacement(head: Head, unit: ActionUnit, side: Side = Side.BOTH) -> Floats:
    """Displacement of a head's base vertices by a unit at full intensity (FACS level E), (B, 3) cm.

    It is linear in intensity. Lids and the motion of the whole head are not in it: see `LIDS` and `HEAD`.
    """
    points = head.material.vertices
    above = displacement(points, unit, side, Lips.UPPER)
    below = displacement(points, unit, side, Lips.LOWER)
    return fit_to(head).carry(np.where(belongs_to(points)[:, None], above, below))


@dataclass(frozen=True)
class Fit:
    """Size and posture of a head against the base mesh."""

    turned: Floats
    """(3, 3) scaled rotation."""

    def carry(self, moved: Floats) -> Floats:
        """Displacements (N, 3) of the base mesh as those of the head."""
        return (moved @ self.turned.T).astype(np.float32)


def fit_to(head: Head) -> Fit:
    """The similarity that best carries the base mesh's face to this head (Umeyama 1991), without its shift."""
    face = head.region("face") > 0.5
    source = head.material.vertices[face].astype(np.float64)
    wanted = head.base_vertices[face].astype(np.float64)
    source -= source.mean(0)
    wanted -= wanted.mean(0)
    u, spread, v = np.linalg.svd(wanted.T @ source)
    flip = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    scale = float((spread * flip).sum() / (source**2).sum())
    return Fit((scale * (u * flip) @ v).astype(np.float32))


def half(points: Floats, side: Side) -> Floats:
    """(N,) how much points of the base mesh belong to one half of the face; left and right add up to 1."""
    sign = 1 if side is Side.LEFT else -1
    share: Floats = smooth(0.5 + sign * points[:, 0] / (2 * _MIDLINE_CM))
    return share
