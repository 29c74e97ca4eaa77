"""Who may use the machine: tests run beside each other, but those marked `alone` have it to themselves.

Each worker of pytest-xdist takes its turn for one test at a time, before the test's time limit starts to count.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def is_alone(item: pytest.Item) -> bool:
    """Whether a test has the machine to itself; a mark of the test's own counts before that of its file."""
    return next((mark.name for mark in item.iter_markers() if mark.name in {"alone", "beside_others"}), "") == "alone"


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for the machine, and keep it: beside others, or `alone`.

    Everybody queues at the door, and whoever waits for an empty room keeps the door shut: nobody waits for ever.
    The kernel lets go of what a worker held that died.
    """
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
