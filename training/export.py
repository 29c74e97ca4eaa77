"""From a trained network to a bundle that the live service loads: ONNX, checked, quantised, calibrated, with a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import nn

from capture.recording.files import write_whole
from capture.version import software
from expression.bundle import CARD_FILE, INPUT_NAME, INT8_FILE, ONNX_FILE, OUTPUT_NAME, TORCH_FILE, Bundle, BundleRecord
from expression.clip_input import Clip
from expression.emotions import BASIC_EMOTIONS
from expression.errors import ExpressionError
from training.calibrate import Calibration
from training.card import CardFacts, model_card
from training.onnx_network import OnnxNetwork
from training.quiet import quiet
from training.recipe import Recipe

OPSET: Final = 18
LARGEST_DIFFERENCE: Final = 2e-3
"""Of logits from those of PyTorch, as a share of the largest; float32 sums in another order differ by 1e-5."""
_BATCH_CHECKED: Final = 3


@dataclass(frozen=True)
class Exported:
    """A bundle and how near its networks are to the trained one."""

    bundle: Bundle
    difference: float
    """Largest difference of logits from PyTorch's, as a share of the largest logit."""
    int8_difference: float | None
    int8_agreement: float | None
    """Share of the calibration clips whose best class is the same."""
    bytes: Mapping[str, int]
    int8_problem: str = ""
    """Why there is no INT8 network, where one was asked for."""


def export_bundle(
    network: nn.Module,
    recipe: Recipe,
    folder: Path,
    *,
    name: str,
    calibration: Calibration | None,
    clips: Sequence[Clip],
    facts: CardFacts,
    int8: bool = True,
    static: bool = False,
    torch_program: bool = False,
) -> Exported:
    """Write a bundle.

    Args:
        network: Trained.
        recipe: How it was trained.
        folder: Of the bundle; files in it are replaced.
        name: Of the model.
        calibration: None leaves probabilities as they come.
        clips: Samples for checking and for quantisation, of training subjects.
        facts: What the card tells.
        int8: Quantise as well.
        static: Fix the batch to one clip, for engines that want that.
        torch_program: Write the network for the torch engine as well.

    Raises:
        ExpressionError: What was exported says something else than the trained network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (ONNX_FILE, INT8_FILE, TORCH_FILE, CARD_FILE):
        (folder / old).unlink(missing_ok=True)
    network = network.cpu().eval()
    batch = np.stack(clips[: 1 if static else _BATCH_CHECKED])
    write_onnx(network, recipe, folder / ONNX_FILE, static=static)
    difference = _checked(network, folder / ONNX_FILE, batch)
    int8_difference = int8_agreement = None
    problem = ""
    if int8:
        from training.quantise import quantise  # noqa: PLC0415 - takes seconds to import

        problem = quantise(folder / ONNX_FILE, folder / INT8_FILE, clips)
        if not problem:
            int8_difference, int8_agreement = _compared(network, folder / INT8_FILE, clips)
    if torch_program:
        write_program(network, recipe, folder / TORCH_FILE)
    networks = [folder / file for file in (ONNX_FILE, INT8_FILE, TORCH_FILE)]
    sizes = {file.name: file.stat().st_size for file in networks if file.exists()}
    write_whole(folder / CARD_FILE, model_card(name, recipe, facts, calibration, sizes, int8_agreement).encode())
    record = BundleRecord(
        name=name,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        software=software(),
        architecture=recipe.model if recipe.width == 1 else f"{recipe.model} of width {recipe.width:g}",
        recipe=recipe.clip,
        labels=tuple(emotion.value for emotion in BASIC_EMOTIONS),
        temperature=calibration.temperature if calibration else 1.0,
        unsure_below=calibration.unsure_below if calibration else 0.0,
        simulated=facts.simulated,
        licence=facts.licence,
        data=facts.data,
        subjects=facts.subjects,
        metrics=dict(facts.metrics),
    )
    bundle = Bundle.seal(folder, record)
    return Exported(bundle, difference, int8_difference, int8_agreement, sizes, problem)


def write_onnx(network: nn.Module, recipe: Recipe, path: Path, *, static: bool = False) -> None:
    """Write a network for clips of the recipe's shape; the batch is free unless `static`, frames and size are fixed."""
    example = torch.zeros((1 if static else 2, *recipe.clip.shape))
    shapes = None if static else ({0: torch.export.Dim("batch", min=1, max=1024)},)
    with quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        program.save(str(path), external_data=False)
    strip_traces(path)


def write_program(network: nn.Module, recipe: Recipe, path: Path) -> None:
    """Write a network as torch exports it, for one clip of the recipe's shape."""
    with quiet(), torch.no_grad():
        program = torch.export.export(network, (torch.zeros((1, *recipe.clip.shape)),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def strip_traces(path: Path) -> None:
    """Take out of an ONNX file where on the training machine each node was written: paths belong to nobody else."""
    model = onnx.load(str(path))
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.functions):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for tensor in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        tensor.ClearField("doc_string")
        tensor.ClearField("metadata_props")
    onnx.save(model, str(path))


def _checked(network: nn.Module, path: Path, batch: npt.NDArray[np.float32]) -> float:
    exported = OnnxNetwork(path)
    worst = 0.0
    for part in [batch, batch[:1]]:
        with torch.no_grad():
            wanted = network(torch.from_numpy(part)).numpy()
        worst = max(worst, float(np.abs(exported(part) - wanted).max() / max(np.abs(wanted).max(), 1e-6)))
    if not worst <= LARGEST_DIFFERENCE:
        raise ExpressionError(
            f"{path} differs from the trained network by {worst:.1%} of its largest output: this version of torch or "
            "openvino exports it wrongly; try another"
        )
    return worst


def _compared(network: nn.Module, path: Path, clips: Sequence[Clip]) -> tuple[float, float]:
    exported = OnnxNetwork(path)
    batch = np.stack(clips)
    with torch.no_grad():
        wanted = np.concatenate([network(torch.from_numpy(batch[i : i + 8])).numpy() for i in range(0, len(batch), 8)])
    got = np.concatenate([exported(clip[None]) for clip in batch])
    difference = float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-6))
    return difference, float((got.argmax(axis=1) == wanted.argmax(axis=1)).mean())
