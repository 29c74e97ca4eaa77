"""Where on the desktop the participant's display lies."""

from __future__ import annotations

import ctypes

from elicitation.web.browser import Place


def place_of(display: str) -> Place | None:
    """Place of the display called `display`, or numbered so from 0; of the last one where it is empty.

    None where there is no display of that name, or no screen at all: then the window manager chooses.
    """
    import sdl2  # noqa: PLC0415  loads a library that pages without a browser of ours do not need

    if sdl2.SDL_InitSubSystem(sdl2.SDL_INIT_VIDEO) != 0:
        return None
    try:
        names = [
            (sdl2.SDL_GetDisplayName(number) or b"").decode(errors="replace")
            for number in range(sdl2.SDL_GetNumVideoDisplays())
        ]
        number = display_number(display, names)
        bounds = sdl2.SDL_Rect()
        if number is None or sdl2.SDL_GetDisplayBounds(number, ctypes.byref(bounds)) != 0:
            return None
        return Place(bounds.x, bounds.y, bounds.w, bounds.h)
    finally:
        sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_VIDEO)


def display_number(display: str, names: list[str]) -> int | None:
    """Number of the display that is named or numbered `display`; the last one where it is empty."""
    if not names:
        return None
    if not display:
        return len(names) - 1
    if display in names:
        return names.index(display)
    return int(display) if display.isdecimal() and int(display) < len(names) else None
