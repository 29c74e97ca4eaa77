"""Recordings to read, check, repair, cut and pack: written by the real writer, small, with a ledger that adds up."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest

from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.writer import RecordingWriter
from capture.simulator.stamp import write_stamp

RATE_FPS = 500.0
FIRST_NS = 5_000_000_000
PERIOD_NS = 2_000_000
DELAY_NS = 150_000
"""From the moment a frame is taken to its arrival at the host."""
DEVICE_LEAD_NS = 70_000_000_000
"""How far the device clock is ahead of the host's."""
MakeRecording = Callable[..., Path]


def pixels_of(frame_ids: np.ndarray, geometry: ShardGeometry, stamped: bool) -> tuple[np.ndarray, np.ndarray]:
    """Frames that differ, as the writer takes them: (frames, stride), and the pixels alone."""
    count = len(frame_ids)
    slots = np.frombuffer(mmap.mmap(-1, max(1, count) * geometry.stride), np.uint8).reshape(-1, geometry.stride)[:count]
    noise = np.random.default_rng(7).integers(0, 24, (count, geometry.frame_bytes), np.uint8)
    slots[:, : geometry.frame_bytes] = noise + (np.arange(geometry.frame_bytes) // 64 % 200).astype(np.uint8)
    if stamped:
        for slot, frame_id in zip(slots, frame_ids.tolist(), strict=True):
            device_ns = frame_id * PERIOD_NS + FIRST_NS + DEVICE_LEAD_NS
            write_stamp(slot[: geometry.frame_bytes], frame_id=frame_id, device_ns=device_ns, picture=0)
    return slots, slots[:, : geometry.frame_bytes].reshape(count, geometry.height_px, geometry.width_px).copy()


def attributes_of(count: int, geometry: ShardGeometry, lost: dict[str, list[tuple[int, int]]]) -> dict[str, Any]:
    losses = {cause: sum(b - a + 1 for a, b in lost.get(cause, [])) for cause in ("camera", "incomplete", "ring")}
    return {
        "format": FORMAT_VERSION,
        "software": "dfme test",
        "session": "2031-05-04T10-15-00_P07",
        "trial": "trial-001",
        "series": "series-1",
        "state": "complete",
        "camera": {"vendor": "dfme", "model": "Simulated camera"},
        "features": {"set": {}, "read": {}},
        "rate_fps": RATE_FPS,
        "height_px": geometry.height_px,
        "width_px": geometry.width_px,
        "frames": count,
        "clock": {
            "source": "latch",
            "slope": 1.0,
            "device_ns": FIRST_NS + DEVICE_LEAD_NS,
            "host_ns": FIRST_NS,
            "residual_ns": 80.0,
            "max_ns": 200.0,
            "uncertainty_ns": 300.0,
            "points": 12,
        },
        "ledger": {
            "end": {
                "frames": count,
                "losses": {**losses, "disk": 0},
                "lost_ids": {cause: [list(r) for r in ranges] for cause, ranges in lost.items()},
                "producer": {
                    "delivered": count + losses["incomplete"] + losses["ring"] + 3,
                    "underrun": losses["camera"],
                    "surplus": 3,
                },
                "reason": "frames",
            },
            "recorder": {"frames": count, "lost_disk": 0, "lost_ids": []},
        },
    }


@pytest.fixture
def make_recording(tmp_path: Path) -> MakeRecording:
    """Writes a recording and gives its path; frames are also kept as `.npy` beside it, for comparison.

    `lost` are ranges of frame ids by cause, which then have no frame; `change` is merged into the attributes;
    `killed_after` leaves the recording as a kill would after so many flushed frames.
    """

    def make(
        name: str | Path = "trial-001.zarr",
        *,
        count: int = 40,
        size: tuple[int, int] = (32, 64),
        frames_per_shard: int = 16,
        first_id: int = 100,
        lost: dict[str, list[tuple[int, int]]] | None = None,
        frame_ids: Sequence[int] | None = None,
        stamped: bool = True,
        change: dict[str, Any] | None = None,
        killed_after: int | None = None,
    ) -> Path:
        geometry = ShardGeometry(*size, frames_per_shard=frames_per_shard)
        gone = {i for ranges in (lost or {}).values() for a, b in ranges for i in range(a, b + 1)}
        if frame_ids is None:
            last = first_id + count + len(gone)
            frame_ids = [i for i in range(first_id, last) if i not in gone][:count]
        ids = np.asarray(frame_ids, dtype=np.uint64)
        slots, pixels = pixels_of(ids, geometry, stamped)
        ticks = ids.astype(np.int64) if gone or first_id < 2**16 else np.arange(len(ids))
        if np.any(np.diff(ticks) <= 0):
            ticks = np.arange(len(ids))
        taken = ticks * PERIOD_NS + FIRST_NS
        path = tmp_path / name
        attributes = {**attributes_of(len(ids), geometry, lost or {}), **(change or {})}
        opening = {key: value for key, value in attributes.items() if key not in ("ledger", "frames", "clock")}
        writer = RecordingWriter(path, geometry, flush_frames=8, attributes={**opening, "state": "recording"})
        stop = len(ids) if killed_after is None else killed_after
        memory = slots.reshape(-1).data
        writer.append(
            memory[: stop * geometry.stride],
            {
                "frame_id": ids[:stop],
                "device_ns": taken[:stop] + DEVICE_LEAD_NS,
                "host_ns": taken[:stop] + DELAY_NS,
                "crc32c": [google_crc32c.value(frame.tobytes()) for frame in pixels[:stop]],
            },
        )
        np.save(path.with_suffix(".npy"), pixels[:stop])
        if killed_after is None:
            writer.close(attributes)
        else:
            writer.flush()
            abandon(writer)
        return path

    return make


def abandon(writer: RecordingWriter) -> None:
    """Let go of the files as the kernel does for a process that is killed: nothing is flushed or trimmed."""
    writer._preparer.shutdown(wait=True)
    if writer._next is not None:
        writer._next.result().close()
    writer._shard.close()


@pytest.fixture(name="abandon")
def abandon_fixture() -> Callable[[RecordingWriter], None]:
    """What happens to a writer whose process is killed."""
    return abandon


@pytest.fixture
def pixels() -> Callable[[Path], np.ndarray]:
    """The pixels that went into a recording made by `make_recording`."""
    return lambda path: np.load(path.with_suffix(".npy"))
