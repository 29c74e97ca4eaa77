"""Numbered pictures out of a recording, for web pages: frame `i` as JPEG or PNG, whole or a part of it.

Browsers' video elements do not show the frame they are asked for; a picture with a number does.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import zarr

from capture.errors import BadInput, RecordingInvalid
from capture.recording.attributes import read_json
from capture.recording.pixels import VIDEO_NAME, possible_frame
from capture.recording.reader import Recording

Frame = npt.NDArray[np.uint8]
Region = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the whole frame."""
PictureFormat = Literal["jpeg", "png"]
_NUMBERED = re.compile(r"(?:.*?)(\d+)\.(?:png|jpe?g|bmp)", re.IGNORECASE)
_CACHE_BYTES: Final = 64 << 20
_MOST_FRAMES_IN_A_FOLDER: Final = 2_000_000


class NoSuchFrame(BadInput):
    """A recording does not have the frame, or the part of it, that was asked for."""


@dataclass(frozen=True)
class PictureStatistics:
    """What a set of pictures did so far."""

    encoded: int
    """Pictures that were read and encoded."""
    cached: int
    """Pictures that were at hand."""
    cache_bytes: int


class _Frames(Protocol):
    """Frames by number; `read` is called from many threads."""

    count: int
    rate_fps: float
    height_px: int
    width_px: int

    def read(self, index: int) -> Frame:
        """Frame `index`, uint8 (height, width); raises RecordingInvalid where it cannot be read."""


class FramePictures:
    """Pictures of a recording's frames by number, for many threads at once.

    Frames come out of our recordings (plain, packed, transcoded, also those left behind by a kill), out of any Zarr v3
    array uint8 (time, height, width) or group with such an array called `frames`, or out of a folder of numbered PNG
    or JPEG files. In our own and in plain sharded arrays one frame is one read of its own bytes.
    """

    def __init__(self, path: Path | str, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Open what lies at `path`.

        Args:
            path: Recording, Zarr array or group, or folder of numbered pictures.
            cache_bytes: Encoded pictures that are kept at hand, the last used ones.

        Raises:
            RecordingInvalid: There is nothing of the kind, or it is damaged.
        """
        self.path = Path(path)
        self._frames = _open(self.path)
        self._cache: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._cache_limit = cache_bytes
        self._cached_bytes = self._encoded = self._hits = 0
        self._lock = Lock()
        changed = (self.path / "zarr.json").stat().st_mtime_ns if (self.path / "zarr.json").is_file() else 0
        identity = f"{self.path.resolve()}\n{changed}\n{self.count}"
        self.version: str = hashlib.sha256(identity.encode()).hexdigest()[:12]
        """Changes with the recording: part of addresses that browsers may keep for ever."""

    @property
    def count(self) -> int:
        """Number of frames; they are numbered from 0."""
        return self._frames.count

    @property
    def rate_fps(self) -> float:
        """Frames a second; 0 where nothing says so."""
        return self._frames.rate_fps

    @property
    def height_px(self) -> int:
        """Rows of a frame."""
        return self._frames.height_px

    @property
    def width_px(self) -> int:
        """Columns of a frame."""
        return self._frames.width_px

    @property
    def recording(self) -> Recording | None:
        """The recording behind the pictures, with its times; None where they come from elsewhere."""
        return self._frames.recording if isinstance(self._frames, _OfRecording) else None

    def frame(self, index: int) -> Frame:
        """Frame `index`, uint8 (height, width).

        Raises:
            NoSuchFrame: `index` is not from 0 to `count` - 1.
            RecordingInvalid: The frame cannot be read.
        """
        if not 0 <= index < self.count:
            raise NoSuchFrame(f"{self.path.name} has no frame {index}: its frames are 0 to {self.count - 1}")
        return self._frames.read(index)

    def jpeg(
        self, index: int, *, region: Region | None = None, max_side_px: int | None = None, quality: int = 80
    ) -> bytes:
        """Frame `index` as a grey JPEG.

        Args:
            index: From 0.
            region: Part of the frame; what lies outside the frame is cut off.
            max_side_px: The picture is made smaller, never larger, so that no side is longer.
            quality: 1 to 100, as JPEG has it.

        Raises:
            NoSuchFrame: There is no such frame, or nothing of it lies in `region`.
            RecordingInvalid: The frame cannot be read.
        """
        return self._picture("jpeg", index, region, max_side_px, min(max(quality, 1), 100))

    def png(self, index: int, *, region: Region | None = None, max_side_px: int | None = None) -> bytes:
        """Frame `index` as a grey PNG: pixel for pixel, at thirteen times the cost. As `jpeg` otherwise."""
        return self._picture("png", index, region, max_side_px, 0)

    def statistics(self) -> PictureStatistics:
        """How often pictures were made, or at hand."""
        with self._lock:
            return PictureStatistics(self._encoded, self._hits, self._cached_bytes)

    def _picture(
        self, kind: PictureFormat, index: int, region: Region | None, max_side_px: int | None, quality: int
    ) -> bytes:
        key = (kind, index, region, max_side_px, quality)
        with self._lock:
            known = self._cache.get(key)
            if known is not None:
                self._cache.move_to_end(key)
                self._hits += 1
                return known
        picture = encode_picture(_part(self.frame(index), index, region), kind, max_side_px, quality)
        with self._lock:
            self._encoded += 1
            if key not in self._cache:
                self._cache[key] = picture
                self._cached_bytes += len(picture)
            while self._cached_bytes > self._cache_limit:
                _, oldest = self._cache.popitem(last=False)
                self._cached_bytes -= len(oldest)
        return picture


def encode_picture(pixels: Frame, kind: PictureFormat, max_side_px: int | None = None, quality: int = 80) -> bytes:
    """A picture of `pixels`, uint8 (height, width) or (height, width, 3) in the order blue, green, red.

    Args:
        pixels: The pixels.
        kind: The picture's format.
        max_side_px: The picture is made smaller, never larger, so that no side is longer.
        quality: 1 to 100; of JPEG.
    """
    height, width = pixels.shape[:2]
    if max_side_px is not None and max_side_px < max(height, width):
        scale = max(1, max_side_px) / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # With reading, 1.4 ms for JPEG and 18 ms for PNG at 1024x768 on one core (benchmarks/frame_pictures.py).
    settings = (cv2.IMWRITE_JPEG_QUALITY, quality) if kind == "jpeg" else (cv2.IMWRITE_PNG_COMPRESSION, 1)
    _, encoded = cv2.imencode(".jpg" if kind == "jpeg" else ".png", pixels, settings)
    return encoded.tobytes()


def _part(frame: Frame, index: int, region: Region | None) -> Frame:
    if region is None:
        return frame
    left, top, width, height = region
    # Python's own numbers: they come out of an address, and may be larger than any machine's.
    part = frame[_within(top, height, frame.shape[0]), _within(left, width, frame.shape[1])]
    if not part.size:
        raise NoSuchFrame(f"nothing of frame {index} lies in {left},{top} {width}x{height}")
    return part


def _within(first: int, length: int, limit: int) -> slice:
    return slice(min(max(first, 0), limit), min(max(first + length, 0), limit))


def _open(path: Path) -> _Frames:
    if not path.is_dir():
        raise RecordingInvalid(f"{path} is not there: give a recording, a Zarr array, or a folder of numbered pictures")
    if (path / VIDEO_NAME).is_file():
        return _OfRecording(path)
    if (path / "zarr.json").is_file():
        metadata = read_json(path / "zarr.json")
        attributes = metadata.get("attributes") if isinstance(metadata, dict) else None
        ours = isinstance(attributes, dict) and "dfme" in attributes
        return _OfRecording(path) if ours else _OfArray(path)
    return _OfFolder(path)


class _OfRecording:
    """Frames of a recording of ours."""

    def __init__(self, path: Path) -> None:
        self.recording = Recording.open(path)
        self.count = len(self.recording)
        self.rate_fps = self.recording.rate_fps
        self.height_px, self.width_px = self.recording.height_px, self.recording.width_px

    def read(self, index: int) -> Frame:
        return self.recording.frame(index)


class _OfArray:
    """Frames of a Zarr array that somebody else wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            node: Any = zarr.open(str(path), mode="r", zarr_format=3)
            array: Any = node["frames"] if isinstance(node, zarr.Group) else node
            shape, dtype = tuple(array.shape), np.dtype(array.dtype)
        except Exception as error:
            # Other people's metadata fails in as many ways as Zarr has codecs.
            raise RecordingInvalid(f"{path} cannot be opened as a Zarr v3 array: {error}") from None
        if len(shape) != 3 or dtype != np.uint8 or not possible_frame(int(shape[1]), int(shape[2])):
            raise RecordingInvalid(f"{path} is {dtype} {shape}: frames are uint8 (time, height, width)")
        self._array = array
        self.count, self.height_px, self.width_px = (int(side) for side in shape)
        self.rate_fps = _said_rate(dict(array.attrs))

    def read(self, index: int) -> Frame:
        try:
            return np.asarray(self._array[index], dtype=np.uint8)
        except Exception as error:
            raise RecordingInvalid(f"{self._path}: frame {index} cannot be read: {error}") from None


class _OfFolder:
    """Frames that are picture files with a number in their names, in the order of these numbers."""

    def __init__(self, path: Path) -> None:
        found: list[tuple[int, str]] = []
        for entry in path.iterdir():
            match = _NUMBERED.fullmatch(entry.name)
            if match and len(found) < _MOST_FRAMES_IN_A_FOLDER:
                found.append((int(match[1]), entry.name))
        if not found:
            raise RecordingInvalid(f"{path} is neither a recording nor a folder of numbered pictures")
        self._path = path
        self._names = [name for _, name in sorted(found)]
        self.count = len(self._names)
        self.rate_fps = 0.0
        self.height_px, self.width_px = self.read(0).shape

    def read(self, index: int) -> Frame:
        file = self._path / self._names[index]
        pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise RecordingInvalid(f"{file} is not a picture that can be read")
        return np.asarray(pixels, dtype=np.uint8)


def _said_rate(attributes: dict[str, Any]) -> float:
    for name in ("rate_fps", "fps", "frame_rate"):
        rate = attributes.get(name)
        if isinstance(rate, int | float) and 0 < rate < 1e6:
            return float(rate)
    return 0.0
