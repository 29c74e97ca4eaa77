"""Waits at the start until the processes that a trial needs are there."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

from capture.errors import CaptureError
from capture.supervisor.hub import Hub

_TIMEOUT_S: Final = 60.0
"""Some cameras take half a minute to come up."""


def wait_until_up(hub: Hub, workers: AbstractSet[str], turn: Callable[[], None]) -> None:
    """Wait until these have said hello.

    Args:
        hub: Where they say it.
        workers: Their names.
        turn: One turn of the loop; raises to stop waiting.

    Raises:
        CaptureError: They did not come up in time.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    while not hub.present >= workers:
        turn()
        if time.monotonic() > deadline:
            missing = " and ".join(sorted(workers - hub.present))
            raise CaptureError(f"the {missing} process did not come up within {_TIMEOUT_S:.0f} s")
