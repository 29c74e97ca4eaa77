"""What pictures are drawn on: a graphics card that waits for the screen's refresh, or memory where there is none."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

import av
import numpy as np
import numpy.typing as npt
import sdl2

from elicitation.errors import ElicitationError

_GL_RENDERER = 0x1F01


class Canvas(Protocol):
    """The drawing side of one window."""

    flip_source: str
    waits_for_refresh: bool

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame in the format (and, without a card, the size) that `draw` takes; may run in another thread."""
        ...

    def clear(self) -> None:
        """Black everywhere."""
        ...

    def draw(self, frame: av.VideoFrame) -> None:
        """A converted frame, as large as fits, in the middle, and black around it."""
        ...

    def box(self, x: int, y: int, width: int, height: int, *, lit: bool) -> None:
        """A white or black rectangle."""
        ...

    def swap(self) -> None:
        """Show what was drawn; returns when the window system has it."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


def open_canvas(window: Any) -> Canvas:
    """The best canvas that this window can have.

    Raises:
        ElicitationError: Nothing can be drawn at all.
    """
    flags = sdl2.SDL_RENDERER_ACCELERATED | sdl2.SDL_RENDERER_PRESENTVSYNC
    renderer = sdl2.SDL_CreateRenderer(window, -1, flags)
    if renderer:
        info = sdl2.SDL_RendererInfo()
        sdl2.SDL_GetRendererInfo(renderer, ctypes.byref(info))
        if not _draws_in_software(info.name.decode()):
            return CardCanvas(renderer, info.name.decode())
        sdl2.SDL_DestroyRenderer(renderer)
    # Otherwise SDL would hand the window's memory to the very card that is imitated.
    sdl2.SDL_SetHint(sdl2.SDL_HINT_FRAMEBUFFER_ACCELERATION, b"0")
    return MemoryCanvas(window)


class CardCanvas:
    """Drawn by a graphics card; a swap waits for the screen's refresh."""

    waits_for_refresh = True

    def __init__(self, renderer: Any, name: str) -> None:
        self._renderer = renderer
        self._texture: Any = None
        self._texture_size = (0, 0)
        self.flip_source = f"swap return ({name}, waits for refresh)"

    @property
    def size_px(self) -> tuple[int, int]:
        """As `Canvas`."""
        width, height = ctypes.c_int(), ctypes.c_int()
        sdl2.SDL_GetRendererOutputSize(self._renderer, ctypes.byref(width), ctypes.byref(height))
        return width.value, height.value

    def converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """As `Canvas`."""
        return frame if frame.format.name == "yuv420p" else frame.reformat(format="yuv420p")

    def clear(self) -> None:
        """As `Canvas`."""
        sdl2.SDL_SetRenderDrawColor(self._renderer, 0, 0, 0, 255)
        sdl2.SDL_RenderClear(self._renderer)

    def draw(self, frame: av.VideoFrame) -> None:
        """As `Canvas`."""
        size = (frame.width, frame.height)
        if self._texture is None or self._texture_size != size:
            if self._texture is not None:
                sdl2.SDL_DestroyTexture(self._texture)
            access = sdl2.SDL_TEXTUREACCESS_STREAMING
            self._texture = sdl2.SDL_CreateTexture(self._renderer, sdl2.SDL_PIXELFORMAT_IYUV, access, *size)
            self._texture_size = size
        planes: list[Any] = []
        for plane in frame.planes[:3]:
            planes += [ctypes.cast(plane.buffer_ptr, ctypes.POINTER(ctypes.c_ubyte)), plane.line_size]
        sdl2.SDL_UpdateYUVTexture(self._texture, None, *planes)
        self.clear()
        place = sdl2.SDL_Rect(*_fitted(size, self.size_px))
        sdl2.SDL_RenderCopy(self._renderer, self._texture, None, ctypes.byref(place))

    def box(self, x: int, y: int, width: int, height: int, *, lit: bool) -> None:
        """As `Canvas`."""
        value = 255 if lit else 0
        sdl2.SDL_SetRenderDrawColor(self._renderer, value, value, value, 255)
        sdl2.SDL_RenderFillRect(self._renderer, ctypes.byref(sdl2.SDL_Rect(x, y, width, height)))

    def swap(self) -> None:
        """As `Canvas`."""
        sdl2.SDL_RenderPresent(self._renderer)

    def close(self) -> None:
        """As `Canvas`."""
        sdl2.SDL_DestroyRenderer(self._renderer)


class MemoryCanvas:
    """Drawn in the window's own memory: three times cheaper than a card that is imitated, and without its delay."""

    waits_for_refresh = False
    flip_source = "swap return (without a graphics card)"

    def __init__(self, window: Any) -> None:
        self._window = window
        self._pixels()

    @property
    def size_px(self) -> tuple[int, int]:
        """As `Canvas`."""
        width, height = ctypes.c_int(), ctypes.c_int()
        sdl2.SDL_GetWindowSize(self._window, ctypes.byref(width), ctypes.byref(height))
        return width.value, height.value

    def converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """As `Canvas`."""
        _, _, width, height = _fitted((frame.width, frame.height), self.size_px)
        return frame.reformat(width, height, format="bgra", interpolation="FAST_BILINEAR")

    def clear(self) -> None:
        """As `Canvas`."""
        self._pixels()[:] = 0

    def draw(self, frame: av.VideoFrame) -> None:
        """As `Canvas`."""
        screen = self._pixels()
        plane = frame.planes[0]
        picture = np.frombuffer(memoryview(plane), np.uint32).reshape(frame.height, plane.line_size // 4)
        height, width = min(frame.height, screen.shape[0]), min(frame.width, screen.shape[1])
        top, left = (screen.shape[0] - height) // 2, (screen.shape[1] - width) // 2
        # Only the bars beside the picture are cleared: all of it would be written twice.
        screen[:top] = screen[top + height :] = 0
        screen[top : top + height, :left] = screen[top : top + height, left + width :] = 0
        screen[top : top + height, left : left + width] = picture[:height, :width]

    def box(self, x: int, y: int, width: int, height: int, *, lit: bool) -> None:
        """As `Canvas`."""
        self._pixels()[y : y + height, x : x + width] = 0xFFFFFFFF if lit else 0

    def swap(self) -> None:
        """As `Canvas`."""
        sdl2.SDL_UpdateWindowSurface(self._window)

    def close(self) -> None:
        """As `Canvas`."""

    def _pixels(self) -> npt.NDArray[np.uint32]:
        """The window's memory, uint32 (height, width) with blue in the lowest byte; asked for anew after a resize."""
        surface = sdl2.SDL_GetWindowSurface(self._window)
        if not surface:
            raise ElicitationError(f"cannot draw on the participant's screen: {sdl_error()}")
        shape = surface.contents
        count = shape.pitch * shape.h
        memory = ctypes.cast(shape.pixels, ctypes.POINTER(ctypes.c_uint8 * count)).contents
        return np.frombuffer(memory, np.uint32).reshape(shape.h, shape.pitch // 4)[:, : shape.w]


def sdl_error() -> str:
    """What SDL says went wrong."""
    return sdl2.SDL_GetError().decode(errors="replace") or "SDL gives no reason"


def _draws_in_software(renderer: str) -> bool:
    """Whether this renderer only imitates a card and its refresh: SDL's own one, or OpenGL without a graphics card."""
    if renderer == "software":
        return True
    if not renderer.startswith("opengl"):
        return False
    get_string = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)
    address = sdl2.SDL_GL_GetProcAddress(b"glGetString")
    card = (get_string(address)(_GL_RENDERER) or b"") if address else b""
    return any(name in card.lower() for name in (b"llvmpipe", b"softpipe", b"swrast"))


def _fitted(picture: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the greatest place of the picture's shape in the middle of the screen."""
    scale = min(screen[0] / picture[0], screen[1] / picture[1])
    width, height = round(picture[0] * scale), round(picture[1] * scale)
    return (screen[0] - width) // 2, (screen[1] - height) // 2, width, height
