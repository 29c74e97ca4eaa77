"""What is true of a recording: which part of the participant's known performance each of its frames shows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from capture.errors import CaptureError
from capture.recording.reader import Recording
from capture.simulator.stamp import read_stamp

EXPRESSIONS: Final = ("micro", "macro")
COLUMNS: Final = ("subject", "file", "onset", "apex", "offset", "kind", "emotion", "AUs")
"""Of the table that `dfme-live score` reads."""


@dataclass(frozen=True)
class TrueUnit:
    """An action unit of an expression."""

    number: int
    """Of FACS."""
    side: str
    """`L`, `R`, or empty for both."""
    strength: float
    """Intensity at the apex, 0 to 1, of the stronger side."""


@dataclass(frozen=True)
class TrueExpression:
    """An expression, in frames of the performance or of a recording, all inclusive."""

    kind: str
    onset: int
    apex: int
    offset: int
    emotion: str
    units: tuple[TrueUnit, ...]

    @property
    def strength(self) -> float:
        """Intensity of the strongest unit at the apex."""
        return max((unit.strength for unit in self.units), default=0.0)

    @property
    def text(self) -> str:
        """Units as the DFME release writes them, `L2+4`."""
        return "+".join(f"{unit.side}{unit.number}" for unit in self.units)

    def moved(self, frames: int) -> TrueExpression:
        """The same, so many frames later."""
        return TrueExpression(
            self.kind, self.onset + frames, self.apex + frames, self.offset + frames, self.emotion, self.units
        )


@dataclass(frozen=True)
class Trial:
    """A recording of a participant, and what it shows."""

    participant: str
    session: Path
    name: str
    stimulus: str
    """Its id; empty where none was shown."""
    recording: Recording
    pictures: npt.NDArray[np.int64]
    """Which picture of the performance each frame is, (frames,)."""
    truth: tuple[TrueExpression, ...]
    """Expressions that are in it as a whole."""

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.pictures)

    def frame(self, number: int) -> npt.NDArray[np.uint8]:
        """A frame's pixels, uint8 (height, width)."""
        return self.recording.frame(number)

    def within(self, first: int, last: int) -> TrueExpression | None:
        """The expression of which most lies in a part; None where there is none."""
        covered = [(min(one.offset, last) - max(one.onset, first), -one.onset, one) for one in self.truth]
        best = max(covered, default=None, key=lambda entry: entry[:2])
        return best[2] if best is not None and best[0] > 0 else None

    @property
    def label(self) -> str:
        """Names it within the study."""
        return f"{self.participant}_{self.name}"


def read_performance(path: Path) -> tuple[TrueExpression, ...]:
    """The expressions in a file that `dfme-train synthesize` wrote to `truth/`.

    Raises:
        CaptureError: It cannot be read.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return tuple(_expression(event) for event in content["events"] if event["kind"] in EXPRESSIONS)
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise CaptureError(f"{path} does not tell what is true of a simulated participant ({error})") from error


def pictures_of(recording: Recording, progress: Callable[[], None] = lambda: None) -> npt.NDArray[np.int64]:
    """Which picture of the performance each frame shows, by the stamps of the simulated camera, int64 (frames,).

    Raises:
        CaptureError: A frame has no stamp, or its pixels are not those that the camera sent.
    """
    pictures = np.empty(len(recording), np.int64)
    for number in range(len(recording)):
        stamp = read_stamp(recording.frame(number))
        if stamp is None or not stamp.intact:
            raise CaptureError(f"{recording.path}: frame {number} is not as the camera sent it")
        pictures[number] = stamp.picture
        progress()
    return pictures


def shown(pictures: npt.NDArray[np.int64], performance: Sequence[TrueExpression]) -> tuple[TrueExpression, ...]:
    """The expressions of a performance that a recording holds as a whole, in its frames, in order.

    Args:
        pictures: Which picture of the performance each frame shows, (frames,).
        performance: Its expressions.
    """
    found = []
    for one in performance:
        length = one.offset - one.onset
        for start in np.flatnonzero(pictures == one.onset):
            end = int(start) + length
            if end < len(pictures) and pictures[end] == one.offset:
                found.append(one.moved(int(start) - one.onset))
    return tuple(sorted(found, key=lambda one: one.onset))


def write_truth(path: Path, trials: Iterable[Trial]) -> None:
    """Write the table that `dfme-live score` reads: one row per expression, the recording by its label."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for trial in trials:
            for one in trial.truth:
                rows.writerow(
                    (
                        trial.participant,
                        f"{trial.label}.zarr",
                        one.onset,
                        one.apex,
                        one.offset,
                        one.kind,
                        one.emotion,
                        one.text,
                    )
                )


def _expression(event: dict[str, Any]) -> TrueExpression:
    units = tuple(
        TrueUnit(int(unit["unit"]), str(unit["side"]), float(max(unit["left"], unit["right"])))
        for unit in event["units"]
    )
    return TrueExpression(event["kind"], event["onset"], event["apex"], event["offset"], event["emotion"], units)
