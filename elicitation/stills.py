"""Numbered still pictures out of a stimulus video, for the replay beside the participant's own recording."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Final

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt

from capture.recording.frame_pictures import NoSuchFrame, PictureFormat, Region, encode_picture
from elicitation.errors import ElicitationError

_CACHE_BYTES: Final = 64 << 20
_WORTH_DECODING_ON: Final = 90
"""Pictures ahead that are reached faster by decoding on than by starting at a key picture again."""


class VideoStills:
    """Pictures of a video by number, in the order of presentation, for many threads; the last used are at hand.

    A picture between two key pictures costs the decoding of all before it; these are kept, so that going backwards
    costs no more than going on.
    """

    def __init__(self, path: Path, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Open a video and list the times of its pictures, without decoding them.

        Raises:
            ElicitationError: It is not a video that can be read.
        """
        self.path = path
        self._lock = Lock()
        self._cache: OrderedDict[tuple[int, PictureFormat, int | None, int], bytes] = OrderedDict()
        self._cache_limit, self._cached_bytes = cache_bytes, 0
        self._decoding: Iterator[av.VideoFrame] | None = None
        self._next = 0
        try:
            self._container = av.open(str(path))
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "AUTO"
            packets = self._container.demux(self._stream)
            shown = sorted(p.pts for p in packets if p.pts is not None and not p.is_discard)
            stat = path.stat()
        except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
            raise ElicitationError(f"cannot read {path} as a video: {error}") from None
        if not shown:
            raise ElicitationError(f"{path} has no pictures")
        self._pts = np.asarray(shown, dtype=np.int64)
        base = float(self._stream.time_base or 1)
        self.times_s: npt.NDArray[np.float64] = (self._pts - self._pts[0]) * base
        """Time of each picture from the first, float64 (pictures,)."""
        self.count = len(shown)
        self.rate_fps = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        # Pixels of a video need not be square.
        aspect = float(self._stream.sample_aspect_ratio or 1)
        self.height_px, self.width_px = self._stream.height, max(1, round(self._stream.width * aspect))
        self.version: str = hashlib.sha256(f"{path}\n{stat.st_mtime_ns}\n{stat.st_size}".encode()).hexdigest()[:12]

    def jpeg(
        self, index: int, *, region: Region | None = None, max_side_px: int | None = None, quality: int = 80
    ) -> bytes:
        """Picture `index` as a colour JPEG; `region` is not for videos and changes nothing.

        Raises:
            NoSuchFrame: There is no such picture.
            ElicitationError: It cannot be decoded.
        """
        return self._picture(index, "jpeg", max_side_px, quality)

    def png(self, index: int, *, region: Region | None = None, max_side_px: int | None = None) -> bytes:
        """Picture `index` as a PNG; as `jpeg` otherwise."""
        return self._picture(index, "png", max_side_px, 0)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._decoding = None
            self._container.close()

    def _picture(self, index: int, kind: PictureFormat, max_side_px: int | None, quality: int) -> bytes:
        if not 0 <= index < self.count:
            raise NoSuchFrame(f"{self.path.name} has no picture {index}: its pictures are 0 to {self.count - 1}")
        with self._lock:
            known = self._cache.get((index, kind, max_side_px, quality))
            if known is not None:
                self._cache.move_to_end((index, kind, max_side_px, quality))
                return known
            try:
                return self._decode_to(index, kind, max_side_px, quality)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._decoding = None
                raise ElicitationError(f"{self.path}: picture {index} cannot be decoded: {error}") from None

    def _decode_to(self, index: int, kind: PictureFormat, max_side_px: int | None, quality: int) -> bytes:
        if self._decoding is None or not self._next <= index < self._next + _WORTH_DECODING_ON:
            self._container.seek(int(self._pts[index]), stream=self._stream)
            self._decoding = self._container.decode(self._stream)
        for frame in self._decoding:
            number = index if frame.pts is None else int(np.searchsorted(self._pts, frame.pts, side="right")) - 1
            self._next = number + 1
            picture = encode_picture(_bgr(frame, self.width_px), kind, max_side_px, quality)
            self._keep((number, kind, max_side_px, quality), picture)
            # A picture that the decoder leaves out is shown by its neighbour, as players do.
            if number >= index:
                return picture
        self._decoding = None
        raise ElicitationError(f"{self.path} ends before picture {index}")

    def _keep(self, key: tuple[int, PictureFormat, int | None, int], picture: bytes) -> None:
        if key in self._cache:
            return
        self._cache[key] = picture
        self._cached_bytes += len(picture)
        while self._cached_bytes > self._cache_limit:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest)


def _bgr(frame: av.VideoFrame, width_px: int) -> npt.NDArray[np.uint8]:
    """Pixels of a decoded picture, uint8 (height, `width_px`, 3) in the order blue, green, red."""
    pixels = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    if pixels.shape[1] == width_px:
        return pixels
    return np.asarray(cv2.resize(pixels, (width_px, pixels.shape[0]), interpolation=cv2.INTER_AREA), dtype=np.uint8)
