"""Changes the model of a readout that runs: a file in the session's folder names the bundle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from capture.recording.files import write_whole

FILE: Final = "live_model"
_EVERY_S: Final = 0.5
_LONGEST: Final = 4096


class ModelSwitch:
    """Watches the session's folder for a wish.

    Args:
        session: The session's folder.
    """

    def __init__(self, session: Path) -> None:
        self._file = session / FILE
        self._looked_s = 0.0
        # A wish of before is heard by a service that is started anew.
        self._seen_ns = 0

    def wish(self) -> str | None:
        """A model that is wanted since the last call; looks at the folder twice a second."""
        now = time.monotonic()
        if now - self._looked_s < _EVERY_S:
            return None
        self._looked_s = now
        try:
            changed_ns = self._file.stat().st_mtime_ns
            if changed_ns == self._seen_ns:
                return None
            self._seen_ns = changed_ns
            return self._file.read_text()[:_LONGEST].strip() or None
        except (OSError, UnicodeDecodeError):
            return None


def wish_for(session: Path, model: Path) -> None:
    """Ask the readout of a session for another model.

    Raises:
        OSError: The folder cannot be written.
    """
    write_whole(session / FILE, f"{model.absolute()}\n".encode())
