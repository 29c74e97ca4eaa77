"""A data set in the layout of the DFME release: a folder of numbered pictures per clip, and one label sheet."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from annotation.coded import CodedSample
from capture.errors import BadInput, CaptureError, NoSpace
from capture.recording.files import write_whole
from capture.recording.frame_pictures import FramePictures
from capture.recording.reader import Recording
from capture.study.export_ledger import MANIFEST_FILE
from capture.version import software
from expression import format_units
from expression.label_sheets import LabelRow, guarded, label_sheet

CLIPS: Final = "train_data"
LABELS: Final = "train_labels.xlsx"
TABLE: Final = "samples.tsv"
MANIFEST: Final = MANIFEST_FILE
FORMAT: Final = "1.0"
_PNG: Final = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
_PNG_SHARE: Final = 0.8
"""Of a frame's bytes that remain as PNG, at most: sensor noise does not compress."""
_SPARE_BYTES: Final = 200_000_000
_COLUMNS: Final = (
    *("subject", "clip", "onset", "apex", "offset", "emotion", "units", "kind", "rate_fps"),
    *("recording", "recording_onset", "recording_apex", "recording_offset"),
)


@dataclass(frozen=True)
class Clip:
    """A sample with its place in the data set and in its recording."""

    sample: CodedSample
    folder: str
    first_frame: int
    """Of the recording; picture 0."""
    last_frame: int

    @property
    def frames(self) -> int:
        """Pictures."""
        return self.last_frame - self.first_frame + 1


def lay_out(samples: Sequence[CodedSample], context_frames: int | None) -> list[Clip]:
    """Names for the clips, `<subject>_<nn>` in the order given, and the frames that each one takes.

    Args:
        samples: Of a study.
        context_frames: Frames before onset and after offset; None takes the clip as it was cut.
    """
    count: Counter[str] = Counter()
    clips = []
    for sample in samples:
        count[sample.subject] += 1
        first, last = sample.clip_frames or (sample.key_frames.onset, sample.key_frames.offset)
        if context_frames is not None:
            first, last = sample.key_frames.onset - context_frames, sample.key_frames.offset + context_frames
        # A lead may have put a mark outside of the clip; its pictures must be there.
        first, last = min(first, sample.key_frames.onset), max(last, sample.key_frames.offset)
        clips.append(Clip(sample, f"{sample.subject}_{count[sample.subject]:02d}", max(0, first), last))
    return clips


def write_dataset(
    study: Path, out: Path, clips: Sequence[Clip], facts: dict[str, Any], progress: Callable[[int, int], None]
) -> None:
    """Write pictures, label sheet, table and manifest; the sheet comes last, so that it names only what is there.

    Args:
        study: Folder of the sessions.
        out: An empty or new folder.
        clips: What to write.
        facts: Go into the manifest.
        progress: Told frames done and frames in all; may raise to stop.

    Raises:
        NoSpace: There is no room for the pictures.
        RecordingInvalid: A recording cannot be read.
    """
    _check_space(out, clips)
    total, done = sum(clip.frames for clip in clips), 0
    rows, entries, lines = [], [], []
    for clip in clips:
        pictures = FramePictures(study / clip.sample.recording, cache_bytes=0)
        last = min(clip.last_frame, pictures.count - 1)
        _write_pictures(pictures, out / CLIPS / clip.folder, clip.first_frame, last)
        done += clip.frames
        progress(done, total)
        rows.append(label_row(clip))
        entries.append({**_entry(clip, last), "simulated": _simulated(study / clip.sample.recording)})
        lines.append(_line(clip))
    content = {"format": FORMAT, "software": software(), **facts, "clips": entries}
    write_whole(out / MANIFEST, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    write_whole(out / TABLE, table(lines))
    write_whole(out / LABELS, label_sheet(rows))


def label_row(clip: Clip) -> LabelRow:
    """The clip's line in the label sheet, counted from its first picture."""
    sample = clip.sample
    frames = sample.key_frames.shifted(-clip.first_frame)
    return LabelRow(
        subject=sample.subject,
        name=clip.folder,
        onset=frames.onset,
        apex=frames.apex,
        offset=frames.offset,
        emotion=sample.emotion.value if sample.emotion else "",
        units=format_units(sample.units),
    )


def table(lines: Sequence[Sequence[object]]) -> bytes:
    """Tab-separated, with a line of column names."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(
        ["n/a" if cell in (None, "") else guarded(cell) if isinstance(cell, str) else cell for cell in line]
        for line in lines
    )
    return text.getvalue().encode()


def _line(clip: Clip) -> list[object]:
    row, sample = label_row(clip), clip.sample
    marks = sample.key_frames
    kind = "micro" if sample.micro else "macro"
    here = [row.subject, row.name, row.onset, row.apex, row.offset, row.emotion, row.units, kind, sample.rate_fps]
    return [*here, sample.name, marks.onset, marks.apex, marks.offset]


def _entry(clip: Clip, last_frame: int) -> dict[str, Any]:
    sample, marks = clip.sample, clip.sample.key_frames
    return {
        "clip": clip.folder,
        "participant": sample.subject,
        "recording": sample.name,
        "first_frame": clip.first_frame,
        "last_frame": last_frame,
        "rate_fps": sample.rate_fps,
        "onset": marks.onset,
        "apex": marks.apex,
        "offset": marks.offset,
        "kind": "micro" if sample.micro else "macro",
        "emotion": sample.emotion.value if sample.emotion else None,
        "units": format_units(sample.units, style="facs"),
        "clip_id": sample.clip_id,
    }


def _simulated(recording: Path) -> bool:
    """Whether the recording is of the simulated camera: nobody is in it."""
    try:
        return bool(Recording.open(recording).attributes.camera.get("simulated"))
    except CaptureError:
        # Pictures and arrays from elsewhere do not say where they are from.
        return False


def _check_space(out: Path, clips: Sequence[Clip]) -> None:
    pixels = sum(
        clip.frames * (clip.sample.resolution or (0, 0))[0] * (clip.sample.resolution or (0, 0))[1] for clip in clips
    )
    needed, free = int(pixels * _PNG_SHARE) + _SPARE_BYTES, shutil.disk_usage(out).free
    if needed > free:
        raise NoSpace(f"{out} has {free / 1e9:.1f} GB left and the pictures may take {needed / 1e9:.1f} GB: make room")


def _write_pictures(pictures: FramePictures, folder: Path, first: int, last: int) -> None:
    """`00000.png` and so on; the folder appears with all its pictures."""
    unfinished = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for number, frame in enumerate(range(first, last + 1)):
        file = unfinished / f"{number:05d}.png"
        if not cv2.imwrite(str(file), pictures.frame(frame), _PNG):
            raise CaptureError(f"cannot write {file}: is the disk full?")
    unfinished.replace(folder)


def empty_folder(out: Path) -> None:
    """Make the folder of an export.

    Raises:
        BadInput: It is not empty, or cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BadInput(f"{out} is not empty: choose another --out, so that old and new clips do not mix")
    except OSError as error:
        raise BadInput(f"cannot write to {out}: {error.strerror}; choose another --out") from error
