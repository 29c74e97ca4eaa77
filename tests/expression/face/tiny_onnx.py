"""Writes small ONNX files byte by byte, so that the plug-ins are tested without a package that writes them.

An ONNX file is a protobuf message; the field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, ...).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_FLOAT, _INT64 = 1, 7
_ATTRIBUTE_INT, _ATTRIBUTE_INTS = 2, 7


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value & (1 << 64) - 1)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def tensor(name: str, values: np.ndarray) -> bytes:
    """A TensorProto: dimensions, type, name, raw data."""
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    values = values if kind == _INT64 else values.astype(np.float32)
    dims = b"".join(_field(1, size) for size in values.shape)
    return dims + _field(2, kind) + _field(8, name) + _field(9, values.tobytes())


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, dims)))


def node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    """A NodeProto with integer attributes."""
    data = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(3, output) + _field(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            data += _field(5, _field(1, name) + _field(3, value) + _field(20, _ATTRIBUTE_INT))
        else:
            integers = b"".join(_field(8, item) for item in value)
            data += _field(5, _field(1, name) + integers + _field(20, _ATTRIBUTE_INTS))
    return data


def write(
    path: Path,
    nodes: list[bytes],
    constants: dict[str, np.ndarray],
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
) -> Path:
    """Write a model of these nodes."""
    graph = b"".join(_field(1, item) for item in nodes) + _field(2, "graph")
    graph += b"".join(_field(5, tensor(name, values)) for name, values in constants.items())
    graph += b"".join(_field(11, _value(name, shape)) for name, shape in inputs.items())
    graph += b"".join(_field(12, _value(name, shape)) for name, shape in outputs.items())
    path.write_bytes(_field(1, 8) + _field(7, graph) + _field(8, _field(2, 13)))
    return path


def bright_square_detector(path: Path, side: int = 64, cell: int = 8) -> Path:
    """A detector with RetinaFace's outputs that finds bright cells.

    Two anchors a cell; only the second can be a face, and is one where the mean of the cell's channels is above 128.
    Boxes are the anchors themselves; the eyes lie a quarter of the anchor to the left and to the right of its centre.
    """
    cells = (side // cell) ** 2
    score = np.zeros((4, 3, cell, cell), np.float32)
    score[3] = 0.1 / (3 * cell * cell)
    eyes = np.tile(np.array([-2.5, 0, 2.5, 0, 0, 0, 0, 0, 0, 0], np.float32), 2)
    constants = {
        "score_w": score,
        "score_b": np.array([0, -8, 0, -12.8], np.float32),
        "box_w": np.zeros((8, 3, cell, cell), np.float32),
        "box_b": np.zeros(8, np.float32),
        "mark_w": np.zeros((20, 3, cell, cell), np.float32),
        "mark_b": eyes,
    }
    nodes, outputs = [], {}
    for name, last in (("box", 4), ("score", 2), ("mark", 10)):
        constants[f"{name}_s"] = np.array([1, 2 * cells, last], np.int64)
        nodes += [
            node(
                "Conv",
                ["image", f"{name}_w", f"{name}_b"],
                f"{name}_c",
                kernel_shape=[cell, cell],
                strides=[cell, cell],
            ),
            node("Transpose", [f"{name}_c"], f"{name}_t", perm=[0, 2, 3, 1]),
            node("Reshape", [f"{name}_t", f"{name}_s"], name),
        ]
        outputs[name] = (1, 2 * cells, last)
    return write(path, nodes, constants, {"image": (1, 3, side, side)}, outputs)


def brightness_heatmaps(path: Path, side: int = 32, count: int = 69) -> Path:
    """A landmark network whose heat maps all show the picture itself: each landmark is its brightest spot."""
    weights = np.ones((count, 1, 1, 1), np.float32)
    nodes = [node("Conv", ["image", "w"], "heat", kernel_shape=[1, 1])]
    return write(path, nodes, {"w": weights}, {"image": (1, 1, side, side)}, {"heat": (1, count, side, side)})


def fixed_coordinates(path: Path, points: np.ndarray, side: int = 32) -> Path:
    """A landmark network that always gives the same points, as shares of its input."""
    count = points.size
    constants = {
        "w": np.zeros((count, 3, side, side), np.float32),
        "b": points.ravel(),
        "s": np.array([1, count], np.int64),
    }
    nodes = [
        node("Conv", ["image", "w", "b"], "c", kernel_shape=[side, side]),
        node("Reshape", ["c", "s"], "points"),
    ]
    return write(path, nodes, constants, {"image": (1, 3, side, side)}, {"points": (1, count)})
