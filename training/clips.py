"""Clips as a network is fed them in training: from crops on disk, changed at random, the same for one seed."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from capture.recording.files import write_whole
from expression.clip_input import Clip, ClipRecipe, clip_input
from expression.errors import ExpressionError
from expression.keyframes import KeyFrames
from training.augment import altered, jittered
from training.datasets.crops import Crops, CropStore, read_crops
from training.datasets.sample import Sample, classes_of
from training.recipe import Augmentation

Place = tuple[int, int]
"""(epoch, index of a sample): what a sampler asks for."""
Progress = Callable[[int, int, str], None]

_PLANES_VERSION = 1


@dataclass(frozen=True)
class PreparedClip:
    """A sample of which everything that costs time is done."""

    key_frames: KeyFrames
    crops: Path
    planes: Path | None
    """Flow of every kept frame against the onset; None where the network sees brightness."""


class ClipDataset(Dataset[tuple[Tensor, int]]):
    """Samples as (channels, frames, size, size) float32 and their class.

    Args:
        prepared: The samples, see `prepare_clips`.
        classes: (samples,) class of each.
        recipe: What the network sees.
        augment: How clips are changed; None leaves them as they are.
        seed: The same seed, epoch and index give the same clip, in whatever process.
    """

    def __init__(
        self,
        prepared: Sequence[PreparedClip],
        classes: npt.NDArray[np.int64],
        recipe: ClipRecipe,
        augment: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.prepared, self.classes, self.recipe = prepared, classes, recipe
        self.augment, self.seed = augment, seed

    def __len__(self) -> int:
        return len(self.prepared)

    def __getitem__(self, place: Place | int) -> tuple[Tensor, int]:
        """One clip; a bare index stands for epoch 0."""
        epoch, index = place if isinstance(place, tuple) else (0, place)
        return torch.from_numpy(self.clip(epoch, index)), int(self.classes[index])

    def clip(self, epoch: int, index: int) -> Clip:
        """The clip of a sample in an epoch."""
        prepared = self.prepared[index]
        if self.augment is None:
            return clip_of(prepared, self.recipe)
        rng = np.random.default_rng([self.seed, epoch, index])
        key_frames = jittered(rng, prepared.key_frames, self.augment.key_frames)
        clip = clip_of(prepared, self.recipe, key_frames)
        return altered(rng, clip, self.augment, is_flow=self.recipe.channels.startswith("flow"))


class EpochSampler(Sampler[Place]):
    """Indices in an order that follows from seed and epoch alone, so that a resumed run goes on as it would have.

    Where several processes train together, each has its part of the same order.

    Args:
        classes: (samples,) class of each.
        resample: Draw each class with equal probability, with replacement; else each sample once.
        seed: Of the order.
    """

    def __init__(self, classes: npt.NDArray[np.int64], *, resample: bool = False, seed: int = 0) -> None:
        self._classes, self._resample, self._seed = classes, resample, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self._classes) / _processes()[1])

    def __iter__(self) -> Iterator[Place]:
        order = self.order()
        process, processes = _processes()
        # Every process has as many, so that none waits for the others: some samples come twice.
        padded = np.resize(order, len(self) * processes)
        return ((self._epoch, int(index)) for index in padded[process::processes])

    def order(self) -> npt.NDArray[np.int64]:
        """(samples,) indices of the whole epoch."""
        rng = np.random.default_rng([self._seed, self._epoch])
        if not self._resample:
            return rng.permutation(len(self._classes))
        counts = np.bincount(self._classes)
        weights = 1 / counts[self._classes]
        return rng.choice(len(self._classes), len(self._classes), p=weights / weights.sum())


def _processes() -> tuple[int, int]:
    """Which of how many processes that train together this is."""
    group = torch.distributed
    if group.is_available() and group.is_initialized():
        return group.get_rank(), group.get_world_size()
    return 0, 1


def prepare_clips(
    store: CropStore,
    samples: Sequence[Sample],
    recipe: ClipRecipe,
    progress: Progress = lambda done, total, text: None,
) -> tuple[PreparedClip, ...]:
    """Measure the flow of all samples once; it is kept beside the crops.

    Args:
        store: Where the crops of all samples are.
        samples: Usable ones, see `CropStore.prepare`.
        recipe: What the network sees.
        progress: Told about samples.
    """
    prepared = []
    for number, sample in enumerate(samples, start=1):
        crops = store.path(sample)
        planes = _planes(crops, sample.key_frames, recipe) if recipe.channels.startswith("flow") else None
        prepared.append(PreparedClip(sample.key_frames, crops, planes))
        progress(number, len(samples), "measuring movement" if planes else "looking for crops")
    return tuple(prepared)


def dataset_of(
    store: CropStore,
    samples: Sequence[Sample],
    recipe: ClipRecipe,
    progress: Progress = lambda done, total, text: None,
) -> ClipDataset:
    """All samples, unchanged; `subset` takes parts of it."""
    return ClipDataset(prepare_clips(store, samples, recipe, progress), classes_of(samples), recipe)


def subset(
    dataset: ClipDataset, indices: npt.NDArray[np.int64], augment: Augmentation | None = None, seed: int = 0
) -> ClipDataset:
    """Some of the samples, in the order of `indices`."""
    chosen = [dataset.prepared[int(index)] for index in indices]
    return ClipDataset(chosen, dataset.classes[indices], dataset.recipe, augment, seed)


def clip_of(prepared: PreparedClip, recipe: ClipRecipe, key_frames: KeyFrames | None = None) -> Clip:
    """A sample as the network sees it.

    Args:
        prepared: The sample.
        recipe: The one that it was prepared for.
        key_frames: Others than its own.

    Raises:
        ExpressionError: Its crops are gone.
    """
    key_frames = key_frames or prepared.key_frames
    numbers = recipe.frame_numbers(key_frames)
    if prepared.planes is None:
        return clip_input(recipe, read_crops(prepared.crops).at(numbers))
    kept, planes = _read_planes(prepared.planes)
    places = Crops(kept, np.arange(len(kept), dtype=np.uint8)).at(numbers)
    clip = planes[:, places].astype(np.float32)
    if key_frames.onset != prepared.key_frames.onset:
        # Movement since another onset: what had happened by then is taken off. Strain has no such rule; it stays.
        onset = Crops(kept, np.arange(len(kept), dtype=np.uint8)).at(np.array([key_frames.onset]))
        clip[:2] -= planes[:2, onset].astype(np.float32)
    return np.ascontiguousarray(clip)


def _read_planes(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]:
    try:
        with np.load(path) as content:
            return content["numbers"], content["planes"]
    except (OSError, KeyError, ValueError) as error:
        raise ExpressionError(f"{path} holds no movement ({error}): prepare the data again") from error


def _planes(crops_path: Path, key_frames: KeyFrames, recipe: ClipRecipe) -> Path:
    key = msgspec.json.encode((recipe.channels, recipe.size_px, recipe.crop_px, recipe.scale, _PLANES_VERSION))
    path = crops_path.with_name(f"{crops_path.stem}.{hashlib.sha256(key).hexdigest()[:12]}.planes.npz")
    if path.exists():
        return path
    crops = read_crops(crops_path)
    every = msgspec.structs.replace(recipe, frames=len(crops.numbers))
    planes = clip_input(every, crops.pictures, crops.at(np.array([key_frames.onset]))[0])
    packed = io.BytesIO()
    # Half precision keeps 0.001 of a pixel of movement, which is less than its noise.
    np.savez(packed, numbers=crops.numbers, planes=planes.astype(np.float16))
    write_whole(path, packed.getvalue(), sync=False)
    return path
