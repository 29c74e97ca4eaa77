"""R3D: residual networks with three-dimensional convolutions.

K. Hara, H. Kataoka, Y. Satoh: Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet? CVPR 2018. First
convolution of seven frames, projections where shapes change (shortcut B); names as in the published checkpoints.
"""

from __future__ import annotations

from typing import Final

import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import Tensor, nn

BLOCKS: Final[dict[int, tuple[int, ...]]] = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Blocks of the four stages, by depth."""
_BOTTLENECK_FROM: Final = 50


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions of 3x3x3 beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = _conv(planes, planes, 3)
        self.bn2 = nn.BatchNorm3d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A convolution of 3x3x3 between two of 1x1x1, beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, planes, 1)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = _conv(planes, planes, 3, stride)
        self.bn2 = nn.BatchNorm3d(planes)
        self.conv3 = _conv(planes, planes * self.expansion, 1)
        self.bn3 = nn.BatchNorm3d(planes * self.expansion)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class R3D(nn.Module):
    """Clips (batch, channels, time, height, width) to logits (batch, classes), float32.

    Args:
        depth: 18, 34 or 50.
        classes: Outputs.
        channels: Planes of a frame.
    """

    first_layer = "conv1"
    head = "fc"

    def __init__(self, depth: int = 18, classes: int = 7, channels: int = 3) -> None:
        super().__init__()
        block: type[BasicBlock | Bottleneck] = Bottleneck if depth >= _BOTTLENECK_FROM else BasicBlock
        self.conv1 = nn.Conv3d(channels, 64, (7, 7, 7), (1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        self.maxpool = nn.MaxPool3d(3, 2, padding=1)
        inputs = 64
        for stage, count in enumerate(BLOCKS[depth]):
            planes, stride = 64 * 2**stage, 1 if stage == 0 else 2
            layers = []
            for number in range(count):
                step = stride if number == 0 else 1
                outputs = planes * block.expansion
                changes = step != 1 or inputs != outputs
                shortcut = nn.Sequential(_conv(inputs, outputs, 1, step), nn.BatchNorm3d(outputs)) if changes else None
                layers.append(block(inputs, planes, step, shortcut))
                inputs = outputs
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) logits."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        logits: Tensor = self.fc(F.adaptive_avg_pool3d(x, 1).flatten(1))
        return logits
