"""Published checkpoints, made by the rules of those who published them, load whole into our networks."""

from __future__ import annotations

from itertools import count

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody writes it

from training.catalogue import PARAMETERS
from training.models import build_model, load_checkpoint

from . import published

PUBLISHED = {
    "I3D by end points": ("i3d", published.i3d_of_endpoints()),
    "I3D from TensorFlow": ("i3d", published.i3d_of_tensorflow()),
    "R3D-18, shortcut A": ("r3d-18", published.resnet((2, 2, 2, 2), bottleneck=False, shortcut="A")),
    "R3D-18, shortcut B, 700 classes": (
        "r3d-18",
        published.resnet((2, 2, 2, 2), bottleneck=False, shortcut="B", classes=700),
    ),
    "R3D-34, shortcut A": ("r3d-34", published.resnet((3, 4, 6, 3), bottleneck=False, shortcut="A")),
    "R3D-50": ("r3d-50", published.resnet((3, 4, 6, 3), bottleneck=True, shortcut="B")),
    "P3D-63": ("p3d-63", published.pseudo3d((3, 4, 6, 3))),
    "P3D-199": ("p3d-199", published.pseudo3d((3, 8, 36, 3))),
    "D3D-121, older": ("d3d-121", published.densenet((6, 12, 24, 16), older=True)),
    "D3D-121": ("d3d-121", published.densenet((6, 12, 24, 16), older=False)),
}


def checkpoint(path, arrays, prefix="module."):
    """A training state with a value of its own in each array; the file holds one number of each."""
    numbers = count(1)
    state = {f"{prefix}{name}": torch.tensor(next(numbers) / 1024).expand(shape) for name, shape in arrays}
    torch.save({"epoch": 45, "arch": "net", "state_dict": state, "optimizer": {"lr": 0.001}}, path)
    return path


@pytest.mark.parametrize("which", PUBLISHED)
def test_every_array_finds_its_place_and_classes_start_anew(tmp_path, which):
    name, arrays = PUBLISHED[which]
    arrays = list(arrays)
    network = build_model(name)
    head = {key: value.clone() for key, value in network.state_dict().items() if key.startswith(f"{network.head}.")}
    report = load_checkpoint(network, checkpoint(tmp_path / "x.pth", arrays))
    assert (report.unused, report.head_left, report.inflated) == ((), True, False)
    assert report.padded == which.endswith("A")
    state = network.state_dict()
    assert all(torch.equal(state[key], value) for key, value in head.items())
    # One array of the file is one of ours, in whatever order and under whatever name.
    seen = {round(float(value.flatten()[0]) * 1024) for key, value in state.items() if "num_batches" not in key}
    assert set(range(1, len(arrays) - 1)) <= seen


@pytest.mark.parametrize(
    ("make", "there"),
    [(published.i3d_of_tensorflow, "mixed_4c.branch_2.1"), (published.i3d_of_endpoints, "Mixed_4c.b2b")],
)
def test_branches_of_the_same_shape_are_told_apart(tmp_path, make, there):
    arrays = list(make())
    place = [name for name, _ in arrays].index(f"{there}.conv3d.weight")
    network = build_model("i3d")
    load_checkpoint(network, checkpoint(tmp_path / "x.pth", arrays))
    assert float(network.state_dict()["Mixed_4c.b2b.conv3d.weight"][0, 0, 0, 0, 0]) == (place + 1) / 1024


@pytest.mark.parametrize(("planes", "channels"), [(3, 1), (3, 2), (2, 2), (2, 3)])
def test_flow_and_grey_take_over_what_colours_have_learned(tmp_path, planes, channels):
    network = build_model("i3d", channels=channels)
    report = load_checkpoint(network, checkpoint(tmp_path / "x.pth", published.i3d_of_endpoints(planes)))
    assert report.inflated == (planes != channels)
    weight = network.state_dict()["Conv3d_1a_7x7.conv3d.weight"]
    assert float(weight[0, :, 0, 0, 0].sum()) == pytest.approx(planes / 1024)


@pytest.mark.parametrize("which", ["R3D-18, shortcut A", "P3D-63"])
def test_parameters_of_the_rules_are_those_of_the_catalogue(which):
    """The rules themselves: with seven classes and all shortcuts they add up to the published counts."""
    name, _ = PUBLISHED[which]
    arrays = {
        "r3d-18": published.resnet((2, 2, 2, 2), bottleneck=False, shortcut="B", classes=7),
        "p3d-63": published.pseudo3d((3, 4, 6, 3), classes=7),
    }[name]
    total = sum(torch.Size(shape).numel() for key, shape in arrays if "running" not in key)
    assert total == PARAMETERS[name]


def test_shortcuts_without_weights_do_what_they_did(tmp_path):
    """Kind A: every second picture and place, and empty channels for the new ones."""
    network = build_model("r3d-18")
    arrays = published.resnet((2, 2, 2, 2), bottleneck=False, shortcut="A")
    load_checkpoint(network, checkpoint(tmp_path / "x.pth", arrays))
    shortcut = network.eval().get_submodule("layer2.0.downsample")
    clip = torch.randn(2, 64, 4, 6, 6)
    with torch.no_grad():
        got = shortcut(clip)
    wanted = F.pad(clip[:, :, ::2, ::2, ::2], (0, 0, 0, 0, 0, 0, 0, 64))
    torch.testing.assert_close(got, wanted)
