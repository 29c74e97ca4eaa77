"""The window on the participant's screen: where it is, what it shows, and a patch in the corner for a photodiode."""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from dataclasses import dataclass
from statistics import median

import av
import sdl2

from elicitation.errors import ElicitationError
from elicitation.player.canvas import Canvas, open_canvas, sdl_error
from elicitation.player.focus import leave_keyboard
from elicitation.player.lettering import text_picture
from elicitation.player.media import Picture

_PATCH_SHARE = 0.06
"""Edge of the photodiode's patch, as a share of the screen's height."""
_INVISIBLE = frozenset({"offscreen", "dummy", "evdev"})
"""Drivers that SDL takes where there is no display: nobody would see anything."""
_SWAPS_REMEMBERED = 15


@dataclass(frozen=True)
class ScreenOptions:
    """How the participant's screen is used."""

    display: str = ""
    """Name of the display as the system has it, or its number from 0; empty for the last one."""
    full_screen: bool = True
    photodiode_patch: bool = False
    """Show a patch in the lower left corner, white while a video's even frames are shown and black otherwise."""


class Screen:
    """One borderless window. Everything that it shows returns the time at which it was swapped in."""

    def __init__(self, options: ScreenOptions) -> None:
        """Open it.

        Raises:
            ElicitationError: There is no display, or none of that name.
        """
        sdl2.SDL_SetHint(sdl2.SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, b"1")
        sdl2.SDL_SetHint(sdl2.SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, b"0")
        sdl2.SDL_SetHint(sdl2.SDL_HINT_RENDER_SCALE_QUALITY, b"linear")
        if sdl2.SDL_InitSubSystem(sdl2.SDL_INIT_VIDEO) != 0:
            raise ElicitationError(f"no screen for the participant: {sdl_error()} (is DISPLAY set?)")
        driver = (sdl2.SDL_GetCurrentVideoDriver() or b"").decode()
        if driver in _INVISIBLE and os.environ.get("SDL_VIDEODRIVER") != driver:
            raise ElicitationError("no screen for the participant: there is no display to open (is DISPLAY set?)")
        self._options = options
        index = _find_display(options.display)
        bounds = sdl2.SDL_Rect()
        sdl2.SDL_GetDisplayBounds(index, ctypes.byref(bounds))
        flags = sdl2.SDL_WINDOW_BORDERLESS | sdl2.SDL_WINDOW_HIDDEN
        if options.full_screen:
            flags |= sdl2.SDL_WINDOW_FULLSCREEN_DESKTOP
        width, height = (bounds.w, bounds.h) if options.full_screen else (bounds.w * 3 // 4, bounds.h * 3 // 4)
        self._window = sdl2.SDL_CreateWindow(b"dfme stimulus", bounds.x, bounds.y, width, height, flags)
        if not self._window:
            raise ElicitationError(f"cannot open a window for the participant: {sdl_error()}")
        self._canvas: Canvas = open_canvas(self._window)
        mode = sdl2.SDL_DisplayMode()
        sdl2.SDL_GetCurrentDisplayMode(index, ctypes.byref(mode))
        self.refresh_hz = float(mode.refresh_rate)
        self.display = (sdl2.SDL_GetDisplayName(index) or b"").decode(errors="replace")
        self._visible = False
        self._swap_times_s: deque[float] = deque(maxlen=_SWAPS_REMEMBERED)
        sdl2.SDL_ShowCursor(sdl2.SDL_DISABLE)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height in pixels, as they are now."""
        return self._canvas.size_px

    @property
    def flip_source(self) -> str:
        """Where the times of flips come from."""
        return self._canvas.flip_source

    def converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A decoded frame as the canvas wants it; called ahead of its time, from the decoding thread."""
        return self._canvas.converted(frame)

    def prepare(self, picture: Picture) -> None:
        """Draw a converted picture; `flip` shows it."""
        self._show_window()
        self._canvas.draw(picture.frame)
        if self._options.photodiode_patch:
            self._patch(lit=picture.index % 2 == 0)

    def flip(self) -> int:
        """Swap in what was prepared; returns host_ns when that was done."""
        began_ns = time.monotonic_ns()
        self._canvas.swap()
        done_ns = time.monotonic_ns()
        self._swap_times_s.append((done_ns - began_ns) / 1e9)
        return done_ns

    @property
    def ahead_s(self) -> float:
        """How long before its time a picture must be swapped, so that it appears at its time.

        A screen that waits for its refresh shows the picture at the next one: half a refresh ahead is nearest on
        average. Without that, copying takes as long as it last took.
        """
        if self._canvas.waits_for_refresh:
            return 0.5 / (self.refresh_hz or 60.0)
        return median(self._swap_times_s) if self._swap_times_s else 0.0

    def show_text(self, text: str, language: str = "") -> int:
        """Show lines of text in the middle of an otherwise dark screen; returns host_ns of the swap."""
        self._show_window()
        self._canvas.clear()
        if text.strip():
            grey = text_picture(text, *self.size_px, language)
            frame = av.VideoFrame.from_ndarray(grey, "gray")
            self._canvas.draw(self._canvas.converted(frame))
        return self.flip()

    def hide(self) -> None:
        """Take the window off the screen."""
        sdl2.SDL_HideWindow(self._window)
        self._visible = False
        if sdl2.SDL_GetCurrentVideoDriver() == b"x11":
            leave_keyboard()

    def closed_by_user(self) -> bool:
        """Handle what the window system sends; whether it asks for the window to be closed."""
        event = sdl2.SDL_Event()
        wanted = False
        while sdl2.SDL_PollEvent(ctypes.byref(event)):
            wanted |= event.type == sdl2.SDL_QUIT
        return wanted

    def close(self) -> None:
        """Close window and display."""
        self._canvas.close()
        sdl2.SDL_DestroyWindow(self._window)
        sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_VIDEO)

    def _show_window(self) -> None:
        """Drawing comes after it: a window that appears may get other memory."""
        if not self._visible:
            sdl2.SDL_ShowWindow(self._window)
            sdl2.SDL_RaiseWindow(self._window)
            self._visible = True
            self.closed_by_user()

    def _patch(self, *, lit: bool) -> None:
        _, height = self.size_px
        edge = max(round(height * _PATCH_SHARE), 8)
        self._canvas.box(0, height - edge, edge, edge, lit=lit)


def _find_display(name: str) -> int:
    count = int(sdl2.SDL_GetNumVideoDisplays())
    names = [(sdl2.SDL_GetDisplayName(i) or b"").decode(errors="replace") for i in range(count)]
    if not name:
        return count - 1
    if name in names:
        return names.index(name)
    if name.isdigit() and int(name) < count:
        return int(name)
    known = ", ".join(f"{i}: {known}" for i, known in enumerate(names)) or "none"
    raise ElicitationError(f"there is no display {name!r}; there are {known}")
