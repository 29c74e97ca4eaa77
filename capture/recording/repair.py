"""Makes a recording whole again after a kill or a torn write: index, lengths and metadata, never pixels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import google_crc32c
import msgspec
import numpy as np
import numpy.typing as npt

from capture.errors import BadInput, CaptureError, NoSpace, RecordingInvalid
from capture.recording.attributes import Repair, parse_attributes, raw_attributes, read_json
from capture.recording.blocks import Progress, silent
from capture.recording.files import lies_in, open_regular, write_whole
from capture.recording.layout import (
    FORMAT_VERSION,
    PER_FRAME,
    ShardGeometry,
    frames_metadata,
    group_metadata,
    shard_path,
    value_path,
    values_metadata,
    write_json,
)
from capture.recording.pixels import VIDEO_NAME, possible_frame, read_exactly, read_frames_metadata, read_index
from capture.recording.reader import chunk_numbers, read_value_chunk

KEPT_NAME = "before-repair"
"""Folder beside an array's chunks where the times of frames that were left out are kept."""


class RepairReport(msgspec.Struct, frozen=True):
    """What `repair` found and did."""

    path: str
    changed: bool
    """False when there was nothing to repair."""
    state: str
    frames: int
    """Frames that count now."""
    frames_dropped: int
    """Frames whose pixels do not have their checksum, over all repairs of this recording."""
    indexes_rebuilt: int
    metadata_rewritten: int


class _Shard:
    """What is on disk of one shard, and what should be."""

    def __init__(self, recording: Path, number: int, geometry: ShardGeometry) -> None:
        self.recording = recording
        self.path = shard_path(recording, number)
        self.number = number
        self.geometry = geometry
        # Of all that is known of a shard only this stays in memory: a recording of a day has 86,400 of them.
        self.counted: npt.NDArray[np.bool_] = np.trim_zeros(self.values("host_ns") > 0, "b")
        """Which slots hold a frame that counts, bool, up to the last such slot."""
        self.intact: npt.NDArray[np.bool_] = np.zeros_like(self.counted)
        """Of those, which have their pixels."""

    def values(self, name: str) -> npt.NDArray[Any]:
        """A per-frame array as it is on disk (frames_per_shard,)."""
        return read_value_chunk(self.recording, name, self.number, self.geometry.frames_per_shard)

    def is_intact(self) -> npt.NDArray[np.bool_]:
        """Which slots hold a frame that is intact, bool (frames_per_shard,)."""
        present = np.zeros(self.geometry.frames_per_shard, np.bool_)
        present[: len(self.intact)] = self.intact
        return present

    def check(self) -> None:
        """Find the frames whose pixels, at their place in the shard, have the checksum that was recorded."""
        if not len(self.counted):
            return
        try:
            fd = open_regular(self.path)
        except FileNotFoundError:
            return
        geometry, checksums = self.geometry, self.values("crc32c")
        try:
            size = os.fstat(fd).st_size
            pixels = np.empty(geometry.frame_bytes, np.uint8)
            for slot in np.flatnonzero(self.counted).tolist():
                if geometry.offset(slot) + geometry.frame_bytes > size:
                    break
                # A frame that the disk cannot read any more is lost, those behind it are not.
                with suppress(RecordingInvalid):
                    read_exactly(fd, pixels.data, geometry.offset(slot), self.path)
                    self.intact[slot] = google_crc32c.value(pixels) == int(checksums[slot])
        finally:
            os.close(fd)


def repair(path: Path | str, progress: Progress = silent) -> RepairReport:
    """Rebuild what a kill or a torn write left broken in the recording at `path`.

    A frame counts when its arrival time was recorded and the pixels at its place have its checksum. Index blocks are
    rebuilt from that, array lengths set to the last such frame, missing metadata written anew, and the state becomes
    `repaired`. Frames whose pixels no longer match are taken out of the count; their pixels stay where they are and
    their times are kept in `host_ns/before-repair`. Repairing twice changes nothing more, and a recording without
    damage is left as it is.

    Raises:
        BadInput: The recording is packed or a video: only the copy it was made from can replace it.
        CaptureError: A process is still writing it.
        RecordingInvalid: Too little is left to know the frame size.
    """
    path = Path(path)
    geometry = _geometry(path)
    writer = process_writing(path)
    if writer is not None:
        raise CaptureError(f"process {writer} is recording {path}: stop it first")
    raw = _attributes_or_empty(path)
    shards = [_Shard(path, number, geometry) for number in _shard_numbers(path)]
    _refuse_links(path, shards)
    total = sum(int(shard.counted.sum()) for shard in shards)
    done = 0
    for shard in shards:
        shard.check()
        done += int(shard.counted.sum())
        progress(done, total)
    length = max(
        (s.number * geometry.frames_per_shard + _last(s.intact) + 1 for s in shards if s.intact.any()), default=0
    )
    frames = sum(int(shard.intact.sum()) for shard in shards)
    dropped = [s for s in shards if bool(np.any(s.counted & ~s.intact))]
    lost_ids = [(i, i) for s in dropped for i in s.values("frame_id")[np.flatnonzero(s.counted & ~s.intact)].tolist()]
    with _disk_errors(path):
        rebuilt = sum(_rebuild_index(shard, geometry) for shard in shards)
        for shard in dropped:
            _take_out(path, shard)
        # Readers never look at chunks behind the last frame.
        within = [shard for shard in shards if shard.number * geometry.frames_per_shard < length]
        extended = sum(_complete_chunks(path, shard) for shard in within)
        rewritten = _rewrite_metadata(path, geometry, length)
        open_state = raw.get("state") not in ("complete", "repaired")
        changed = bool(rebuilt or dropped or extended or rewritten or open_state or raw.get("frames") != frames)
        earlier = _earlier_repair(raw)
        summary = Repair(earlier.frames_dropped + len(lost_ids), (earlier.lost_ids + _joined(lost_ids)))
        if changed:
            for shard in shards:
                _trim_unwritten(shard.path, geometry)
            attributes = {
                **raw,
                "format": raw.get("format", FORMAT_VERSION),
                "state": "repaired",
                "frames": frames,
                "height_px": geometry.height_px,
                "width_px": geometry.width_px,
                "repair": msgspec.to_builtins(summary),
            }
            write_json(path / "zarr.json", group_metadata(attributes))
    return RepairReport(
        path=str(path),
        changed=changed,
        state="repaired" if changed else str(raw.get("state")),
        frames=frames,
        frames_dropped=summary.frames_dropped,
        indexes_rebuilt=rebuilt,
        metadata_rewritten=rewritten,
    )


def process_writing(path: Path) -> int | None:
    """Id of a process that has a file under `path` open for writing, or None (others' processes cannot be seen)."""
    inside = f"{path.resolve()}/"
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            for link in (process / "fd").iterdir():
                if str(link.readlink()).startswith(inside) and _is_writable(process / "fdinfo" / link.name):
                    return int(process.name)
        except OSError:
            continue
    return None


def _is_writable(fdinfo: Path) -> bool:
    flags = next(line for line in fdinfo.read_text().splitlines() if line.startswith("flags:"))
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY


def _geometry(path: Path) -> ShardGeometry:
    """Frame size and shard length, from the frames' metadata, or from the attributes where that is gone."""
    if (path / VIDEO_NAME).exists():
        raise BadInput(f"{path} is a video: repair works on .zarr recordings")
    if not (path / "frames").is_dir():
        raise RecordingInvalid(f"{path} has no frames: give the path of a .zarr recording")
    try:
        geometry, _, packed = read_frames_metadata(path)
    except RecordingInvalid as error:
        try:
            attributes = parse_attributes(path, raw_attributes(path))
        except RecordingInvalid:
            raise error from None
        if not possible_frame(attributes.height_px, attributes.width_px):
            raise error from None
        return ShardGeometry(attributes.height_px, attributes.width_px)
    if packed:
        raise BadInput(f"{path} is packed: repair works on recordings as the camera made them")
    return geometry


def _attributes_or_empty(path: Path) -> dict[str, Any]:
    try:
        raw = raw_attributes(path)
        parse_attributes(path, raw)
    except RecordingInvalid as error:
        if "this dfme reads" in str(error):
            raise
        return {}
    return raw


def _earlier_repair(raw: dict[str, Any]) -> Repair:
    try:
        return msgspec.convert(raw.get("repair") or {}, Repair)
    except msgspec.ValidationError:
        return Repair()


def _shard_numbers(path: Path) -> list[int]:
    return sorted({*chunk_numbers(path / "frames" / "c"), *chunk_numbers(path / "host_ns" / "c")})


def _last(present: npt.NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(present)[-1])


def _refuse_links(path: Path, shards: list[_Shard]) -> None:
    """Make sure that whatever repair writes lands in the recording.

    Raises:
        RecordingInvalid: A file or folder of it is a link that leads elsewhere.
    """
    targets = [path / "zarr.json", *(path / name / "zarr.json" for name in ("frames", *PER_FRAME))]
    for shard in shards:
        targets += [shard.path, *(value_path(path, name, shard.number) for name in PER_FRAME)]
        targets += [path / "host_ns" / KEPT_NAME / str(shard.number)]
    for target in targets:
        if not lies_in(target, path):
            raise RecordingInvalid(f"{target} is a link or lies behind one: repair would write outside the recording")


def _joined(ids: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Single ids as ranges."""
    joined: list[tuple[int, int]] = []
    for first, last in ids:
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _rebuild_index(shard: _Shard, geometry: ShardGeometry) -> bool:
    """Write the shard's index where it differs from the frames that are intact; returns whether it did."""
    if not shard.path.exists():
        return False
    block = geometry.index_block(shard.is_intact())
    try:
        current = read_index(shard.path, geometry).tobytes()
    except RecordingInvalid:
        current = b""
    if current == block[: geometry.index_bytes - 4]:
        return False
    with shard.path.open("r+b") as file:
        file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return True


def _take_out(path: Path, shard: _Shard) -> None:
    """Set the arrival times of damaged frames to 0, keeping the file as it was."""
    chunk = value_path(path, "host_ns", shard.number)
    kept = path / "host_ns" / KEPT_NAME / str(shard.number)
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(chunk, kept)
    times = shard.values("host_ns")
    times[~shard.is_intact()] = 0
    write_whole(chunk, times.tobytes())


def _complete_chunks(path: Path, shard: _Shard) -> bool:
    """Bring chunk files that are missing or cut short to full length; returns whether any was."""
    changed = False
    for name, dtype in PER_FRAME.items():
        chunk = value_path(path, name, shard.number)
        if not chunk.exists() or chunk.stat().st_size != shard.geometry.frames_per_shard * dtype.itemsize:
            chunk.parent.mkdir(parents=True, exist_ok=True)
            write_whole(chunk, shard.values(name).tobytes())
            changed = True
    return changed


def _rewrite_metadata(path: Path, geometry: ShardGeometry, length: int) -> int:
    """Write each `zarr.json` that is not what it should be; returns how many."""
    wanted = {name: values_metadata(name, geometry, length) for name in PER_FRAME}
    wanted["frames"] = frames_metadata(geometry, length)
    rewritten = 0
    for name, metadata in wanted.items():
        target = path / name / "zarr.json"
        try:
            same = read_json(target) == metadata
        except RecordingInvalid:
            same = False
        if not same:
            write_json(target, metadata)
            rewritten += 1
    return rewritten


def _trim_unwritten(path: Path, geometry: ShardGeometry) -> None:
    """Give back the part of a preallocated shard that was never written: the hole behind its last data."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        end = geometry.data_start
        try:
            while True:
                data = os.lseek(file.fileno(), end, os.SEEK_DATA)
                end = os.lseek(file.fileno(), data, os.SEEK_HOLE)
        except OSError:
            slots = -(-(end - geometry.data_start) // geometry.stride)
            if geometry.shard_bytes(slots) < size:
                os.ftruncate(file.fileno(), geometry.shard_bytes(slots))


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == 28:
            raise NoSpace(f"no space left to repair {path}: make room") from error
        raise CaptureError(f"cannot write {error.filename or path}: {error.strerror}") from error
