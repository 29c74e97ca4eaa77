"""One coded expression, wherever it is from."""

from __future__ import annotations

from dataclasses import dataclass

from expression import CodedUnit, Emotion, KeyFrames


@dataclass(frozen=True)
class CodedSample:
    """An expression that was coded to its end, or as far as a data set tells."""

    subject: str
    """Pseudonym."""
    name: str
    """Of the clip or recording, as the source names it."""
    key_frames: KeyFrames
    """Frame numbers as the source counts them: in a study those of the recording."""
    rate_fps: float
    emotion: Emotion | None
    units: tuple[CodedUnit, ...] = ()
    label: str = ""
    """The emotion as it was written, where it is none of ours."""
    other_units: tuple[str, ...] = ()
    """Units that are not coded here, and what was not understood."""
    part: str = ""
    """Part of the data set, such as A."""
    kind: str = ""
    """`micro` or `macro`, where the source says it."""
    clip_id: int | None = None
    """In a study's database."""
    recording: str = ""
    """Path of the recording in the study."""
    clip_frames: tuple[int, int] | None = None
    """First and last frame of the clip that was cut around it."""
    resolution: tuple[int, int] | None = None
    """Width and height of a frame."""

    @property
    def micro(self) -> bool:
        """Whether it is a micro-expression: as the source says, else by the rule of the DFME paper."""
        return self.kind == "micro" if self.kind else self.key_frames.is_micro(self.rate_fps)
