"""A model bundle: a trained network in files of its own, with all that is needed to feed it and to read its answers.

A bundle is a folder: `bundle.json`, the network as ONNX (and as INT8, where it was quantised), and `MODEL_CARD.md`.
Training writes it, the live service loads it; neither knows the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from expression.clip_input import ClipRecipe
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.errors import BadInput

BUNDLE_FILE: Final = "bundle.json"
CARD_FILE: Final = "MODEL_CARD.md"
ONNX_FILE: Final = "model.onnx"
INT8_FILE: Final = "model_int8.onnx"
TORCH_FILE: Final = "model.pt2"
"""The network as torch exports it (`torch.export.save`), for the torch engine; bundles may go without it."""
INPUT_NAME: Final = "clip"
OUTPUT_NAME: Final = "logits"
"""Names of the network's input, float32 (batch, channels, frames, size, size), and output, float32 (batch, classes)."""
_FORMAT: Final = 1


class BundleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle.json`."""

    name: str
    format: int = _FORMAT
    created: str = ""
    software: str = ""
    architecture: str = ""
    """Which network it is, such as `i3d`."""
    recipe: ClipRecipe
    labels: tuple[str, ...] = tuple(emotion.value for emotion in BASIC_EMOTIONS)
    """Classes in the order of the outputs."""
    temperature: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """What outputs are divided by, so that probabilities are as often right as they say (C. Guo et al.: On Calibration
    of Modern Neural Networks, ICML 2017, section 4.2)."""
    unsure_below: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Probability of the best class below which the answer is `not sure`."""
    simulated: bool = False
    """Trained on faces that do not exist."""
    licence: str = ""
    data: str = ""
    """What it was trained on."""
    subjects: tuple[str, ...] = ()
    """Participants that it has seen: when one of them withdraws, it must be trained again."""
    metrics: dict[str, float] = {}
    files: dict[str, str] = {}
    """SHA-256 of each file."""


@dataclass(frozen=True)
class Reading:
    """What a model says of one expression."""

    emotion: Emotion | None
    """None where the model is not sure."""
    probabilities: Mapping[Emotion, float]

    @property
    def name(self) -> str:
        """The emotion's name, or `not sure`."""
        return self.emotion.value if self.emotion is not None else "not sure"


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose files are what they were when it was written."""

    path: Path
    record: BundleRecord

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a bundle and check its files.

        Raises:
            BadInput: There is none, a file is missing or damaged, or it needs a newer version.
        """
        try:
            record = msgspec.json.decode((path / BUNDLE_FILE).read_bytes(), type=BundleRecord)
        except FileNotFoundError:
            raise BadInput(f"{path} holds no model: a bundle is a folder with {BUNDLE_FILE}") from None
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"{path / BUNDLE_FILE} cannot be read ({error}): export the model again") from error
        if record.format != _FORMAT:
            raise BadInput(f"{path} has format {record.format}, this version reads {_FORMAT}: update dfme")
        labels = tuple(Emotion(label) for label in record.labels if label in set(Emotion))
        if len(labels) != len(record.labels) or not labels:
            raise BadInput(f"{path} names classes that are no emotions here: {', '.join(record.labels)}")
        for name, checksum in record.files.items():
            file = path / name
            if Path(name).name != name or not file.is_file() or _sha256(file) != checksum:
                raise BadInput(f"{file} is missing or was changed since it was exported: export the model again")
        if ONNX_FILE not in record.files and INT8_FILE not in record.files:
            raise BadInput(f"{path} holds no network: export the model again")
        return cls(path, record)

    @classmethod
    def seal(cls, path: Path, record: BundleRecord) -> Self:
        """Write `bundle.json` beside the network's files and the card that lie in the folder already.

        Raises:
            BadInput: The folder holds no network.
        """
        names = [name for name in (ONNX_FILE, INT8_FILE, TORCH_FILE, CARD_FILE) if (path / name).is_file()]
        sealed = msgspec.structs.replace(record, files={name: _sha256(path / name) for name in names})
        (path / BUNDLE_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(sealed), indent=1) + b"\n")
        return cls.open(path)

    @property
    def labels(self) -> tuple[Emotion, ...]:
        """Classes in the order of the outputs."""
        return tuple(Emotion(label) for label in self.record.labels)

    def network(self, *, int8: bool = False) -> Path:
        """The network's file: INT8 where asked for and there, or where there is no other."""
        wanted, other = (INT8_FILE, ONNX_FILE) if int8 else (ONNX_FILE, INT8_FILE)
        return self.path / (wanted if wanted in self.record.files else other)

    def read(self, logits: npt.NDArray[np.floating[Any]]) -> Reading:
        """What the outputs for one clip mean.

        Args:
            logits: (classes,) of one clip.
        """
        scaled = np.asarray(logits, np.float64).reshape(len(self.record.labels)) / self.record.temperature
        weights = np.exp(scaled - scaled.max())
        shares = weights / weights.sum()
        best = int(shares.argmax())
        sure = shares[best] >= self.record.unsure_below
        probabilities = {label: float(share) for label, share in zip(self.labels, shares, strict=True)}
        return Reading(self.labels[best] if sure else None, probabilities)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
