"""Which model is used where none is named: that of `dfme-live use`, else the one that comes along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from capture.recording.files import write_whole
from expression.bundle import BUNDLE_FILE

MODELS: Final = Path(__file__).parent / "models"
DEFAULT_MODEL: Final = MODELS / "simulated-i3d"
"""The model that comes along: trained on faces that do not exist."""
CONFIG_VARIABLE: Final = "DFME_CONFIG"
_FILE: Final = "live_model"
_LONGEST: Final = 4096


def default_file() -> Path:
    """The file that names it: `$DFME_CONFIG/live_model`, else in `dfme` below `$XDG_CONFIG_HOME` or `~/.config`."""
    if own := os.environ.get(CONFIG_VARIABLE):
        return Path(own) / _FILE
    shared = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".config") / "dfme" / _FILE


def lab_default() -> Path | None:
    """The bundle that was put there; None where none was."""
    return named_in(default_file())


def set_lab_default(bundle: Path) -> None:
    """From now on this bundle is used where none is named.

    Raises:
        OSError: The file cannot be written.
    """
    file = default_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bundle_name(file, bundle)


def named_in(file: Path) -> Path | None:
    """The bundle that a file names, by its path or the name of one that comes along; None where it names none."""
    try:
        text = file.read_text()[:_LONGEST].strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text:
        return None
    return MODELS / text if (MODELS / text / BUNDLE_FILE).is_file() else Path(text)


def write_bundle_name(file: Path, bundle: Path) -> None:
    """Write which bundle is wanted: its absolute path, but the name alone of one that comes along, which may move.

    Raises:
        OSError: The file cannot be written.
    """
    path = bundle.absolute()
    write_whole(file, f"{path.name if path.parent == MODELS else path}\n".encode())
