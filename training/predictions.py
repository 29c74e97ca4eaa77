"""What a model said of samples it was not trained on, as a file that scores can be computed from again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from capture.recording.files import write_whole
from expression.errors import BadInput
from training.datasets.sample import Sample, classes_of
from training.metrics import Confusion, Scores, confusion_matrix


@dataclass(frozen=True, eq=False)
class Predictions:
    """Logits for samples."""

    names: tuple[str, ...]
    subjects: tuple[str, ...]
    classes: npt.NDArray[np.int64]
    """(samples,) what is true."""
    logits: npt.NDArray[np.float32]
    """(samples, classes)."""

    @classmethod
    def of(cls, samples: Sequence[Sample], logits: npt.NDArray[np.float32]) -> Self:
        """Logits in the order of the samples."""
        names = tuple(f"{sample.dataset}/{sample.name}" for sample in samples)
        return cls(names, tuple(sample.person for sample in samples), classes_of(samples), logits)

    @property
    def said(self) -> npt.NDArray[np.int64]:
        """(samples,) class of the greatest logit."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def confusion(self) -> Confusion:
        """Counts by true and said class."""
        return confusion_matrix(self.classes, self.said, self.logits.shape[1])

    @property
    def scores(self) -> Scores:
        """Accuracy, UF1, UAR."""
        return Scores.of(self.confusion)

    def write(self, path: Path) -> None:
        """Write an `.npz` file, whole."""
        packed = io.BytesIO()
        arrays = {"classes": self.classes, "logits": self.logits}
        np.savez(packed, names=np.array(self.names), subjects=np.array(self.subjects), **arrays)  # type: ignore[arg-type]
        write_whole(path, packed.getvalue())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            BadInput: It is missing or something else.
        """
        try:
            with np.load(path) as content:
                names, subjects = (tuple(map(str, content[key])) for key in ("names", "subjects"))
                return cls(names, subjects, content["classes"], content["logits"])
        except (OSError, KeyError, ValueError) as error:
            raise BadInput(f"{path} holds no predictions ({error}): train again") from error


def pooled(parts: Sequence[Predictions]) -> Predictions:
    """The predictions of all folds together, as scores of small folds should be computed from."""
    return Predictions(
        tuple(name for part in parts for name in part.names),
        tuple(subject for part in parts for subject in part.subjects),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.logits for part in parts]),
    )
