"""Dense optical flow of an aligned face against a fixed reference frame, made for movements of a fraction of a pixel.

Successive frames of a live readout are all compared with the same reference, so whatever depends on the reference alone
is computed once: gradients, and the inverse of each window's normal equations. A frame then costs one difference image,
four window sums and a product with a stored 2x4 matrix per level of the pyramid.

The method is Lucas and Kanade's with the roles of the two images exchanged, so that the gradients are those of the
reference (S. Baker, I. Matthews: Lucas-Kanade 20 Years On, IJCV 2004, section 3.2). In every window the brightness may
change by an offset and a factor of its own, as it does under flickering lamps and by shading, and small values of all
four unknowns are preferred, to the degree that the noise of the pixels leaves them open. Decision 11 has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import PictureUnusable
from expression.motion.head import HeadMotion

Image = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
Flow = npt.NDArray[np.float32]
"""(height, width, 2) displacement in pixels, x to the right and y down."""

LATTICE_STEP_PX: Final = 2
FLOW_SIZE_PX: Final = 128
"""Side of the crop that keeps flow and regions within half a millisecond on one core."""

COARSEST_LEVEL_PX: Final = 16
LEVELS_BEYOND_HEAD: Final = 2
"""Levels that see what goes beyond a known movement of the head."""
PREBLUR_SD_PX: Final = 0.7
NOISE_SD: Final = 1.0
"""Grey levels of pixel noise that are expected in an aligned crop."""
OFFSET_SD: Final = 5.0
"""Grey levels by which a window's brightness may plausibly change."""
GAIN_SD: Final = 0.05
"""Factor by which a window's brightness may plausibly change, against 1."""
_UNBOUNDED_PX: Final = 1e3
_GAIN_UNIT: Final = 100.0
"""Grey levels by which the brightness is divided, so that its sums have the size of the others."""


@dataclass(frozen=True)
class _LevelSetting:
    window_sd: float
    """Standard deviation of the Gaussian window in steps of the lattice, which has one point in 2x2 pixels."""
    prior_sd_px: float
    """Movement that is plausible beyond what the coarser level has found."""


# Found by a search over known movements of a real face (benchmarks/motion.py): wider windows blur what moves locally,
# narrower ones follow the noise.
_FINEST: Final = _LevelSetting(2.0, 0.2)
_MIDDLE: Final = _LevelSetting(2.5, 0.2)
_COARSEST: Final = _LevelSetting(2.0, 1.0)


class _Level:
    """One size of the pyramid: what is known of the reference, and memory for what comes and goes with each frame."""

    def __init__(self, reference: Plane, setting: _LevelSetting) -> None:
        height, width = reference.shape
        self._reference = reference
        self._size = (width, height)
        self._lattice = (width // 2, height // 2)
        # So many equal weights average noise as well as the Gaussian's; a point of the lattice is four pixels.
        self._pixels_in_window = 4 * (4 * np.pi * setting.window_sd**2)
        reach = round(2 * setting.window_sd)
        self._kernel = cv2.getGaussianKernel(2 * reach + 1, setting.window_sd, cv2.CV_32F)
        self._factors = np.empty((4, height, width), np.float32)
        cv2.Scharr(reference, cv2.CV_32F, 1, 0, dst=self._factors[0], scale=1 / 32)
        cv2.Scharr(reference, cv2.CV_32F, 0, 1, dst=self._factors[1], scale=1 / 32)
        self._factors[2] = 1
        self._factors[3] = (reference - reference.mean()) / _GAIN_UNIT
        self._grid = np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
        # One call serves four planes: they lie one above the other, with rows of zeros between them that keep the
        # windows of one from reaching into the next. And a fresh block of memory would cost as much as a sum.
        stacked = np.zeros((4, height + 4 * reach, width), np.float32)
        self._products = stacked[:, 2 * reach : 2 * reach + height]
        self._stacked = stacked.reshape(-1, width)
        self._halved = np.empty((len(self._stacked) // 2, width // 2), np.float32)
        self._filtered = np.empty_like(self._halved)
        self._sums = self._filtered.reshape(4, -1, width // 2)[:, reach : reach + height // 2]
        self._maps = np.empty((2, height, width), np.float32)
        self._difference = np.empty((height, width), np.float32)
        self._weighted = np.empty((2, 4, height // 2, width // 2), np.float32)
        self._solver = self._solve_windows(setting.prior_sd_px)

    def _covariances(self, prior_sd_px: float) -> npt.NDArray[np.float64]:
        """(height, width, 4, 4) of shift x, shift y, offset and gain in every window, for pixels of variance 1."""
        width, height = self._lattice
        normal = np.empty((4, 4, height, width))
        for row, factor in enumerate(self._factors):
            normal[row] = self._window_means(factor)
        prior_sd = np.array([prior_sd_px, prior_sd_px, OFFSET_SD, GAIN_SD * _GAIN_UNIT])
        prior = np.diag(2 * NOISE_SD**2 / self._pixels_in_window / prior_sd**2)
        return np.linalg.inv(normal.transpose(2, 3, 0, 1) + prior).astype(np.float64)

    def noise_px(self) -> npt.NDArray[np.float32]:
        """(height, width) standard deviation of the movement's length on the lattice, by pixel noise alone."""
        covariances = self._covariances(_UNBOUNDED_PX) * (2 * NOISE_SD**2 / self._pixels_in_window)
        return np.sqrt(covariances[..., 0, 0] + covariances[..., 1, 1]).astype(np.float32)

    def _solve_windows(self, prior_sd_px: float) -> npt.NDArray[np.float32]:
        """The two rows that give the movement, of the inverse of every window's normal equations."""
        return np.ascontiguousarray(self._covariances(prior_sd_px).transpose(2, 3, 0, 1)[:2], dtype=np.float32)

    def _window_means(self, plane: Plane) -> npt.NDArray[np.float32]:
        """(4, height, width) mean, in every window, of the plane's products with the four factors."""
        np.multiply(self._factors, plane, out=self._products)
        cv2.resize(self._stacked, self._halved.shape[::-1], dst=self._halved, interpolation=cv2.INTER_AREA)
        cv2.sepFilter2D(self._halved, cv2.CV_32F, self._kernel, self._kernel, dst=self._filtered)
        return self._sums

    def refine(self, frame: Plane, coarser: Flow) -> Flow:
        """The movement on this level's lattice, given that on the lattice of the coarser level (empty: none).

        Both are (2, height, width) in pixels of their level. A coarser lattice has half as many points a side as this
        one, and its pixels are twice as large.
        """
        before = np.zeros((2, *self._lattice[::-1]), np.float32)
        if not coarser.size:
            cv2.subtract(frame, self._reference, dst=self._difference)
        else:
            in_these_pixels = coarser * np.float32(2)
            for axis in range(2):
                cv2.resize(in_these_pixels[axis], self._lattice, dst=before[axis])
                cv2.resize(in_these_pixels[axis], self._size, dst=self._maps[axis])
            self._maps += self._grid
            cv2.remap(
                frame,
                self._maps[0],
                self._maps[1],
                cv2.INTER_LINEAR,
                dst=self._difference,
                borderMode=cv2.BORDER_REPLICATE,
            )
            cv2.subtract(self._difference, self._reference, dst=self._difference)
        np.multiply(self._solver, self._window_means(self._difference), out=self._weighted)
        before -= np.add.reduce(self._weighted, axis=1)
        return before


class FlowEstimator:
    """Flow of any number of frames against one reference.

    Not thread-safe: each thread needs one of its own. How many cores OpenCV uses is left to `cv2.setNumThreads`; with
    images this small one is the fastest.

    Args:
        reference: (size, size) aligned crop, its side a multiple of 16 and at least 32. float32 is taken as well, so
            that the mean of some still frames can serve, which has less noise than one.

    Raises:
        PictureUnusable: The reference has another shape or type.
    """

    def __init__(self, reference: Image) -> None:
        _check_picture(reference)
        self._shape: tuple[int, int] = reference.shape
        planes = self._pyramid(reference, _levels(len(reference)))
        settings = [_FINEST, *[_MIDDLE] * (len(planes) - 2), _COARSEST]
        self._levels = [_Level(plane, setting) for plane, setting in zip(planes, settings, strict=True)]

    @property
    def size_px(self) -> int:
        """Side of reference and frames."""
        return self._shape[0]

    def noise_px(self) -> npt.NDArray[np.float32]:
        """How precise the flow is in each place: large on smooth skin and along edges, small where there is texture.

        Returns:
            (size, size) float32 standard deviation of the vectors' length in pixels, for pixel noise of `NOISE_SD`.
        """
        return cast("Plane", cv2.resize(self._levels[0].noise_px(), self._shape[::-1]))

    def flow(self, frame: Image, head: HeadMotion | None = None) -> Flow:
        """Where each point of the reference has moved to in this frame.

        Movements up to a sixteenth of the crop's side are followed, or up to a fiftieth beyond a known movement of the
        head.

        Args:
            frame: uint8 or float32 of the reference's shape.
            head: The head's movement where it is known, as from the frame before. It saves the coarse levels, and what
                smooth skin leaves open is then taken to be the head's movement, not none.

        Returns:
            (size, size, 2) float32 in pixels: reference[y, x] lies at frame[y + flow[y, x, 1], x + flow[y, x, 0]].

        Raises:
            PictureUnusable: The frame has another shape or type.
        """
        lattice = self._lattice_flow(frame, head)
        return cast("Flow", cv2.merge([cv2.resize(axis, self._shape[::-1]) for axis in lattice]))

    def lattice_flow(self, frame: Image, head: HeadMotion | None = None) -> Flow:
        """The flow where it is computed, in the middle of each block of 2x2 pixels: all that it has, for less time.

        Returns:
            (size / 2, size / 2, 2) float32, in pixels of the crop. Otherwise as `flow`.
        """
        return cast("Flow", cv2.merge(list(self._lattice_flow(frame, head))))

    def _lattice_flow(self, frame: Image, head: HeadMotion | None) -> Flow:
        _check_picture(frame)
        if frame.shape != self._shape:
            raise PictureUnusable(
                f"the frame is {frame.shape} and the reference {self._shape}; align both to the same crop"
            )
        planes = self._pyramid(frame, len(self._levels) if head is None else LEVELS_BEYOND_HEAD)
        moved = np.zeros((2, 0, 0), np.float32)
        if head is not None:
            pixel = 2 ** len(planes)
            moved = np.stack(cv2.split(head.field(self._shape[0], 2 * pixel) / np.float32(pixel)))
        for plane, level in reversed(list(zip(planes, self._levels, strict=False))):
            moved = level.refine(plane, moved)
        return moved

    @staticmethod
    def _pyramid(picture: Image, levels: int) -> list[Plane]:
        finest: Plane = picture.astype(np.float32)
        cv2.GaussianBlur(finest, (5, 5), PREBLUR_SD_PX, dst=finest)
        planes = [finest]
        # The next level's pixels are the points of this one's lattice, so it takes the same average.
        while len(planes) < levels:
            side = len(planes[-1]) // 2
            planes.append(cast("Plane", cv2.resize(planes[-1], (side, side), interpolation=cv2.INTER_AREA)))
        return planes


def _levels(size_px: int) -> int:
    """How often a side can be halved until it falls below the coarsest level's, or is odd."""
    levels = 1
    while size_px % 4 == 0 and size_px >= 2 * COARSEST_LEVEL_PX:
        size_px //= 2
        levels += 1
    return levels


def _check_picture(picture: Image) -> None:
    if picture.ndim != 2 or picture.dtype not in (np.uint8, np.float32):
        raise PictureUnusable(f"flow needs a grey picture of uint8 or float32, not {picture.dtype} of {picture.shape}")
    height, width = picture.shape
    if height != width or height < 32 or height % 16:
        raise PictureUnusable(
            f"flow needs a square crop whose side is a multiple of 16 and at least 32, not {picture.shape}"
        )
