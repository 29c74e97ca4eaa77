"""Frame banks from what is at hand: a video, a picture, or a bank made before."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
import av.container
import av.error
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from av.video.reformatter import ColorRange, Interpolation

from capture.cache import user_cache
from capture.errors import BadInput
from capture.simulator.bank_file import BankGeometry, FrameBank, FrameBankError, FrameBankWriter

__all__ = [
    "BankGeometry",
    "FrameBank",
    "FrameBankError",
    "FrameBankWriter",
    "Progress",
    "bank_for",
    "bank_from_video",
    "default_cache",
]

DEFAULT_MAX_SECONDS = 20.0
"""How much of a video `bank_for` takes: at 1024x768 and 25 fps, 20 s are 400 MB of cache."""
CACHE_LIMIT_BYTES = 8 * 1024**3
"""Banks that were used longest ago leave the cache when it grows beyond this."""
PICTURE_RATE_FPS = 1.0

Progress = Callable[[int, int, str], None]
"""Told the frames rendered, the frames planned, and in one line what is being rendered."""

_RENDERING = 1
"""Part of the cache key; raise it when the same video would give other pixels."""
_STALE_PARTIAL_S = 3600.0
_REORDERED_S = 2.0
"""Packets lie in decoding order; pictures are never this far from their place."""
_MOST_CROPPED = 1 / 10
"""A crop that takes more than this of a picture can take half a face with it; black bars never do."""
_MAX_RATE_FPS = 10_000.0
_ACCEPTED = "give a frame bank (.bank), a video (such as .mp4, .mov, .avi, .mkv) or a picture (.png, .jpg)"


def bank_from_video(
    video: Path,
    out: Path,
    *,
    width_px: int = 1024,
    height_px: int = 768,
    progress: Progress | None = None,
    max_frames: int | None = None,
    max_seconds: float | None = None,
) -> Path:
    """Render a video, or a picture as a bank of one frame, in grey and in real time, so that a face keeps its size.

    The whole picture is kept, between black bars where it has another shape than the frame; a nearly equal shape
    (less than a tenth to lose) fills the frame and is cropped at its centre.
    A variable frame rate is evened out to its average.

    Args:
        video: Anything that FFmpeg decodes.
        out: The bank to write; it can be played from its first frame on.
        width_px: Width of the camera that will play it.
        height_px: Height of that camera.
        progress: Told about each frame.
        max_frames: Take no more than the first this many.
        max_seconds: Take no more than this much of the video.

    Returns:
        `out`.

    Raises:
        BadInput: The file is missing, or has no pictures that can be decoded.
        NoSpace: The disk has no room for the bank.
    """
    try:
        timing = _survey(video, max_frames, max_seconds)
    except av.error.FFmpegError as error:
        raise BadInput(f"{video} is neither a video nor a picture that can be read: {_ACCEPTED}") from error
    with FrameBankWriter.create(out, width_px, height_px, timing.rate_fps, timing.frames) as writer:
        fault = "no picture in it can be decoded"
        try:
            with _opened(video) as (container, stream):
                _render(container, stream, timing, writer, progress or _say_nothing)
        except av.error.FFmpegError as error:
            fault = f"the picture behind frame {writer.frames_ready} cannot be decoded ({error.strerror})"
            if writer.frames_ready:
                raise BadInput(f"{video}: {fault}; repair the file, or cut it there") from error
        if writer.frames_ready == 0:
            out.unlink(missing_ok=True)
            raise BadInput(f"{video}: {fault}; {_ACCEPTED}")
    return out


def bank_for(
    path: Path,
    width_px: int = 1024,
    height_px: int = 768,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    max_seconds: float = DEFAULT_MAX_SECONDS,
) -> Path:
    """The bank that shows `path` on a camera of this size: the file itself, or one rendered once into the cache.

    Args:
        path: A frame bank, a video (its first `max_seconds` are taken) or a picture.
        width_px: Width of the camera's frames.
        height_px: Height of the camera's frames.
        cache_dir: Where rendered banks are kept; `default_cache()` unless given.
        progress: Told about each frame while a bank is rendered; its text says when a video is cut.
        max_seconds: Bounds the size of a bank in the cache.

    Raises:
        BadInput: The file is missing, of no use, or a bank without frames or of another size.
        NoSpace: The cache's disk has no room.
        FolderUnusable: The cache cannot be written.
    """
    if _is_bank(path):
        with FrameBank.open(path) as bank:
            size = (bank.geometry.width_px, bank.geometry.height_px)
            if size != (width_px, height_px):
                raise FrameBankError(
                    f"the frame bank {path} holds {size[0]}x{size[1]} px, the camera gives {width_px}x{height_px}: "
                    "set the camera to that size, or make the bank again"
                )
            if bank.frames_ready == 0:
                raise FrameBankError(f"the frame bank {path} holds no frame yet: wait for it, or make it again")
        return path
    cache = default_cache() if cache_dir is None else cache_dir
    cached = cache / f"{_cache_key(path, width_px, height_px, max_seconds)}.bank"
    if cached.exists():
        # A bank that a power cut left in pieces is rendered again.
        with suppress(FrameBankError), FrameBank.open(cached):
            os.utime(cached)
            return cached
    partial = cached.with_suffix(f".partial-{os.getpid()}")
    try:
        bank_from_video(
            path, partial, width_px=width_px, height_px=height_px, progress=progress, max_seconds=max_seconds
        )
        partial.replace(cached)
    finally:
        partial.unlink(missing_ok=True)
    prune_cache(cache, keep=cached)
    return cached


def default_cache() -> Path:
    """Where rendered banks are kept; see `user_cache`."""
    return user_cache("banks")


@dataclass(frozen=True)
class _Timing:
    """How the pictures of a source lie in time."""

    rate_fps: float
    frames: int
    text: str


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The container and its first video stream."""
    try:
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        raise BadInput(f"cannot open {path}: {error.strerror}; {_ACCEPTED}") from error
    with file:
        try:
            # Handed over as an open file, so that neither its name nor its content can make FFmpeg open another.
            container = av.open(file, mode="r", options={"protocol_whitelist": ""})
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise BadInput(f"{path} is neither a video nor a picture: {_ACCEPTED}") from error
        with container:
            # FFmpeg takes any text for a drawing in letters; a song's cover is a video stream to it.
            videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not videos or container.format.name == "tty":
                raise BadInput(f"{path} holds no video and no picture: {_ACCEPTED}")
            yield container, videos[0]


def _survey(path: Path, max_frames: int | None, max_seconds: float | None) -> _Timing:
    """Rate and number of frames, found by walking over the packets without decoding them."""
    times_s: list[float] = []
    untimed = 0
    with _opened(path) as (container, stream):
        if container.format.name.endswith("_pipe") or container.format.name == "image2":
            return _Timing(PICTURE_RATE_FPS, 1, f"{path.name}: one picture")
        claimed_s = (container.duration or 0) / av.time_base
        enough_s = math.inf if max_seconds is None else max_seconds + _REORDERED_S
        for packet in container.demux(stream):
            if packet.pts is not None and packet.time_base is not None:
                times_s.append(float(packet.pts * packet.time_base))
                if times_s[-1] - times_s[0] > enough_s:
                    break
            elif packet.size:
                untimed += 1
        length_s = max(times_s) - min(times_s) if times_s else 0.0
        rate_fps = _rate(stream, len(times_s), length_s)
    frames = found = round(length_s * rate_fps) + 1 if length_s else max(1, len(times_s), untimed)
    if max_seconds is not None:
        frames = min(frames, max(1, round(max_seconds * rate_fps)))
    if max_frames is not None:
        frames = min(frames, max(1, max_frames))
    length_s = max(found / rate_fps, claimed_s)
    part = "" if frames == found else f"the first {frames / rate_fps:.1f} s of "
    return _Timing(rate_fps, frames, f"{path.name}: {part}{length_s:.1f} s at {rate_fps:.4g} fps")


def _rate(stream: av.VideoStream, pictures: int, length_s: float) -> float:
    """Frames per second of real time; the nominal rate where the average is the same but for rounding."""
    average, nominal = (_usable(rate) for rate in (stream.average_rate, stream.guessed_rate))
    if average == 0 and pictures > 1 and length_s > 0:
        average = _usable((pictures - 1) / length_s)
    if nominal and (average == 0 or abs(nominal / average - 1) < 0.02):
        return nominal
    return average or 25.0


def _usable(rate: Fraction | float | None) -> float:
    """`rate`, or 0 where a file claims nonsense."""
    return float(rate) if rate is not None and 0 < rate <= _MAX_RATE_FPS else 0.0


def _render(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    timing: _Timing,
    writer: FrameBankWriter,
    progress: Progress,
) -> None:
    """Decode, fit and append the pictures, each at its time: late ones repeat the picture before, early ones go."""
    width_px, height_px = writer.geometry.width_px, writer.geometry.height_px
    start_s: float | None = None
    shown: npt.NDArray[np.uint8] | None = None
    stream.thread_type = "AUTO"
    for number, picture in enumerate(container.decode(stream)):
        place = number
        if picture.time is not None:
            start_s = picture.time if start_s is None else start_s
            place = round((picture.time - start_s) * timing.rate_fps)
        while shown is not None and writer.frames_ready < min(place, timing.frames):
            writer.append(shown)
        if writer.frames_ready == timing.frames:
            break
        if place >= writer.frames_ready:
            shown = _fitted(picture, stream, width_px, height_px)
            writer.append(shown)
        progress(writer.frames_ready, timing.frames, timing.text)


def _fitted(picture: av.VideoFrame, stream: av.VideoStream, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """The picture upright, in grey over the full range, filling uint8 (height_px, width_px) or between bars."""
    turns = round(picture.rotation / 90) % 4
    box_w, box_h = (height_px, width_px) if turns % 2 else (width_px, height_px)
    aspect = stream.sample_aspect_ratio
    true_width = picture.width * float(aspect if aspect is not None and aspect > 0 else 1)
    fill, fit = sorted((box_w / true_width, box_h / picture.height), reverse=True)
    scale = fill if 1 - fit / fill <= _MOST_CROPPED else fit
    grey = picture.reformat(
        max(1, round(true_width * scale)),
        max(1, round(picture.height * scale)),
        format="gray",
        interpolation=Interpolation.BICUBIC,
        dst_color_range=ColorRange.JPEG,
    ).to_ndarray()
    return _centred(np.rot90(grey.astype(np.uint8, copy=False), turns), width_px, height_px)


def _centred(pixels: npt.NDArray[np.uint8], width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """`pixels` cut or padded with black around their centre to uint8 (height_px, width_px)."""
    out = np.zeros((height_px, width_px), np.uint8)
    height, width = min(height_px, pixels.shape[0]), min(width_px, pixels.shape[1])
    to_y, to_x = (height_px - height) // 2, (width_px - width) // 2
    from_y, from_x = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    out[to_y : to_y + height, to_x : to_x + width] = pixels[from_y : from_y + height, from_x : from_x + width]
    return out


def _is_bank(path: Path) -> bool:
    """Whether this is, or claims to be, a frame bank."""
    if path.suffix == ".bank":
        return True
    try:
        with path.open("rb") as file:
            return file.read(8) == b"DFMEBANK"
    except OSError as error:
        raise BadInput(f"cannot open {path}: {error.strerror}; {_ACCEPTED}") from error


def _cache_key(path: Path, width_px: int, height_px: int, max_seconds: float) -> str:
    """A name that changes when the file or what is made of it changes."""
    status = path.stat()
    identity = (str(path.resolve()), status.st_size, status.st_mtime_ns, width_px, height_px, max_seconds, _RENDERING)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32]


def prune_cache(cache: Path, *, keep: Path) -> None:
    """Drop what a killed process left half done, and the banks used longest ago while there are too many bytes."""
    total = 0
    by_use = sorted(((file, file.stat()) for file in cache.iterdir()), key=lambda item: -item[1].st_mtime_ns)
    for file, status in by_use:
        if ".partial-" in file.name and time.time() - status.st_mtime > _STALE_PARTIAL_S:
            file.unlink(missing_ok=True)
        elif file.suffix == ".bank":
            total += status.st_blocks * 512
            if total > CACHE_LIMIT_BYTES and file != keep:
                file.unlink(missing_ok=True)


def _say_nothing(done: int, planned: int, text: str) -> None:
    """Progress for callers who did not ask for any."""
