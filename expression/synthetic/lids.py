"""One eye in one frame: lids, lashes and eyeball, composed in the neutral picture before the skin is warped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.action_units import Side
from expression.synthetic import actions
from expression.synthetic.appearance import Appearance, Layer
from expression.synthetic.eyes import EyeLayer
from expression.synthetic.resample import Box, resample, resample_sharp
from expression.synthetic.sensor import lens
from expression.synthetic.state import UNITS, FaceTrack

Floats = npt.NDArray[np.float32]

_RIGID_CM: Final = (0.08, 0.12)
"""Skin this close to the margin of the upper and lower lid moves with it undistorted."""
_SMOOTH_FROM: Final = 0.12
_SMOOTH_PX: Final = 2.5
"""From this closure on, the skin of the upper lid is drawn more and more smoothly."""
_CORNER_CM: Final = 0.35
"""Distance beyond the corners of the eye at which the lids' motion has faded out."""
_REACH_CM: Final = (0.8, 0.9)
"""Distance from the margin at which the lids' motion has faded out: the fold above, the cheek below."""


@dataclass(frozen=True)
class LidState:
    """Lids and gaze of one eye in one frame."""

    upper: float
    """Closure by the upper lid as a share of the neutral opening; negative opens wider."""
    lower: float
    gaze_px: tuple[float, float]
    """Shift of the iris, x to the right and y down."""

    @classmethod
    def of(cls, track: FaceTrack, frame: int, side: Side, px_per_degree: float) -> LidState:
        """The state that a track asks of one eye."""
        half = track.left[frame] if side is Side.LEFT else track.right[frame]
        blink = float(track.blink[frame, 0 if side is Side.LEFT else 1])
        upper, lower = blink * actions.BLINK.upper, blink * actions.BLINK.lower
        for number, unit in enumerate(UNITS):
            if half[number] and unit in actions.LIDS:
                # A lid that is nearly closed already has less way to go.
                upper += float(half[number]) * actions.LIDS[unit].upper * (1 - 0.9 * blink)
                lower += float(half[number]) * actions.LIDS[unit].lower * (1 - 0.9 * blink)
        left, up = (float(angle) for angle in track.gaze_deg[frame])
        # The upper lid follows a look up or down.
        upper -= 0.012 * up * (1 - blink)
        over = upper + lower
        if over > 1:
            upper, lower = upper / over, lower / over
        return cls(upper, lower, (left * px_per_degree, -up * px_per_degree))

    @property
    def at_rest(self) -> bool:
        """Whether the eye is as in the neutral picture."""
        return self == LidState(0.0, 0.0, (0.0, 0.0)) or self == LidState(0.0, 0.0, (0.0, -0.0))


class Eye:
    """One eye of a participant."""

    def __init__(self, appearance: Appearance, layer: EyeLayer, px_per_cm: float) -> None:
        """Finds the margins of the lids."""
        self.px_per_degree = layer.px_per_degree
        opening = layer.opening
        rows, columns = np.flatnonzero(opening.max(1) > 0.5), np.flatnonzero(opening.max(0) > 0.5)
        margin_x, above, below = (round(cm * px_per_cm) for cm in (0.45, 1.0, 1.0))
        self.box: Box = (
            slice(rows[0] - above, rows[-1] + below),
            slice(columns[0] - margin_x, columns[-1] + margin_x),
        )
        top, left = self.box[0].start, self.box[1].start
        height, width = self.box[0].stop - top, self.box[1].stop - left
        self._x, self._y = (part.astype(np.float32) for part in np.meshgrid(np.arange(width), np.arange(height)))
        upper, lower = _margins(opening[self.box])
        self._upper, self._lower = upper, lower
        self._solid = (lower - upper > 0.5).astype(np.float32)
        # Between the corners a lid travels in proportion to the opening there; beyond, it takes some skin along.
        self._travel = _travel(lower - upper, round(_CORNER_CM * px_per_cm))
        self._rigid = [cm * px_per_cm for cm in _RIGID_CM]
        self._reach = [cm * px_per_cm for cm in _REACH_CM]
        self._hole = opening[self.box].copy()
        self._ball = _in_box(layer.ball, layer, self.box)
        self._reflections = _in_box(layer.reflections, layer, self.box, edge=False)
        self._shadow = _in_box(layer.shadow, layer, self.box)
        self._lashes = [
            Layer(part.grey[self.box].copy(), part.alpha[self.box].copy())
            for part in (appearance.lashes_lower, appearance.lashes_upper)
        ]
        self._lashes = [part for part in self._lashes if part.alpha.max() > 0]
        self._lash_is_upper = [True] * len(self._lashes)
        if len(self._lashes) == 2:
            self._lash_is_upper = [False, True]

    def compose(self, skin: Floats, state: LidState) -> Floats:
        """The picture of the eye and the skin around it.

        Args:
            skin: (h, w) float32 grey of the skin in `box`, shaded for this frame, continued across the opening.
            state: Lids and gaze.

        Returns:
            (h, w) float32 grey.
        """
        drop, rise = self._paths(state)
        upper, lower = self._upper + drop, self._lower - rise
        source = self._skin_source(drop, rise, upper, lower)
        lid = resample_sharp(skin, self._x[:1], source)
        if state.upper > _SMOOTH_FROM:
            # A few rows of skin cover the whole eye now: their grain would be drawn out into streaks.
            soft = resample(lens(skin, _SMOOTH_PX), self._x, source, replicate=True)
            stretched = np.clip((upper - self._y) / self._rigid[0] - 1, 0, 1) * (self._travel > 0)
            lid += np.float32(min(3 * (state.upper - _SMOOTH_FROM), 1)) * stretched * (soft - lid)
        dx, dy = state.gaze_px
        ball = self._ball
        if dx or dy:
            ball = resample_sharp(ball, self._x[:1] - np.float32(dx), self._y[:, :1] - np.float32(dy))
        shadow = self._shadow
        if state.upper:
            shadow = resample(shadow, self._x, self._y - drop, replicate=True)
        wet = ball * shadow
        wet += self._reflections
        hole = np.clip(self._y - (upper - 0.5), 0, 1)
        hole *= np.clip((lower + 0.5) - self._y, 0, 1)
        hole *= self._solid
        wet -= lid
        wet *= hole
        picture = lid
        picture += wet
        for lashes, is_upper in zip(self._lashes, self._lash_is_upper, strict=True):
            picture = self._brush(picture, lashes, state, is_upper, upper if is_upper else lower)
        return np.asarray(picture, np.float32)

    def forward(self, state: LidState) -> Floats:
        """(h, w) px down by which the lids' skin moves from each pixel of `box`; 0 inside the opening."""
        drop, rise = self._paths(state)
        above = np.maximum(self._upper - self._y, 0)
        below = np.maximum(self._y - self._lower, 0)
        falls = [
            np.clip((reach - distance) / (reach - rigid), 0, 1)
            for distance, rigid, reach in zip((above, below), self._rigid, self._reach, strict=True)
        ]
        moved = np.where(self._y < self._upper, drop * falls[0], np.where(self._y > self._lower, -rise * falls[1], 0))
        return moved.astype(np.float32)

    def _paths(self, state: LidState) -> tuple[Floats, Floats]:
        return self._travel * np.float32(state.upper), self._travel * np.float32(state.lower)

    def _skin_source(self, drop: Floats, rise: Floats, upper: Floats, lower: Floats) -> Floats:
        above = _before(upper - self._y, drop, self._rigid[0], self._reach[0])
        below = _before(self._y - lower, rise, self._rigid[1], self._reach[1])
        middle = (upper + lower) / 2
        source = np.where(self._y < middle, self._upper - above, self._lower + below)
        return source.astype(np.float32)

    def _brush(self, picture: Floats, lashes: Layer, state: LidState, is_upper: bool, margin: Floats) -> Floats:
        # Lashes ride on the margin and turn with it: foreshortened half way down, pointing down when closed.
        length = 1.0 - 1.6 * max(state.upper, 0) if is_upper else 1.0
        if abs(length) < 0.25:
            length = 0.25 if state.upper < 0.625 else -0.25
        root = self._upper if is_upper else self._lower
        source = root + (self._y - margin) / np.float32(length)
        alpha = resample(lashes.alpha, self._x, source)
        grey = resample(lashes.grey, self._x, source, replicate=True)
        return np.asarray(picture + alpha * (grey - picture), np.float32)


def _travel(tall: Floats, beyond: int) -> Floats:
    """Way of the lids from open to closed in every column, with soft ends beyond the corners."""
    columns = np.flatnonzero(tall > 0.5)
    first, last = columns[0], columns[-1]
    places = np.concatenate([[first - beyond], columns, [last + beyond]])
    heights = np.concatenate([[0.0], tall[columns], [0.0]])
    way = np.interp(np.arange(len(tall)), places, heights)
    kernel = np.exp(-0.5 * np.square(np.arange(-6, 7) / 2.0))
    soft = np.convolve(np.pad(way, 6, mode="edge"), kernel / kernel.sum(), "valid")
    return np.maximum(soft, tall).astype(np.float32)


def _before(distance: Floats, path: Floats, rigid: float, reach: float) -> Floats:
    """Distance from the margin at rest of skin that now lies at `distance` from the margin, which has moved by `path`.

    A point at t moves along by path, times 1 below `rigid`, falling linearly to 0 at `reach`.
    """
    span = np.float32(reach - rigid)
    path = np.maximum(path, -0.8 * span)
    stretched = (distance - path + path * reach / span) / (1 + path / span)
    far = distance - path
    return np.where(distance < rigid, distance, np.where(stretched < reach, stretched, far)).astype(np.float32)


def _margins(opening: Floats) -> tuple[Floats, Floats]:
    """(w,) y of the upper and the lower margin in every column, continued beyond the corners."""
    height, width = opening.shape
    solid = opening.max(0) > 0.5
    amount = opening.sum(0)
    centre = (opening * np.arange(height)[:, None]).sum(0) / np.maximum(amount, 1e-6)
    columns = np.flatnonzero(solid)
    everywhere = np.arange(width)
    middle = np.interp(everywhere, columns, centre[columns])
    tall = np.where(solid, amount, 0)
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    middle = np.convolve(np.pad(middle, 2, mode="edge"), kernel, "valid")
    return (middle - tall / 2).astype(np.float32), (middle + tall / 2 - 1e-3).astype(np.float32)


def _in_box(patch: Floats, layer: EyeLayer, box: Box, edge: bool = True) -> Floats:
    x = np.arange(box[1].start, box[1].stop) - layer.left_px
    y = np.arange(box[0].start, box[0].stop) - layer.top_px
    rows, columns = np.clip(y, 0, patch.shape[0] - 1), np.clip(x, 0, patch.shape[1] - 1)
    inside = patch[np.ix_(rows, columns)]
    if not edge:
        inside = inside * ((rows == y)[:, None] & (columns == x))
    return np.ascontiguousarray(inside, np.float32)
