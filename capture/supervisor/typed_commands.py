"""The operator's word in a participant's session without the monitor: a line typed on standard input."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from typing import Final, Literal

from capture.messages import Command

_COMMANDS: Final[dict[str, Literal["pause", "next", "penalty", "marker", "quit"]]] = {
    "p": "pause",
    "n": "next",
    "L": "penalty",
    "m": "marker",
    "q": "quit",
}
"""The monitor's keys; here each is followed by Enter."""
_READ_BYTES: Final = 4096


class TypedCommands:
    """Reads what was typed, and never waits for it."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno() if sys.stdin is not None and not sys.stdin.closed else -1
        self._rest = b""

    def commands(self) -> Iterator[Command]:
        """Commands of whole lines; the text behind a marker's key is its text, other lines mean nothing."""
        if self._fd < 0 or not select.select([self._fd], [], [], 0)[0]:
            return
        try:
            chunk = os.read(self._fd, _READ_BYTES)
        except OSError:
            chunk = b""
        if not chunk:
            self._fd = -1
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            key, _, text = line.decode(errors="replace").strip().partition(" ")
            if key in _COMMANDS:
                yield Command(_COMMANDS[key], text)
