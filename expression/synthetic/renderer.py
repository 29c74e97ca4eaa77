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
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.lids import Eye, LidState
from expression.synthetic.resample import (
    FINE,
    STEP,
    Box,
    enlarge,
    finer,
    invert,
    invert_rigid,
    resample,
    sample_field,
    translate,
)
from expression.synthetic.sensor import Sensor
from expression.synthetic.state import FaceTrack
from expression.synthetic.warp import FrameMotion, SkinWarp
from expression.synthetic.wrinkles import Shading, shadings

Floats = npt.NDArray[np.float32]
Maps = tuple[Floats, Floats]

_FRAME: Final[Box] = (slice(0, HEIGHT_PX), slice(0, WIDTH_PX))
_SKIN_PX: Final = 8
"""How far action units move the head's outline."""
_SIDES: Final = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class _Shade:
    number: int
    side: Side
    box: Box
    delta: Floats
    """Change of the fine picture at full intensity."""
    at_eyes: tuple[tuple[Box, Floats] | None, tuple[Box, Floats] | None]
    """Where in each eye's box it changes the skin, and its factor less 1."""


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
        neutral = self._layers.head.grey.copy()
        rest = LidState(0.0, 0.0, (0.0, 0.0))
        for eye in self._eyes:
            neutral[eye.box] = eye.compose(self._layers.skin[eye.box], rest)
        self._neutral = finer(neutral)
        self._canvas = self._neutral.copy()
        self._dirty: list[Box] = []
        self._shades = [
            _Shade(
                number,
                side,
                shading.box,
                finer(neutral[shading.box] * shading.change),
                (_at_eye(shading, self._eyes[0].box), _at_eye(shading, self._eyes[1].box)),
            )
            for (number, side), shading in shadings(appearance).items()
        ]
        self._picture = np.empty((HEIGHT_PX, WIDTH_PX), np.float32)
        self._grid = _grid()
        boxes = [sheet.box for sheet in (self._layers.head, self._layers.front) if sheet.box]
        self._box = _around(boxes)

    def render(self, track: FaceTrack, frame: int, out: npt.NDArray[np.uint8], take: int = 0) -> None:
        """Renders one frame.

        Args:
            track: What the face does.
            frame: Which frame of it; also seeds the noise.
            out: (768, 1024) uint8, filled.
            take: Which recording of the participant this is: another one has other noise.
        """
        self._sensor.expose(self.scene(track, frame), float(track.light[frame]), frame, out, take)

    def scene(self, track: FaceTrack, frame: int) -> Floats:
        """The picture before the sensor: (768, 1024) float32, 0 to 255. Valid until the next call."""
        motion = self._warp.motion(track, frame)
        self._paint(track, frame)
        picture = self._picture
        np.copyto(picture, self._layers.background)
        far = float(np.abs(motion.rigid[_in_nodes(self._box)]).max())
        room = (int(far + _SKIN_PX) // STEP + 1) * STEP
        box = _clip(_grow(self._box, room), _FRAME)
        nodes = _in_nodes(box)
        rigid = invert_rigid(motion.rigid, self._warp.nodes, nodes)
        source = rigid
        part = _overlap(motion.deformed, nodes) if motion.deformed else None
        if part is not None:
            source, inside = rigid.copy(), _within(part, nodes)
            source[inside] = invert([motion.skin], self._warp.nodes, part, rigid[inside])[0]
        skin = self._maps(source - self._warp.nodes[nodes], box)
        self._draw(picture, self._layers.head, self._canvas, skin, box, far)
        if motion.upper is not None and motion.lower is not None:
            self._put_mouth(picture, motion)
        self._put_clothes(picture, track, frame)
        front = self._layers.front
        if front.box is not None:
            over = _clip(_grow(front.box, room), _FRAME)
            on_nodes = _in_nodes(over)
            skull = self._maps(rigid[_within(on_nodes, nodes)] - self._warp.nodes[on_nodes], over)
            self._draw(picture, front, front.fine_grey, skull, over, far)
        return picture

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

    def _paint(self, track: FaceTrack, frame: int) -> None:
        """Brings the canvas, the head in its neutral place, into the state of this frame: shading, lids, gaze."""
        canvas = self._canvas
        if self._dirty:
            whole = _around(self._dirty)
            if _area(whole) < sum(map(_area, self._dirty)):
                self._dirty = [whole]
            for box in self._dirty:
                canvas[box] = self._neutral[box]
            self._dirty = []
        active = []
        for shade in self._shades:
            half = track.left if shade.side is Side.LEFT else track.right
            value = float(half[frame, shade.number])
            if value > 0:
                active.append((value, shade))
                fine = _in_fine(shade.box)
                self._dirty.append(fine)
                part = canvas[fine]
                cv2.scaleAdd(shade.delta, value, part, part)
        for number, (eye, state) in enumerate(zip(self._eyes, self._lids(track, frame), strict=True)):
            touching = [(value, place) for value, shade in active if (place := shade.at_eyes[number]) is not None]
            if state.at_rest and not touching:
                continue
            skin = self._layers.skin[eye.box]
            if touching:
                gain = np.ones_like(skin)
                for value, (where, change) in touching:
                    gain[where] += np.float32(value) * change
                skin = skin * gain
            fine = _in_fine(eye.box)
            canvas[fine] = finer(eye.compose(skin, state))
            self._dirty.append(fine)

    def _draw(self, picture: Floats, sheet: layers.Sheet, grey: Floats, maps: Maps, box: Box, far: float) -> None:
        """Draws a layer through maps that cover a box."""
        if sheet.box is None:
            return
        x, y = maps
        pieces = sheet.pieces if far <= layers.ROOM_PX - _SKIN_PX else (layers.Piece(box, solid=False),)
        for piece in pieces:
            part = _overlap(piece.box, box)
            if part is None:
                continue
            inside = _within(part, box)
            seen = resample(grey, x[inside], y[inside])
            if piece.solid:
                picture[part] = seen
            else:
                layers.put_over(seen, resample(sheet.fine_alpha, x[inside], y[inside]), picture, part)

    def _put_mouth(self, picture: Floats, motion: FrameMotion) -> None:
        """Paints the lips, which part and cover each other."""
        nodes, mouth = self._warp.nodes, self._warp.mouth
        # Maps are interpolated between nodes: a margin keeps their rims out of the picture.
        box = _clip(_grow(motion.mouth, 2), _in_nodes(_FRAME))
        window = _clip(_grow(box, 8), (slice(0, nodes.shape[0]), slice(0, nodes.shape[1])))
        fields = []
        for part in (motion.upper, motion.lower):
            field = motion.skin[window].copy()
            field[_within(mouth, window)] = part
            fields.append(field)
        rigid = invert_rigid(motion.rigid, nodes, box)
        sources = invert(fields, nodes[window], _within(box, window), rigid)
        heights = [
            np.interp(source[..., 0], np.arange(WIDTH_PX), self._warp.lip_line) - source[..., 1] for source in sources
        ]
        place = _in_px(box)
        width, height = place[1].stop - place[1].start, place[0].stop - place[0].start
        upper, lower = (resample(self._canvas, *self._maps(source - nodes[box], place)) for source in sources)
        above = enlarge(heights[0].astype(np.float32), width, height)
        below = enlarge(-heights[1].astype(np.float32), width, height)
        lips = lower + np.clip((above - below) / 2 + 0.5, 0, 1) * (upper - lower)
        # Where lips press on each other the line between them stays dark.
        pressed = np.clip((above + below) / 3, 0, 1) * np.exp(np.square(above - below) * np.float32(-0.09))
        lips *= 1 - np.float32(0.4) * pressed
        gap = np.clip(-2 * np.maximum(above, below), 0, 1)
        if gap.any():
            behind = resample(self._layers.fine_mouth, *self._maps(rigid - nodes[box], place))
            lips += gap * (behind - lips)
        inner = _in_px(_clip(motion.mouth, box))
        picture[inner] = lips[_within(inner, place)]

    def _put_clothes(self, picture: Floats, track: FaceTrack, frame: int) -> None:
        sheet = self._layers.clothes
        dx, dy = self._warp.torso_px(track, frame)
        if sheet.box is None:
            return
        box = _clip(_grow(sheet.box, int(np.ceil(max(abs(dx), abs(dy)))) + 1), _FRAME)
        grey, alpha = (translate(part, box, dx, dy) for part in (sheet.grey, sheet.alpha))
        layers.put_over(grey, alpha, picture, box)

    def _maps(self, shift: Floats, box: Box) -> Maps:
        grid_x, grid_y = self._grid
        width, height = box[1].stop - box[1].start, box[0].stop - box[0].start
        fine = shift * np.float32(FINE)
        x, y = (enlarge(np.ascontiguousarray(fine[..., axis]), width, height) for axis in (0, 1))
        x += grid_x[box]
        y += grid_y[box]
        return x, y


def _at_eye(shading: Shading, eye: Box) -> tuple[Box, Floats] | None:
    common = _overlap(shading.box, eye)
    if common is None:
        return None
    change = shading.change[_within(common, shading.box)]
    return (_within(common, eye), change) if np.abs(change).max() > 1e-3 else None


def _grid() -> Maps:
    """Places of the pixels in a fine picture, x and y.

    `cv2.remap` rounds to 1/32; dither keeps that unbiased.
    """
    x, y = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    draw = np.random.Generator(np.random.PCG64(32))
    dither = draw.random((2, *x.shape), np.float32) / 32 - 1 / 64
    middle = (FINE - 1) / 2
    return (FINE * x + middle + dither[0]).astype(np.float32), (FINE * y + middle + dither[1]).astype(np.float32)


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


def _area(box: Box) -> int:
    return int((box[0].stop - box[0].start) * (box[1].stop - box[1].start))
