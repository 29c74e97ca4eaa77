"""From light to the camera's numbers: lens blur, exposure, photon and read noise, 8 bits."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.drawing import Exposure
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX

Floats = npt.NDArray[np.float32]

_SPARE: Final = 384
_TILE: Final = (HEIGHT_PX + _SPARE, WIDTH_PX + _SPARE)
"""One field of noise is shown at a place of its own in every frame."""
_GRAIN: Final = 25
"""Steps of the noise to a standard deviation; five of them have room."""
_GAMMA: Final = 2.2
_BLACK_SIGMA: Final = 1.4
_WHITE_SIGMA: Final = 2.6
"""Standard deviation at black and at white in grey levels: a 1024x768 sensor at 500 frames a second, some gain."""


class Sensor:
    """One camera. The noise of a frame follows from the seed, the take and the frame's number alone.

    Grey is light to the power 1/2.2. In that scale photon noise is nearly flat: from 1.4 (read noise) at black to
    2.6 grey levels at white.
    """

    def __init__(self, seed: int, noise: float = 1.0) -> None:
        """Makes the noise.

        Args:
            seed: Which camera.
            noise: Strength of the noise, 1 as in `Sensor`; 0 leaves it out.
        """
        draw = np.random.Generator(np.random.PCG64([seed, 0x5E45]))
        self._seed = seed
        self._noise = noise
        grain = draw.standard_normal(_TILE, np.float32)
        self._grain = np.clip(np.rint(grain * _GRAIN), -127, 127).astype(np.int8)
        # Columns of a CMOS sensor have amplifiers of their own: a trace of fixed stripes.
        self._fixed = 0.12 * noise * draw.standard_normal(WIDTH_PX, np.float32)

    def exposure(self, gain: float, frame: int, take: int = 0) -> Exposure:
        """How a frame is taken.

        Args:
            gain: Light against nominal (flicker of the lamps, exposure).
            frame: Number of the frame, for its noise.
            take: Which recording the frame belongs to: another one has other noise.
        """
        brighter = gain ** (1 / _GAMMA)
        if not self._noise:
            return Exposure(brighter)
        return Exposure(
            brighter,
            self._grain[self._place(take, frame)],
            self._fixed,
            by_light=self._noise * (_WHITE_SIGMA - _BLACK_SIGMA) / 255 / _GRAIN,
            in_the_dark=self._noise * _BLACK_SIGMA / _GRAIN,
        )

    def _place(self, take: int, frame: int) -> tuple[slice, slice]:
        draw = np.random.Generator(np.random.PCG64([self._seed, take, frame, 0x0FF5E7]))
        top, left = (int(part) for part in draw.integers(0, _SPARE, 2))
        return slice(top, top + HEIGHT_PX), slice(left, left + WIDTH_PX)


def lens(layer: Floats, sigma_px: float = 0.55) -> Floats:
    """A picture as the lens draws it: blurred by a Gaussian of `sigma_px`."""
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma_px), np.float32)
