"""Leaves the keyboard to what is behind the player's window, where no window manager does."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any, Final

_NOBODY: Final = 0
_WINDOW_UNDER_POINTER: Final = 1
_NOW: Final = 0


def keyboard_focus(library: Any, display: Any) -> int:
    """Number of the X11 window that has the keyboard; 0 for none, 1 for the one under the pointer."""
    window, reverts = ctypes.c_ulong(), ctypes.c_int()
    library.XGetInputFocus(display, ctypes.byref(window), ctypes.byref(reverts))
    return int(window.value)


def leave_keyboard(x_display: str | None = None) -> None:
    """Give the keyboard to the window under the pointer if nobody has it, as after a window that had it was hidden.

    Without it the participant's pages take no keys until they are clicked on. Does nothing without X11.

    Args:
        x_display: Value of DISPLAY; None for this process's own.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libX11.so.6")
        library.XOpenDisplay.restype = ctypes.c_void_p
        display = ctypes.c_void_p(library.XOpenDisplay(x_display.encode() if x_display else None))
        if not display:
            return
        if keyboard_focus(library, display) == _NOBODY:
            library.XSetInputFocus(display, ctypes.c_ulong(_WINDOW_UNDER_POINTER), _WINDOW_UNDER_POINTER, _NOW)
        library.XCloseDisplay(display)
