"""Starts a network from a published checkpoint: matches names, fits the first layer, and tells what differs."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from expression.errors import BadInput

_SHOWN: Final = 5
"""Names in a message."""
_NORM_EPS: Final = 1e-5
_NESTED: Final = ("state_dict", "model_state_dict", "model", "net")
_Replacement = str | Callable[[re.Match[str]], str]
_RENAMED: Final[tuple[tuple[re.Pattern[str], _Replacement], ...]] = (
    # What other training code wraps its networks in.
    (re.compile(r"^(?:module\.|model\.|network\.|_orig_mod\.|backbone\.)+"), ""),
    # I3D as it was converted from TensorFlow: branches are sequences, and the head is one more convolution.
    (re.compile(r"^conv3d_0c_1x1\."), "logits."),
    (re.compile(r"^(conv3d|mixed)(?=_\d[a-z])"), lambda found: found[1].capitalize()),
    (re.compile(r"\.branch_0\."), ".b0."),
    (re.compile(r"\.branch_([12])\.([01])\."), lambda found: f".b{found[1]}{'ab'[int(found[2])]}."),
    (re.compile(r"\.branch_3\.1\."), ".b3b."),
    (re.compile(r"\.batch3d\."), ".bn."),
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
    padded: bool
    """The checkpoint's shortcuts have no weights (kind A): projections start as what does the same."""
    unused: tuple[str, ...]
    """What the checkpoint has and the network has not."""

    def __str__(self) -> str:
        parts = [f"{self.loaded} arrays taken over"]
        if self.inflated:
            parts.append("first layer fitted to another number of planes")
        if self.head_left:
            parts.append("head starts anew")
        if self.padded:
            parts.append("shortcuts without weights start as projections that do the same")
        if self.unused:
            parts.append(f"{len(self.unused)} of it unused ({_listed(self.unused)})")
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


def padded_shortcuts(own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Projections that pass what they are given on and leave further channels empty, as shortcuts of kind A do.

    Exact where batch normalisation uses what it remembers; in training it normalises.

    Args:
        own: State of the network; its projections are called `downsample.0`, their normalisation `downsample.1`.
    """
    values = {}
    for name, value in own.items():
        if name.endswith("downsample.0.weight"):
            flat = torch.eye(*value.shape[:2], dtype=value.dtype)
            values[name] = flat.reshape(value.shape)
        elif name.endswith("downsample.1.weight"):
            values[name] = torch.full_like(value, math.sqrt(1 + _NORM_EPS))
        elif name.endswith("downsample.1.running_var"):
            values[name] = torch.ones_like(value)
        elif ".downsample.1." in name:
            values[name] = torch.zeros_like(value)
    return values


def load_checkpoint(model: nn.Module, path: Path) -> LoadReport:
    """Take a checkpoint's weights over into `model`.

    Args:
        model: One of ours; its `first_layer` and `head` name the layers that may differ in shape.
        path: A file that `torch.save` wrote: a state dictionary, or one within a training state.

    Raises:
        BadInput: The file is no checkpoint, or it is one of another network; lists what is missing or differs.
    """
    there = {_renamed(name): value for name, value in _state_of(path).items()}
    own = model.state_dict()
    head, first = str(model.head), str(model.first_layer)
    taken: dict[str, Tensor] = {}
    inflated = head_left = padded = False
    wrong: dict[str, str] = {}
    for name, value in there.items():
        if name not in own:
            continue
        target = own[name]
        fitted = value
        if name == f"{first}.weight" and value.dim() == target.dim():
            fitted = fit_planes(value, target.shape[1])
        if fitted.shape == target.shape:
            taken[name] = fitted
            inflated |= fitted is not value
        elif name.startswith(f"{head}."):
            head_left = True
        else:
            wrong[name] = f"{name} is {tuple(value.shape)}, not {tuple(target.shape)}"
    if head_left:
        taken = {name: value for name, value in taken.items() if not name.startswith(f"{head}.")}
    head_left |= f"{head}.weight" not in taken
    body = [name for name in own if not name.startswith(f"{head}.") and not name.endswith("num_batches_tracked")]
    projections = padded_shortcuts(own)
    if projections and not any(".downsample." in name for name in there):
        taken |= projections
        padded = True
    missing = [name for name in body if name not in taken and name not in wrong]
    reasons = [f"{len(wrong)} differ in shape: {_listed(list(wrong.values()))}"] if wrong else []
    if missing:
        reasons.append(f"{len(missing)} of {len(body)} arrays are not in it: {_listed(missing)}")
    if reasons:
        raise BadInput(
            f"{path} is a checkpoint of another network ({'; '.join(reasons)}): choose the model it was made from"
        )
    model.load_state_dict(taken, strict=False)
    unused = tuple(name for name in there if name not in own)
    return LoadReport(len(taken), inflated, head_left, padded, unused)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = pattern.sub(replacement, name)
    return name


def _state_of(path: Path) -> Mapping[str, Tensor]:
    try:
        with torch.serialization.safe_globals(_numbers_of_numpy()):
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise BadInput(f"there is no checkpoint {path}") from None
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        line = f"besides weights it holds {named[1]}" if named else "it holds more than weights"
        raise BadInput(f"{path} is no checkpoint that can be read safely ({line})") from error
    except (OSError, RuntimeError, EOFError, KeyError) as error:
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


def _numbers_of_numpy() -> list[Any]:
    """What the best accuracy of a training state is often written as; making one runs no code of the file."""
    scalar: Any = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(code)) for code in ("f4", "f8", "i4", "i8")}
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]
