"""The four networks: sizes of the public implementations, any input size, and names that checkpoints have."""

from __future__ import annotations

import pytest
import torch

from expression.errors import BadInput
from training.catalogue import PARAMETERS
from training.models import build_model


def parameters(name, **options):
    # Shapes alone: nothing is allocated.
    with torch.device("meta"):
        return sum(p.numel() for p in build_model(name, **options).parameters())


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_those_of_the_public_implementation(name):
    assert parameters(name) == PARAMETERS[name]


@pytest.mark.parametrize("name", ["i3d", "r3d-18", "p3d-63", "d3d-121"])
@pytest.mark.parametrize("shape", [(1, 3, 16, 64, 64), (2, 2, 16, 48, 48)])
def test_any_size_and_number_of_planes_gives_one_logit_a_class(name, shape):
    with torch.device("meta"):
        network = build_model(name, 5, shape[1])
        assert network.eval()(torch.empty(shape)).shape == (shape[0], 5)


def test_a_network_of_half_width_has_about_a_quarter_of_the_parameters():
    assert 0.2 < parameters("i3d", width=0.5) / PARAMETERS["i3d"] < 0.3


@pytest.mark.parametrize(
    ("name", "present"),
    [
        (
            "i3d",
            [
                "logits.conv3d.bias",
                "Conv3d_1a_7x7.conv3d.weight",
                "Mixed_4f.b1b.bn.running_var",
                "Mixed_5c.b3b.conv3d.weight",
            ],
        ),
        ("r3d-50", ["conv1.weight", "layer1.0.downsample.1.running_mean", "layer4.2.conv3.weight", "fc.bias"]),
        (
            "p3d-63",
            [
                "conv1_custom.weight",
                "layer1.2.conv3.weight",
                "layer4.0.conv_normal.weight",
                "layer4.2.bn4.bias",
                "fc.weight",
            ],
        ),
        (
            "d3d-121",
            [
                "features.conv1.weight",
                "features.denseblock3.denselayer24.conv2.weight",
                "features.transition3.norm.bias",
                "features.norm5.weight",
                "classifier.weight",
            ],
        ),
    ],
)
def test_layers_are_named_as_in_published_checkpoints(name, present):
    with torch.device("meta"):
        names = build_model(name).state_dict().keys()
    assert set(present) <= set(names)


def test_i3d_checkpoints_begin_with_the_head():
    with torch.device("meta"):
        assert next(iter(build_model("i3d").state_dict())) == "logits.conv3d.weight"


def test_unknown_networks_and_widths_are_refused():
    with pytest.raises(BadInput, match="r3d-18"):
        build_model("resnet")
    with pytest.raises(BadInput, match="width"):
        build_model("r3d-18", width=0.5)
