"""Model files: looked up offline first, else fetched once, and never used without their checksum."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pooch
import requests

from expression.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OFFLINE_VARIABLE: Final = "DFME_MODELS"
"""Environment variable that names the offline folder, or several with a colon between them."""

_CONNECT_S: Final = 5.0
_CHUNK_BYTES: Final = 1 << 16


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
        try:
            return Located(fetch(model, timeout_s=timeout_s), f"{model.name} fetched into {cache_folder()}")
        except ModelUnavailable as error:
            tried.append(str(error))
    where = f"put it from {model.url} into a folder and name that in {OFFLINE_VARIABLE}"
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


def fetch(model: ModelFile, *, timeout_s: float = 60.0) -> Path:
    """Download a model file into the cache, whatever lies there.

    Returns:
        Its path; the checksum is right.

    Raises:
        ModelUnavailable: No network, too slow, no room, or other content than expected; nothing was left behind.
    """
    folder = cache_folder()
    deadline = time.monotonic() + timeout_s
    failure: list[BaseException] = []

    def download() -> None:
        try:
            pooch.retrieve(model.url, f"sha256:{model.sha256}", model.name, folder, downloader=_until(deadline))
        except BaseException as error:  # told in the caller's thread
            failure.append(error)

    # A name that does not resolve can block for longer than any timeout of ours, so the caller does not wait inside of
    # it.
    thread = threading.Thread(target=download, name="model download", daemon=True)
    with _quiet_pooch():
        thread.start()
        thread.join(timeout_s + 1.0)
    if thread.is_alive() or (failure and isinstance(failure[0], TimeoutError)):
        raise ModelUnavailable(f"the download did not end within {timeout_s:g} s")
    if failure:
        raise ModelUnavailable(_told(failure[0])) from failure[0]
    return folder / model.name


def _until(deadline: float) -> Callable[[str, Any, object], None]:
    """A downloader for pooch that gives up at a time of the monotonic clock."""

    def download(url: str, output_file: Any, _pooch: object) -> None:
        seconds = max(0.1, min(_CONNECT_S, deadline - time.monotonic()))
        with (
            Path(output_file).open("wb") as file,
            requests.get(url, stream=True, timeout=(seconds, seconds)) as response,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(_CHUNK_BYTES):
                if time.monotonic() > deadline:
                    raise TimeoutError
                file.write(chunk)

    return download


def _told(error: BaseException) -> str:
    match error:
        case requests.HTTPError():
            return f"the download was refused: {error}"
        case requests.RequestException():
            return "no connection to the publisher"
        case ValueError():
            return "what was downloaded has another checksum"
        case OSError():
            return f"the cache {cache_folder()} cannot be written ({error.strerror or error})"
        case _:
            return f"the download failed: {error}"


class _quiet_pooch:  # noqa: N801 - used like a function
    """Keeps pooch from announcing downloads on stderr; whoever asked for the file tells about it."""

    def __enter__(self) -> None:
        self._level = pooch.get_logger().level
        pooch.get_logger().setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        pooch.get_logger().setLevel(self._level)
