"""Finds the folder of pictures that a row of a label sheet means, wherever a copy of the data set keeps it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.datasets.sample import FolderFrames

_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
_NUMBER: Final = re.compile(r"\d+(?=\D*$)")
_AVOIDED: Final = frozenset({"depth"})
_DEEPEST: Final = 8


class PictureFolders:
    """All folders with pictures below a root.

    Args:
        root: Where the data set lies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._by_part: dict[str, list[Path]] = {}
        self.count = 0
        for folder in _with_pictures(root):
            self.count += 1
            for part in folder.relative_to(root).parts[-3:]:
                self._by_part.setdefault(part.casefold(), []).append(folder)

    def find(self, subject: str, name: str) -> Path | None:
        """The folder of a clip: one called by its name, below one of the subject where several are."""
        candidates = self._by_part.get(name.casefold(), [])
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        of_subject = [folder for folder in candidates if self._is_of(folder, subject)]
        ranked = of_subject or candidates
        return min(ranked, key=lambda folder: (bool(_AVOIDED & set(folder.parts)), len(folder.parts), str(folder)))

    def examples(self) -> str:
        """Some folders that were found, for a message."""
        some = sorted({str(folder.relative_to(self.root)) for group in self._by_part.values() for folder in group})[:5]
        return ", ".join(some) or "none"

    def _is_of(self, folder: Path, subject: str) -> bool:
        wanted = subject.casefold()
        number = re.search(r"\d+", subject)
        for part in folder.relative_to(self.root).parts:
            if part.casefold() == wanted:
                return True
            found = re.fullmatch(r"[a-z_.\s-]*(\d+)", part.casefold())
            if number and found and int(found[1]) == int(number[0]):
                return True
        return False


def frames_in(folder: Path) -> FolderFrames:
    """The pictures of a folder under the last number in their names (`00109.png`, `img46.jpg`, `006_05562.jpg`)."""
    names = {}
    for entry in sorted(folder.iterdir()):
        number = _NUMBER.search(entry.stem)
        if entry.suffix.casefold() in _ENDINGS and number:
            names[int(number[0])] = entry.name
    return FolderFrames(folder, names)


def _with_pictures(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, followlinks=True):
        folders.sort()
        path = Path(folder)
        if any(os.path.splitext(name)[1].casefold() in _ENDINGS for name in files[:50]):  # noqa: PTH122 - names
            if path != root:
                yield path
            continue
        if len(path.relative_to(root).parts) >= _DEEPEST:
            folders.clear()
