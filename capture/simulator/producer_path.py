"""Where the simulated camera's GenTL producer lies: a variable, the installed package, or beside this module."""

from __future__ import annotations

import contextlib
import os
from importlib import metadata
from pathlib import Path

from capture.errors import CameraNotFound

VARIABLE = "DFME_SIMULATOR"
"""Environment variable that names the producer, ahead of every other place."""
_DISTRIBUTION = "dfme"
_FILE = "dfme_simulator.cti"


def producer_path() -> Path:
    """The path of `dfme_simulator.cti`.

    Raises:
        CameraNotFound: The variable names no file, or the package was installed without its producer.
    """
    if wanted := os.environ.get(VARIABLE):
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise CameraNotFound(f"{VARIABLE} names {path}, which is not a file: correct it, or unset it")
        return path.resolve()
    for path in _places():
        if path.is_file():
            return path.resolve()
    raise CameraNotFound(
        f"the simulated camera ({_FILE}) is not installed: install dfme with a C++ compiler at hand, "
        f"or name a producer with {VARIABLE}"
    )


def _places() -> list[Path]:
    places = []
    with contextlib.suppress(metadata.PackageNotFoundError):
        places.append(Path(str(metadata.distribution(_DISTRIBUTION).locate_file(f"capture/simulator/{_FILE}"))))
    places.append(Path(__file__).with_name(_FILE))
    return places
