"""Carries a head's motion into the picture: head, torso and action units as fields of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.action_units import Side
from expression.synthetic import actions
from expression.synthetic.action_fields import Lips
from expression.synthetic.action_fields.face_points import MOUTH_HALF, MOUTH_Y, smooth
from expression.synthetic.appearance import Appearance
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX, Camera
from expression.synthetic.resample import STEP, Box, enlarge, fill
from expression.synthetic.state import UNITS, FaceTrack

Floats = npt.NDArray[np.float32]

ROWS: Final = HEIGHT_PX // STEP
COLUMNS: Final = WIDTH_PX // STEP
TORSO_SHARE: Final = 0.3
"""Part of a shift of the head that the shoulders follow."""
_NEGLIGIBLE_PX: Final = 0.02


@dataclass(frozen=True)
class UnitField:
    """Motion in the picture by one half of one unit at full intensity."""

    box: Box
    """Where on the nodes it is not negligible."""
    skin: Floats
    """(h, w, 2) px; above the line between the lips that of the upper part, below that of the lower."""
    upper: Floats | None
    """(mouth box, 2) px: of the part above that line, continued below it; None where it does not reach the mouth."""
    lower: Floats | None
    """The same for the part below the line."""


@dataclass(frozen=True)
class FrameMotion:
    """Where every node goes in one frame: px, forward, without the lids."""

    coarse: Floats
    """(ROWS / 2, COLUMNS / 2, 2) by head, torso and throat, on nodes twice as far apart."""
    skin: Floats
    """(ROWS, COLUMNS, 2) by everything."""
    upper: Floats | None
    """(mouth box, 2) by everything, of the part above the lips' line; None where the lips move as one."""
    lower: Floats | None
    deformed: Box | None
    """Nodes on which the picture of skin that action units move may lie."""
    mouth: Box
    """Nodes on which the picture of the mouth box lies."""


@dataclass(frozen=True)
class SkinWarp:
    """All motion of one participant's head in the picture."""

    camera: Camera
    nodes: Floats
    """(ROWS, COLUMNS, 2) x and y of the nodes, px."""
    points: Floats
    """(N, 3) every second node of every second row on the head at rest, cm; continued beyond the outline."""
    still: Floats
    """(N, 2) px: `points` in the picture. Beyond the outline they are not where the node is."""
    share: Floats
    """(N,) part of the head's motion that reaches them: 1 on the head, 0 below the neck."""
    fields: dict[tuple[int, Side], UnitField]
    swallow: Floats
    """(ROWS / 2, COLUMNS / 2, 2) px by a full swallow."""
    mouth: Box
    """Nodes around the lips, where the parts above and below their line move apart."""
    lip_line: Floats
    """(WIDTH_PX,) y at which the lips meet, in every column of the picture."""
    px_per_cm: float
    """Scale on the face."""

    @classmethod
    def of(cls, appearance: Appearance) -> SkinWarp:
        """Prepares the fields of a participant (about a second)."""
        head, buffers = appearance.head, appearance.buffers
        covered = buffers.covered
        base = fill(buffers.interpolate(head.subdivision.apply(head.material.vertices)), covered)
        world = fill(buffers.interpolate(head.skin.vertices), covered)
        fit = actions.fit_to(head)
        coarse_base = _to_nodes(base).reshape(-1, 3)
        on_nodes = _to_nodes(world).reshape(-1, 3)
        before = head.camera.project(on_nodes)[:, :2]
        points = _to_nodes(world, 2).reshape(-1, 3)

        def in_picture(moved: Floats) -> Floats:
            seen = head.camera.project(on_nodes + fit.carry(moved))[:, :2] - before
            return np.ascontiguousarray(seen.reshape(ROWS, COLUMNS, 2))

        mouth = _mouth_box(base, covered)
        above = actions.belongs_to(coarse_base)[:, None]
        fields = {}
        for number, unit in enumerate(UNITS):
            if unit not in actions.FIELDS:
                continue
            whole = [actions.displacement(coarse_base, unit, Side.BOTH, lips) for lips in Lips]
            for side in (Side.LEFT, Side.RIGHT):
                parts = [moved * actions.half(coarse_base, side)[:, None] for moved in whole]
                upper, lower = in_picture(parts[0]), in_picture(parts[1])
                fields[number, side] = _unit_field(
                    in_picture(np.where(above, parts[0], parts[1])), upper[mouth], lower[mouth]
                )
        return cls(
            camera=head.camera,
            nodes=_nodes(),
            points=points,
            still=head.camera.project(points)[:, :2],
            share=smooth((_to_nodes(base, 2)[..., 1].ravel() - 53.5) / 9.0),
            fields=fields,
            swallow=_to_nodes(in_picture(actions.swallow(coarse_base)), 2),
            mouth=mouth,
            lip_line=_lip_line(base),
            px_per_cm=float(head.camera.focal_px / (head.camera.distance_cm - head.skin.vertices[:, 2].max())),
        )

    def motion(self, track: FaceTrack, frame: int) -> FrameMotion:
        """Where every node goes in a frame of a track."""
        coarse = self.coarse(track, frame)
        rigid = enlarge(coarse, COLUMNS, ROWS)
        active = [
            (float(value), self.fields[number, side])
            for side, half in ((Side.LEFT, track.left), (Side.RIGHT, track.right))
            for number in map(int, np.flatnonzero(half[frame]))
            if (value := half[frame, number]) > 0 and (number, side) in self.fields
        ]
        if not active:
            return FrameMotion(coarse, rigid, None, None, None, self.mouth)
        skin = rigid.copy()
        upper, lower = rigid[self.mouth].copy(), rigid[self.mouth].copy()
        for value, field in active:
            skin[field.box] += value * field.skin
            if field.upper is not None and field.lower is not None:
                upper += value * field.upper
                lower += value * field.lower
        boxes = [field.box for _, field in active]
        whole = tuple(
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in (0, 1)
        )
        deformed = _follow((whole[0], whole[1]), skin)
        if not any(field.upper is not None for _, field in active):
            return FrameMotion(coarse, skin, None, None, deformed, self.mouth)
        return FrameMotion(coarse, skin, upper, lower, deformed, _follow(self.mouth, rigid))

    def coarse(self, track: FaceTrack, frame: int) -> Floats:
        """(ROWS / 2, COLUMNS / 2, 2) px: motion by head, torso, breath and throat."""
        field = self.move_points(self.points, self.share, track, frame) - self.still
        field = field.reshape(ROWS // 2, COLUMNS // 2, 2)
        if track.swallow[frame]:
            field += track.swallow[frame] * self.swallow
        return field

    def move_points(self, points: Floats, share: Floats, track: FaceTrack, frame: int) -> Floats:
        """Where rigid motion takes points in the picture.

        Args:
            points: (N, 3) cm, at rest.
            share: (N,) part of the head's motion that they follow.
            track: What the face does.
            frame: Which frame of it.

        Returns:
            (N, 2) px.
        """
        turn, shift = head_pose(track, frame)
        camera = self.camera
        across = np.ascontiguousarray(points.T)
        moved = (turn - np.eye(3, dtype=np.float32)) @ across
        moved += (shift + PIVOT - turn @ PIVOT)[:, None]
        moved *= share
        moved += across
        if track.breath[frame]:
            moved[1] += (1 - share) * np.float32(actions.BREATH_CM * track.breath[frame])
        # The head's size is how near it is: all of it is scaled about the axis of the camera.
        scale = camera.focal_px * (1 + (float(track.head_scale[frame]) - 1) * share) / (camera.distance_cm - moved[2])
        follow = TORSO_SHARE + (1 - TORSO_SHARE) * share
        dx, dy = (float(step) for step in track.head_px[frame])
        x = camera.centre_px[0] + moved[0] * scale + follow * dx
        y = camera.centre_px[1] - (moved[1] - camera.height_cm) * scale + follow * dy
        return np.stack([x, y], axis=1).astype(np.float32)

    def torso_px(self, track: FaceTrack, frame: int) -> tuple[float, float]:
        """Shift of the shoulders, x to the right and y down."""
        dx, dy = TORSO_SHARE * track.head_px[frame]
        return float(dx), float(dy - actions.BREATH_CM * self.camera.px_per_cm * track.breath[frame])


PIVOT: Final = np.array([0.0, -9.0, -9.0], np.float32)
"""About which the head turns: the upper neck, cm, with the origin between the eyes."""


def head_pose(track: FaceTrack, frame: int) -> tuple[Floats, Floats]:
    """Rotation (3, 3) and shift (3,) in cm of the head against its rest, M57 and M58 included."""
    yaw, pitch, roll = (float(angle) for angle in track.head_deg[frame])
    forward, up = 0.0, 0.0
    for unit, motion in actions.HEAD.items():
        number = UNITS.index(unit)
        value = float(max(track.left[frame, number], track.right[frame, number]))
        forward += value * motion.forward_cm
        up += value * motion.up_cm
        pitch += value * motion.pitch_deg
    y, p, r = np.deg2rad([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turn = (about_z @ about_y @ about_x).astype(np.float32)
    return turn, np.array([0, up, forward], np.float32)


def _follow(box: Box, motion: Floats) -> Box:
    """The nodes on which a box's content may lie after a motion."""
    inside = motion[box]
    grown = []
    for axis, size in ((0, ROWS), (1, COLUMNS)):
        along = inside[..., 1 - axis]
        low, high = int(np.floor(along.min() / STEP)), int(np.ceil(along.max() / STEP))
        grown.append(slice(max(box[axis].start + min(low, 0), 0), min(box[axis].stop + max(high, 0), size)))
    return grown[0], grown[1]


def _nodes() -> Floats:
    middle = (STEP - 1) / 2
    x, y = np.meshgrid(np.arange(COLUMNS) * STEP + middle, np.arange(ROWS) * STEP + middle)
    return np.stack([x, y], axis=-1).astype(np.float32)


def _to_nodes(values: Floats, thinner: int = 1) -> Floats:
    return cv2.resize(values, (COLUMNS // thinner, ROWS // thinner), interpolation=cv2.INTER_AREA).astype(np.float32)


def _unit_field(skin: Floats, upper: Floats, lower: Floats) -> UnitField:
    moving = np.abs(skin).max(2) > _NEGLIGIBLE_PX
    rows, columns = np.flatnonzero(moving.any(1)), np.flatnonzero(moving.any(0))
    if not len(rows):
        box = (slice(0, 1), slice(0, 1))
    else:
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    reaches = max(np.abs(upper).max(), np.abs(lower).max()) > _NEGLIGIBLE_PX
    return UnitField(
        box,
        np.ascontiguousarray(skin[box]),
        np.ascontiguousarray(upper) if reaches else None,
        np.ascontiguousarray(lower) if reaches else None,
    )


def _mouth_box(base: Floats, covered: npt.NDArray[np.bool_]) -> Box:
    x, y, z = base[..., 0], base[..., 1], base[..., 2]
    near = covered & (np.abs(x) < MOUTH_HALF + 0.9) & (np.abs(y - MOUTH_Y) < 2.1) & (z > 8)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    return (
        slice(rows[0] // STEP, rows[-1] // STEP + 1),
        slice(columns[0] // STEP, columns[-1] // STEP + 1),
    )


def _lip_line(base: Floats) -> Floats:
    x, y = base[..., 0], base[..., 1]
    line = np.full(WIDTH_PX, np.nan)
    for column in range(WIDTH_PX):
        near = np.flatnonzero((np.abs(y[:, column] - MOUTH_Y) < 1.5) & (np.abs(x[:, column]) < MOUTH_HALF + 1))
        if len(near) < 3:
            continue
        height = y[near, column]
        crossing = np.flatnonzero((height[:-1] > MOUTH_Y) & (height[1:] <= MOUTH_Y))
        if len(crossing):
            first = crossing[0]
            part = (height[first] - MOUTH_Y) / max(height[first] - height[first + 1], 1e-6)
            line[column] = near[first] + part
    known = np.flatnonzero(~np.isnan(line))
    whole: Floats = np.interp(np.arange(WIDTH_PX), known, line[known]).astype(np.float32)
    return whole
