"""One sample, whatever data set it is from: who showed what, between which frames, and where the frames are."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from expression.action_units import CodedUnit
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.errors import BadInput
from expression.keyframes import KeyFrames

Picture = npt.NDArray[np.uint8]
"""(height, width) grey values."""


class FrameSource(Protocol):
    """The frames of one sample, by the numbers that its key-frames have."""

    @property
    def identity(self) -> str:
        """Changes when the pictures change; part of what crops are kept under."""

    @property
    def span(self) -> tuple[int, int]:
        """First and last number that `read` takes."""

    def read(self, number: int) -> Picture:
        """One frame.

        Raises:
            BadInput: The picture is missing or damaged.
        """


@dataclass(frozen=True)
class FolderFrames:
    """Pictures in a folder, one file for each frame."""

    folder: Path
    names: Mapping[int, str]
    """File name of each frame's number."""

    @property
    def identity(self) -> str:
        """From names, sizes and times of change: pictures need not be read to know them again."""
        digest = hashlib.sha256(str(self.folder.resolve()).encode())
        for number in self.span:
            status = (self.folder / self.names[number]).stat()
            digest.update(f"{number} {self.names[number]} {status.st_size} {status.st_mtime_ns}".encode())
        return digest.hexdigest()

    @property
    def span(self) -> tuple[int, int]:
        """First and last number."""
        return min(self.names), max(self.names)

    def read(self, number: int) -> Picture:
        """One frame, as grey values."""
        if number not in self.names:
            first, last = self.span
            raise BadInput(
                f"{self.folder} has no frame {number}: it holds {first} to {last}; is the label sheet its own?"
            )
        path = self.folder / self.names[number]
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise BadInput(f"{path} is no picture that can be read: copy it anew")
        return np.asarray(picture, np.uint8)


@dataclass(frozen=True)
class Sample:
    """One micro-expression."""

    dataset: str
    """Where it is from: `dfme`, `casme2`, …"""
    subject: str
    name: str
    """Unique in its data set."""
    key_frames: KeyFrames
    emotion: Emotion
    frames: FrameSource
    units: tuple[CodedUnit, ...] = ()
    rate_fps: float | None = None
    split: str = ""
    """`train` or `test` where the data set says so."""

    @property
    def person(self) -> str:
        """The subject, told apart from those of other data sets."""
        return f"{self.dataset}/{self.subject}"


@dataclass(frozen=True)
class DatasetStatistics:
    """How many samples, of whom and of what."""

    samples: int
    subjects: int
    per_emotion: Mapping[Emotion, int]
    most_of_one_subject: int
    median_of_a_subject: float
    median_frames: float

    def lines(self) -> list[str]:
        """For people."""
        counts = ", ".join(f"{emotion} {count}" for emotion, count in self.per_emotion.items())
        return [
            f"{self.samples:,} samples of {self.subjects} subjects ({self.median_of_a_subject:g} of a subject in the"
            f" middle, {self.most_of_one_subject} at most), {self.median_frames:g} frames long in the middle",
            counts,
        ]


def statistics(samples: Sequence[Sample]) -> DatasetStatistics:
    """Count samples.

    Raises:
        BadInput: There are none.
    """
    if not samples:
        raise BadInput("there are no samples: none has one of the seven emotions")
    per_subject = Counter(sample.person for sample in samples)
    per_emotion = Counter(sample.emotion for sample in samples)
    return DatasetStatistics(
        samples=len(samples),
        subjects=len(per_subject),
        per_emotion={emotion: per_emotion[emotion] for emotion in Emotion if per_emotion[emotion]},
        most_of_one_subject=max(per_subject.values()),
        median_of_a_subject=float(np.median(list(per_subject.values()))),
        median_frames=float(np.median([sample.key_frames.frames for sample in samples])),
    )


def basic_only(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """The samples with one of the seven emotions, which recognition is trained and tested on."""
    return tuple(sample for sample in samples if sample.emotion in BASIC_EMOTIONS)


def classes_of(samples: Sequence[Sample]) -> npt.NDArray[np.int64]:
    """(samples,) place of each emotion in `BASIC_EMOTIONS`."""
    return np.array([BASIC_EMOTIONS.index(sample.emotion) for sample in samples], np.int64)
