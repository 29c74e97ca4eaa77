"""Recordings whose every picture is drawn by the test."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import numpy as np
import numpy.typing as npt

from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.writer import RecordingWriter

Picture = npt.NDArray[np.uint8]


def write_recording(
    path: Path,
    session: str,
    trial: str,
    picture: Callable[[int], Picture],
    *,
    frames: int,
    rate_fps: float,
    first_ns: int,
) -> None:
    """A complete recording without a loss, whose frame `i` is `picture(i)`, uint8 (height, width)."""
    height_px, width_px = picture(0).shape
    geometry = ShardGeometry(height_px, width_px)
    attributes = {
        "format": FORMAT_VERSION,
        "software": "dfme test",
        "session": session,
        "trial": trial,
        "series": f"series-{trial}",
        "camera": {"vendor": "dfme", "model": "Simulated camera"},
        "features": {"set": {}, "read": {}},
        "rate_fps": rate_fps,
        "height_px": height_px,
        "width_px": width_px,
    }
    writer = RecordingWriter(path, geometry, flush_frames=100, attributes={**attributes, "state": "recording"})
    slots = np.frombuffer(mmap.mmap(-1, frames * geometry.stride), np.uint8).reshape(frames, geometry.stride)
    for i, slot in enumerate(slots):
        slot[: geometry.frame_bytes] = picture(i).reshape(-1)
    times = np.arange(frames, dtype=np.uint64) * np.uint64(round(1e9 / rate_fps)) + np.uint64(first_ns)
    checksums = [google_crc32c.value(slot[: geometry.frame_bytes].tobytes()) for slot in slots]
    ids = np.arange(frames, dtype=np.uint64)
    values = {"frame_id": ids, "device_ns": times, "host_ns": times, "crc32c": checksums}
    writer.append(slots.reshape(-1).data, values)
    writer.close({**attributes, "state": "complete", "frames": frames})
