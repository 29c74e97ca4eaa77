"""Frames and timelines of what a user may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from fastapi import HTTPException, Response

from annotation.api_models import FrameQuery, MotionCurve, StimulusSpan, Timeline
from annotation.layers import Layers
from annotation.server.context import Context
from annotation.store.schema import RecordingRow
from capture.errors import CaptureError

# A picture of a frame never changes; whoever logs in next in the same browser does not get it from there.
_HEADERS: Final = {"Cache-Control": "private, max-age=604800, immutable", "Vary": "Cookie"}
_MOST_POINTS: Final = 20_000


@dataclass(frozen=True)
class Shown:
    """The part of a recording that somebody may see; both frames inclusive."""

    recording: RecordingRow
    first_frame: int
    last_frame: int


def picture(context: Context, shown: Shown, frame: int, query: FrameQuery) -> Response:
    """A frame as JPEG; 403 outside of what may be seen, 404 where the recording is gone."""
    if not shown.first_frame <= frame <= shown.last_frame:
        raise HTTPException(403, f"frame {frame} is not among {shown.first_frame} to {shown.last_frame}")
    region = face_of(context, shown.recording, shown.first_frame) if query.crop == "face" else None
    try:
        pictures = context.shelf.get(context.path_of(shown.recording))
        content = pictures.jpeg(frame, region=region, max_side_px=query.side, quality=query.quality)
    except CaptureError as error:
        raise HTTPException(404, str(error)) from None
    # Until the face has been found, its crop is the whole frame: that must not be kept.
    headers = {"Cache-Control": "no-store"} if query.crop == "face" and region is None else _HEADERS
    return Response(content, media_type="image/jpeg", headers=headers)


def face_of(context: Context, recording: RecordingRow, frame: int) -> tuple[int, int, int, int] | None:
    """Where the face is around a frame; None while it is looked for, or where there is none."""
    state = context.motion.curve(recording.id, context.path_of(recording), recording.rate_fps)
    return state.curve.face_at(frame) if state.curve is not None else None


def timeline(
    context: Context, shown: Shown, *, stimulus: bool = False, self_reports: bool = False, candidates: bool = False
) -> Timeline:
    """The layers over what may be seen; those that may not be seen are None."""
    first, last = shown.first_frame, shown.last_frame
    layers = context.layers_of(shown.recording) if stimulus or self_reports or candidates else None
    return Timeline(
        first_frame=first,
        last_frame=last,
        motion=_motion(context, shown),
        stimulus=_spans(layers, shown) if layers and stimulus else None,
        self_reports=[one for one in layers.self_reports if _meets(one.frame, one.frame, shown)]
        if layers and self_reports
        else None,
        candidates=[one for one in layers.candidates if _meets(one.onset, one.offset, shown)]
        if layers and candidates
        else None,
    )


def _meets(first: int, last: int, shown: Shown) -> bool:
    return first <= shown.last_frame and last >= shown.first_frame


def _spans(layers: Layers, shown: Shown) -> list[StimulusSpan]:
    return [
        StimulusSpan(
            first_frame=max(shown.first_frame, span.first_frame),
            last_frame=min(shown.last_frame, span.last_frame),
            name=span.name,
            emotion=span.emotion,
        )
        for span in layers.stimulus
        if _meets(span.first_frame, span.last_frame, shown)
    ]


def _motion(context: Context, shown: Shown) -> MotionCurve:
    recording = shown.recording
    state = context.motion.curve(recording.id, context.path_of(recording), recording.rate_fps)
    if state.curve is None:
        return MotionCurve(state=state.state, progress=state.progress, reason=state.reason)
    curve = state.curve
    here = (curve.frames >= shown.first_frame) & (curve.frames <= shown.last_frame) & ~np.isnan(curve.motion_px)
    frames, motion, head = curve.frames[here], curve.motion_px[here], curve.head_px[here]
    # A long recording has more samples than any screen columns: of each group the largest movement is shown.
    group = -(-len(frames) // _MOST_POINTS) or 1
    starts = np.arange(0, len(frames), group)
    if group > 1:
        motion, head = np.maximum.reduceat(motion, starts), np.maximum.reduceat(head, starts)
        frames = frames[starts]
    found = curve.faces[:, 2].any()
    return MotionCurve(
        state="ready" if found else "none",
        progress=1.0,
        reason="" if found else "no face was found in this recording",
        frames=frames.tolist(),
        motion_px=np.round(motion.astype(np.float64), 3).tolist(),
        head_px=np.round(head.astype(np.float64), 3).tolist(),
    )
