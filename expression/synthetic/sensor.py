"""From light to the camera's numbers: lens blur, exposure, photon and read noise, 8 bits."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.head import HEIGHT_PX, WIDTH_PX

Floats = npt.NDArray[np.float32]

_TILE: Final = (HEIGHT_PX + 256, WIDTH_PX + 256)
_GAMMA: Final = 2.2
_BLACK_SIGMA: Final = 1.4
_WHITE_SIGMA: Final = 2.6
"""Standard deviation at black and at white in grey levels: a 1024x768 sensor at 500 frames a second, some gain."""


class Sensor:
    """One camera. The noise of a frame follows from the seed and the frame's number alone.

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
        self._grain = draw.standard_normal(_TILE, np.float32)
        # Columns of a CMOS sensor have amplifiers of their own: a trace of fixed stripes.
        self._fixed = (0.12 * noise * draw.standard_normal((1, WIDTH_PX), np.float32)).repeat(HEIGHT_PX, 0)
        self._sigma = np.empty((HEIGHT_PX, WIDTH_PX), np.float32)
        self._work = np.empty((HEIGHT_PX, WIDTH_PX), np.float32)

    def expose(self, picture: Floats, gain: float, frame: int, out: npt.NDArray[np.uint8]) -> None:
        """Takes a frame.

        Args:
            picture: (768, 1024) float32 grey before the sensor, 0 to 255. Left as it is.
            gain: Light against nominal (flicker of the lamps, exposure).
            frame: Number of the frame, for its noise.
            out: (768, 1024) uint8, filled.
        """
        brighter = gain ** (1 / _GAMMA)
        if not self._noise:
            cv2.convertScaleAbs(picture, out, brighter)
            return
        work, sigma = self._work, self._sigma
        slope = (_WHITE_SIGMA - _BLACK_SIGMA) / 255
        np.multiply(picture, np.float32(brighter * slope * self._noise), out=sigma)
        np.add(sigma, np.float32(_BLACK_SIGMA * self._noise), out=sigma)
        top, left, flip = self._place(frame)
        grain = self._grain[top : top + HEIGHT_PX, left : left + WIDTH_PX]
        cv2.multiply(sigma, grain, work, flip)
        cv2.scaleAdd(picture, brighter, work, work)
        cv2.add(work, self._fixed, work)
        cv2.max(work, 0, work)  # type: ignore[call-overload]
        cv2.convertScaleAbs(work, out)

    def _place(self, frame: int) -> tuple[int, int, float]:
        draw = np.random.Generator(np.random.PCG64([self._seed, frame, 0x0FF5E7]))
        top, left, sign = draw.integers(0, (256, 256, 2))
        return int(top), int(left), 1.0 if sign else -1.0


def lens(layer: Floats, sigma_px: float = 0.55) -> Floats:
    """A picture as the lens draws it: blurred by a Gaussian of `sigma_px`."""
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma_px), np.float32)
