"""The operator's terminal: as it was, when the monitor that drew on it was killed."""

from __future__ import annotations

import contextlib
import os
import sys
import termios

_AS_IT_WAS = (
    "\x1b[?2026l"  # draw at once
    "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # no mouse
    "\x1b[?1004l\x1b[?2004l\x1b[<u"  # no focus, no marked pastes, plain keys
    "\x1b[0m\x1b[?1049l\x1b[?25h"  # the screen before, and a cursor
)


class Terminal:
    """Remembers how standard input's terminal is set; where there is none, nothing is done.

    A monitor that is killed leaves its picture, and keys that send no signal: without this Ctrl-C would stop nothing.
    """

    def __init__(self) -> None:
        self._settings: list[int | list[bytes | int]] | None = None
        with contextlib.suppress(termios.error, ValueError, OSError):
            self._settings = termios.tcgetattr(sys.stdin.fileno())

    def restore(self) -> None:
        """Make it what it was."""
        if self._settings is None:
            return
        with contextlib.suppress(termios.error, ValueError, OSError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._settings)
            if os.isatty(sys.stdout.fileno()):
                sys.stdout.write(_AS_IT_WAS)
                sys.stdout.flush()
