"""Scores what is there: finished runs from their files, bundles on data they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from expression.bundle import BUNDLE_FILE, Bundle
from expression.clip_input import clip_input
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from training.datasets.crops import CropPlan, CropStore, default_store, read_crops
from training.datasets.source import Source
from training.fit import PREDICTIONS_FILE
from training.onnx_network import OnnxNetwork
from training.predictions import Predictions

Progress = Callable[[int, int, str], None]


def evaluate_run(folder: Path) -> Predictions:
    """What a run said of its test samples.

    Raises:
        BadInput: The folder holds no finished run.
    """
    if (folder / BUNDLE_FILE).exists():
        raise BadInput(f"{folder} is a bundle: name data to score it on, --data DIR")
    if not (folder / PREDICTIONS_FILE).exists():
        raise BadInput(f"{folder} holds no finished run: it has no {PREDICTIONS_FILE}")
    return Predictions.read(folder / PREDICTIONS_FILE)


def evaluate_bundle(
    folder: Path,
    source: Source,
    *,
    int8: bool = False,
    all_subjects: bool = False,
    progress: Progress = lambda done, total, text: None,
) -> Predictions:
    """What a bundle says of data, by its own network and the input that the live service makes.

    Args:
        folder: Of the bundle.
        source: Where samples come from.
        int8: Ask the INT8 network.
        all_subjects: Score subjects too that it was trained on.
        progress: Told about samples.

    Raises:
        BadInput: There is no bundle, or it has seen everybody.
    """
    bundle = Bundle.open(folder)
    recipe = bundle.record.recipe
    if bundle.labels != BASIC_EMOTIONS:
        raise BadInput(f"{folder} names other classes than the seven: {', '.join(bundle.record.labels)}")
    samples, _ = source.read()
    if not all_subjects:
        samples = tuple(sample for sample in samples if sample.person not in bundle.record.subjects)
    if not samples:
        raise BadInput(f"{folder} was trained on every subject of {source.data}: give other data, or --all-subjects")
    plan = CropPlan(size_px=recipe.crop_px, frames=recipe.frames, samplings=(recipe.sampling,), finder=source.finder)
    store = CropStore(source.cache or default_store(), plan)
    usable, _ = store.prepare(samples, jobs=source.jobs, progress=progress)
    network = OnnxNetwork(bundle.network(int8=int8))
    logits = []
    for number, sample in enumerate(usable, start=1):
        crops = read_crops(store.path(sample))
        onset = crops.at(np.array([sample.key_frames.onset]))[0]
        clip = clip_input(recipe, crops.at(recipe.frame_numbers(sample.key_frames)), onset)
        logits.append(network(clip[None])[0])
        progress(number, len(usable), "scoring")
    return Predictions.of(usable, np.stack(logits) if logits else np.empty((0, len(BASIC_EMOTIONS)), np.float32))
