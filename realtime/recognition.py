"""Names the emotion of an expression that was spotted: the same input as in training, an engine, calibrated answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from expression.bundle import BUNDLE_FILE, Bundle, Reading
from expression.clip_input import clip_input
from expression.errors import BadInput
from realtime.engines import EngineChoice, choose_engine
from realtime.lab_default import DEFAULT_MODEL, MODELS, lab_default


def model_at(path: Path | None) -> Path | None:
    """The bundle to use: the one named, by its path or the name of one that comes along; else the default, if there.

    Raises:
        BadInput: There is no such bundle.
    """
    if path is None:
        chosen = lab_default()
        if chosen is not None:
            if not (chosen / BUNDLE_FILE).is_file():
                raise BadInput(f"{chosen}, put there by dfme-live use, is gone: choose another (dfme-live models)")
            return chosen
        return DEFAULT_MODEL if (DEFAULT_MODEL / BUNDLE_FILE).is_file() else None
    for candidate in (path, MODELS / path):
        if (candidate / BUNDLE_FILE).is_file():
            return candidate
    raise BadInput(f"{path} holds no model: a bundle is a folder with {BUNDLE_FILE}")


@dataclass(frozen=True)
class Recogniser:
    """A model on an engine."""

    bundle: Bundle
    choice: EngineChoice

    @classmethod
    def load(cls, path: Path, engine: str = "auto", *, threads: int = 0) -> Self:
        """Open a bundle, check its files, and have an engine answer a first clip, since that takes longer.

        Raises:
            BadInput: There is no bundle, it is damaged, or there is no engine of this name.
            EngineUnavailable: The engine cannot run it here.
        """
        bundle = Bundle.open(path)
        return cls(bundle, choose_engine(bundle, engine, threads=threads))

    def elsewhere(self) -> Recogniser:
        """The same model on another engine, after this one has failed.

        Raises:
            EngineUnavailable: No other can run it here.
        """
        return Recogniser(self.bundle, choose_engine(self.bundle, without=(self.choice.engine.name,)))

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
