"""How much a face moves over a whole recording, as a curve that shows where to look; kept in one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from capture.recording.files import write_whole
from capture.recording.frame_pictures import FramePictures
from expression.errors import FaceUnusable
from expression.face import Alignment, align
from expression.face.detect import Face, FaceFinder
from expression.motion import FLOW_SIZE_PX, REGION_ORDER, FaceMotion

SAMPLES_FPS: Final = 100.0
"""Frames a second that are looked at: the shortest micro-expressions last some 40 ms."""
BLOCK_S: Final = 4.0
"""A reference frame serves so long, so that a new posture does no harm for longer."""
SURROUNDINGS_S: Final = 0.5
"""A movement counts against the median of so long before and after."""
FORMAT: Final = 1

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MotionCurve:
    """Movement over a recording, and where the face is in it."""

    frames: npt.NDArray[np.int64]
    """(samples,) frame numbers, ascending."""
    motion_px: Floats
    """(samples,) movement of the region that moves most, without the head's, against its median over a second around;
    pixels of a 128 pixel crop. nan where no face was found."""
    head_px: Floats
    """(samples,) the same of the whole head."""
    face_frames: npt.NDArray[np.int64]
    """(blocks,) frames in which the face was looked for."""
    faces: npt.NDArray[np.int64]
    """(blocks, 4) x, y, width, height of the upright box around the crop, in whole frames; zeros without a face."""

    def face_at(self, frame: int) -> tuple[int, int, int, int] | None:
        """The face's place nearest in time to a frame; None where none was ever found."""
        there = np.flatnonzero(self.faces[:, 2] > 0)
        if not len(there):
            return None
        nearest = there[np.abs(self.face_frames[there] - frame).argmin()]
        x, y, width, height = (int(value) for value in self.faces[nearest])
        return x, y, width, height

    def write(self, path: Path) -> None:
        """Write it whole."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            format=np.int64(FORMAT),
            frames=self.frames,
            motion_px=self.motion_px,
            head_px=self.head_px,
            face_frames=self.face_frames,
            faces=self.faces,
        )
        write_whole(path, packed.getvalue())

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The curve in a file; None where there is none, or it is damaged or from another version."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                if int(content["format"]) != FORMAT:
                    return None
                return cls(*(content[name] for name in ("frames", "motion_px", "head_px", "face_frames", "faces")))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def measure(
    pictures: FramePictures, rate_fps: float, finder: FaceFinder, progress: Callable[[int, int], None]
) -> MotionCurve:
    """Measure a recording.

    Args:
        pictures: Its frames.
        rate_fps: Its rate.
        finder: Finds the face every few seconds.
        progress: Told frames done and frames in all; may raise to stop.
    """
    stride = max(1, round(rate_fps / SAMPLES_FPS))
    per_block = max(2, round(BLOCK_S * rate_fps / stride))
    around = max(1, round(SURROUNDINGS_S * rate_fps / stride))
    numbers = np.arange(0, pictures.count, stride, dtype=np.int64)
    regions = np.full((len(numbers), len(REGION_ORDER)), np.nan, np.float32)
    head = np.full(len(numbers), np.nan, np.float32)
    face_frames, faces = [], []
    alignment: Alignment | None = None
    for start in range(0, len(numbers), per_block):
        reference = pictures.frame(int(numbers[start]))
        alignment = _aligned(finder, reference) or alignment
        face_frames.append(int(numbers[start]))
        faces.append(_surroundings(alignment))
        stop = min(start + per_block, len(numbers))
        if alignment is not None:
            # The surroundings of the block's first and last frames are measured against its own reference, too.
            low, high = max(0, start - around), min(len(numbers), stop + around)
            moved, head_moved = _block(pictures, numbers[low:high], alignment, reference)
            regions[start:stop] = _against_surroundings(moved, around)[start - low : stop - low].max(2)
            head[start:stop] = _against_surroundings(head_moved[:, None], around)[start - low : stop - low, 0].max(1)
        progress(int(numbers[stop - 1]) + 1, pictures.count)
    return MotionCurve(
        numbers,
        _largest(regions),
        head,
        np.array(face_frames, np.int64),
        np.array(faces, np.int64).reshape(-1, 4),
    )


def _block(
    pictures: FramePictures, numbers: npt.NDArray[np.int64], alignment: Alignment, reference: npt.NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """Displacement of the regions (samples, 20, 2) and of the head (samples, 2) against the reference."""
    motion = FaceMotion(alignment.apply(reference))
    regions = np.empty((len(numbers), len(REGION_ORDER), 2), np.float32)
    head = np.empty((len(numbers), 2), np.float32)
    for index, number in enumerate(numbers.tolist()):
        found = motion.measure(alignment.apply(pictures.frame(number)))
        regions[index], head[index] = found.displacement_px, found.head.shift_px
    return regions, head


def _against_surroundings(moved: Floats, around: int) -> Floats:
    """|displacement| (samples, regions, 2) less its running median over `around` samples to either side."""
    padded = np.pad(moved, ((around, around), (0, 0), (0, 0)), mode="edge")
    # Every fourth sample of the window tells its median nearly as well, at a quarter of the time.
    step = max(1, around // 12)
    window = np.stack([padded[i : i + len(moved)] for i in range(0, 2 * around + 1, step)])
    return np.abs(moved - np.median(window, axis=0)).astype(np.float32)


def _largest(regions: Floats) -> Floats:
    seen = ~np.isnan(regions).all(1)
    largest = np.full(len(regions), np.nan, np.float32)
    largest[seen] = np.nanmax(regions[seen], axis=1)
    return largest


def _aligned(finder: FaceFinder, frame: npt.NDArray[np.uint8]) -> Alignment | None:
    try:
        found: tuple[Face, ...] = finder.find(frame)
        return align(found[0], frame, size_px=FLOW_SIZE_PX) if found else None
    except FaceUnusable:
        return None


def _surroundings(alignment: Alignment | None) -> tuple[int, int, int, int]:
    if alignment is None:
        return 0, 0, 0, 0
    height, width = alignment.source_shape
    left, top = np.clip(np.floor(alignment.outline.min(0)), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(alignment.outline.max(0)), (left + 1, top + 1), (width, height)).astype(int)
    return int(left), int(top), int(right - left), int(bottom - top)
