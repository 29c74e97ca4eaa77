"""Makes `stimulus_frames.parquet` of the lines that the player wrote while it played."""

from __future__ import annotations

from pathlib import Path

from capture.session.stimulus_frames import STIMULUS_FRAMES_FILE, StimulusFrame, write_stimulus_frames
from elicitation.player.flips import read_flips
from elicitation.session.state import Entry, Showing


def shown_frames(session: Path, showing: Showing) -> list[StimulusFrame]:
    """The frames of one stimulus in one trial; none where the player was killed before it wrote any."""
    path = session / showing.flips
    if not path.is_file():
        return []
    return [
        StimulusFrame(
            stim_id=showing.stim_id,
            trial=showing.trial,
            stim_frame=flip.frame,
            pts_s=flip.media_s,
            due_ns=flip.planned_ns,
            host_ns=flip.host_ns,
            source=showing.source,
            late=flip.late,
            dropped=flip.dropped,
        )
        for flip in read_flips(path)
    ]


def keep_stimulus_frames(session: Path, entries: list[Entry]) -> list[StimulusFrame]:
    """Write the file anew from all that was shown; returns its rows."""
    rows = [row for entry in entries if isinstance(entry, Showing) for row in shown_frames(session, entry)]
    if rows:
        write_stimulus_frames(session / STIMULUS_FRAMES_FILE, rows)
    return rows
