"""Names the emotion of an expression that was spotted: the same input as in training, an engine, calibrated answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from expression.bundle import Bundle, Reading
from expression.clip_input import clip_input
from expression.errors import BadInput
from realtime.engines import EngineChoice, choose_engine

MODELS: Final = Path(__file__).parent / "models"
DEFAULT_MODEL: Final = MODELS / "simulated-i3d"
"""The model that comes along: trained on faces that do not exist."""


def model_at(path: Path | None) -> Path | None:
    """The bundle to use: the one named, by its path or the name of one that comes along; else the default, if there.

    Raises:
        BadInput: There is no such bundle.
    """
    if path is None:
        return DEFAULT_MODEL if (DEFAULT_MODEL / "bundle.json").is_file() else None
    for candidate in (path, MODELS / path):
        if (candidate / "bundle.json").is_file():
            return candidate
    raise BadInput(f"{path} holds no model: a bundle is a folder with bundle.json")


@dataclass(frozen=True)
class Recogniser:
    """A model on an engine."""

    bundle: Bundle
    choice: EngineChoice

    @classmethod
    def load(cls, path: Path, engine: str = "auto", *, threads: int = 0) -> Self:
        """Open a bundle and get it ready to run; the first clip is run here, since it takes longer.

        Raises:
            BadInput: There is no bundle, or no engine of this name.
            EngineUnavailable: The engine cannot run it here.
        """
        bundle = Bundle.open(path)
        choice = choose_engine(bundle, engine, threads=threads)
        choice.engine.infer(np.zeros(bundle.record.recipe.shape, np.float32))
        return cls(bundle, choice)

    @property
    def name(self) -> str:
        """Of the model."""
        return self.bundle.record.name

    def read(self, crops: npt.NDArray[np.uint8], onset_crop: npt.NDArray[np.uint8] | None) -> Reading:
        """What the model says of one expression.

        Args:
            crops: (frames, crop, crop) uint8, sampled by the model's recipe and aligned by the onset frame.
            onset_crop: (crop, crop) uint8, the onset frame.
        """
        clip = clip_input(self.bundle.record.recipe, crops, onset_crop)
        return self.bundle.read(self.choice.engine.infer(clip))
