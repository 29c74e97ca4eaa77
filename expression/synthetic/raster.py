"""A software rasteriser: which triangle lies in front in each pixel, and where in it. NumPy only, deterministic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_SIDES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256, 512, 1024, 2048, 4096)
_SAMPLES = 1 << 21


@dataclass(frozen=True)
class RasterBuffers:
    """What a rasterised mesh leaves in each pixel."""

    triangle: Ints
    """(H, W) number of the frontmost triangle, -1 where there is none."""
    weights: Floats
    """(H, W, 3) barycentric coordinates in it, perspective-correct; 0 where there is none."""
    depth: Floats
    """(H, W) cm from the camera; infinite where there is none."""
    triangles: Ints
    """(T, 3) the mesh that was rasterised."""

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """(H, W) where there is a triangle."""
        return self.triangle >= 0

    def interpolate(self, values: Floats, outside: float = 0.0) -> Floats:
        """Carries (V,) or (V, k) values on vertices to (H, W) or (H, W, k) pixels; `outside` elsewhere."""
        result = np.full(self.triangle.shape + values.shape[1:], outside, np.float32)
        covered = self.covered
        corners = self.triangles[self.triangle[covered]]
        weights = self.weights[covered]
        if values.ndim > 1:
            weights = weights[:, :, None]
        mixed = values[corners[:, 0]] * weights[:, 0]
        mixed += values[corners[:, 1]] * weights[:, 1]
        mixed += values[corners[:, 2]] * weights[:, 2]
        result[covered] = mixed
        return result


def rasterise(
    projected: Floats, triangles: Ints, width_px: int, height_px: int, samples: int = 1, two_sided: bool = False
) -> RasterBuffers:
    """Draws triangles with a depth buffer.

    Args:
        projected: (V, 3) x and y in pixels (whole numbers are pixel centres), depth in cm from the camera, > 0.
        triangles: (T, 3) vertex numbers, counter-clockwise seen from outside.
        width_px: Width of the picture.
        height_px: Height of the picture.
        samples: Samples per pixel side: 2 gives buffers of twice the width and height.
        two_sided: Also draw triangles seen from behind.
    """
    width, height = width_px * samples, height_px * samples
    points = projected.astype(np.float64)
    points[:, :2] = (points[:, :2] + 0.5) * samples - 0.5
    corners = points[triangles]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    # NumPy's `min` over so short an axis is slow.
    low = np.ceil(np.minimum(np.minimum(a, b), c)[:, :2]).astype(np.int64)
    high = np.floor(np.maximum(np.maximum(a, b), c)[:, :2]).astype(np.int64)
    # With y down, a triangle that is counter-clockwise in space has a negative area in the picture.
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    seen = (np.abs(area) > 1e-9) if two_sided else (area < -1e-9)
    low = np.maximum(low, 0)
    high[:, 0] = np.minimum(high[:, 0], width - 1)
    high[:, 1] = np.minimum(high[:, 1], height - 1)
    seen &= (low <= high).all(1)
    chosen = np.flatnonzero(seen)
    extent = (high - low).max(1)[chosen] + 1

    # One number per pixel holds depth (upper bits) and triangle (lower 24 bits): the minimum is the frontmost.
    empty = np.iinfo(np.int64).max
    nearest = np.full(width * height, empty, np.int64)
    smallest = 0
    for side in _SIDES:
        group = chosen[(extent > smallest) & (extent <= side)]
        smallest = side
        step = max(1, _SAMPLES // (side * side))
        for start in range(0, len(group), step):
            part = group[start : start + step]
            _draw(part, side, low[part], high[part], corners[part], area, width, nearest)
    hit = np.flatnonzero(nearest != empty)
    triangle = np.full(width * height, -1, np.int32)
    triangle[hit] = (nearest[hit] & 0xFFFFFF).astype(np.int32)
    number = triangle[hit]
    x, y = hit % width, hit // width
    weights = _barycentric(corners[number], area[number], x, y)
    inverse = weights / corners[number][:, :, 2]
    depth = np.full(width * height, np.inf, np.float32)
    whole = inverse[:, 0] + inverse[:, 1] + inverse[:, 2]
    depth[hit] = 1 / whole
    all_weights = np.zeros((width * height, 3), np.float32)
    all_weights[hit] = inverse / whole[:, None]
    return RasterBuffers(
        triangle.reshape(height, width),
        all_weights.reshape(height, width, 3),
        depth.reshape(height, width),
        triangles,
    )


def _draw(
    part: npt.NDArray[np.intp],
    side: int,
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    corners: npt.NDArray[np.float64],
    area: npt.NDArray[np.float64],
    width: int,
    nearest: npt.NDArray[np.int64],
) -> None:
    offset = np.arange(side)
    x = low[:, 0, None, None] + offset[None, None, :]
    y = low[:, 1, None, None] + offset[None, :, None]
    inside = (x <= high[:, 0, None, None]) & (y <= high[:, 1, None, None])
    a, b, c = (corners[:, k, :, None, None] for k in range(3))
    size = area[part, None, None]
    wa = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / size
    wb = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / size
    wc = 1 - wa - wb
    # A hair's breadth outside counts as inside, so that neighbours leave no gaps.
    inside &= (wa >= -1e-7) & (wb >= -1e-7) & (wc >= -1e-7)
    which, row, column = np.nonzero(inside)
    wa, wb, wc = wa[inside], wb[inside], wc[inside]
    inverse = wa / corners[which, 0, 2] + wb / corners[which, 1, 2] + wc / corners[which, 2, 2]
    depth = (1e6 / inverse).astype(np.int64)
    key = (depth << 24) | part[which]
    pixel = (low[which, 1] + row) * width + low[which, 0] + column
    np.minimum.at(nearest, pixel, key)


def _barycentric(
    corners: npt.NDArray[np.float64],
    area: npt.NDArray[np.float64],
    x: npt.NDArray[np.intp],
    y: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    wa = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
    wb = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
    weights: npt.NDArray[np.float64] = np.clip(np.stack([wa, wb, 1 - wa - wb], axis=1), 0, None)
    weights /= weights.sum(1, keepdims=True)
    return weights


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """(V, 3) unit normals: the mean of the adjoining triangles by their area; (0, 0, 1) for unused vertices."""
    a, b, c = (vertices[triangles[:, k]].astype(np.float64) for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros(vertices.shape, np.float64)
    for axis in range(3):
        total[:, axis] = np.bincount(triangles.ravel(), np.repeat(face[:, axis], 3), minlength=len(vertices))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals = np.where(length > 1e-12, total / np.maximum(length, 1e-12), [0.0, 0.0, 1.0])
    return normals.astype(np.float32)
