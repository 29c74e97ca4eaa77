"""Finds GenTL producers, the `.cti` libraries through which cameras are reached."""

from __future__ import annotations

import difflib
import importlib.util
import os
from pathlib import Path

from capture.errors import CameraNotFound

SEARCH_PATH = "GENICAM_GENTL64_PATH"
"""The variable in which the installers of producers leave their folders, as the GenTL standard has it."""
SIMULATED = ("dfme_simulator.cti", "viky.cti")
"""Producers without a camera behind them."""


def find_producers(producer: str) -> list[Path]:
    """The producer files that `producer` of a hardware file means, absolute.

    Args:
        producer: `simulator` (ours), `viky` (the one that comes with the genicam package), `auto` (every producer on
            GENICAM_GENTL64_PATH), a path, or a file name on GENICAM_GENTL64_PATH, with or without `.cti`.

    Raises:
        CameraNotFound: There is none; says where it was looked for and what to do.
    """
    if producer == "simulator":
        return [_simulator()]
    if producer == "viky":
        return [_viky()]
    installed = installed_producers()
    if producer == "auto":
        if not installed:
            raise CameraNotFound(
                f"no GenTL producer on {SEARCH_PATH} ({_searched()}): install the camera maker's SDK, open a new "
                "terminal, or give the path of its .cti file as producer"
            )
        return installed
    path = Path(os.path.expandvars(producer)).expanduser()
    if path.is_file():
        return [path.absolute()]
    if path.parent != Path():
        raise CameraNotFound(f"no GenTL producer {path}: correct `producer` in the hardware file")
    named = [found for found in installed if path.name in (found.name, found.stem)]
    if not named:
        names = sorted({found.name for found in installed})
        close = difflib.get_close_matches(producer, names, n=1)
        there = f"did you mean {close[0]}?" if close else f"there is {', '.join(names) or 'none'}"
        raise CameraNotFound(f"no GenTL producer {producer} on {SEARCH_PATH} ({_searched()}): {there}")
    return named[:1]


def installed_producers() -> list[Path]:
    """Every `.cti` file in the folders of GENICAM_GENTL64_PATH, in their order, each file once."""
    found: dict[Path, Path] = {}
    for folder in _folders():
        for path in sorted(folder.glob("*.cti")):
            found.setdefault(path.resolve(), path.absolute())
    return list(found.values())


def is_simulated(producer: Path) -> bool:
    """True for a producer that makes its images up."""
    return producer.name in SIMULATED


def _folders() -> list[Path]:
    # Windows separates by semicolons; on Linux some installers write them too, so that both are taken.
    entries = os.environ.get(SEARCH_PATH, "").replace(";", os.pathsep).split(os.pathsep)
    return [Path(entry).expanduser() for entry in entries if entry]


def _searched() -> str:
    return ", ".join(str(folder) for folder in _folders()) or "the variable is empty"


def _simulator() -> Path:
    from capture.simulator.producer_path import producer_path  # noqa: PLC0415  # real cameras need no simulator

    return Path(producer_path())


def _viky() -> Path:
    package = importlib.util.find_spec("genicam")
    for folder in package.submodule_search_locations or () if package else ():
        path = Path(folder) / "viky.cti"
        if path.is_file():
            return path
    raise CameraNotFound("the genicam package has no viky.cti: install genicam 1.6 or newer")
