"""Model files: looked up offline first, else fetched once, and never used without their checksum."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from expression.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFLINE_VARIABLE: Final = "DFME_MODELS"
"""Environment variable that names the offline folder, or several with a colon between them."""


@dataclass(frozen=True)
class ModelFile:
    """A file that somebody else trained and published."""

    name: str
    """File name, offline and in the cache."""
    url: str
    sha256: str
    """Of the whole file, in hexadecimal."""
    licence: str
    """SPDX identifier."""


FACE_LANDMARKER: Final = ModelFile(
    name="face_landmarker.task",
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    licence="Apache-2.0",
)
"""MediaPipe FaceLandmarker, float16: face detector and 478 landmarks, 3.6 MiB."""


@dataclass(frozen=True)
class Located:
    """Where a model file is, or why it is not to be had."""

    path: Path | None
    """A file with the right checksum, or None."""
    reason: str
    """One line: where it was found, or what was tried and how to provide it."""


def cache_folder() -> Path:
    """The user's cache folder for model files; it need not exist."""
    import pooch  # noqa: PLC0415 - slow to import, and not needed where an offline folder has the file

    return Path(pooch.os_cache("dfme")) / "models"


def locate(model: ModelFile, *, download: bool = True, timeout_s: float = 60.0) -> Located:
    """Find a model file: in the folders of `DFME_MODELS`, in the cache, or at its publisher's.

    A file with a wrong checksum is never used; the reason tells of it. A download comes into the cache whole or not at
    all, also where the process is killed meanwhile, and several processes may fetch at once.

    Args:
        model: which file.
        download: False keeps off the network.
        timeout_s: after this many seconds in all a download is given up.

    Returns:
        The path, or None with the reason. Nothing is raised for a missing file or a missing network.
    """
    tried = []
    for folder, what in _folders():
        path = folder / model.name
        try:
            digest = sha256_of(path)
        except FileNotFoundError:
            tried.append(f"not in {what} {folder}")
        except OSError as error:
            tried.append(f"unreadable in {what} {folder} ({error.strerror})")
        else:
            if digest == model.sha256:
                return Located(path, f"{model.name} from {what} {folder}")
            tried.append(f"damaged or another version in {what} {folder} (SHA-256 {digest[:12]}...)")
    if download:
        from expression.face.model_download import fetch  # noqa: PLC0415 - as above

        try:
            target = cache_folder() / model.name
            fetch(model.url, model.sha256, target, timeout_s=timeout_s)
            return Located(target, f"{model.name} fetched into {target.parent}")
        except ModelUnavailable as error:
            tried.append(str(error))
    where = f"download {model.url} into a folder and name that folder in {OFFLINE_VARIABLE}"
    return Located(None, f"{model.name}: {'; '.join(tried)}. Remedy: {where}")


def _folders() -> Iterator[tuple[Path, str]]:
    for name in os.environ.get(OFFLINE_VARIABLE, "").split(os.pathsep):
        if name:
            yield Path(name).expanduser(), "the offline folder"
    yield cache_folder(), "the cache"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
