"""The loops over pixels: a frame drawn from its layers and exposed, and maps of motion turned around.

They are C++ (`cpp/`, built with the package): NumPy and OpenCV would go over the whole picture once for every term.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
import numpy.typing as npt

from expression.errors import ExpressionError
from expression.synthetic.resample import FINE, Box, finer

Floats = npt.NDArray[np.float32]

_FILE: Final = "dfme_drawing.so"
_GREY: Final = 128
"""Steps to a grey level; levels up to 511 have room."""
_ALPHA: Final = 65535
_SQUARE: Final = 8
"""Pixels of a layer along the side of a square of one kind."""
_REACH: Final = 2
"""Squares around it that are of the same kind: 8 pixels of the frame are 16 of a layer, and skin may be drawn out."""
_NOTHING, _MIXED, _SOLID = range(3)


@dataclass(frozen=True)
class ShiftMap:
    """Where the content of each place comes from, on nodes."""

    shift: Floats
    """(rows, columns, 2) px to be added to the node's place; linear between nodes, constant beyond the outermost."""
    step: int
    """Pixels between nodes, an even number: each node lies in the middle of a square of as many."""
    top: int = 0
    """First row of pixels of the first node's square."""
    left: int = 0


@dataclass(frozen=True)
class FineLayer:
    """A layer of `FINE` times the frame's width and height, to be moved."""

    grey: npt.NDArray[np.uint16]
    """128 to a grey level, multiplied by `alpha`."""
    alpha: npt.NDArray[np.uint16]
    kind: npt.NDArray[np.uint8]
    """For each square of 8 x 8 whether in it and around it there is nothing, something to be mixed, or only what
    nothing shines through."""

    @classmethod
    def of(cls, grey: Floats, alpha: Floats) -> Self:
        """From a layer of the frame's size, grey multiplied by alpha."""
        fine = finer(alpha)
        height, width = (-(-size // _SQUARE) * _SQUARE for size in fine.shape)
        padded = np.pad(fine, ((0, height - fine.shape[0]), (0, width - fine.shape[1])), mode="edge")
        squares = padded.reshape(height // _SQUARE, _SQUARE, width // _SQUARE, _SQUARE)
        around = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)
        most, least = cv2.dilate(squares.max((1, 3)), around), cv2.erode(squares.min((1, 3)), around)
        kind = np.where(most < 0.002, _NOTHING, np.where(least > 0.998, _SOLID, _MIXED))
        rounded = np.clip(fine * _ALPHA + 0.5, 0, _ALPHA).astype(np.uint16)
        return cls(fine_grey(grey), rounded, kind.astype(np.uint8))


def fine_grey(grey: Floats) -> npt.NDArray[np.uint16]:
    """A picture, 0 to 255, of `FINE` times the width and height, as layers hold it."""
    return np.asarray(np.clip(finer(grey) * _GREY + 0.5, 0, 65535), np.uint16)


@dataclass(frozen=True)
class Moved:
    """A layer, how it has moved, and where it has to be drawn."""

    layer: FineLayer
    shift: ShiftMap
    box: Box


@dataclass(frozen=True)
class Lips:
    """Lips that part and cover each other."""

    behind: npt.NDArray[np.uint16]
    """What is seen where they part, as `fine_grey`."""
    line: Floats
    """(W,) y of the line between them at rest."""
    upper: ShiftMap
    """Of the part above that line."""
    lower: ShiftMap
    skull: ShiftMap
    """Of what lies behind."""
    box: Box


@dataclass(frozen=True)
class Scene:
    """One frame, back to front; what is None is not there."""

    background: Floats
    """(H, W) grey."""
    head: Moved | None = None
    gain: Floats | None = None
    """(H, W): factor on the head's grey, in its neutral place; 1 beyond `shaded`."""
    shaded: Box | None = None
    lips: Lips | None = None
    """Drawn over the head where they move apart."""
    clothes: Moved | None = None
    front: Moved | None = None


@dataclass(frozen=True)
class Exposure:
    """What a sensor makes of light: round(grey * gain * (1 + by_light * grain) + in_the_dark * grain + fixed)."""

    gain: float
    grain: npt.NDArray[np.int8] | None = None
    """(H, W) noise, a view of a larger field; None for a sensor without noise."""
    fixed: Floats | None = None
    """(W,) added to each column."""
    by_light: float = 0.0
    in_the_dark: float = 0.0


def draw(
    scene: Scene,
    exposure: Exposure | None = None,
    picture: Floats | None = None,
    out: npt.NDArray[np.uint8] | None = None,
) -> None:
    """Draws a frame.

    Args:
        scene: What is to be seen.
        exposure: For `out`.
        picture: (H, W) float32, filled with grey before the sensor; None where nobody asks.
        out: (H, W) uint8, filled with what the sensor says; None where nobody asks.
    """
    height, width = scene.background.shape
    size = (height, width)
    if scene.lips is not None and scene.head is None:
        raise ValueError("lips are drawn from a head")
    shaded = scene.shaded if scene.gain is not None and scene.shaded is not None else (slice(0, 0), slice(0, 0))
    whole = _Scene(
        background=_at(scene.background, np.float32, size),
        height=height,
        width=width,
        head=None if scene.head is None else ctypes.pointer(_moved(scene.head, size)),
        gain=None if scene.gain is None else _at(scene.gain, np.float32, size),
        shaded=_box(shaded, size),
        lips=None if scene.lips is None or scene.head is None else ctypes.pointer(_lips(scene.lips, size)),
        clothes=None if scene.clothes is None else ctypes.pointer(_moved(scene.clothes, size)),
        front=None if scene.front is None else ctypes.pointer(_moved(scene.front, size)),
    )
    sensor = None if out is None else ctypes.byref(_sensor(exposure or Exposure(1.0), size))
    _library().dfme_draw(
        ctypes.byref(whole),
        sensor,
        None if picture is None else _at(picture, np.float32, size),
        None if out is None else _at(out, np.uint8, size),
    )


def invert(motion: Floats, step: int, first: tuple[int, int], shift: Floats) -> None:
    """Solves shift + motion(node + shift) = 0 by Newton's method, in place.

    Args:
        motion: (rows, columns, 2) px forward, on nodes `step` px apart.
        step: Pixels between nodes.
        first: Row and column of the motion's node that is the first to be solved for.
        shift: (h, w, 2) px, a first guess that becomes the answer.
    """
    rows, columns = motion.shape[:2]
    _library().dfme_invert(
        _at(motion, np.float32, (rows, columns, 2)),
        rows,
        columns,
        step,
        *first,
        *shift.shape[:2],
        _at(shift, np.float32, (*shift.shape[:2], 2)),
    )


class _Map(ctypes.Structure):
    _fields_ = (
        ("shift", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("rows", "columns", "step", "top", "left")),
    )


class _Box(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("top", "left", "bottom", "right"))


class _Layer(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("grey", "alpha", "kind")),
        *((name, ctypes.c_int32) for name in ("height", "width")),
        ("map", _Map),
        ("box", _Box),
    )


class _Lips(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("behind", "line")),
        *((name, _Map) for name in ("upper", "lower", "skull")),
        ("box", _Box),
    )


class _Scene(ctypes.Structure):
    _fields_ = (
        ("background", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("height", "width")),
        ("head", ctypes.POINTER(_Layer)),
        ("gain", ctypes.c_void_p),
        ("shaded", _Box),
        ("lips", ctypes.POINTER(_Lips)),
        *((name, ctypes.POINTER(_Layer)) for name in ("clothes", "front")),
    )


class _Sensor(ctypes.Structure):
    _fields_ = (
        ("grain", ctypes.c_void_p),
        ("grain_width", ctypes.c_int32),
        ("fixed", ctypes.c_void_p),
        *((name, ctypes.c_float) for name in ("gain", "by_light", "in_the_dark")),
    )


def _at(values: npt.NDArray[np.generic], kind: type[np.generic], shape: tuple[int, ...]) -> int:
    """Where an array lies, which is checked to be as the loops expect it."""
    if values.dtype != kind or values.shape != shape or not values.flags.c_contiguous:
        raise ValueError(f"expected a dense {kind.__name__} array of {shape}, not {values.dtype} of {values.shape}")
    return int(values.ctypes.data)


def _map(shift: ShiftMap) -> _Map:
    rows, columns = shift.shift.shape[:2]
    if shift.step < 2 or shift.step % 2:
        raise ValueError(f"nodes lie an even number of pixels apart, not {shift.step}")
    return _Map(_at(shift.shift, np.float32, (rows, columns, 2)), rows, columns, shift.step, shift.top, shift.left)


def _box(box: Box, size: tuple[int, int]) -> _Box:
    rows, columns = box
    if not (0 <= rows.start <= rows.stop <= size[0] and 0 <= columns.start <= columns.stop <= size[1]):
        raise ValueError(f"{box} is not in a frame of {size}")
    return _Box(rows.start, columns.start, rows.stop, columns.stop)


def _moved(moved: Moved, size: tuple[int, int]) -> _Layer:
    height, width = fine = (FINE * size[0], FINE * size[1])
    layer = moved.layer
    return _Layer(
        _at(layer.grey, np.uint16, fine),
        _at(layer.alpha, np.uint16, fine),
        _at(layer.kind, np.uint8, (-(-height // _SQUARE), -(-width // _SQUARE))),
        height,
        width,
        _map(moved.shift),
        _box(moved.box, size),
    )


def _lips(lips: Lips, size: tuple[int, int]) -> _Lips:
    return _Lips(
        _at(lips.behind, np.uint16, (FINE * size[0], FINE * size[1])),
        _at(lips.line, np.float32, size[1:]),
        _map(lips.upper),
        _map(lips.lower),
        _map(lips.skull),
        _box(lips.box, size),
    )


def _sensor(exposure: Exposure, size: tuple[int, int]) -> _Sensor:
    numbers = (exposure.gain, exposure.by_light, exposure.in_the_dark)
    grain, fixed = exposure.grain, exposure.fixed
    if grain is None or fixed is None:
        return _Sensor(None, 0, None, *numbers)
    if grain.dtype != np.int8 or grain.shape != size or grain.strides[1] != 1:
        raise ValueError(f"expected noise as rows of int8 of {size}, not {grain.dtype} of {grain.shape}")
    return _Sensor(grain.ctypes.data, grain.strides[0], _at(fixed, np.float32, size[1:]), *numbers)


def library_path() -> Path:
    """Where the built loops lie.

    Raises:
        ExpressionError: The package was installed without them, or before they were part of it.
    """
    for path in _places():
        if path.is_file():
            return path
    raise ExpressionError(
        f"{_FILE} is not installed, without which no participant can be drawn: run ./install.sh again, or "
        "pip install dfme with a C++ compiler at hand"
    )


def _places() -> Iterator[Path]:
    with contextlib.suppress(metadata.PackageNotFoundError):
        yield Path(str(metadata.distribution("dfme").locate_file(f"expression/synthetic/{_FILE}")))
    yield Path(__file__).with_name(_FILE)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_path()))
    array, number = ctypes.c_void_p, ctypes.c_int32
    library.dfme_draw.argtypes = [ctypes.POINTER(_Scene), ctypes.POINTER(_Sensor), array, array]
    library.dfme_invert.argtypes = [array, *[number] * 7, array]
    library.dfme_draw.restype = library.dfme_invert.restype = None
    return library
