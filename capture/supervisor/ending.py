"""Ends the supervisor's child processes, and keeps what they had to say."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from capture.messages import Event, Quit
from capture.supervisor.children import Child
from capture.supervisor.hub import Hub
from capture.supervisor.journal import Journal

_GRACE_S: Final = 10.0


def end_children(children: dict[str, Child], names: Sequence[str], hub: Hub, journal: Journal, runtime: Path) -> None:
    """Tell these to quit, see them end, and take them out of `children`; their logs go to the session."""
    session = journal.session
    for name in names:
        hub.tell(name, Quit())
        if session is None and name == "recorder":
            # Nothing was recorded, and while it still maps a large ring it hears nothing else.
            children[name].process.kill()
    for name in names:
        children.pop(name).end(_GRACE_S)
    for message in hub.received(0):
        if isinstance(message, Event):
            journal.log(message)
    if session is not None:
        for log in runtime.glob("*.log"):
            if log.stat().st_size:
                shutil.copy(log, session.log / log.name)
