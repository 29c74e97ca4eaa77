"""Figures of sessions and recordings, as `dfme-session --json` prints them and its tables show them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from capture.clock import piecewise_clock_from_attributes
from capture.errors import RecordingInvalid
from capture.recording.pixels import VIDEO_NAME
from capture.recording.reader import Recording
from capture.session.folder import Session
from capture.session.record import TrialEntry
from capture.statistics import Gap


def codec_of(path: Path) -> str:
    """`raw`, `zstd` or `ffv1`; `raw` where it cannot be told."""
    if (path / VIDEO_NAME).exists():
        return "ffv1"
    try:
        return Recording.open(path).codec
    except RecordingInvalid:
        return "raw"


def session_figures(folder: Path) -> dict[str, Any]:
    """Figures of a session over all its trials; one that cannot be read has `state` `damaged` and the reason."""
    try:
        session = Session.open(folder)
    except RecordingInvalid as error:
        return {"session": folder.name, "path": str(folder), "state": "damaged", "problem": str(error)}
    trials = [trial_figures(session, entry) for entry in session.trials]
    states = sorted({trial["state"] for trial in trials})
    problems = problems_of(trials)
    return {
        "session": folder.absolute().name,
        "path": str(folder),
        "created": session.record.created,
        "participant": session.record.participant,
        "trials": len(trials),
        "frames": sum(trial["frames"] or 0 for trial in trials),
        "seconds": round(sum(trial["seconds"] or 0.0 for trial in trials), 6),
        "lost": sum(trial["lost"] or 0 for trial in trials),
        "bytes": sum(trial["bytes"] for trial in trials),
        "state": " ".join(states) if states else "empty",
        **({"problem": problems[0]} if problems else {}),
    }


def problems_of(figures: list[dict[str, Any]]) -> list[str]:
    """What is damaged in some sessions or trials, a line each."""
    return [one["problem"] for one in figures if "problem" in one]


def trial_figures(session: Session, entry: TrialEntry) -> dict[str, Any]:
    """Figures of one trial, from `session.json` where it has them and from the recording where it has not."""
    path = session.path / entry.recording
    figures: dict[str, Any] = {
        "trial": entry.name,
        "recording": str(path),
        "frames": entry.frames,
        "seconds": entry.seconds,
        "fps": entry.fps,
        "lost": entry.lost.total if entry.lost is not None else None,
        "reason": entry.reason,
        "state": "missing",
        "bytes": 0,
    }
    if not path.is_dir():
        return figures
    try:
        recording = Recording.open(path)
    except RecordingInvalid as error:
        return {**figures, "state": "damaged", "problem": str(error)}
    figures |= {"state": recording.attributes.state, "bytes": recording.disk_bytes}
    if entry.seconds is None:
        figures |= {"frames": len(recording), "seconds": recording.seconds}
    return figures


def recording_figures(recording: Recording) -> dict[str, Any]:
    """What `info --json` says of a recording."""
    attributes = recording.attributes
    recorder = attributes.ledger.recorder
    end = attributes.ledger.end
    losses = msgspec.to_builtins(end.losses) if end else None
    if losses is not None and recorder is not None:
        losses["disk"] = recorder.lost_disk
    return {
        "recording": str(recording.path),
        "format": attributes.format,
        "software": attributes.software,
        "session": attributes.session,
        "trial": attributes.trial,
        "state": attributes.state,
        "codec": recording.codec,
        "frames": len(recording),
        "seconds": round(recording.seconds, 6),
        "width_px": recording.width_px,
        "height_px": recording.height_px,
        "rate_fps": recording.rate_fps,
        "first_frame_id": int(recording.frame_id[0]) if len(recording) else None,
        "last_frame_id": int(recording.frame_id[-1]) if len(recording) else None,
        "lost": losses,
        "reason": end.reason if end else None,
        "gaps": [gap_figures(recording, gap) for gap in attributes.gaps],
        "clock": {
            **{name: value for name, value in attributes.clock.items() if _is_plain(value)},
            "pieces": clock_pieces(recording),
            "ptp": ptp_figures(attributes.clock),
        },
        "camera": attributes.camera,
        "source": msgspec.to_builtins(attributes.source) if attributes.source else None,
        "bytes": recording.disk_bytes,
    }


def gap_figures(recording: Recording, gap: Gap) -> dict[str, Any]:
    """One stretch in which the camera was away: when, how long, and about how many frames were not taken."""
    frame = int(np.searchsorted(recording.host_ns.astype(np.int64), gap.to_host_ns))
    onset_s = (gap.from_host_ns - recording.time_of(0)) / 1e9 if len(recording) else None
    return {"onset_s": onset_s, "seconds": gap.seconds, "before_frame": frame, **msgspec.to_builtins(gap)}


def clock_pieces(recording: Recording) -> list[dict[str, Any]]:
    """The lines of a camera clock that stepped or was reset: the first frame of each, and the step in front of it."""
    clock = piecewise_clock_from_attributes(recording.attributes.clock)
    if clock is None or len(clock.segments) < 2 or not len(recording):
        return []
    host_ns, pieces = recording.host_ns.astype(np.int64), []
    for number, segment in enumerate(clock.segments):
        frame = int(np.searchsorted(host_ns, segment.from_host_ns))
        step_ns = None
        if number:
            before, device_ns = clock.segments[number - 1].fit, segment.fit.device_ns
            step_ns = int(before.to_host(device_ns)) - int(segment.fit.to_host(device_ns))
        onset_s = (int(host_ns[frame]) - int(host_ns[0])) / 1e9 if frame < len(host_ns) else None
        figures = {"frame": frame, "onset_s": onset_s, "step_ns": step_ns, "source": segment.fit.source}
        pieces.append({**figures, "residual_ns": segment.fit.residual_ns, "points": segment.fit.points})
    return pieces


def ptp_figures(clock: dict[str, Any]) -> dict[str, Any] | None:
    """What the camera said of its network clock: the last state, how often it changed, and the largest offset."""
    ptp = clock.get("ptp")
    if not isinstance(ptp, dict):
        return None
    readings = ptp.get("readings")
    if not isinstance(readings, list) or not readings or any(len(reading) != 4 for reading in readings):
        return None
    states = [tuple(reading[1:3]) for reading in readings]
    offsets = [abs(reading[3]) for reading in readings if isinstance(reading[3], int)]
    return {
        "enabled": bool(ptp.get("enabled")),
        "status": states[-1][0],
        "servo": states[-1][1],
        "changes": sum(one != two for one, two in pairwise(states)),
        "readings": len(readings),
        "largest_offset_ns": max(offsets, default=None),
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) or value is None
