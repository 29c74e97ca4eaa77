"""Options that several commands share, and how results are shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capture.console import output
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from training.datasets.source import Source
from training.machine import Machine
from training.metrics import Confusion, Scores
from training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from training.material import Material


class Protocol(StrEnum):
    """How samples are parted."""

    SUBJECT = "subject"
    RANDOM = "random"
    LOSO = "loso"
    OFFICIAL = "official"


Data = Annotated[
    str, typer.Option(help="Folder of a data set, or simulated:SUBJECTSxCLIPS[,part=C][,fps=200][,seed=0].")
]
Dataset = Annotated[
    str, typer.Option(help="Which data set it is: auto, dfme, casme2, samm, smic, mmew, casme3, 4dme, casme^2.")
]
Cache = Annotated[
    Path | None, typer.Option(help="Folder of aligned crops. Default: DFME_CACHE, or below the user's cache folder.")
]
Finder = Annotated[str, typer.Option(help="Face finder: auto, mediapipe, cascades, or an ONNX plug-in.")]
Jobs = Annotated[int, typer.Option(help="Processes that align faces. 0: one per processor.", min=0)]
RecipeName = Annotated[
    str, typer.Option("--recipe", help="paper-i3d, paper-r3d, paper-p3d, paper-d3d, small, or a TOML file.")
]
Model = Annotated[str | None, typer.Option(help="Network instead of the recipe's: i3d, r3d-18, p3d-63, d3d-121, …")]
Size = Annotated[int | None, typer.Option(help="Side of the input in pixels, instead of the recipe's.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs, instead of the recipe's.")]
Batch = Annotated[int | None, typer.Option(help="Clips in a batch, instead of the recipe's.")]
Width = Annotated[float | None, typer.Option(help="Factor on I3D's channels, instead of the recipe's.")]
Seed = Annotated[int, typer.Option(help="Of first weights, order, augmentation and folds.", min=0)]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, gpu.")]
Devices = Annotated[str, typer.Option(help="How many of them: auto, or a number.")]
Workers = Annotated[int, typer.Option(help="Processes that load clips.", min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
_ACCELERATORS = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class Changes:
    """What the command line changes of a recipe; None leaves a value as it is."""

    model: str | None = None
    size: int | None = None
    epochs: int | None = None
    batch: int | None = None
    width: float | None = None
    seed: int = 0
    more: tuple[tuple[str, Any], ...] = ()

    def applied(self, name: str) -> Recipe:
        """The recipe of this name with the changes.

        Raises:
            BadInput: There is no such recipe, or the changes make no sense.
        """
        recipe = load_recipe(name)
        crop = self.size if self.size is not None and not recipe.channels.startswith("flow") else None
        return recipe.changed(
            model=self.model,
            width=self.width,
            size_px=self.size,
            crop_px=crop,
            epochs=self.epochs,
            batch=self.batch,
            seed=self.seed,
            **dict(self.more),
        )


def need_torch() -> None:
    """Say what to install where training cannot run.

    Raises:
        BadInput: torch or Lightning is not installed.
    """
    missing = [name for name in ("torch", "lightning", "sklearn") if find_spec(name) is None]
    if missing:
        raise BadInput(f"training needs {', '.join(missing)}, not installed here: ./install.sh --with training")


def source_of(data: str, dataset: str, cache: Path | None, finder: str, jobs: int) -> Source:
    """Where samples come from."""
    source = Source(data, dataset, cache, finder, jobs or os.cpu_count() or 1)
    # Results remember their data: started from another folder, it is the same.
    return source if source.named else replace(source, data=str(Path(data).absolute()))


def machine_of(accelerator: str, devices: str, workers: int) -> Machine:
    """Where training runs.

    Raises:
        BadInput: There is no such kind of device, or no such number.
    """
    if accelerator not in _ACCELERATORS:
        raise BadInput(f"--accelerator {accelerator}: give {', '.join(_ACCELERATORS)}")
    if devices != "auto" and not (devices.isdigit() and int(devices) > 0):
        raise BadInput(f"--devices {devices}: give auto, or a number from 1 on")
    return Machine(accelerator, int(devices) if devices.isdigit() else devices, workers)


def show_material(material: Material) -> None:
    """Print class and subject statistics, and what was passed over."""
    for line in (*material.statistics.lines(), *material.remarks[:10]):
        typer.echo(f"  {line}")
    if len(material.remarks) > 10:
        typer.echo(f"  and {len(material.remarks) - 10} more")


def show_confusion(confusion: Confusion) -> None:
    """Print a table of counts: true classes in rows, what was said in columns."""
    console = output()
    short = [emotion.value[:4] for emotion in BASIC_EMOTIONS]
    console.print("true \\ said".ljust(12) + "".join(name.rjust(6) for name in short))
    for emotion, row in zip(BASIC_EMOTIONS, confusion.tolist(), strict=True):
        console.print(emotion.value.ljust(12) + "".join(str(count).rjust(6) for count in row))


def as_dict(scores: Scores) -> dict[str, float]:
    """For `--json`."""
    return {"accuracy": scores.accuracy, "uf1": scores.uf1, "uar": scores.uar}


def statistics_dict(material: Material) -> dict[str, Any]:
    """For `--json`."""
    found = material.statistics
    return {
        "samples": found.samples,
        "subjects": found.subjects,
        "per_emotion": {emotion.value: count for emotion, count in found.per_emotion.items()},
        "passed_over": list(material.remarks),
    }


def listed(items: Sequence[str], most: int = 5) -> str:
    """Some of many."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
