"""Label sheets of data sets as coded samples: DFME, CASME II, SAMM, CAS(ME)^3, SMIC, and our own CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from annotation.coded import CodedSample
from annotation.imports.eaf import read_eaf
from capture.errors import BadInput
from expression import Emotion, KeyFrames, parse_emotion, read_units
from expression.data_sets import RATES_FPS, label_in_name, part_in, part_rate_fps
from expression.errors import KeyFramesInvalid, LabelUnknown
from expression.label_sheets import Row, read_table


class Source(StrEnum):
    """Where labels are from."""

    AUTO = "auto"
    DFME = "dfme"
    CASME2 = "casme2"
    SAMM = "samm"
    CASME3 = "casme3"
    SMIC = "smic"
    ELAN = "elan"
    CSV = "csv"


@dataclass(frozen=True)
class _Known:
    title: str
    names: tuple[str, ...]
    """Parts of the sheet's name that tell it, in small letters."""
    dataset: str | None = None
    """As `parse_emotion` knows it."""


_KNOWN: Final[Mapping[Source, _Known]] = {
    Source.CASME2: _Known("CASME II", ("casme2", "casme ii", "casmeii"), "casme2"),
    Source.SAMM: _Known("SAMM", ("samm",)),
    Source.CASME3: _Known("CAS(ME)^3", ("cas(me)3", "cas(me)^3", "casme3")),
    Source.SMIC: _Known("SMIC", ("smic",)),
    Source.DFME: _Known("DFME", ("train_labels", "dfme", "test_labels")),
    Source.CSV: _Known("a table", ()),
}


@dataclass(frozen=True)
class Imported:
    """What a file gave."""

    source: Source
    samples: tuple[CodedSample, ...]
    remarks: tuple[str, ...]
    """Lines that were left out or that hold more than we can keep, and why."""


def read_labels(path: Path, source: Source = Source.AUTO, rate_fps: float | None = None) -> Imported:
    """Read a label file.

    Args:
        path: `.xlsx`, `.csv` or `.eaf`.
        source: Whose it is; `auto` tells by the name.
        rate_fps: Frames a second; for sources that do not have one rate of their own.

    Raises:
        BadInput: The file cannot be read, has no line that can be used, or leaves its rate open.
    """
    if source is Source.AUTO:
        source = _guess(path)
    if source is Source.ELAN:
        samples, remarks = read_eaf(path, rate_fps)
        return _checked(path, source, samples, remarks)
    samples, remarks = [], []
    for number, row in enumerate(read_table(path), start=1):
        where = f"row {number} ({row['subject']}, {row['name']})"
        rate = _number(row.get("rate", "")) or rate_fps or RATES_FPS.get(source.value) or _part_rate(path, row)
        if not rate:
            raise BadInput(f"{path} does not say its frame rate: give --fps")
        try:
            key_frames = _key_frames(row)
        except KeyFramesInvalid as error:
            remarks.append(f"{where} is left out: {error}")
            continue
        sample = _sample(source, row, key_frames, rate, _part(path, row))
        if sample.label and sample.emotion is None:
            remarks.append(f"{where}: {sample.label!r} is none of our emotions and is kept as written")
        samples.append(sample)
    return _checked(path, source, samples, remarks)


def _checked(path: Path, source: Source, samples: list[CodedSample], remarks: list[str]) -> Imported:
    if not samples:
        why = remarks[0] if remarks else "it is empty"
        raise BadInput(f"{path} has no expression that can be used: {why}")
    return Imported(source, tuple(samples), tuple(remarks))


def _guess(path: Path) -> Source:
    if path.suffix.casefold() == ".eaf":
        return Source.ELAN
    name = path.name.casefold()
    return next((source for source, known in _KNOWN.items() if any(part in name for part in known.names)), Source.CSV)


def _sample(source: Source, row: Row, key_frames: KeyFrames, rate_fps: float, part: str) -> CodedSample:
    label = row.get("emotion", "").strip() or label_in_name(source.value, row["name"])
    emotion = _emotion(label, _KNOWN[source].dataset)
    units = read_units(row.get("units", ""))
    kind = row.get("kind", "").strip().casefold()
    return CodedSample(
        subject=row["subject"],
        name=row["name"],
        key_frames=key_frames,
        rate_fps=rate_fps,
        emotion=emotion,
        units=units.units,
        label="" if emotion else label,
        other_units=(*map(str, units.foreign), *units.unclear),
        part=part,
        kind=next((word for word in ("micro", "macro") if kind.startswith(word)), ""),
    )


def _emotion(label: str, dataset: str | None) -> Emotion | None:
    try:
        return parse_emotion(label, dataset=dataset)
    except LabelUnknown:
        return None


def _key_frames(row: Row) -> KeyFrames:
    onset, apex, offset = (_number(row.get(name, "")) for name in ("onset", "apex", "offset"))
    if onset is None:
        raise KeyFramesInvalid(_no_frame("onset", row))
    if offset is None:
        raise KeyFramesInvalid(_no_frame("offset", row))
    # Sheets write /, -1 or 0 where no apex could be told.
    peak = int(apex) if apex is not None and onset <= apex <= offset else None
    return KeyFrames(int(onset), peak, int(offset))


def _no_frame(name: str, row: Row) -> str:
    written = row.get(name, "")
    return f"its {name} {written!r} is no frame number" if written else f"no {name}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 2**53 else None


def _part(path: Path, row: Row) -> str:
    if row.get("part"):
        return row["part"].strip()
    return part_in(str(path)) or part_in(row["name"])


def _part_rate(path: Path, row: Row) -> float | None:
    return part_rate_fps(f"part{_part(path, row)}")
