"""A video decoded ahead of its time, in a thread of its own: pictures with their numbers, and sound as it comes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.audio.resampler import AudioResampler

from elicitation.errors import ElicitationError

AUDIO_RATE_HZ = 48_000
AUDIO_CHANNELS = 2
AUDIO_BYTES_PER_S = AUDIO_RATE_HZ * AUDIO_CHANNELS * 2
_AHEAD_S = 1.5


@dataclass(frozen=True)
class Picture:
    """One frame of the video."""

    index: int
    """From 0, in the order of presentation."""
    media_s: float
    """Presentation time, from the first picture's."""
    frame: av.VideoFrame
    """As the screen wants it."""


class Clip:
    """A video being decoded; `close` ends the thread. Pictures come in order, none twice."""

    def __init__(
        self, path: Path, convert: Callable[[av.VideoFrame], av.VideoFrame], take_sound: Callable[[bytes], None] | None
    ) -> None:
        """Open `path`; everything that is called is called from the decoding thread.

        Args:
            path: Anything that FFmpeg decodes.
            convert: Makes of each picture what the screen wants.
            take_sound: Gets interleaved stereo int16 at 48 kHz.

        Raises:
            ElicitationError: It cannot be opened, or has no pictures.
        """
        self.path = path
        self._convert = convert
        self._take_sound = take_sound
        self._pictures: deque[Picture] = deque()
        self._changed = threading.Condition()
        self._done = False
        self._closed = False
        self.error = ""
        try:
            self._container = av.open(str(path))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise ElicitationError(f"cannot play {path}: {error.strerror or error}") from error  # type: ignore[union-attr]
        if not self._container.streams.video:
            self._container.close()
            raise ElicitationError(f"cannot play {path}: there are no pictures in it")
        self._video = self._container.streams.video[0]
        self._video.thread_type = "AUTO"
        self.rate_fps = float(self._video.average_rate or self._video.guessed_rate or 25)
        self.size_px = (self._video.width, self._video.height)
        self.has_sound = take_sound is not None and bool(self._container.streams.audio)
        self._ahead = max(round(_AHEAD_S * self.rate_fps), 4)
        self._thread = threading.Thread(target=self._decode, name="decode", daemon=True)
        self._thread.start()

    def wait_filled(self, timeout_s: float) -> None:
        """Wait until pictures for a second or so are decoded, or all of them."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or len(self._pictures) >= self._ahead, timeout_s)

    def peek(self, timeout_s: float = 0.0) -> Picture | None:
        """The next picture, left in place; None when there is none (yet): `over` tells which."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or bool(self._pictures), timeout_s)
            return self._pictures[0] if self._pictures else None

    def take(self) -> Picture:
        """Take the next picture, which must be there."""
        with self._changed:
            picture = self._pictures.popleft()
            self._changed.notify_all()
            return picture

    @property
    def over(self) -> bool:
        """Whether every picture was taken."""
        with self._changed:
            return self._done and not self._pictures

    def close(self) -> None:
        """Stop decoding and close the file."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._container.close()

    def _decode(self) -> None:
        try:
            self._decode_all()
        except (av.error.FFmpegError, ValueError) as error:
            self.error = f"{self.path} cannot be read on: {getattr(error, 'strerror', None) or error}"
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _decode_all(self) -> None:
        streams: list[av.stream.Stream] = [self._video]
        resampler = AudioResampler(format="s16", layout="stereo", rate=AUDIO_RATE_HZ)
        if self.has_sound:
            streams.append(self._container.streams.audio[0])
        first_s: float | None = None
        index = 0
        for packet in self._container.demux(streams):
            for frame in packet.decode():
                if self._closed:
                    return
                if isinstance(frame, av.VideoFrame):
                    time_s = frame.time if frame.time is not None else index / self.rate_fps
                    first_s = time_s if first_s is None else first_s
                    self._put(Picture(index, time_s - first_s, self._convert(frame)))
                    index += 1
                elif isinstance(frame, av.AudioFrame) and self._take_sound is not None:
                    for chunk in resampler.resample(frame):
                        self._take_sound(bytes(chunk.planes[0])[: chunk.samples * AUDIO_CHANNELS * 2])

    def _put(self, picture: Picture) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._pictures) < self._ahead)
            self._pictures.append(picture)
            self._changed.notify_all()
