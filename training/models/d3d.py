"""D3D: DenseNet with three-dimensional convolutions, growth 32.

G. Huang et al.: Densely Connected Convolutional Networks, CVPR 2017, inflated as in Hara et al. 2018; names as in their
checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody writes it
from torch import Tensor, nn

BLOCKS: Final[dict[int, tuple[int, ...]]] = {121: (6, 12, 24, 16)}
_GROWTH: Final = 32
_BOTTLENECK: Final = 4 * _GROWTH


class DenseLayer(nn.Module):
    """What it is given, and 32 channels more."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm3d(inputs)
        self.conv1 = nn.Conv3d(inputs, _BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm3d(_BOTTLENECK)
        self.conv2 = nn.Conv3d(_BOTTLENECK, _GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, height, width), 32 channels more."""
        new = self.conv1(F.relu(self.norm1(x)))
        new = self.conv2(F.relu(self.norm2(new)))
        return torch.cat([x, new], dim=1)


def _transition(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            norm=nn.BatchNorm3d(inputs),
            relu=nn.ReLU(),
            conv=nn.Conv3d(inputs, outputs, 1, bias=False),
            pool=nn.AvgPool3d(2, 2),
        )
    )


class D3D(nn.Module):
    """Clips (batch, channels, time, height, width) to logits (batch, classes), float32.

    Args:
        depth: 121.
        classes: Outputs.
        channels: Planes of a frame.
        time_kernel: Frames that the first convolution spans.
    """

    first_layer = "features.conv1"
    head = "classifier"

    def __init__(self, depth: int = 121, classes: int = 7, channels: int = 3, *, time_kernel: int = 7) -> None:
        super().__init__()
        kernel = (time_kernel, 7, 7)
        self.features = nn.Sequential(
            OrderedDict[str, nn.Module](
                conv1=nn.Conv3d(channels, 64, kernel, (1, 2, 2), padding=(time_kernel // 2, 3, 3), bias=False),
                norm1=nn.BatchNorm3d(64),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool3d(3, 2, padding=1),
            )
        )
        inputs = 64
        for stage, count in enumerate(BLOCKS[depth], start=1):
            layers = OrderedDict[str, nn.Module]()
            for number in range(1, count + 1):
                layers[f"denselayer{number}"] = DenseLayer(inputs)
                inputs += _GROWTH
            self.features.add_module(f"denseblock{stage}", nn.Sequential(layers))
            if stage < len(BLOCKS[depth]):
                self.features.add_module(f"transition{stage}", _transition(inputs, inputs // 2))
                inputs //= 2
        self.features.add_module("norm5", nn.BatchNorm3d(inputs))
        self.classifier = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) logits."""
        features = F.relu(self.features(x))
        logits: Tensor = self.classifier(F.adaptive_avg_pool3d(features, 1).flatten(1))
        return logits
