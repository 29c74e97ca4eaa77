"""Starting from a published checkpoint."""

from __future__ import annotations

import numpy as np
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
    assert not report.unused
    assert not report.inflated
    assert not report.head_left
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
    with pytest.raises(
        BadInput, match=r"another network .*differ in shape: .* is \(16, 3, 7, 7, 7\), not \(8, "
    ) as refusal:
        load_checkpoint(small, path)
    assert "\n" not in str(refusal.value)


def test_what_a_checkpoint_lacks_is_listed(tmp_path, small):
    state = small.state_dict()
    lost = [name for name in state if name.startswith("Mixed_5c.b1b.")]
    for name in lost:
        del state[name]
    with pytest.raises(BadInput, match=r"5 of \d+ arrays are not in it: Mixed_5c\.b1b\.conv3d\.weight"):
        load_checkpoint(small, saved(tmp_path / "x.pt", state))


def test_numbers_beside_the_weights_are_no_reason_to_refuse(tmp_path, small):
    state = {"epoch": 8, "best_prec1": np.float64(71.2), "state_dict": small.state_dict()}
    assert not load_checkpoint(small, saved(tmp_path / "x.pt", state)).unused


def test_a_pickle_that_runs_code_is_not_opened(tmp_path, small):
    class Harmful:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"state_dict": Harmful()}, tmp_path / "x.pt")
    with pytest.raises(BadInput, match="safely"):
        load_checkpoint(small, tmp_path / "x.pt")
