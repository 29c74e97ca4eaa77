"""Cuts a stretch out of a recording: to a new recording, to pictures, or to a slow-motion video."""

from __future__ import annotations

import mmap
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import numpy.typing as npt

from capture.errors import BadInput, CaptureError
from capture.recording.attributes import Source
from capture.recording.blocks import Progress, blocks, checked_blocks, silent
from capture.recording.layout import FORMAT_VERSION, PER_FRAME, ShardGeometry
from capture.recording.ledger import Range, breaks_of, find_gaps, surplus, within
from capture.recording.output import new_output
from capture.recording.reader import Recording
from capture.recording.writer import RecordingWriter
from capture.statistics import Gap
from capture.stills import png_bytes
from capture.version import software

MP4_FPS = 30
_FLUSH_FRAMES = 250


class ClipReport(msgspec.Struct, frozen=True):
    """What was cut."""

    path: str
    frames: int
    first: int
    """First frame, in the source."""
    stop: int
    """Frame behind the last, in the source."""
    seconds: float


def clip(
    path: Path | str,
    out: Path | str,
    *,
    frames: tuple[int | None, int | None] | None = None,
    seconds: tuple[float | None, float | None] | None = None,
    progress: Progress = silent,
) -> ClipReport:
    """Cut frames of the recording at `path` into a new recording `out`.

    Ids, times and checksums stay as they were, and so do camera, features and clock; every frame is compared with its
    checksum on the way. The attributes name the source and the range.

    Args:
        path: The recording, plain, packed or transcoded.
        out: The new recording, `….zarr`, which must not exist.
        frames: First frame and the one behind the last; None for the beginning or the end.
        seconds: The same in seconds from the first frame; a frame belongs to the clip when it was taken at or after the
            first time and before the second.
        progress: Told how many frames are done.

    Raises:
        BadInput: The range is empty or outside the recording, or `out` exists.
        RecordingInvalid: The recording cannot be read, or a frame of the range is damaged.
        NoSpace: The disk is full.
    """
    recording = Recording.open(path)
    out = Path(out)
    start, stop = frame_range(recording, frames, seconds)
    geometry = ShardGeometry(recording.height_px, recording.width_px)
    with new_output(out, ".zarr") as partial:
        attributes = _attributes(recording, start, stop)
        writer = RecordingWriter(
            partial, geometry, flush_frames=_FLUSH_FRAMES, attributes={**attributes, "state": "recording"}
        )
        try:
            slots = _Slots(geometry)
            for block in checked_blocks(recording, start, stop):
                part = slice(block.start, block.stop)
                writer.append(slots.padded(block.frames), {name: getattr(recording, name)[part] for name in PER_FRAME})
                progress(block.stop - start, stop - start)
        finally:
            writer.close(attributes)
    return ClipReport(str(out), stop - start, start, stop, Recording.open(out).seconds)


def frame_range(
    recording: Recording,
    frames: tuple[int | None, int | None] | None,
    seconds: tuple[float | None, float | None] | None,
) -> tuple[int, int]:
    """First frame and the one behind the last, from a range in frames or in seconds.

    Raises:
        BadInput: Both or none are given, or the range holds no frame of the recording.
    """
    if (frames is None) == (seconds is None):
        raise BadInput("give either a range of frames or a range of seconds")
    count = len(recording)
    if frames is not None:
        start, stop = frames[0] or 0, count if frames[1] is None else frames[1]
        if not 0 <= start < stop <= count:
            raise BadInput(f"frames {start}:{stop} are not in {recording.path}, which has frames 0:{count}")
        return start, stop
    first, last = seconds or (None, None)
    times = recording.times_ns()
    # To the nearest frame: one that a clock's drift puts a microsecond before the second asked for is meant, too.
    half_frame_s = 0.5 / recording.rate_fps if recording.rate_fps > 0 else 0.0
    elapsed = (times - times[0]) / 1e9 + half_frame_s if count else np.empty(0)
    inside = np.ones(count, dtype=bool)
    if first is not None:
        inside &= elapsed >= first
    if last is not None:
        inside &= elapsed < last
    chosen = np.flatnonzero(inside)
    if not len(chosen):
        asked = f"{'' if first is None else first}:{'' if last is None else last}"
        raise BadInput(f"seconds {asked} hold no frame of {recording.path}, which lasts {recording.seconds:.3f} s")
    return int(chosen[0]), int(chosen[-1]) + 1


def clip_to_pictures(
    path: Path | str, folder: Path | str, start: int, stop: int, progress: Progress = silent
) -> list[Path]:
    """Write frames `start` to `stop` (not included) as grey PNG files, named by frame number, into a new folder.

    Raises:
        BadInput: The folder exists.
        RecordingInvalid: A frame cannot be read.
    """
    recording = Recording.open(path)
    folder = Path(folder)
    names = []
    with new_output(folder, "") as partial:
        partial.mkdir()
        for block in blocks(recording, start, stop):
            if block.error is not None:
                raise block.error
            for frame, image in enumerate(block.frames, block.start):
                name = f"frame-{frame:06d}.png"
                (partial / name).write_bytes(png_bytes(image))
                names.append(name)
            progress(block.stop - start, stop - start)
    return [folder / name for name in names]


def clip_to_video(path: Path | str, out: Path | str, start: int, stop: int, progress: Progress = silent) -> float:
    """Write frames `start` to `stop` (not included) as an H.264 video that plays at 30 frames a second.

    Returns:
        How many times slower than life the video plays.

    Raises:
        BadInput: `out` exists or does not end in `.mp4`.
        RecordingInvalid: A frame cannot be read.
    """
    recording = Recording.open(path)
    out = Path(out)
    # H.264 with quartered colour wants even sides.
    height, width = recording.height_px // 2 * 2, recording.width_px // 2 * 2
    if not height or not width:
        raise BadInput(f"{recording.path}: frames of one pixel make no video")
    with new_output(out, ".mp4") as partial:
        try:
            with av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"}) as container:
                stream = container.add_stream("libx264", rate=MP4_FPS, options={"crf": "16", "preset": "medium"})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                number = 0
                for block in blocks(recording, start, stop):
                    if block.error is not None:
                        raise block.error
                    for image in block.frames:
                        grey = np.ascontiguousarray(image[:height, :width])
                        frame = av.VideoFrame.from_ndarray(grey, format="gray")
                        frame.pts, frame.time_base = number, Fraction(1, MP4_FPS)
                        container.mux(stream.encode(frame))
                        number += 1
                    progress(block.stop - start, stop - start)
                container.mux(stream.encode(None))
        except av.error.FFmpegError as error:
            raise CaptureError(f"cannot make {out}: {error}") from error
    return recording.rate_fps / MP4_FPS if recording.rate_fps > 0 else 1.0


def source_lost_ids(recording: Recording, start: int, stop: int) -> list[Range]:
    """Frame ids that `recording` has as lost, in any cause, between the frames `start` and `stop` (not included)."""
    ids = recording.frame_id[start:stop]
    lost, _ = recording.attributes.lost_id_ranges()
    breaks = breaks_of(source_gaps(recording, start, stop), recording.host_ns[start:stop])
    gaps = find_gaps(ids, breaks)
    if not gaps.wraps and not gaps.backward and not breaks:
        return within(lost, int(ids[0]), int(ids[-1]))
    # Where ids started over a range of them names no place; then what is missing and accounted for is kept.
    return [] if surplus(gaps.missing, lost) else list(gaps.missing)


def source_gaps(recording: Recording, start: int, stop: int) -> tuple[Gap, ...]:
    """Stretches between the frames `start` and `stop` (not included) in which the camera was away."""
    host_ns = recording.host_ns[start:stop]
    return tuple(g for g in recording.attributes.gaps if g.returned and host_ns[0] < g.to_host_ns <= host_ns[-1])


def _attributes(recording: Recording, start: int, stop: int) -> dict[str, Any]:
    raw, attributes = recording.raw_attributes, recording.attributes
    source = Source(
        recording=recording.path.name,
        operation="clip",
        series=attributes.series,
        frames=(start, stop),
        lost_ids=source_lost_ids(recording, start, stop),
        gaps=source_gaps(recording, start, stop),
    )
    kept = ("session", "trial", "series", "camera", "features", "rate_fps", "clock")
    return {
        "format": FORMAT_VERSION,
        "software": software(),
        **{name: raw[name] for name in kept if name in raw},
        "state": "complete",
        "frames": stop - start,
        "height_px": recording.height_px,
        "width_px": recording.width_px,
        "ledger": {},
        "source": msgspec.to_builtins(source),
    }


class _Slots:
    """Brings frames to the writer's stride, in page-aligned memory."""

    def __init__(self, geometry: ShardGeometry) -> None:
        self._geometry = geometry
        self._slots: npt.NDArray[np.uint8] | None = None

    def padded(self, frames: npt.NDArray[np.uint8]) -> memoryview:
        """The frames, each padded to the stride; the same memory where they fill it already."""
        geometry = self._geometry
        if geometry.stride == geometry.frame_bytes:
            return frames.data.cast("B")
        if self._slots is None or len(self._slots) < len(frames):
            memory = mmap.mmap(-1, len(frames) * geometry.stride)
            self._slots = np.frombuffer(memory, np.uint8).reshape(len(frames), geometry.stride)
        slots = self._slots[: len(frames)]
        slots[:, : geometry.frame_bytes] = frames.reshape(len(frames), -1)
        return slots.data.cast("B")
