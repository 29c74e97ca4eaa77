"""Fetches a model file from its publisher, with a limit on the time and without half-written files."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pooch
import requests

from expression.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT_S: Final = 5.0
_CHUNK_BYTES: Final = 1 << 16


def fetch(url: str, sha256: str, target: Path, *, timeout_s: float = 60.0) -> None:
    """Download a model file, whatever lies at its place.

    Args:
        url: where from.
        sha256: of the whole file, in hexadecimal.
        target: where to; its folder is made.
        timeout_s: after this many seconds in all it is given up.

    Raises:
        ModelUnavailable: No network, too slow, no room, or other content than expected; nothing was left behind.
    """
    deadline = time.monotonic() + timeout_s
    failure: list[BaseException] = []

    def download() -> None:
        try:
            pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, downloader=_until(deadline))
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
        raise ModelUnavailable(_told(failure[0], target.parent)) from failure[0]


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


def _told(error: BaseException, folder: Path) -> str:
    match error:
        case requests.HTTPError():
            return f"the download was refused: {error}"
        case requests.RequestException():
            return "no connection to the publisher"
        case ValueError():
            return "what was downloaded has another checksum"
        case OSError():
            return f"the folder {folder} cannot be written ({error.strerror or error})"
        case _:
            return f"the download failed: {error}"


class _quiet_pooch:  # noqa: N801 - used like a function
    """Keeps pooch from announcing downloads on stderr; whoever asked for the file tells about it."""

    def __enter__(self) -> None:
        self._level = pooch.get_logger().level
        pooch.get_logger().setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        pooch.get_logger().setLevel(self._level)
