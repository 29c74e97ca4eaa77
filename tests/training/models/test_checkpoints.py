"""Starting from a published checkpoint."""

from __future__ import annotations

import pytest
import torch

from expression.errors import BadInput
from training.models import build_model, load_checkpoint
from training.models.checkpoints import fit_planes


@pytest.fixture
def small():
    return build_model("i3d", 7, 3, width=0.125)


def saved(path, state):
    torch.save(state, path)
    return path


def test_a_checkpoint_of_the_same_network_is_taken_over_whole(tmp_path, small):
    other = build_model("i3d", 7, 3, width=0.125)
    report = load_checkpoint(other, saved(tmp_path / "x.pt", small.state_dict()))
    assert not report.missing
    assert not report.unused
    assert not report.inflated
    assert all(torch.equal(a, b) for a, b in zip(small.state_dict().values(), other.state_dict().values(), strict=True))


def test_wrapped_names_other_classes_and_other_planes_are_fitted(tmp_path, small):
    state = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in small.state_dict().items()}}
    grey = build_model("i3d", 5, 1, width=0.125)
    before = grey.state_dict()["logits.conv3d.weight"].clone()
    report = load_checkpoint(grey, saved(tmp_path / "x.pt", state))
    assert report.inflated
    assert report.head_left
    assert torch.equal(grey.state_dict()["logits.conv3d.weight"], before)


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_a_repeated_grey_picture_gives_what_it_gave(planes):
    weight = torch.randn(4, 3, 1, 3, 3)
    grey = torch.randn(1, 1, 1, 8, 8)
    wanted = torch.nn.functional.conv3d(grey.expand(1, 3, 1, 8, 8), weight)
    got = torch.nn.functional.conv3d(grey.expand(1, planes, 1, 8, 8), fit_planes(weight, planes))
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def test_names_of_older_densenets_are_known(tmp_path):
    network = build_model("d3d-121")
    older = {}
    for name, value in network.state_dict().items():
        older[name.replace("features.conv1", "features.conv0").replace("features.norm1", "features.norm0")] = value
    older = {n.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): v for n, v in older.items()}
    report = load_checkpoint(build_model("d3d-121"), saved(tmp_path / "x.pt", older))
    assert not report.missing
    assert not report.unused


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path, small, content):
    path = tmp_path / "x.pt"
    if content is None:
        torch.save({"conv": torch.zeros(3)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(BadInput) as refusal:
        load_checkpoint(small, path)
    assert "\n" not in str(refusal.value)


def test_a_checkpoint_of_another_network_is_refused(tmp_path, small):
    path = saved(tmp_path / "x.pt", build_model("i3d", 7, 3, width=0.25).state_dict())
    with pytest.raises(BadInput, match="another network"):
        load_checkpoint(small, path)


def test_a_pickle_that_runs_code_is_not_opened(tmp_path, small):
    class Harmful:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"state_dict": Harmful()}, tmp_path / "x.pt")
    with pytest.raises(BadInput, match="safely"):
        load_checkpoint(small, tmp_path / "x.pt")
