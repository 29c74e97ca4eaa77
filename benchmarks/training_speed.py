"""How many clips a second training takes, beside a plain loop over the same network; loading and steps apart.

    python -m benchmarks.training_speed [--width 0.25] [--size 64] [--samples 64] [--threads 1]

Prints one JSON line. Crops are made of noise and lie on disk as ever, so nothing is rendered.

- `plain`: clips in memory, forward, loss, backward, optimiser, without anything around it.
- `step`: the same steps by the trainer, whole epochs less what loading takes.
- `loader`: reading, choosing frames and changing clips, without training.
- `trainer`: all together, as `dfme-train fit` does it.
- `cpu_ms_*`: processor time per clip, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from expression.emotions import BASIC_EMOTIONS
from expression.keyframes import KeyFrames
from training.clips import EpochSampler, dataset_of, subset
from training.datasets import CropStore, Sample
from training.fit import fit, make_network
from training.machine import Machine
from training.material import crop_plan
from training.protocol import Split
from training.recipe import PRESETS, Recipe


@dataclass(frozen=True)
class NoFrames:
    """Stands where pictures would be; their crops are on disk."""

    identity: str
    span: tuple[int, int] = (0, 99)

    def read(self, number: int) -> np.ndarray:
        """Nobody asks."""
        raise LookupError(number)


def made_samples(count: int) -> tuple[Sample, ...]:
    """Samples of eight subjects."""
    return tuple(
        Sample("noise", f"s{n % 8}", f"{n}", KeyFrames(10, 40, 80), BASIC_EMOTIONS[n % 7], NoFrames(f"{n}"))
        for n in range(count)
    )


def fill(store: CropStore, samples: tuple[Sample, ...]) -> None:
    """Put noise where crops of the samples would be."""
    rng = np.random.default_rng(0)
    for sample in samples:
        numbers = store.plan.numbers(sample.key_frames, sample.frames.span)
        path = store.path(sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = store.plan.size_px
        np.savez(path, numbers=numbers, pictures=rng.integers(0, 255, (len(numbers), size, size), np.uint8))


def timed(work: Callable[[], int]) -> tuple[float, float]:
    """Clips a second, and milliseconds of processor time per clip."""
    wall, cpu = time.perf_counter(), time.process_time()
    clips = work()
    return clips / (time.perf_counter() - wall), 1000 * (time.process_time() - cpu) / clips


def plain_loop(recipe: Recipe, clips: torch.Tensor, classes: torch.Tensor) -> Callable[[], int]:
    """One epoch of the same network without a trainer."""
    network = make_network(recipe).train()
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)

    def epoch() -> int:
        for first in range(0, len(clips), recipe.batch):
            optimizer.zero_grad()
            loss = cross_entropy(network(clips[first : first + recipe.batch]), classes[first : first + recipe.batch])
            loss.backward()
            optimizer.step()
        return len(clips)

    return epoch


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = PRESETS["small"].changed(width=options.width, size_px=options.size, epochs=2, batch=16)
    samples = made_samples(options.samples)
    with tempfile.TemporaryDirectory() as folder:
        store = CropStore(Path(folder) / "crops", crop_plan(recipe))
        fill(store, samples)
        dataset = dataset_of(store, samples, recipe.clip)
        everything = np.arange(len(samples))
        changed = subset(dataset, everything, recipe.augment, 0)

        def load() -> int:
            return sum(1 for place in EpochSampler(dataset.classes) if changed[place])

        clips = torch.stack([dataset[int(index)][0] for index in everything])
        plain = plain_loop(recipe, clips, torch.from_numpy(dataset.classes))
        plain()
        plain_rate, plain_cpu = timed(plain)
        load_rate, load_cpu = timed(load)
        split = Split(0, everything, everything[:2], everything[:2])
        started: list[tuple[float, float]] = []

        def tell(done: int, total: int, text: str) -> None:
            started.append((time.perf_counter(), time.process_time()))

        # The first epoch warms up; what lies between the ends of both is measured.
        fit(recipe, dataset, samples, split, Path(folder) / "run", machine=Machine("cpu", 1), progress=tell)
        wall, cpu = (after - before for before, after in zip(started[0], started[1], strict=True))
    count = len(samples)
    step_wall = max(wall - count / load_rate, 1e-9)
    result = {
        "plain_clips_s": plain_rate,
        "trainer_clips_s": count / wall,
        "step_clips_s": count / step_wall,
        "loader_clips_s": load_rate,
        "cpu_ms_plain": plain_cpu,
        "cpu_ms_trainer": 1000 * cpu / count,
        "cpu_ms_loader": load_cpu,
        "width": options.width,
        "size_px": options.size,
        "threads": options.threads,
    }
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))


if __name__ == "__main__":
    main()
