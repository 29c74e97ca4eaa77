"""What a run remembers of its data, so that a bundle can be made of it later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np

from capture.recording.files import read_document, write_whole
from capture.study.export_ledger import MANIFEST_FILE, enter_trained
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from training.clips import ClipDataset, PreparedClip
from training.datasets.sample import Sample
from training.datasets.source import Source
from training.protocol import Split

FACTS_FILE: Final = "run.json"
CALIBRATION_CLIPS: Final = 192
"""Training clips by which INT8 ranges are chosen."""


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`."""

    data: str
    """In a sentence."""
    simulated: bool
    subjects: tuple[str, ...]
    """Participants in training and validation."""
    samples: dict[str, int]
    per_emotion: dict[str, int] = {}
    """Samples of each emotion in training and validation."""
    clips: tuple[PreparedClip, ...]
    """Some of the training clips."""
    study: str = ""
    """Folder of the study that the data was exported from, where the export says so."""

    @classmethod
    def of(
        cls, source: Source | None, samples: Sequence[Sample], dataset: ClipDataset, split: Split, seed: int = 0
    ) -> Self:
        """The facts of a run on these samples."""
        seen = np.concatenate([split.train, split.validation])
        chosen = np.random.default_rng(seed).permutation(split.train)[:CALIBRATION_CLIPS]
        names = sorted({samples[int(index)].dataset for index in seen})
        simulated = source.simulated if source is not None else names == ["simulated"]
        people = sorted({samples[int(index)].person for index in seen})
        counts = Counter(samples[int(index)].emotion for index in seen)
        rates = sorted({s.rate_fps for s in samples if s.rate_fps})
        speed = f" at {', '.join(f'{rate:g}' for rate in rates)} frames a second" if rates else ""
        origin = "simulated participants, rendered" if simulated else f"recordings of {', '.join(names)}"
        return cls(
            data=f"{len(seen):,} micro-expressions of {len(people)} subjects{speed}: {origin}",
            simulated=simulated,
            subjects=tuple(people),
            samples={"training": len(split.train), "validation": len(split.validation), "test": len(split.test)},
            per_emotion={emotion.value: counts[emotion] for emotion in BASIC_EMOTIONS},
            clips=tuple(dataset.prepared[int(index)] for index in chosen),
            study=_study_of(source),
        )

    def enter(self, folder: Path) -> None:
        """Enter a run, or a model that is made of it, in the study's ledger: a participant may withdraw."""
        if self.study:
            enter_trained(Path(self.study), folder, self.subjects)

    def write(self, folder: Path) -> None:
        """Write it into a run's folder."""
        write_whole(folder / FACTS_FILE, msgspec.json.encode(self, enc_hook=str) + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it.

        Raises:
            BadInput: It is missing or damaged.
        """
        try:
            return msgspec.json.decode(
                (folder / FACTS_FILE).read_bytes(), type=cls, dec_hook=lambda kind, text: kind(text)
            )
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"{folder / FACTS_FILE} cannot be read ({error}): train again") from error


class _Manifest(msgspec.Struct):
    """Of an export's manifest, what matters here."""

    sessions: str = ""


def _study_of(source: Source | None) -> str:
    if source is None or source.named:
        return ""
    try:
        return msgspec.json.decode(read_document(Path(source.data) / MANIFEST_FILE), type=_Manifest).sessions
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ""
