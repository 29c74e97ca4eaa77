"""Packs a recording without loss, as FFV1 video or as zstd-packed Zarr, and proves that it comes back bit for bit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import google_crc32c
import msgspec
import numpy as np
from numcodecs.blosc import Blosc  # type: ignore[import-untyped]  # the package ships no types

from capture.errors import CaptureError, RecordingInvalid
from capture.recording.attributes import Source
from capture.recording.blocks import Progress, blocks, checked_blocks, silent
from capture.recording.clip import source_lost_ids
from capture.recording.layout import (
    FORMAT_VERSION,
    MISSING,
    PER_FRAME,
    ShardGeometry,
    frames_metadata,
    group_metadata,
    shard_path,
    value_path,
    values_metadata,
    write_json,
)
from capture.recording.output import new_output
from capture.recording.pixels import BLOSC_CODEC, VIDEO_FPS, VIDEO_NAME
from capture.recording.reader import VALUES_NAME, Recording
from capture.version import software

_SUFFIX = {"ffv1": ".ffv1", "zstd": ".zarr"}


class TranscodeReport(msgspec.Struct, frozen=True):
    """What was packed; the round trip has been compared byte for byte, or there would be no report."""

    path: str
    codec: str
    frames: int
    raw_bytes: int
    packed_bytes: int
    ratio: float
    """Raw bytes to packed bytes."""
    verified: bool
    elapsed_s: float


def transcode(
    path: Path | str,
    out: Path | str,
    codec: Literal["ffv1", "zstd"] = "ffv1",
    progress: Progress = silent,
) -> TranscodeReport:
    """Pack the recording at `path` into `out`, and read it back.

    `ffv1` makes a folder `….ffv1` with the video `frames.mkv` (FFV1 version 3, every frame on its own, slices with
    checksums, playing at 25 frames a second) and the Zarr group `values.zarr` with attributes and per-frame arrays.
    `zstd` makes a recording `….zarr` of the same layout whose frames are packed one by one (Zarr's `blosc` codec with
    bit shuffle and zstd level 3), which any Zarr v3 reader opens. `Recording` opens both.

    Args:
        path: The recording.
        out: What to make; must not exist.
        codec: `ffv1` packs tighter, `zstd` reads faster.
        progress: Told how much is done; each frame counts twice, once packed and once read back.

    Raises:
        BadInput: `out` exists or its name does not fit the codec.
        RecordingInvalid: The source is empty or was never closed, or a frame of it is damaged.
        CaptureError: What was packed did not come back as it was; nothing is left behind.
    """
    started = time.monotonic()
    recording = Recording.open(path)
    if not len(recording):
        raise RecordingInvalid(f"{recording.path} has no frames: there is nothing to pack")
    if recording.attributes.state not in ("complete", "repaired"):
        raise RecordingInvalid(f"{recording.path} was never closed: run `dfme-session repair` first")
    out = Path(out)
    total = 2 * len(recording)
    with new_output(out, _SUFFIX[codec]) as partial:
        if codec == "ffv1":
            _write_ffv1(recording, partial, lambda done: progress(done, total))
        else:
            _write_packed(recording, partial, lambda done: progress(done, total))
        _compare(recording, Recording.open(partial), lambda done: progress(len(recording) + done, total))
        packed_bytes = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
    raw_bytes = len(recording) * recording.geometry.frame_bytes
    return TranscodeReport(
        path=str(out),
        codec=codec,
        frames=len(recording),
        raw_bytes=raw_bytes,
        packed_bytes=packed_bytes,
        ratio=raw_bytes / packed_bytes,
        verified=True,
        elapsed_s=time.monotonic() - started,
    )


def _write_ffv1(recording: Recording, folder: Path, done: Callable[[int], None]) -> None:
    folder.mkdir()
    _write_values(recording, folder / VALUES_NAME, ShardGeometry(recording.height_px, recording.width_px), "ffv1")
    video = folder / VIDEO_NAME
    try:
        with av.open(str(video), "w", format="matroska") as container:
            options = {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"}
            stream = container.add_stream("ffv1", rate=VIDEO_FPS, options=options)
            stream.width, stream.height, stream.pix_fmt = recording.width_px, recording.height_px, "gray"
            stream.thread_type, stream.thread_count = "SLICE", os.cpu_count() or 1
            for block in checked_blocks(recording):
                for number, image in enumerate(block.frames, block.start):
                    frame = av.VideoFrame.from_ndarray(image, format="gray")
                    frame.pts, frame.time_base = number, Fraction(1, VIDEO_FPS)
                    container.mux(stream.encode(frame))
                done(block.stop)
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise CaptureError(f"cannot pack {recording.path} as FFV1: {error}") from error
    _sync(video)


def _write_packed(recording: Recording, folder: Path, done: Callable[[int], None]) -> None:
    geometry = ShardGeometry(recording.height_px, recording.width_px)
    folder.mkdir()
    _write_values(recording, folder, geometry, "zstd")
    metadata = frames_metadata(geometry, len(recording))
    metadata["codecs"][0]["configuration"]["codecs"].append(BLOSC_CODEC)
    write_json(folder / "frames" / "zarr.json", metadata)
    packed = _packed_frames(recording)
    per_shard = geometry.frames_per_shard
    for shard, first in enumerate(range(0, len(recording), per_shard)):
        path = shard_path(folder, shard)
        path.parent.mkdir(parents=True)
        index = np.full((per_shard, 2), MISSING, dtype="<u8")
        with path.open("wb") as file:
            file.write(bytes(geometry.data_start))
            for slot in range(min(per_shard, len(recording) - first)):
                content = next(packed)
                index[slot] = file.tell(), len(content)
                file.write(content)
                done(first + slot + 1)
            body = index.tobytes()
            file.seek(0)
            file.write(body + google_crc32c.value(body).to_bytes(4, "little"))
            file.flush()
            os.fsync(file.fileno())


def _packed_frames(recording: Recording) -> Iterator[bytes]:
    """Each frame packed, in order, on all cores."""
    # Outside the main thread Blosc packs each frame on one core and lets go of the interpreter.
    codec = Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pack") as pool:
        for block in checked_blocks(recording):
            yield from pool.map(codec.encode, block.frames)


def _write_values(recording: Recording, group: Path, geometry: ShardGeometry, codec: str) -> None:
    """Attributes and per-frame arrays, as standard Zarr."""
    source = Source(
        recording=recording.path.name,
        operation=f"transcode to {codec}",
        series=recording.attributes.series,
        lost_ids=[],
    )
    earlier = recording.attributes.source
    if earlier is not None:
        # What a packed clip was cut from still accounts for its ids.
        source = msgspec.structs.replace(
            source,
            frames=earlier.frames,
            lost_ids=source_lost_ids(recording, 0, len(recording)),
            gaps=earlier.gaps,
        )
    attributes = {
        **recording.raw_attributes,
        "format": FORMAT_VERSION,
        "transcoded_by": software(),
        "height_px": recording.height_px,
        "width_px": recording.width_px,
        "frames": len(recording),
        "source": msgspec.to_builtins(source),
    }
    write_json(group / "zarr.json", group_metadata(attributes))
    columns = {name: getattr(recording, name) for name in PER_FRAME}
    for name, values in columns.items():
        write_json(group / name / "zarr.json", values_metadata(name, geometry, len(values)))
        for shard, first in enumerate(range(0, len(values), geometry.frames_per_shard)):
            chunk = np.zeros(geometry.frames_per_shard, PER_FRAME[name])
            part = values[first : first + geometry.frames_per_shard]
            chunk[: len(part)] = part
            path = value_path(group, name, shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(chunk.tobytes())
            _sync(path)


def _compare(source: Recording, packed: Recording, done: Callable[[int], None]) -> None:
    """Every frame and every value of `packed` against `source`."""
    for name in PER_FRAME:
        if not np.array_equal(getattr(source, name), getattr(packed, name)):
            raise CaptureError(f"{name} of {source.path} did not come back as it was: nothing was kept, try again")
    for ours, theirs in zip(blocks(source), blocks(packed), strict=True):
        error = ours.error or theirs.error
        if error is not None or not np.array_equal(ours.frames, theirs.frames):
            raise CaptureError(
                f"frames {ours.start} to {ours.stop - 1} of {source.path} did not come back as they were"
                f"{f' ({error})' if error else ''}: nothing was kept, try again"
            )
        done(ours.stop)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
