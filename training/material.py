"""From `--data` to samples whose crops are on disk: one way for every command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from expression.errors import BadInput
from training.clips import ClipDataset, dataset_of
from training.datasets.crops import CropPlan, CropStore, default_store
from training.datasets.sample import DatasetStatistics, Sample, statistics
from training.datasets.source import Source
from training.recipe import Recipe

Progress = Callable[[int, int, str], None]
SPARE_FRAMES = 3
"""Kept on either side of an expression where training moves its key-frames."""


@dataclass(frozen=True)
class Material:
    """Samples that can be trained on with one recipe."""

    samples: tuple[Sample, ...]
    store: CropStore
    statistics: DatasetStatistics
    remarks: tuple[str, ...]
    """What was passed over, a line each."""

    def dataset(self, recipe: Recipe, progress: Progress = lambda done, total, text: None) -> ClipDataset:
        """All samples as the recipe's network sees them."""
        return dataset_of(self.store, self.samples, recipe.clip, progress)


def crop_plan(recipe: Recipe, finder: str = "auto") -> CropPlan:
    """What must be kept of each sample for a recipe."""
    spare = SPARE_FRAMES if recipe.augment.key_frames else 0
    return CropPlan(
        size_px=recipe.crop_px, frames=recipe.frames, samplings=(recipe.sampling,), spare=spare, finder=finder
    )


def gather(
    source: Source,
    recipe: Recipe,
    *,
    progress: Progress = lambda done, total, text: None,
    read: tuple[Sequence[Sample], Sequence[str]] | None = None,
) -> Material:
    """Read samples, and align and cut those that were not yet.

    Args:
        source: Where from.
        recipe: What for.
        progress: Told about samples.
        read: What `Source.read` gave before, to read sheets once for many recipes.

    Raises:
        BadInput: There is nothing to be read, or no face in any sample.
        ExpressionError: Pictures are missing.
    """
    samples, remarks = read or source.read()
    store = CropStore(source.cache or default_store(), crop_plan(recipe, source.finder))
    usable, refused = store.prepare(samples, jobs=source.jobs, progress=progress)
    if not usable:
        raise BadInput(f"{source.data}: no sample shows a usable face ({refused[0] if refused else 'no samples'})")
    return Material(usable, store, statistics(usable), (*remarks, *refused))
