"""Changes the model of a readout that runs: files in the session's folder and the user's settings name it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from realtime.lab_default import default_file, named_in, write_bundle_name

FILE: Final = "live_model"
_EVERY_S: Final = 0.5


class ModelSwitch:
    """Watches for a wish: in the session's folder, and in the file that names the model for all.

    A wish for all is written down in the session's folder as well, so that a service that is started anew hears it.

    Args:
        session: The session's folder.
    """

    def __init__(self, session: Path) -> None:
        self._file = session / FILE
        self._for_all = default_file()
        self._looked_s = 0.0
        # A wish of before in the session's folder is heard by a service that is started anew.
        self._seen_ns = 0
        # What was the default at the start was read then, or a model was named instead of it.
        self._for_all_seen_ns = _changed_ns(self._for_all)

    def wish(self) -> Path | None:
        """A model that is wanted since the last call; looks twice a second."""
        now = time.monotonic()
        if now - self._looked_s < _EVERY_S:
            return None
        self._looked_s = now
        changed_ns = _changed_ns(self._for_all)
        if changed_ns != self._for_all_seen_ns:
            self._for_all_seen_ns = changed_ns
            wanted = named_in(self._for_all)
            if wanted is not None:
                write_bundle_name(self._file, wanted)
        changed_ns = _changed_ns(self._file)
        if changed_ns == self._seen_ns:
            return None
        self._seen_ns = changed_ns
        return named_in(self._file)


def wish_for(session: Path, model: Path) -> None:
    """Ask the readout of a session for another model.

    Raises:
        OSError: The folder cannot be written.
    """
    write_bundle_name(session / FILE, model)


def _changed_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
