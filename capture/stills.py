"""Saves single frames as pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from capture.ring import RingReader


def save_still(folder: Path, name: str, pixels: npt.NDArray[np.uint8]) -> Path:
    """Write `pixels`, uint8 (height, width), as `name.png` into `folder`, which is made; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    path.write_bytes(png_bytes(pixels))
    return path


def png_bytes(pixels: npt.NDArray[np.uint8]) -> bytes:
    """One frame, uint8 (height, width), as a grey PNG."""
    encoder = av.VideoCodecContext.create("png", "w")
    height, width = pixels.shape
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "gray"
    encoder.time_base = Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="gray")
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def save_newest(folder: Path, ring: RingReader) -> Path | None:
    """Save the newest frame of the ring; None where there is none yet."""
    newest = ring.newest()
    if newest is None:
        return None
    meta, pixels = newest
    return save_still(folder, f"frame-{meta.frame_id}-{meta.host_ns}", pixels)
