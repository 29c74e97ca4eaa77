"""How tests wait: for a condition, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `condition` holds; it may raise while files are half there."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        try:
            if condition():
                return
        except Exception:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.02)
