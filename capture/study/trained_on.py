"""Finds models, and runs of training, that have seen a participant: these can only be trained again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

_FILES: Final = ("bundle.json", "run.json")
"""A model for use, and a run of training; both name their subjects."""


class _Trained(msgspec.Struct):
    """Of such a file, what matters here."""

    subjects: tuple[str, ...] = ()
    """`P7KQ2M`, or `dfme/P7KQ2M` with the data set before it."""


def has_seen(folder: Path, pseudonym: str) -> bool:
    """Whether the model or run in a folder names a participant."""
    for name in _FILES:
        try:
            trained = msgspec.json.decode((folder / name).read_bytes(), type=_Trained)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if any(subject.rpartition("/")[2].casefold() == pseudonym.casefold() for subject in trained.subjects):
            return True
    return False


def trained_on(pseudonym: str, folders: Iterable[Path]) -> tuple[Path, ...]:
    """Every model and run below some folders that has seen a participant."""
    found: dict[Path, None] = {}
    for folder in folders:
        places = {file.parent for name in _FILES for file in folder.glob(f"**/{name}")}
        found |= dict.fromkeys(place for place in sorted(places) if has_seen(place, pseudonym))
    return tuple(found)
