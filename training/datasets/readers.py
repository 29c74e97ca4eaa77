"""Reads data sets of micro-expressions as samples of one type, and tells what was passed over and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from expression.action_units import CodedUnit
from expression.data_sets import RATES_FPS, label_in_name, part_rate_fps
from expression.emotions import BASIC_EMOTIONS, Emotion, parse_emotion
from expression.errors import BadInput, KeyFramesInvalid, LabelUnknown
from expression.keyframes import KeyFrames
from expression.label_sheets import read_table
from expression.unit_notation import read_units
from training.datasets.pictures import PictureFolders, frames_in
from training.datasets.sample import Sample


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk."""

    title: str
    sheets: tuple[str, ...]
    """Patterns of its label sheets' names, the first that matches counts; case does not matter."""
    beside: str = ""
    """Pattern of sheets that are read as well: those of the test part."""
    header: bool = True


LAYOUTS: Final[Mapping[str, Layout]] = {
    "dfme": Layout(
        "DFME and our own exports", ("train_labels*", "*dfme*", "*test*label*", "part*"), beside="*test*label*"
    ),
    "casme2": Layout("CASME II", ("casme2-coding*", "*casme2*", "*casme ii*")),
    "samm": Layout("SAMM", ("samm_micro*", "*samm*")),
    "smic": Layout("SMIC", ("smic-hs*", "*smic*")),
    "mmew": Layout("MMEW", ("mmew_micro*", "*mmew*")),
    "casme3": Layout("CAS(ME)^3 part A", ("cas(me)3_part_a_me*", "*cas(me)3*", "*casme3*")),
    "4dme": Layout("4DME", ("*4dme*",)),
    "casme^2": Layout("CAS(ME)^2", ("cas(me)^2*", "*casme^2*", "*casmesq*"), header=False),
}
"""Data sets by the name that `--dataset` takes."""
_SHEET_ENDINGS: Final = (".xlsx", ".csv")


@dataclass(frozen=True)
class ReadReport:
    """What a data set gave."""

    dataset: str
    samples: tuple[Sample, ...]
    passed_over: Mapping[str, int]
    """How many rows were not taken, by the reason."""

    def lines(self) -> list[str]:
        """For people."""
        return [f"passed over {count}: {reason}" for reason, count in self.passed_over.items()]


def read_dataset(root: Path, dataset: str = "auto") -> ReadReport:
    """All micro-expressions of a data set that have one of the seven emotions.

    Args:
        root: Its folder: label sheets directly in it or one level below, pictures anywhere below.
        dataset: A key of `LAYOUTS`, or `auto` to tell by the names of the sheets.

    Raises:
        BadInput: There is no such data set, no sample can be used, or pictures are missing; lists what was found.
    """
    if not root.is_dir():
        raise BadInput(f"{root} is no folder: --data names the folder of a data set")
    if dataset != "auto" and dataset not in LAYOUTS:
        raise BadInput(f"no data set is called {dataset!r}: give auto, {', '.join(LAYOUTS)}")
    name, sheets = _sheets(root, dataset)
    folders = PictureFolders(root)
    samples: list[Sample] = []
    reasons: Counter[str] = Counter()
    rows = 0
    for sheet in sheets:
        for row in read_table(sheet, header_at_all=LAYOUTS[name].header):
            rows += 1
            try:
                samples.append(_sample(name, sheet, row, folders))
            except _PassedOver as reason:
                reasons[str(reason)] += 1
    missing = sum(count for reason, count in reasons.items() if reason.startswith(_NO_PICTURES))
    if not samples or missing > rows // 2:
        why = "; ".join(f"{count} rows: {reason}" for reason, count in reasons.most_common(4)) or "the sheet is empty"
        where = f"{folders.count} folders of pictures, such as {folders.examples()}"
        raise BadInput(f"{root} read as {LAYOUTS[name].title} gives too few samples ({why}); found {where}")
    return ReadReport(name, _unique(samples), dict(reasons.most_common()))


class _PassedOver(Exception):
    """Why a row gives no sample."""


_NO_PICTURES: Final = "no pictures of "
_NO_CLASS: Final = "label is none of the seven: "


def _sheets(root: Path, dataset: str) -> tuple[str, list[Path]]:
    files = sorted(
        path
        for pattern in ("*", "*/*")
        for path in root.glob(pattern)
        if path.suffix.casefold() in _SHEET_ENDINGS and not path.name.startswith(("~", ".")) and path.is_file()
    )
    for name, layout in LAYOUTS.items() if dataset == "auto" else [(dataset, LAYOUTS[dataset])]:
        for pattern in layout.sheets:
            found = [path for path in files if _matches(path, pattern)]
            if found:
                found += [path for path in files if _matches(path, layout.beside) and path not in found]
                return name, found if name == "dfme" else found[:1]
    listed = ", ".join(str(path.relative_to(root)) for path in files[:10]) or "none"
    if dataset != "auto" and len(files) == 1:
        return dataset, files
    known = "; ".join(f"{name}: {layout.sheets[0]}.xlsx" for name, layout in LAYOUTS.items())
    raise BadInput(f"{root} has no label sheet that is known ({known}); found: {listed}; name the set by --dataset")


def _matches(path: Path, pattern: str) -> bool:
    parts = [re.escape(part) for part in pattern.casefold().split("*")]
    return re.fullmatch(".*".join(parts), path.stem.casefold()) is not None


def _sample(dataset: str, sheet: Path, row: Mapping[str, str], folders: PictureFolders) -> Sample:
    kind = row.get("kind", "").casefold()
    if kind.startswith("macro"):
        raise _PassedOver("macro-expressions")
    label = row.get("emotion", "") or label_in_name(dataset, row["name"])
    try:
        emotion = parse_emotion(label, dataset=dataset)
    except LabelUnknown:
        raise _PassedOver(f"{_NO_CLASS}{label or 'empty'}") from None
    if emotion not in BASIC_EMOTIONS:
        raise _PassedOver(f"{_NO_CLASS}{label}")
    key_frames = _key_frames(row)
    folder = folders.find(row["subject"], row["name"])
    if folder is None:
        raise _PassedOver(f"{_NO_PICTURES}the clip" if folders.count else f"{_NO_PICTURES}anything")
    frames = frames_in(folder)
    if not frames.names or key_frames.onset < frames.span[0] or key_frames.offset > frames.span[1]:
        raise _PassedOver("frames of the sheet are beyond those in the folder")
    return Sample(
        dataset=dataset,
        subject=row["subject"],
        name=f"{row['subject']}/{row['name']}/{key_frames.onset}",
        key_frames=key_frames,
        emotion=Emotion(emotion),
        frames=frames,
        units=_units(row.get("units", "")),
        rate_fps=RATES_FPS.get(dataset) or part_rate_fps(f"{folder} {sheet}"),
        split=row.get("split", "").casefold() or _split_in(sheet, folder),
    )


def _key_frames(row: Mapping[str, str]) -> KeyFrames:
    onset, apex, offset = (_number(row.get(name, "")) for name in ("onset", "apex", "offset"))
    if onset is None:
        raise _PassedOver("no onset")
    # CAS(ME)^2 writes 0 where an expression does not end within the recording.
    if offset is None or (offset == 0 and onset > 0):
        offset = apex
    if offset is None:
        raise _PassedOver("no offset")
    if apex is not None and not onset <= apex <= offset:
        apex = None
    try:
        return KeyFrames(onset, apex, offset)
    except KeyFramesInvalid:
        raise _PassedOver("onset after offset") from None


def _number(text: str) -> int | None:
    match = re.fullmatch(r"\s*(\d+)(?:\.0+)?\s*", text)
    return int(match[1]) if match else None


def _units(text: str) -> tuple[CodedUnit, ...]:
    return read_units(text).units if text else ()


def _split_in(sheet: Path, folder: Path) -> str:
    words = f"{sheet.stem} {folder.parent.name}".casefold()
    return "test" if "test" in words else "train" if "train" in words else ""


def _unique(samples: list[Sample]) -> tuple[Sample, ...]:
    """Each sample once, also where two sheets list it."""
    return tuple({(sample.person, sample.name): sample for sample in samples}.values())
