"""What an event of a participant's session says besides its time: the stimulus, and the answer that was given."""

from __future__ import annotations

import msgspec


class Elicited(msgspec.Struct, frozen=True):
    """The columns that `events.tsv` has for elicitation; what does not apply is left out."""

    stim_id: str = ""
    """Stimulus that it belongs to."""
    stim_file: str = ""
    """Name of the stimulus's file, without its folder."""
    target_emotion: str = ""
    """What the stimulus is meant to evoke."""
    response_time_s: float | None = None
    """How long the answer took."""
    value: str = ""
    """The answer: the emotion that was named, or the choice that was made."""
    intensity: float | None = None
    """How strong it was felt."""
    stim_frame: int | None = None
    """Frame of the stimulus, from 0."""
