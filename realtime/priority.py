"""Lets recording go first: how nice the threads of the live service are."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

SPOTTING_NICENESS: Final = 5
RECOGNITION_NICENESS: Final = 10
"""Recognition comes in bursts on all cores; the spotting of the next expression goes before it."""


def give_way(niceness: int) -> None:
    """Make the calling thread, and those that it starts, wait for others that want the processor."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
