"""How good spotting and recognition are against a truth: the protocol of the Micro-Expression Grand Challenge."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from capture.errors import BadInput
from expression import BASIC_EMOTIONS
from realtime.results import LiveExpression

IOU: Final = 0.5
"""Overlap from which a prediction counts as a truth that was found."""
_COLUMNS: Final = ("file", "onset", "offset", "kind", "emotion")
_ENDINGS: Final = (".live.jsonl", ".jsonl")


@dataclass(frozen=True)
class Interval:
    """An expression in a recording; both frames inclusive."""

    onset: int
    offset: int
    kind: str = "micro"
    emotion: str = ""

    def iou(self, other: Interval) -> float:
        """Frames in both by frames in either, 0 to 1."""
        common = min(self.offset, other.offset) - max(self.onset, other.onset) + 1
        either = max(self.offset, other.offset) - min(self.onset, other.onset) + 1
        return max(0, common) / either


@dataclass(frozen=True)
class SpottingScore:
    """Counts over all recordings together, and what follows from them."""

    recordings: int
    truths: int
    spotted: int
    found: int
    """True positives."""
    named: int
    """True positives with the right emotion, of those whose emotion is one of the seven."""
    recognition_f1: float
    """Unweighted mean of F1 over the emotions that occur among the true positives or were said of them."""

    @property
    def f1(self) -> float:
        """2 TP / (truths + predictions): misses and false alarms of every recording count, also where one has none."""
        return 2 * self.found / (self.truths + self.spotted) if self.truths + self.spotted else 0.0

    @property
    def missed(self) -> int:
        """Truths that nothing was said of, those of recordings without any prediction among them."""
        return self.truths - self.found

    @property
    def false_alarms(self) -> int:
        """Predictions that fit no truth, those in recordings without any truth among them."""
        return self.spotted - self.found

    @property
    def precision(self) -> float:
        """Share of the predictions that are right."""
        return self.found / self.spotted if self.spotted else 0.0

    @property
    def recall(self) -> float:
        """Share of the truths that were found."""
        return self.found / self.truths if self.truths else 0.0

    @property
    def strs(self) -> float:
        """Spot-then-recognise score: F1 of spotting by F1 of recognition."""
        return self.f1 * self.recognition_f1


def matched(truths: Sequence[Interval], spotted: Sequence[Interval]) -> list[tuple[Interval, Interval]]:
    """Pairs of truth and prediction that overlap by `IOU` at least.

    Each side is matched once, the best overlaps first.
    """
    pairs = sorted(
        ((truth.iou(guess), i, j) for i, truth in enumerate(truths) for j, guess in enumerate(spotted)), reverse=True
    )
    used: tuple[set[int], set[int]] = (set(), set())
    taken = []
    for overlap, i, j in pairs:
        if overlap >= IOU and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            taken.append((truths[i], spotted[j]))
    return taken


def score(
    truths: Mapping[str, Sequence[Interval]], spotted: Mapping[str, Sequence[Interval]], kind: str = "micro"
) -> SpottingScore:
    """Score predictions of any number of recordings.

    Args:
        truths: By recording; one without any counts for its false alarms.
        spotted: By recording; one that is missing counts as without predictions.
        kind: `micro`, `macro`, or `all`.
    """
    names = sorted({*truths, *spotted})
    wanted = [[one for one in truths.get(name, ()) if kind in ("all", one.kind)] for name in names]
    guesses = [[one for one in spotted.get(name, ()) if kind in ("all", one.kind)] for name in names]
    hits = [pair for truth, guess in zip(wanted, guesses, strict=True) for pair in matched(truth, guess)]
    basic = {emotion.value for emotion in BASIC_EMOTIONS}
    named = [(truth.emotion, guess.emotion) for truth, guess in hits if truth.emotion in basic]
    return SpottingScore(
        recordings=len(names),
        truths=sum(map(len, wanted)),
        spotted=sum(map(len, guesses)),
        found=len(hits),
        named=sum(true == said for true, said in named),
        recognition_f1=_mean_f1(named),
    )


def read_spotted(path: Path) -> dict[str, list[Interval]]:
    """Lines of `dfme-live`, of one file or of all such files in a folder, by recording.

    Raises:
        BadInput: There is none, or one cannot be read.
    """
    files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise BadInput(f"{path} is no file of dfme-live and no folder with such: give what --out wrote")
    return {_recording_of(file): _lines(file) for file in files}


def read_truth(path: Path) -> dict[str, list[Interval]]:
    """A table as `dfme-train synthesize --long` writes it: file, onset, offset, kind, emotion, and what else there is.

    Raises:
        BadInput: It cannot be read, or lacks a column.
    """
    truths: dict[str, list[Interval]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                found = ", ".join(rows.fieldnames or ()) or "nothing"
                raise BadInput(f"{path} has no column {', '.join(missing)}; found: {found}")
            for number, row in enumerate(rows, 2):
                try:
                    one = Interval(int(row["onset"]), int(row["offset"]), row["kind"], row["emotion"])
                except (TypeError, ValueError):
                    raise BadInput(f"{path}, line {number}: onset and offset must be whole frame numbers") from None
                truths.setdefault(_stem(row["file"]), []).append(one)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as a table ({error})") from None
    return truths


def _lines(path: Path) -> list[Interval]:
    try:
        rows = [msgspec.json.decode(row, type=LiveExpression) for row in path.read_bytes().splitlines() if row.strip()]
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"{path} holds no lines of dfme-live ({error})") from None
    return [Interval(row.onset, row.offset, row.kind, row.emotion) for row in rows]


def _recording_of(path: Path) -> str:
    for ending in _ENDINGS:
        if path.name.endswith(ending):
            return path.name.removesuffix(ending)
    return path.stem


def _stem(file: str) -> str:
    return Path(file).name.removesuffix(".zarr")


def _mean_f1(pairs: Iterable[tuple[str, str]]) -> float:
    pairs = list(pairs)
    values = []
    for emotion in BASIC_EMOTIONS:
        right = sum(true == said == emotion.value for true, said in pairs)
        present = sum((true == emotion.value) + (said == emotion.value) for true, said in pairs)
        if present:
            values.append(2 * right / present)
    return sum(values) / len(values) if values else 0.0
