"""Frames over HTTP: one address per frame, which browsers may keep for ever."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel

from capture.errors import CaptureError
from capture.recording.frame_pictures import FramePictures, Region

MOST_FRAMES: Final = 2**40
"""Beyond any recording, and within what every part counts exactly."""
_KEPT_OPEN: Final = 8
_REGION = re.compile(r"(-?\d{1,6}),(-?\d{1,6}),(\d{1,6}),(\d{1,6})")
_FOR_EVER = "private, max-age=31536000, immutable"
_ONLY_NOW = "private, no-cache"


class FramesInfo(BaseModel):
    """What a frame viewer must know of a recording."""

    count: int
    rate_fps: float
    """0 where nothing says so."""
    width_px: int
    height_px: int
    version: str
    """For the addresses of frames (`?v=`): changes with the recording."""


class NumberedPictures(Protocol):
    """Pictures by number; `FramePictures` and whatever else has such."""

    version: str
    """Letters and digits that change with the content."""

    @property
    def count(self) -> int:
        """How many; they are numbered from 0."""

    @property
    def rate_fps(self) -> float:
        """Pictures a second; 0 where nothing says so."""

    @property
    def height_px(self) -> int:
        """Rows of a picture."""

    @property
    def width_px(self) -> int:
        """Columns of a picture."""

    def jpeg(
        self, index: int, *, region: Region | None = None, max_side_px: int | None = None, quality: int = 80
    ) -> bytes:
        """Picture `index` as JPEG; raises CaptureError where there is none, or it cannot be read."""

    def png(self, index: int, *, region: Region | None = None, max_side_px: int | None = None) -> bytes:
        """Picture `index` as PNG, likewise."""


class PictureShelf:
    """Keeps the last used recordings open, for many threads."""

    def __init__(self, kept: int = _KEPT_OPEN) -> None:
        self._kept = kept
        self._open: OrderedDict[Path, FramePictures] = OrderedDict()
        self._lock = Lock()

    def get(self, path: Path) -> FramePictures:
        """The pictures of the recording at `path`.

        Raises:
            RecordingInvalid: There is none, or it is damaged.
        """
        with self._lock:
            # What was removed, such as after a withdrawal, is let go of.
            for gone in [one for one in self._open if not one.exists()]:
                del self._open[gone]
            if path not in self._open:
                self._open[path] = FramePictures(path)
            self._open.move_to_end(path)
            while len(self._open) > self._kept:
                self._open.popitem(last=False)
            return self._open[path]


def frames_router(find: Callable[[Request, str], NumberedPictures]) -> APIRouter:
    """Routes for frames: `/frames/KEY` says what there is, `/frames/KEY/INDEX.jpg` and `.png` are the frames.

    Query of a frame: `region=LEFT,TOP,WIDTH,HEIGHT` in pixels, `side` the longest side in pixels, `quality` of a JPEG,
    and `v`, the recording's version, with which the answer may be kept for ever.

    Args:
        find: The pictures behind a key, for this request; raises LookupError where there are none, or none that whoever
            asks may see. Keys have no slash in them. Called in a thread of a pool.
    """
    router = APIRouter(tags=["frames"])

    def found(request: Request, key: str) -> NumberedPictures:
        try:
            return find(request, key)
        except LookupError:
            raise HTTPException(404, f"there is no recording {key}") from None
        except CaptureError as error:
            raise HTTPException(404, str(error)) from None

    @router.get("/frames/{key}")
    def info(request: Request, key: str) -> FramesInfo:
        pictures = found(request, key)
        return FramesInfo(
            count=pictures.count,
            rate_fps=pictures.rate_fps,
            width_px=pictures.width_px,
            height_px=pictures.height_px,
            version=pictures.version,
        )

    @router.get("/frames/{key}/{name}", response_class=Response)
    def frame(
        request: Request,
        key: str,
        name: str,
        region: Annotated[str | None, Query(max_length=40)] = None,
        side: Annotated[int | None, Query(ge=1, le=16384)] = None,
        quality: Annotated[int, Query(ge=1, le=100)] = 80,
        v: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        number, dot, suffix = name.partition(".")
        index = int(number) if number.isascii() and number.isdecimal() and len(number) <= 12 else MOST_FRAMES
        if not dot or suffix not in ("jpg", "png") or index >= MOST_FRAMES:
            raise HTTPException(404, "a frame is a number with .jpg or .png")
        pictures = found(request, key)
        part = parse_region(region) if region is not None else None
        try:
            if suffix == "jpg":
                content = pictures.jpeg(index, region=part, max_side_px=side, quality=quality)
            else:
                content = pictures.png(index, region=part, max_side_px=side)
        except CaptureError as error:
            raise HTTPException(404, str(error)) from None
        kind = "image/jpeg" if suffix == "jpg" else "image/png"
        kept = _FOR_EVER if v == pictures.version else _ONLY_NOW
        return Response(content, media_type=kind, headers={"Cache-Control": kept})

    return router


def parse_region(text: str) -> Region:
    """A region written as `LEFT,TOP,WIDTH,HEIGHT`; HTTP 422 where it is not."""
    match = _REGION.fullmatch(text)
    if match is None:
        raise HTTPException(422, "region is LEFT,TOP,WIDTH,HEIGHT in pixels")
    left, top, width, height = (int(part) for part in match.groups())
    return left, top, width, height
