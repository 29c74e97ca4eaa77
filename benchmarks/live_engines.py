"""How long each engine takes for one clip of the full-width I3D, and what narrower numbers cost in UF1.

    python -m benchmarks.live_engines [--rounds 30] [--threads 2] [--simulated 12x24,seed=5]

Prints one JSON line.

- `engines`: one clip of 3x16x224x224 on so many threads, the engines taking turns in each round: median, 99th
  percentile and best of the clock, processor time of all threads, and the ratio of the median to PyTorch's in float32.
  Other work on the machine lengthens the first three; `cpu_ms` shows what a quiet machine would need.
- `agreement`: the same network with its head fitted to seven directions of movement, on clips that the fit has not
  seen: UF1 of each precision, and the share of clips that get the class of float32.
- `shipped`: the model that comes along on simulated participants it has not seen (`--simulated`, or `none`).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from expression.bundle import INT8_FILE, ONNX_FILE, Bundle, BundleRecord
from expression.clip_input import Clip, ClipRecipe, clip_input
from expression.emotions import BASIC_EMOTIONS
from realtime.engines import Engine, EngineUnavailable
from realtime.engines.choice import ready
from realtime.engines.variants import VARIANTS
from realtime.lab_default import DEFAULT_MODEL
from training.datasets.crops import CropPlan, CropStore, read_crops
from training.datasets.simulated import parse_simulated, simulated_samples
from training.export import write_onnx
from training.metrics import Scores, confusion_matrix
from training.models import build_model
from training.models.i3d import I3D
from training.quantise import quantise
from training.recipe import Recipe

RECIPE = Recipe()
CLASSES = len(BASIC_EMOTIONS)
FEATURES = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx_vnni", "avx2")
NOISE = 0.6
"""Of the clips, in their own units; so much that not every clip is told apart."""
CALIBRATION_CLIPS = 64
WARM_UPS = 2
RIDGE = 1e-2


class PyTorch:
    """The network itself, in float32."""

    name = "torch"
    reason = f"torch {torch.__version__}, float32"

    def __init__(self, network: I3D) -> None:
        self._network = network

    def infer(self, clip: Clip) -> npt.NDArray[np.float32]:
        """Logits of one clip."""
        with torch.inference_mode():
            return np.asarray(self._network(torch.from_numpy(clip[None])).numpy()[0])


def moving(count: int, seed: int) -> tuple[list[Clip], npt.NDArray[np.int64]]:
    """Clips whose class is the direction in which a patch of skin-like texture moves, as the network takes them."""
    rng = np.random.default_rng(seed)
    frames, side = RECIPE.frames, RECIPE.size_px
    y, x = np.mgrid[:side, :side].astype(np.float32)
    clips, classes = [], np.arange(count) % CLASSES
    for kind in classes:
        texture = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 2.0)
        texture /= texture.std()
        angle = 2 * np.pi * kind / CLASSES
        middle, wide = rng.uniform(0.3, 0.7, 2) * side, rng.uniform(0.15, 0.25) * side
        patch = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * wide**2)).astype(np.float32)
        reach = rng.uniform(2, 5) * np.sin(np.linspace(0, np.pi / 2, frames))
        planes = [
            cv2.remap(
                texture,
                (x - by * np.cos(angle) * patch).astype(np.float32),
                (y - by * np.sin(angle) * patch).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT,
            )
            for by in reach
        ]
        grey = np.stack(planes) + rng.normal(0, NOISE, (frames, side, side))
        clips.append(np.ascontiguousarray(np.broadcast_to(grey.astype(np.float32), RECIPE.clip.shape)))
    return clips, classes


def fitted(clips: Sequence[Clip], classes: npt.NDArray[np.int64]) -> I3D:
    """I3D at full width: random filters, normalised on the clips, and a head that tells their classes apart."""
    torch.manual_seed(0)
    network = build_model("i3d", channels=RECIPE.clip.channel_count)
    assert isinstance(network, I3D)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm3d):
            layer.momentum = None  # the mean over all batches
    seen: list[torch.Tensor] = []
    network.logits.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0].flatten(1)))
    with torch.no_grad():
        network.train()
        for first in range(0, min(len(clips), 4 * CLASSES), 4):
            network(torch.from_numpy(np.stack(clips[first : first + 4])))
        network.eval()
        seen.clear()
        for clip in clips:
            network(torch.from_numpy(clip[None]))
        features = torch.cat(seen)
        mean, spread = features.mean(0), features.std(0) + 1e-6
        scaled = (features - mean) / spread
        wanted = 4 * torch.nn.functional.one_hot(torch.from_numpy(classes), CLASSES).float() - 1
        square = scaled @ scaled.T
        weights = scaled.T @ torch.linalg.solve(square + RIDGE * square.trace() * torch.eye(len(square)), wanted)
        head = network.logits.conv3d
        weights = weights / spread[:, None]
        head.weight.copy_(weights.T[..., None, None, None])
        head.bias.copy_(-(mean @ weights))
    network.logits._forward_hooks.clear()
    return network


def bundle_of(network: I3D, clips: Sequence[Clip], folder: Path) -> Bundle:
    """The network as it is exported, with INT8."""
    write_onnx(network, RECIPE, folder / ONNX_FILE, static=True)
    problem = quantise(folder / ONNX_FILE, folder / INT8_FILE, clips[:CALIBRATION_CLIPS])
    if problem:
        raise SystemExit(problem)
    return Bundle.seal(folder, BundleRecord(name="full width", recipe=RECIPE.clip))


def engines_of(bundle: Bundle, threads: int) -> tuple[dict[str, Engine], dict[str, str]]:
    """Those that work here, and why others do not."""
    working: dict[str, Engine] = {}
    missing: dict[str, str] = {}
    for variant in VARIANTS:
        try:
            working[variant.name] = ready(bundle, lambda variant=variant: variant.make(bundle, threads))
        except EngineUnavailable as error:
            missing[variant.name] = str(error)
    return working, missing


def timed(engines: dict[str, Engine], clip: Clip, rounds: int) -> dict[str, Any]:
    """Figures of each engine; they take turns."""
    wall: dict[str, list[float]] = {name: [] for name in engines}
    cpu: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(WARM_UPS + rounds):
        for name, engine in engines.items():
            cpu_began_s, began_s = time.process_time(), time.perf_counter()
            engine.infer(clip)
            took_ms, cpu_ms = 1e3 * (time.perf_counter() - began_s), 1e3 * (time.process_time() - cpu_began_s)
            if number >= WARM_UPS:
                wall[name].append(took_ms)
                cpu[name].append(cpu_ms)
    torch_ms = float(np.median(wall["torch"]))
    return {
        name: {
            "median_ms": round(float(np.median(wall[name])), 1),
            "p99_ms": round(float(np.percentile(wall[name], 99)), 1),
            "best_ms": round(min(wall[name]), 1),
            "cpu_ms": round(float(np.median(cpu[name])), 1),
            "of_torch": round(float(np.median(wall[name])) / torch_ms, 3),
            "what": engines[name].reason,
        }
        for name in engines
    }


def compared(engines: dict[str, Engine], clips: Sequence[Clip], classes: npt.NDArray[np.int64]) -> dict[str, Any]:
    """UF1 of each engine, and how often it names what float32 names."""
    said = {name: np.array([engine.infer(clip).argmax() for clip in clips]) for name, engine in engines.items()}
    precise = said["openvino f32"]
    return {
        name: {
            "UF1": round(100 * Scores.of(confusion_matrix(classes, classes_said)).uf1, 2),
            "same_class": round(float((classes_said == precise).mean()), 4),
        }
        for name, classes_said in said.items()
    } | {"clips": len(clips)}


def shipped(text: str, threads: int) -> dict[str, Any]:
    """The model that comes along, on simulated participants with faces of their own."""
    bundle = Bundle.open(DEFAULT_MODEL)
    recipe: ClipRecipe = bundle.record.recipe
    samples = simulated_samples(*parse_simulated(text))
    plan = CropPlan(size_px=recipe.crop_px, frames=recipe.frames, samplings=(recipe.sampling,))
    with tempfile.TemporaryDirectory(prefix="dfme-crops-") as folder:
        store = CropStore(Path(folder), plan)
        usable, _ = store.prepare(samples, jobs=1)
        clips = []
        for sample in usable:
            crops = read_crops(store.path(sample))
            onset = crops.at(np.array([sample.key_frames.onset]))[0]
            clips.append(clip_input(recipe, crops.at(recipe.frame_numbers(sample.key_frames)), onset))
    classes = np.array([BASIC_EMOTIONS.index(sample.emotion) for sample in usable])
    engines, _ = engines_of(bundle, threads)
    return compared(engines, clips, classes) | {"data": text}


def features() -> list[str]:
    """What the processor has of what makes networks fast."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = set(next(line for line in lines if line.startswith("flags")).split())
    return [name for name in FEATURES if name in flags]


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fit-clips", type=int, default=112)
    parser.add_argument("--test-clips", type=int, default=140)
    parser.add_argument("--simulated", default="12x24,seed=5", help="simulated participants, or none")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    line: dict[str, Any] = {
        "benchmark": "live_engines",
        "processor": features(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": arguments.threads,
    }
    fit_clips, fit_classes = moving(arguments.fit_clips, seed=1)
    network = fitted(fit_clips, fit_classes)
    line["parameters"] = sum(parameter.numel() for parameter in network.parameters())
    with tempfile.TemporaryDirectory(prefix="dfme-i3d-") as folder:
        bundle = bundle_of(network, fit_clips, Path(folder))
        engines, line["unavailable"] = engines_of(bundle, arguments.threads)
        engines["torch"] = PyTorch(network)
        line["unavailable"].pop("torch", None)
        line["engines"] = timed(engines, fit_clips[0], arguments.rounds)
        if arguments.test_clips:
            test_clips, test_classes = moving(arguments.test_clips, seed=2)
            narrow = {name: one for name, one in engines.items() if name.startswith("openvino")}
            line["agreement"] = compared(narrow, test_clips, test_classes)
    if arguments.simulated != "none":
        line["shipped"] = shipped(arguments.simulated, arguments.threads)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
