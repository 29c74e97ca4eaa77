"""Rewrites an ONNX network from float32 to float16, for engines that take precision from the network's own types."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from realtime.engines.engine import EngineUnavailable

_LARGEST: Final = float(np.finfo(np.float16).max)


def in_half_precision(path: Path) -> bytes:
    """The network with weights and arithmetic in float16, and float32 at its input and output as before.

    Raises:
        EngineUnavailable: The package `onnx` is not installed, or a weight is too large for float16.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise EngineUnavailable("half precision needs the package onnx: ./install.sh --with tensorrt") from error

    def narrowed(tensor: Any) -> Any:
        values = numpy_helper.to_array(tensor)
        if np.abs(values, where=np.isfinite(values), out=np.zeros_like(values)).max(initial=0.0) > _LARGEST:
            raise EngineUnavailable(f"{path}: {tensor.name} is too large for float16")
        return numpy_helper.from_array(values.astype(np.float16), tensor.name)

    model = onnx.load(str(path))
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(narrowed(tensor))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == TensorProto.FLOAT:
                attribute.t.CopyFrom(narrowed(attribute.t))
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    # What is known of types in between was known of float32.
    graph.ClearField("value_info")
    given, wanted = graph.input[0].name, graph.output[0].name
    inside = {given: f"{given}_float16", wanted: f"{wanted}_float16"}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [inside.get(name, name) for name in names]
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(
        [
            helper.make_node("Cast", [given], [inside[given]], to=TensorProto.FLOAT16),
            *nodes,
            helper.make_node("Cast", [inside[wanted]], [wanted], to=TensorProto.FLOAT),
        ]
    )
    return bytes(model.SerializeToString())
