"""Renders a participant's face frame by frame, fast, with the truth about where every part of it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.action_units import Side
from expression.synthetic import layers
from expression.synthetic.appearance import Appearance
from expression.synthetic.drawing import FineLayer, Lips, Moved, Scene, ShiftMap, draw, fine_grey, invert
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.lids import Eye, LidState
from expression.synthetic.resample import FINE, STEP, Box, enlarge, sample_field
from expression.synthetic.sensor import Sensor
from expression.synthetic.state import FaceTrack
from expression.synthetic.warp import COLUMNS, ROWS, FrameMotion, SkinWarp
from expression.synthetic.wrinkles import shadings

Floats = npt.NDArray[np.float32]

_FRAME: Final[Box] = (slice(0, HEIGHT_PX), slice(0, WIDTH_PX))
_SKIN_PX: Final = 8
"""How far action units move the head's outline."""
_SIDES: Final = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class _Shade:
    number: int
    side: Side
    box: Box
    change: Floats
    """(h, w) at full intensity: the grey of the skin is multiplied by 1 + intensity * change."""


class Renderer:
    """One participant in front of the camera.

    A frame depends on the track, the take and the frame's number alone, so frames may be rendered in any order, by any
    number of renderers, with the same bytes. One renderer serves one thread.
    """

    def __init__(self, appearance: Appearance, noise: float = 1.0) -> None:
        """Prepares a participant (some seconds).

        Args:
            appearance: The participant at rest.
            noise: Strength of the sensor's noise; 0 for none.
        """
        self._warp = SkinWarp.of(appearance)
        self._layers = layers.prepare(appearance)
        self._sensor = Sensor(appearance.head.identity.seed, noise)
        self._eyes = tuple(Eye(appearance, layer, self._warp.px_per_cm) for layer in appearance.eyes)
        neutral = self._layers.head_grey.copy()
        rest = LidState(0.0, 0.0, (0.0, 0.0))
        for eye in self._eyes:
            neutral[eye.box] = eye.compose(self._layers.skin[eye.box], rest)
        head = self._layers.head.fine
        self._neutral = fine_grey(neutral)
        self._canvas = FineLayer(self._neutral.copy(), head.alpha, head.kind)
        self._gain = np.ones((HEIGHT_PX, WIDTH_PX), np.float32)
        self._shaded: Box | None = None
        self._shades = [
            _Shade(number, side, shading.box, shading.change)
            for (number, side), shading in shadings(appearance).items()
        ]
        self._picture = np.empty((HEIGHT_PX, WIDTH_PX), np.float32)
        self._box = _around([sheet.box for sheet in (self._layers.head, self._layers.front) if sheet.box])

    def render(self, track: FaceTrack, frame: int, out: npt.NDArray[np.uint8], take: int = 0) -> None:
        """Renders one frame.

        Args:
            track: What the face does.
            frame: Which frame of it; also seeds the noise.
            out: (768, 1024) uint8, filled.
            take: Which recording of the participant this is: another one has other noise.
        """
        exposure = self._sensor.exposure(float(track.light[frame]), frame, take)
        draw(self._scene(track, frame), exposure, out=out)

    def scene(self, track: FaceTrack, frame: int) -> Floats:
        """The picture before the sensor: (768, 1024) float32, 0 to 255. Valid until the next call."""
        draw(self._scene(track, frame), picture=self._picture)
        return self._picture

    def _scene(self, track: FaceTrack, frame: int) -> Scene:
        motion = self._warp.motion(track, frame)
        self._shade(track, frame)
        self._paint_eyes(track, frame)
        skull = _skull(motion)
        room = (int(np.abs(skull.shift).max() + _SKIN_PX) // STEP + 1) * STEP
        box = _clip(_grow(self._box, room), _FRAME)
        rigid = enlarge(skull.shift, COLUMNS, ROWS)
        skin = rigid
        part = _overlap(motion.deformed, _in_nodes(box)) if motion.deformed else None
        if part is not None:
            skin = rigid.copy()
            skin[part] = _turned(motion.skin, rigid, part).shift
        front = self._layers.front
        return Scene(
            background=self._layers.background,
            head=Moved(self._canvas, ShiftMap(skin, STEP), box),
            gain=self._gain,
            shaded=self._shaded,
            lips=self._lips(motion, skull, rigid),
            clothes=self._clothes(track, frame),
            front=Moved(front.fine, skull, _clip(_grow(front.box, room), _FRAME)) if front.box else None,
        )

    def displacement(self, track: FaceTrack, frame: int) -> Floats:
        """Where every pixel of the neutral face goes.

        Returns:
            (768, 1024, 2) float32 px, x to the right and y down: the content of neutral pixel p lies at p plus this.
            True on the skin (lids included), continued smoothly beyond it; the eyeballs' gaze is not in it.
        """
        motion = self._warp.motion(track, frame)
        field = enlarge(motion.skin, WIDTH_PX, HEIGHT_PX)
        if motion.upper is not None and motion.lower is not None:
            box = _in_px(self._warp.mouth)
            width, height = box[1].stop - box[1].start, box[0].stop - box[0].start
            parts = [enlarge(part, width, height) for part in (motion.upper, motion.lower)]
            above = np.arange(HEIGHT_PX)[box[0], None] < self._warp.lip_line[None, box[1]]
            field[box] = np.where(above[..., None], parts[0], parts[1])
        for eye, state in zip(self._eyes, self._lids(track, frame), strict=True):
            field[(*eye.box, 1)] += eye.forward(state)
        return field

    def positions(self, track: FaceTrack, frame: int, points: Floats) -> Floats:
        """Where points of the neutral face lie in a frame.

        Args:
            track: What the face does.
            frame: Which frame of it.
            points: (N, 2) px in the neutral picture (projected vertices, landmarks).

        Returns:
            (N, 2) px.
        """
        field = self.displacement(track, frame)
        at = np.ascontiguousarray(points[None], np.float32)
        return np.asarray(points + sample_field(field, at)[0], np.float32)

    def _lids(self, track: FaceTrack, frame: int) -> list[LidState]:
        return [
            LidState.of(track, frame, side, eye.px_per_degree) for side, eye in zip(_SIDES, self._eyes, strict=True)
        ]

    def _shade(self, track: FaceTrack, frame: int) -> None:
        """Brings the gain into the state of this frame: bulges and wrinkles."""
        gain = self._gain
        if self._shaded is not None:
            gain[self._shaded] = 1
        active = []
        for shade in self._shades:
            half = track.left if shade.side is Side.LEFT else track.right
            if (value := float(half[frame, shade.number])) > 0:
                active.append((value, shade))
        for value, shade in active:
            part = gain[shade.box]
            cv2.scaleAdd(shade.change, value, part, part)
        self._shaded = _around([shade.box for _, shade in active]) if active else None

    def _paint_eyes(self, track: FaceTrack, frame: int) -> None:
        """Brings the canvas, the head in its neutral place, into the state of this frame: lids, lashes, gaze."""
        for eye, state in zip(self._eyes, self._lids(track, frame), strict=True):
            fine = _in_fine(eye.box)
            shaded = self._shaded is not None and _overlap(self._shaded, eye.box)
            if state.at_rest and not shaded:
                self._canvas.grey[fine] = self._neutral[fine]
                continue
            skin = self._layers.skin[eye.box]
            if shaded:
                # The eyeball is not shaded with the skin around it: the gain is spent here.
                skin = skin * self._gain[eye.box]
                self._gain[eye.box] = 1
            self._canvas.grey[fine] = fine_grey(eye.compose(skin, state))

    def _lips(self, motion: FrameMotion, skull: ShiftMap, rigid: Floats) -> Lips | None:
        if motion.upper is None or motion.lower is None:
            return None
        # Maps are interpolated between nodes: a margin keeps their rims out of the picture.
        box = _clip(_grow(motion.mouth, 2), _in_nodes(_FRAME))
        window = _clip(_grow(box, 8), _in_nodes(_FRAME))
        maps = []
        for part in (motion.upper, motion.lower):
            field = motion.skin[window].copy()
            field[_within(self._warp.mouth, window)] = part
            maps.append(_turned(field, rigid, box, window))
        inner = _in_px(_clip(motion.mouth, box))
        return Lips(self._layers.fine_mouth, self._warp.lip_line, maps[0], maps[1], skull, inner)

    def _clothes(self, track: FaceTrack, frame: int) -> Moved | None:
        sheet = self._layers.clothes
        if sheet.box is None:
            return None
        dx, dy = self._warp.torso_px(track, frame)
        shift = ShiftMap(np.array([[[-dx, -dy]]], np.float32), STEP)
        return Moved(sheet.fine, shift, _clip(_grow(sheet.box, int(np.ceil(max(abs(dx), abs(dy)))) + 1), _FRAME))


def _skull(motion: FrameMotion) -> ShiftMap:
    """Where the skull, and what is fixed to it, comes from."""
    shift = -motion.coarse
    invert(motion.coarse, 2 * STEP, (0, 0), shift)
    return ShiftMap(shift, 2 * STEP)


def _turned(motion: Floats, rigid: Floats, part: Box, window: Box | None = None) -> ShiftMap:
    """A motion, on all nodes or a window of them, turned around on a part; the skull's shifts are a first guess."""
    shift = np.ascontiguousarray(rigid[part])
    inside = part if window is None else _within(part, window)
    invert(motion, STEP, (inside[0].start, inside[1].start), shift)
    return ShiftMap(shift, STEP, part[0].start * STEP, part[1].start * STEP)


def _in_fine(box: Box) -> Box:
    return slice(box[0].start * FINE, box[0].stop * FINE), slice(box[1].start * FINE, box[1].stop * FINE)


def _in_px(box: Box) -> Box:
    return slice(box[0].start * STEP, box[0].stop * STEP), slice(box[1].start * STEP, box[1].stop * STEP)


def _in_nodes(box: Box) -> Box:
    return slice(box[0].start // STEP, box[0].stop // STEP), slice(box[1].start // STEP, box[1].stop // STEP)


def _grow(box: Box, margin: int) -> Box:
    (rows, columns) = box
    return (
        slice(max(rows.start - margin, 0), rows.stop + margin),
        slice(max(columns.start - margin, 0), columns.stop + margin),
    )


def _clip(box: Box, limit: Box) -> Box:
    (rows, columns), (all_rows, all_columns) = box, limit
    return (
        slice(max(rows.start, all_rows.start), min(rows.stop, all_rows.stop)),
        slice(max(columns.start, all_columns.start), min(columns.stop, all_columns.stop)),
    )


def _within(box: Box, outer: Box) -> Box:
    (rows, columns), top, left = box, outer[0].start, outer[1].start
    return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)


def _overlap(a: Box, b: Box) -> Box | None:
    common = _clip(a, b)
    return common if common[0].start < common[0].stop and common[1].start < common[1].stop else None


def _around(boxes: list[Box]) -> Box:
    return (
        slice(min(box[0].start for box in boxes), max(box[0].stop for box in boxes)),
        slice(min(box[1].start for box in boxes), max(box[1].stop for box in boxes)),
    )
