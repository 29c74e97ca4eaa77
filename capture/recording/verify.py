"""Checks a recording from end to end: every checksum, every frame id, and the four places of the loss ledger."""

from __future__ import annotations

import time
from pathlib import Path

import google_crc32c
import msgspec
import numpy as np

from capture.recording.attributes import MonitorLedger
from capture.recording.blocks import Progress, blocks, checksums, silent
from capture.recording.findings import Findings
from capture.recording.four_places import Place, check_ledger
from capture.recording.layout import PER_FRAME, shard_path, value_path
from capture.recording.ledger import (
    KEPT_RANGES,
    breaks_of,
    count_ids,
    describe,
    find_gaps,
    presumed_breaks,
    surplus,
    within,
)
from capture.recording.reader import Recording, chunk_numbers
from capture.recording.repair import process_writing
from capture.simulator.stamp import read_stamp
from capture.statistics import Gap


class VerifyReport(msgspec.Struct, frozen=True):
    """What `verify` found."""

    path: str
    ok: bool = False
    problems: tuple[str, ...] = ()
    """Each a line that names what is wrong and where."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and is not wrong."""
    state: str = ""
    codec: str = ""
    frames: int = 0
    bytes: int = 0
    """Pixel bytes that were read and checked."""
    missing_ids: int = 0
    """Frame ids between the first and the last frame that no frame has."""
    stamped: bool = False
    """Whether frames carry the simulated camera's stamp, which was then checked too."""
    places: tuple[Place, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """Stretches in which the camera was away."""
    elapsed_s: float = 0.0


def verify(path: Path | str, progress: Progress = silent, *, monitor: MonitorLedger | None = None) -> VerifyReport:
    """Check the recording at `path`.

    Pixels of a recording that is still being made are left alone: reading them would take the disk from the recorder.

    Args:
        path: The recording.
        progress: Told how many frames are done.
        monitor: What the operator's monitor said at the end; `session.json` has it.

    Raises:
        RecordingInvalid: The recording cannot even be opened.
    """
    started = time.monotonic()
    recording = Recording.open(path)
    findings = Findings()
    running = _check_state(recording, findings)
    _check_files(recording, findings)
    _check_values(recording, findings)
    missing = _check_ids(recording, findings)
    places = check_ledger(recording, monitor, findings)
    stamped = not running and _check_pixels(recording, findings, progress)
    return VerifyReport(
        path=str(recording.path),
        ok=not findings.problems,
        problems=tuple(findings.problems),
        notes=tuple(findings.notes),
        state=recording.attributes.state,
        codec=recording.codec,
        frames=len(recording),
        bytes=0 if running else len(recording) * recording.geometry.frame_bytes,
        missing_ids=missing,
        stamped=stamped,
        places=places,
        gaps=recording.attributes.gaps,
        elapsed_s=time.monotonic() - started,
    )


def _check_state(recording: Recording, findings: Findings) -> bool:
    """Whether it was closed; returns whether a process is still recording it."""
    attributes = recording.attributes
    running = False
    if attributes.state == "recording":
        writer = process_writing(recording.path)
        if writer is None:
            findings.problems.append("state: never closed, the process was killed: run `dfme-session repair`")
        else:
            running = True
            findings.problems.append(f"state: process {writer} is still recording it: verify again when it has ended")
    elif attributes.state == "repaired":
        dropped = attributes.repair.frames_dropped if attributes.repair else 0
        findings.notes.append(f"repaired; {dropped} frames had lost their pixels and were left out")
    elif attributes.state != "complete":
        findings.problems.append(f"state: {attributes.state!r} is none of recording, complete, repaired")
    if attributes.source is not None:
        findings.notes.append(f"{attributes.source.operation} of {attributes.source.recording}")
    return running


def _check_files(recording: Recording, findings: Findings) -> None:
    """Lengths of arrays and files; only a recording that was closed has exact ones."""
    attributes, geometry = recording.attributes, recording.geometry
    if (attributes.height_px, attributes.width_px) != (geometry.height_px, geometry.width_px):
        findings.problems.append(
            f"size: attributes say {attributes.width_px} x {attributes.height_px}, "
            f"the frames are {geometry.width_px} x {geometry.height_px}"
        )
    if attributes.state == "recording":
        return
    findings.expect("frames", attributes.frames, "zarr.json", len(recording), "the recording")
    if len(recording) and int(recording.positions[-1]) != len(recording) - 1:
        missing = int(recording.positions[-1]) + 1 - len(recording)
        text = f"{missing} places between the first and the last frame hold no frame"
        (findings.notes if attributes.state == "repaired" else findings.problems).append(text)
    if recording.codec == "ffv1":
        return
    # Only those that hold frames: a place far behind the others is one problem, not as many as lie between.
    shards = np.unique(recording.positions // geometry.frames_per_shard).tolist()
    for shard in shards:
        for name, dtype in PER_FRAME.items():
            chunk = value_path(recording.path, name, shard)
            expected = geometry.frames_per_shard * dtype.itemsize
            if not chunk.is_file() or chunk.stat().st_size != expected:
                findings.problems.append(f"{chunk} is missing or not {expected} bytes long")
    # Repair keeps shards in which no frame counts any more, as it deletes no pixels; a first shard is always made.
    spare = [k for k in chunk_numbers(recording.path / "frames" / "c") if k > max(shards, default=0)]
    if spare and attributes.state == "complete":
        findings.problems.append(f"{shard_path(recording.path, spare[0])} lies behind the last frame")


def _check_values(recording: Recording, findings: Findings) -> None:
    """Ids, times and checksums of frames against their own checksums, which a clean end writes."""
    if recording.attributes.state != "complete":
        return
    for name, wanted in recording.attributes.values_crc32c.items():
        if name in PER_FRAME and google_crc32c.value(getattr(recording, name).tobytes()) != wanted:
            findings.problems.append(f"{name}: values differ from what was recorded: restore {name} from a copy")


def _check_ids(recording: Recording, findings: Findings) -> int:
    """Frame ids and times; returns how many ids are missing."""
    frame_id, host_ns = recording.frame_id, recording.host_ns
    late = np.flatnonzero(host_ns[1:] < host_ns[:-1])
    if len(late):
        findings.problems.append(f"host_ns: goes back at frame {late[0] + 1} (and {len(late) - 1} more)")
    away = recording.attributes.gaps
    breaks = breaks_of(away, host_ns)
    if recording.attributes.ledger.end is None and not breaks:
        breaks = presumed_breaks(frame_id, host_ns)
        findings.notes += [f"the camera was away before frame {frame}, as its ids begin anew" for frame in breaks]
    gaps = find_gaps(frame_id, breaks)
    if gaps.backward:
        findings.problems.append(
            f"frame_id: does not advance at frame {gaps.first_backward} (and {gaps.backward - 1} more)"
        )
    if gaps.wraps:
        findings.notes.append("frame ids started over: the camera counts with 16 or 32 bits")
    lost, complete = recording.attributes.lost_id_ranges()
    unsaid = surplus(gaps.missing, lost)
    if unsaid and not complete:
        findings.notes.append(f"the ledger keeps {KEPT_RANGES} id ranges a cause, {count_ids(unsaid)} ids are beyond")
    elif unsaid:
        findings.problems.append(f"frame_id: {count_ids(unsaid)} ids are missing unsaid: {describe(unsaid)}")
    # Where ids started over, a range of them names no place.
    if not gaps.wraps and not gaps.backward and not breaks and len(frame_id):
        inside = within(lost, int(frame_id[0]), int(frame_id[-1]))
        extra = surplus(inside, gaps.missing)
        if extra:
            findings.problems.append(
                f"lost_ids: the ledger has {count_ids(extra)} ids as lost that are recorded, or twice: "
                f"{describe(extra)}"
            )
    return gaps.missing_count


def _check_pixels(recording: Recording, findings: Findings, progress: Progress) -> bool:
    """Checksum and stamp of every frame; returns whether frames are stamped."""
    damaged: list[int] = []
    unreadable: list[int] = []
    misplaced: list[int] = []
    spoilt: list[int] = []
    first_error = ""
    stamped = False
    for block in blocks(recording):
        if block.error is not None:
            first_error = first_error or str(block.error)
            unreadable.append(block.start)
            continue
        wrong = checksums(block.frames) != recording.crc32c[block.start : block.stop]
        damaged.extend((np.flatnonzero(wrong) + block.start).tolist())
        if block.start == 0:
            stamped = read_stamp(block.frames[0]) is not None
        if stamped:
            for frame, image in enumerate(block.frames, block.start):
                stamp = read_stamp(image)
                if stamp is None or not stamp.intact:
                    spoilt.append(frame)
                elif stamp.frame_id != int(recording.frame_id[frame]):
                    misplaced.append(frame)
        progress(block.stop, len(recording))
    if unreadable:
        findings.problems.append(f"{len(unreadable)} frames cannot be read ({_frames(unreadable)}): {first_error}")
    if damaged:
        findings.problems.append(f"crc32c: {len(damaged)} frames differ from what was recorded ({_frames(damaged)})")
    if spoilt:
        findings.problems.append(f"stamp: {len(spoilt)} frames have lost it or its pixels ({_frames(spoilt)})")
    if misplaced:
        findings.problems.append(f"stamp: {len(misplaced)} frames carry another frame id ({_frames(misplaced)})")
    return stamped


def _frames(frames: list[int]) -> str:
    """Frame numbers as a few ranges."""
    numbers = np.asarray(frames)
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate(([0], breaks + 1))].tolist()
    lasts = numbers[np.concatenate((breaks, [len(numbers) - 1]))].tolist()
    return describe(list(zip(firsts, lasts, strict=True)))
