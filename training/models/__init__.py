"""The paper's four networks in plain PyTorch, layer by layer as their public checkpoints have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torch import nn

from expression.errors import BadInput
from training.catalogue import PARAMETERS
from training.models.checkpoints import LoadReport, load_checkpoint
from training.models.d3d import D3D
from training.models.i3d import I3D
from training.models.p3d import P3D
from training.models.r3d import R3D

__all__ = ["D3D", "I3D", "P3D", "R3D", "LoadReport", "build_model", "load_checkpoint"]

_BUILDERS: Final[dict[str, Callable[[int, int], nn.Module]]] = {
    "r3d-18": lambda classes, channels: R3D(18, classes, channels),
    "r3d-34": lambda classes, channels: R3D(34, classes, channels),
    "r3d-50": lambda classes, channels: R3D(50, classes, channels),
    "p3d-63": lambda classes, channels: P3D(63, classes, channels),
    "p3d-131": lambda classes, channels: P3D(131, classes, channels),
    "p3d-199": lambda classes, channels: P3D(199, classes, channels),
    "d3d-121": lambda classes, channels: D3D(121, classes, channels),
}


def build_model(name: str, classes: int = 7, channels: int = 3, *, width: float = 1.0) -> nn.Module:
    """A network that takes (batch, channels, frames, height, width) and gives (batch, classes) logits.

    Args:
        name: A key of `PARAMETERS`.
        classes: Outputs.
        channels: Planes of a frame.
        width: Factor on the channels inside; I3D alone takes another than 1.

    Raises:
        BadInput: There is no such network, or not in this width.
    """
    if name == "i3d":
        return I3D(classes, channels, width=width)
    if name not in _BUILDERS:
        raise BadInput(f"there is no model {name!r}: give one of {', '.join(PARAMETERS)}")
    if width != 1:
        raise BadInput(f"{name} comes in its published width alone: leave width at 1, or take i3d")
    return _BUILDERS[name](classes, channels)
