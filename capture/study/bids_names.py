"""Names that BIDS gives to what we have: the standard's, and those of its drafts for videos and stimuli.

The extension proposals 47 (audio and video of behaving subjects) and 44 (stimuli) are drafts whose names have changed
before. Whatever they end up as is changed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

BIDS_VERSION: Final = "1.11.0"
MISSING: Final = "n/a"
LATEST_YEAR: Final = 1925
"""Dates are moved to this year or an earlier one, which tells readers that they were moved."""

EVENT_COLUMNS: Final = {
    "onset": "onset",
    "duration": "duration",
    "trial_type": "trial_type",
    "stim_id": "stim_id",
    "target_emotion": "target_emotion",
    "response_time": "response_time",
    "value": "value",
    "intensity": "intensity",
    "sample": "camera_frame",
    "stim_frame": "stim_frame",
    "frames": "frames",
}
"""Columns of our event log, and of an `_events.tsv`. What the operator wrote stays at home."""

STIMULUS_COLUMNS: Final = {
    "stim_id": "stimulus_id",
    "type": "type",
    "title": "description",
    "present": "present",
    "target_emotion": "target_emotion",
    "duration_s": "duration",
    "score": "mean_intensity",
    "year": "year",
    "source_url": "URL",
    "in_time": "in_time",
    "out_time": "out_time",
    "license": "license",
    "copyright": "copyright",
    "language": "language",
    "frame_rate": "frame_rate",
    "n_frames": "n_frames",
    "width": "width",
    "height": "height",
    "sha256": "sha256",
    "content_warnings": "content_warnings",
    "culture": "culture",
}
"""Columns of our manifest, and of `stimuli.tsv` (proposal 44)."""
STIMULUS_DESCRIPTIONS: Final = {
    "stimulus_id": "Name of the stimulus, as in the column stim_id of events",
    "description": "Title of the film",
    "present": "Whether the file is part of this data set: films usually are not, for their copyright",
    "target_emotion": "Emotion that it is meant to evoke",
    "duration": "Length in seconds",
    "mean_intensity": "Mean intensity that volunteers gave it, 1 to 5",
}


def video_sidecar(
    *,
    device: str,
    rate_fps: float,
    width_px: int,
    height_px: int,
    seconds: float,
    frames: int,
    playback_fps: float | None,
    software: str,
    task: str,
) -> Mapping[str, Any]:
    """Content of a `_video.json` (proposal 47); `playback_fps` is the video file's own rate where one is there."""
    content: dict[str, Any] = {
        "TaskName": task,
        "Device": device,
        "FrameRate": rate_fps,
        "Width": width_px,
        "Height": height_px,
        "Duration": round(seconds, 6),
        "FrameCount": frames,
        "PixelFormat": "gray",
        "SoftwareVersions": software,
    }
    if playback_fps is not None:
        content |= {
            "VideoCodec": "ffv1",
            "PlaybackFrameRate": playback_fps,
            "PlaybackNote": "The file plays slower than life; frame numbers are those of the column camera_frame.",
        }
    return content


def file_stem(subject: str, session: str, task: str, run: int) -> str:
    """First part of the names of one trial's files."""
    return f"sub-{subject}_ses-{session}_task-{task}_run-{run:02d}"
