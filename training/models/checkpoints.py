"""Starts a network from a published checkpoint: matches names, fits the first layer, and tells what differs."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from expression.errors import BadInput

_NESTED: Final = ("state_dict", "model_state_dict", "model", "net")
_RENAMED: Final = (
    # What other training code wraps its networks in.
    (re.compile(r"^(?:module\.|model\.|network\.|_orig_mod\.|backbone\.)+"), ""),
    # DenseNet before its layers were numbered from one.
    (re.compile(r"^features\.(conv|norm|pool|relu)0\."), r"features.\g<1>1."),
    (re.compile(r"\b(norm|conv|relu)\.([12])\."), r"\1\2."),
    (re.compile(r"^features\.norm_?final\."), "features.norm5."),
)


@dataclass(frozen=True)
class LoadReport:
    """What became of a checkpoint."""

    loaded: int
    """Parameters and buffers taken over."""
    inflated: bool
    """The first layer was fitted to another number of planes."""
    head_left: bool
    """The checkpoint's classes are others, so the head starts anew."""
    missing: tuple[str, ...]
    """What the network has and the checkpoint has not."""
    unused: tuple[str, ...]
    """What the checkpoint has and the network has not."""

    def __str__(self) -> str:
        parts = [f"{self.loaded} arrays taken over"]
        if self.inflated:
            parts.append("first layer fitted to another number of planes")
        if self.head_left:
            parts.append("head starts anew")
        if self.missing:
            parts.append(f"{len(self.missing)} not in it ({', '.join(self.missing[:3])}, …)")
        if self.unused:
            parts.append(f"{len(self.unused)} of it unused ({', '.join(self.unused[:3])}, …)")
        return "; ".join(parts)


def fit_planes(weight: Tensor, planes: int) -> Tensor:
    """First-layer weights (out, in, ...) for another number of input planes.

    A grey picture repeated three times must give what it gave: to one plane weights are added up, from one plane to
    many they are shared out. Other numbers take the mean plane, and keep the sum over the planes.
    """
    if weight.shape[1] == planes:
        return weight
    total = weight.sum(dim=1, keepdim=True)
    return (total / planes).repeat_interleave(planes, dim=1)


def load_checkpoint(model: nn.Module, path: Path) -> LoadReport:
    """Take a checkpoint's weights over into `model`.

    Args:
        model: One of ours; its `first_layer` and `head` name the layers that may differ in shape.
        path: A file that `torch.save` wrote: a state dictionary, or one within a training state.

    Raises:
        BadInput: The file is no checkpoint, or it is one of another network.
    """
    there = {_renamed(name): value for name, value in _state_of(path).items()}
    own = model.state_dict()
    head, first = str(model.head), str(model.first_layer)
    taken: dict[str, Tensor] = {}
    inflated = head_left = False
    wrong: list[str] = []
    for name, value in there.items():
        if name not in own:
            continue
        target = own[name]
        if value.shape == target.shape:
            taken[name] = value
        elif name == f"{first}.weight" and value.dim() == target.dim():
            fitted = fit_planes(value, target.shape[1])
            if fitted.shape != target.shape:
                wrong.append(f"{name} {tuple(value.shape)}, not {tuple(target.shape)}")
                continue
            taken[name], inflated = fitted, True
        elif name.startswith(f"{head}."):
            head_left = True
        else:
            wrong.append(f"{name} {tuple(value.shape)}, not {tuple(target.shape)}")
    body = [name for name in own if not name.startswith(f"{head}.") and not name.endswith("num_batches_tracked")]
    missing = tuple(name for name in body if name not in taken)
    if wrong or len(missing) > len(body) // 2:
        reason = f"shapes differ: {wrong[0]}" if wrong else f"{len(missing)} of {len(body)} arrays are not in it"
        raise BadInput(f"{path} is a checkpoint of another network ({reason}): choose the model that it was made from")
    model.load_state_dict(taken, strict=False)
    unused = tuple(name for name in there if name not in own)
    return LoadReport(len(taken), inflated, head_left, missing, unused)


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = pattern.sub(replacement, name)
    return name


def _state_of(path: Path) -> Mapping[str, Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BadInput(f"there is no checkpoint {path}") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"{path} is no checkpoint that can be read safely ({line})") from error
    for key in _NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no weights by name")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise BadInput(f"{path} holds no weights by name")
    return tensors
