"""I3D: the Inception network inflated to three dimensions.

J. Carreira, A. Zisserman: Quo Vadis, Action Recognition? CVPR 2017. Names and order of the layers are those of the
checkpoints that are passed around for PyTorch, so that they load.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import Tensor, nn

Size3 = tuple[int, int, int]

_MIXED: Final[dict[str, tuple[int, int, int, int, int, int]]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Channels: of the 1x1x1 branch; two of each 3x3x3 branch; of the branch behind the pool."""
_POOL_BEFORE: Final[dict[str, tuple[str, Size3, Size3]]] = {
    "Mixed_3b": ("MaxPool3d_3a_3x3", (1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}


def _pad_to_same(x: Tensor, kernel: Size3, stride: Size3) -> Tensor:
    """Zeros around (batch, channels, time, height, width) as TensorFlow's `SAME`: the odd one comes last."""
    pads: list[int] = []
    for size, width, step in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        missing = max(width - (step if size % step == 0 else size % step), 0)
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads) if any(pads) else x


class SamePool3d(nn.Module):
    """Max pooling with `SAME` padding; what it pools is never negative, so zeros do no harm."""

    def __init__(self, kernel: Size3, stride: Size3) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width), each side divided by its stride and rounded up."""
        return F.max_pool3d(_pad_to_same(x, self.kernel, self.stride), self.kernel, self.stride)


class Unit3D(nn.Module):
    """Convolution with `SAME` padding, batch normalisation, rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: Size3 = (1, 1, 1), stride: Size3 = (1, 1, 1)) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=0.001, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width)."""
        normalised: Tensor = self.bn(self.conv3d(_pad_to_same(x, self.kernel, self.stride)))
        return F.relu(normalised)


class Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, inputs: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = Unit3D(inputs, channels[0])
        self.b1a = Unit3D(inputs, channels[1])
        self.b1b = Unit3D(channels[1], channels[2], (3, 3, 3))
        self.b2a = Unit3D(inputs, channels[3])
        self.b2b = Unit3D(channels[3], channels[4], (3, 3, 3))
        self.b3a = SamePool3d((3, 3, 3), (1, 1, 1))
        self.b3b = Unit3D(inputs, channels[5])
        self.channels = channels[0] + channels[2] + channels[4] + channels[5]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width)."""
        return torch.cat(
            [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))],
            dim=1,
        )


class _Head(nn.Module):
    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv3d(x)
        return out


class I3D(nn.Module):
    """Clips (batch, channels, time, height, width) to logits (batch, classes), float32.

    Args:
        classes: Outputs.
        channels: Planes of a frame.
        width: Factor on the number of channels everywhere, for small models; 1 is the published network.
        dropout: Share of features that training leaves out before the head.
    """

    first_layer = "Conv3d_1a_7x7.conv3d"
    head = "logits.conv3d"

    def __init__(self, classes: int = 7, channels: int = 3, *, width: float = 1.0, dropout: float = 0.5) -> None:
        super().__init__()

        def wide(count: int) -> int:
            return count if width == 1 else max(8, 8 * round(count * width / 8))

        mixed = {name: tuple(map(wide, counts)) for name, counts in _MIXED.items()}
        last = mixed["Mixed_5c"]
        features = last[0] + last[2] + last[4] + last[5]
        self.dropout = nn.Dropout(dropout)
        # The head comes first, as in the checkpoints.
        self.logits = _Head(features, classes)
        self.path: list[str] = []
        self._append("Conv3d_1a_7x7", Unit3D(channels, wide(64), (7, 7, 7), (2, 2, 2)))
        self._append("MaxPool3d_2a_3x3", SamePool3d((1, 3, 3), (1, 2, 2)))
        self._append("Conv3d_2b_1x1", Unit3D(wide(64), wide(64)))
        self._append("Conv3d_2c_3x3", Unit3D(wide(64), wide(192), (3, 3, 3)))
        inputs = wide(192)
        for name, counts in mixed.items():
            if name in _POOL_BEFORE:
                pool, kernel, stride = _POOL_BEFORE[name]
                self._append(pool, SamePool3d(kernel, stride))
            block = Inception(inputs, counts)
            self._append(name, block)
            inputs = block.channels

    def _append(self, name: str, layer: nn.Module) -> None:
        self.add_module(name, layer)
        self.path.append(name)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) logits; the mean over time and place takes the place of the pool of fixed size."""
        for name in self.path:
            x = self.get_submodule(name)(x)
        logits: Tensor = self.logits(self.dropout(F.adaptive_avg_pool3d(x, 1)))
        return logits.flatten(1)
