"""Names and shapes of the arrays in published checkpoints, by the rules of the implementations that wrote them."""

from __future__ import annotations

from collections.abc import Iterator

Array = tuple[str, tuple[int, ...]]

INCEPTION = {
    "3b": (192, (64, 96, 128, 16, 32, 32)),
    "3c": (256, (128, 128, 192, 32, 96, 64)),
    "4b": (480, (192, 96, 208, 16, 48, 64)),
    "4c": (512, (160, 112, 224, 24, 64, 64)),
    "4d": (512, (128, 128, 256, 24, 64, 64)),
    "4e": (512, (112, 144, 288, 32, 64, 64)),
    "4f": (528, (256, 160, 320, 32, 128, 128)),
    "5b": (832, (256, 160, 320, 32, 128, 128)),
    "5c": (832, (384, 192, 384, 48, 128, 128)),
}
"""Inputs of each block, and the channels of its convolutions."""


def norm(name: str, channels: int) -> Iterator[Array]:
    """Batch normalisation before counters of batches were kept."""
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)


def i3d(
    *, first: str, mixed: str, branches: tuple[str, ...], batch: str, head: str, planes: int, classes: int
) -> Iterator[Array]:
    """Inception: every convolution has its normalisation beside it, the head has a bias instead."""

    def unit(name: str, inputs: int, outputs: int, kernel: int) -> Iterator[Array]:
        yield f"{name}.conv3d.weight", (outputs, inputs, kernel, kernel, kernel)
        yield from norm(f"{name}.{batch}", outputs)

    yield from unit(f"{first}_1a_7x7", planes, 64, 7)
    yield from unit(f"{first}_2b_1x1", 64, 64, 1)
    yield from unit(f"{first}_2c_3x3", 64, 192, 3)
    for block, (inputs, channels) in INCEPTION.items():
        ins = (inputs, inputs, channels[1], inputs, channels[3], inputs)
        for branch, from_, to, kernel in zip(branches, ins, channels, (1, 1, 3, 1, 3, 1), strict=True):
            yield from unit(f"{mixed}_{block}.{branch}", from_, to, kernel)
    yield f"{head}.conv3d.weight", (classes, 1024, 1, 1, 1)
    yield f"{head}.conv3d.bias", (classes,)


def i3d_of_endpoints(planes: int = 3, classes: int = 400) -> Iterator[Array]:
    """`rgb_imagenet.pt`, `flow_imagenet.pt`: blocks are called by their end points."""
    branches = ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")
    return i3d(
        first="Conv3d", mixed="Mixed", branches=branches, batch="bn", head="logits", planes=planes, classes=classes
    )


def i3d_of_tensorflow(planes: int = 3, classes: int = 400) -> Iterator[Array]:
    """`model_rgb.pth`, `model_flow.pth`: converted from TensorFlow, branches are sequences."""
    branches = ("branch_0", "branch_1.0", "branch_1.1", "branch_2.0", "branch_2.1", "branch_3.1")
    return i3d(
        first="conv3d",
        mixed="mixed",
        branches=branches,
        batch="batch3d",
        head="conv3d_0c_1x1",
        planes=planes,
        classes=classes,
    )


def resnet(blocks: tuple[int, ...], *, bottleneck: bool, shortcut: str, classes: int = 400) -> Iterator[Array]:
    """`resnet-50-kinetics.pth` and others: shortcuts of kind A have no weights."""
    yield "conv1.weight", (64, 3, 7, 7, 7)
    yield from norm("bn1", 64)
    inputs, expansion = 64, 4 if bottleneck else 1
    for stage, count in enumerate(blocks, start=1):
        planes = 32 * 2**stage
        for block in range(count):
            name = f"layer{stage}.{block}"
            ends = ((planes, inputs, 1), (planes, planes, 3), (planes * 4, planes, 1))
            for number, (outs, ins, kernel) in enumerate(
                ends if bottleneck else ((planes, inputs, 3), (planes, planes, 3)), start=1
            ):
                yield f"{name}.conv{number}.weight", (outs, ins, kernel, kernel, kernel)
                yield from norm(f"{name}.bn{number}", outs)
            if shortcut == "B" and block == 0 and (stage > 1 or inputs != planes * expansion):
                yield f"{name}.downsample.0.weight", (planes * expansion, inputs, 1, 1, 1)
                yield from norm(f"{name}.downsample.1", planes * expansion)
            inputs = planes * expansion
    yield "fc.weight", (classes, inputs)
    yield "fc.bias", (classes,)


def pseudo3d(blocks: tuple[int, ...], planes: int = 3, classes: int = 400) -> Iterator[Array]:
    """`p3d_rgb_199.checkpoint.pth.tar`: three stages in space and time, the last one of single pictures."""
    yield "conv1_custom.weight", (64, planes, 1, 7, 7)
    yield from norm("bn1", 64)
    inputs = 64
    for stage, count in enumerate(blocks, start=1):
        wide = 32 * 2**stage
        one = (1, 1, 1) if stage < 4 else (1, 1)
        for block in range(count):
            name = f"layer{stage}.{block}"
            yield f"{name}.conv1.weight", (wide, inputs, *one)
            yield from norm(f"{name}.bn1", wide)
            if stage < 4:
                yield f"{name}.conv2.weight", (wide, wide, 1, 3, 3)
                yield from norm(f"{name}.bn2", wide)
                yield f"{name}.conv3.weight", (wide, wide, 3, 1, 1)
                yield from norm(f"{name}.bn3", wide)
            else:
                yield f"{name}.conv_normal.weight", (wide, wide, 3, 3)
                yield from norm(f"{name}.bn_normal", wide)
            yield f"{name}.conv4.weight", (wide * 4, wide, *one)
            yield from norm(f"{name}.bn4", wide * 4)
            if block == 0:
                yield f"{name}.downsample.0.weight", (wide * 4, inputs, *one)
                yield from norm(f"{name}.downsample.1", wide * 4)
            inputs = wide * 4
    yield "fc.weight", (classes, inputs)
    yield "fc.bias", (classes,)


def densenet(blocks: tuple[int, ...], *, older: bool, classes: int = 400) -> Iterator[Array]:
    """`densenet-121-kinetics.pth`: older ones count the first layer from nought and put a dot before numbers."""
    dot, zero = (".", 0) if older else ("", 1)
    yield f"features.conv{zero}.weight", (64, 3, 7, 7, 7)
    yield from norm(f"features.norm{zero}", 64)
    inputs = 64
    for stage, count in enumerate(blocks, start=1):
        for number in range(1, count + 1):
            name = f"features.denseblock{stage}.denselayer{number}"
            yield from norm(f"{name}.norm{dot}1", inputs)
            yield f"{name}.conv{dot}1.weight", (128, inputs, 1, 1, 1)
            yield from norm(f"{name}.norm{dot}2", 128)
            yield f"{name}.conv{dot}2.weight", (32, 128, 3, 3, 3)
            inputs += 32
        if stage < len(blocks):
            yield from norm(f"features.transition{stage}.norm", inputs)
            inputs //= 2
            yield f"features.transition{stage}.conv.weight", (inputs, inputs * 2, 1, 1, 1)
    yield from norm("features.norm5", inputs)
    yield "classifier.weight", (classes, inputs)
    yield "classifier.bias", (classes,)
