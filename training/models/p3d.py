"""P3D: residual networks whose convolutions are parted into space and time.

Z. Qiu, T. Yao, T. Mei: Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks, ICCV 2017. Blocks of
kinds A, B and C take turns; the last stage is two-dimensional. Names as in the checkpoints for PyTorch.
"""

from __future__ import annotations

from typing import Final

import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import Tensor, nn

BLOCKS: Final[dict[int, tuple[int, int, int, int]]] = {63: (3, 4, 6, 3), 131: (3, 4, 23, 3), 199: (3, 8, 36, 3)}
_EXPANSION: Final = 4
_KINDS: Final = "ABC"


class SpaceTimeBlock(nn.Module):
    """A bottleneck with a convolution over space and one over time.

    One after the other (A), side by side (B), or after each other with the first one's output added (C).
    """

    def __init__(self, inputs: int, planes: int, number: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.kind = _KINDS[number % len(_KINDS)]
        self.conv1 = nn.Conv3d(inputs, planes, 1, (1, stride, stride), bias=False)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = nn.Conv3d(planes, planes, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.bn2 = nn.BatchNorm3d(planes)
        self.conv3 = nn.Conv3d(planes, planes, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.bn3 = nn.BatchNorm3d(planes)
        self.conv4 = nn.Conv3d(planes, planes * _EXPANSION, 1, bias=False)
        self.bn4 = nn.BatchNorm3d(planes * _EXPANSION)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width)."""
        out = F.relu(self.bn1(self.conv1(x)))
        space = F.relu(self.bn2(self.conv2(out)))
        time = F.relu(self.bn3(self.conv3(out if self.kind == "B" else space)))
        out = self.bn4(self.conv4(time if self.kind == "A" else space + time))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class FlatBlock(nn.Module):
    """A bottleneck of single pictures."""

    def __init__(self, inputs: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv_normal = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn_normal = nn.BatchNorm2d(planes)
        self.conv4 = nn.Conv2d(planes, planes * _EXPANSION, 1, bias=False)
        self.bn4 = nn.BatchNorm2d(planes * _EXPANSION)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn_normal(self.conv_normal(out)))
        out = self.bn4(self.conv4(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class P3D(nn.Module):
    """Clips (batch, channels, time, height, width) to logits (batch, classes), float32; at least 16 frames.

    Args:
        depth: 63, 131 or 199.
        classes: Outputs.
        channels: Planes of a frame.
        dropout: Share of features that training leaves out before the head.
    """

    first_layer = "conv1_custom"
    head = "fc"

    def __init__(self, depth: int = 63, classes: int = 7, channels: int = 3, *, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1_custom = nn.Conv3d(channels, 64, (1, 7, 7), (1, 2, 2), padding=(0, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        self.maxpool = nn.MaxPool3d((2, 3, 3), 2, padding=(0, 1, 1))
        self.maxpool_2 = nn.MaxPool3d((2, 1, 1), (2, 1, 1))
        inputs, number = 64, 0
        for stage, count in enumerate(BLOCKS[depth], start=1):
            planes = 64 * 2 ** (stage - 1)
            outputs = planes * _EXPANSION
            layers: list[nn.Module] = []
            for place in range(count):
                stride = 2 if place == 0 and stage > 1 else 1
                shortcut: nn.Module | None = None
                if place == 0:
                    shortcut = (
                        nn.Sequential(
                            nn.Conv3d(inputs, outputs, 1, (1, stride, stride), bias=False), nn.BatchNorm3d(outputs)
                        )
                        if stage < 4
                        else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
                    )
                if stage < 4:
                    layers.append(SpaceTimeBlock(inputs, planes, number, stride, shortcut))
                else:
                    layers.append(FlatBlock(inputs, planes, stride, shortcut))
                inputs, number = outputs, number + 1
            self.add_module(f"layer{stage}", nn.Sequential(*layers))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) logits; what is left of time after four halvings is averaged."""
        x = self.maxpool(F.relu(self.bn1(self.conv1_custom(x))))
        for stage in range(1, 4):
            x = self.maxpool_2(self.get_submodule(f"layer{stage}")(x))
        x = self.get_submodule("layer4")(x.mean(dim=2))
        logits: Tensor = self.fc(self.dropout(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return logits
