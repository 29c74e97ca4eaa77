"""Placeholder videos for rehearsal and tests: a visible frame number, the same in blocks for machines, and beeps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from elicitation.errors import ElicitationError

COUNTER_BITS: Final = 16
"""Bits of the frame number drawn in blocks, the highest at the left."""
_AUDIO_RATE_HZ = 48_000
_BEEP_HZ = 880.0
_BEEP_S = 0.05
_BACKGROUND = (96, 88, 80)
Progress = Callable[[int, int, str], None]


def make_placeholder(
    path: Path,
    *,
    title: str,
    duration_s: float,
    rate_fps: Fraction = Fraction(30),
    width_px: int = 1280,
    height_px: int = 720,
    progress: Progress | None = None,
) -> Path:
    """Write an H.264 and AAC video: title, running frame number, its bits in blocks along the top, a beep every second.

    Args:
        path: Where; `.mp4`.
        title: Shown in every frame, such as the stimulus id.
        duration_s: Length; a whole number of frames is written.
        rate_fps: Frames a second.
        width_px: Even number.
        height_px: Even number.
        progress: Told frames written, frames planned, and the title.

    Returns:
        `path`, which appears only when it is complete.

    Raises:
        ElicitationError: The folder cannot be written.
    """
    frames = max(round(duration_s * rate_fps), 1)
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(partial), "w", format="mp4") as container:
            video = container.add_stream("libx264", rate=rate_fps, options={"preset": "ultrafast", "crf": "23"})
            video.width, video.height, video.pix_fmt = width_px, height_px, "yuv420p"
            sound = container.add_stream("aac", rate=_AUDIO_RATE_HZ, layout="stereo")
            samples_done = 0
            for number in range(frames):
                picture = av.VideoFrame.from_ndarray(_picture(title, number, frames, width_px, height_px), "bgr24")
                picture.pts, picture.time_base = number, 1 / rate_fps
                container.mux(video.encode(picture))
                samples_end = int((number + 1) / rate_fps * _AUDIO_RATE_HZ)
                chunk = av.AudioFrame.from_ndarray(_beeps(samples_done, samples_end), "fltp", "stereo")
                chunk.sample_rate, chunk.pts = _AUDIO_RATE_HZ, samples_done
                chunk.time_base = Fraction(1, _AUDIO_RATE_HZ)
                container.mux(sound.encode(chunk))
                samples_done = samples_end
                if progress is not None:
                    progress(number + 1, frames, title)
            container.mux(video.encode(None))
            container.mux(sound.encode(None))
        partial.replace(path)
    except OSError as error:
        raise ElicitationError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return path


def read_counter(luma: npt.NDArray[np.uint8]) -> int:
    """The frame number in the blocks of a picture, uint8 (height, width) of any size; -1 where it is not readable."""
    height, width = luma.shape
    boxes = [_block(bit, width, height) for bit in range(COUNTER_BITS + 1)]
    values = [int(luma[(y0 + y1) // 2, (x0 + x1) // 2]) for x0, y0, x1, y1 in boxes]
    if values[-1] < 128 or any(64 < value < 192 for value in values):
        return -1
    return sum((value > 128) << (COUNTER_BITS - 1 - bit) for bit, value in enumerate(values[:-1]))


def _block(bit: int, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Corners of the block of one bit; the one behind the last is white as long as there is a picture."""
    step = width_px / (COUNTER_BITS + 5)
    left = (bit + 2) * step
    return round(left), round(height_px * 0.04), round(left + step * 0.8), round(height_px * 0.12)


def _picture(title: str, number: int, frames: int, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    picture = np.full((height_px, width_px, 3), _BACKGROUND, np.uint8)
    for bit in range(COUNTER_BITS + 1):
        x0, y0, x1, y1 = _block(bit, width_px, height_px)
        lit = bit == COUNTER_BITS or bool(number >> (COUNTER_BITS - 1 - bit) & 1)
        picture[y0:y1, x0:x1] = 255 if lit else 0
    scale = height_px / 360
    _centred(picture, title, 0.38, 1.2 * scale)
    _centred(picture, f"frame {number}", 0.60, 2.0 * scale)
    done = round((number + 1) / frames * width_px * 0.8)
    top, left = round(height_px * 0.86), round(width_px * 0.1)
    picture[top : top + max(round(4 * scale), 1), left : left + done] = 255
    return picture


def _centred(picture: npt.NDArray[np.uint8], text: str, height: float, scale: float) -> None:
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(round(scale * 2), 1)
    (width, _), _ = cv2.getTextSize(text, font, scale, thickness)
    place = ((picture.shape[1] - width) // 2, round(picture.shape[0] * height))
    cv2.putText(picture, text, place, font, scale, (255, 255, 255), thickness, cv2.LINE_AA)


def _beeps(begin: int, end: int) -> npt.NDArray[np.float32]:
    """Stereo samples `begin` to `end`, float32 (2, samples): a short tone at every full second."""
    time_s = np.arange(begin, end) / _AUDIO_RATE_HZ
    tone = np.where(time_s % 1.0 < _BEEP_S, 0.25 * np.sin(2 * np.pi * _BEEP_HZ * time_s), 0.0)
    return np.ascontiguousarray(np.broadcast_to(tone.astype(np.float32), (2, end - begin)))
