"""What spotting finds, and what an expression must be for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from expression.face.reference import FaceRegion

SpotKind = Literal["micro", "macro"]
Rejection = Literal["blink", "glance", "swallow", "head", "stays", "brief"]


@dataclass(frozen=True)
class SpotterSetting:
    """What an expression must be; lengths in pixels of a crop of 128."""

    sensitivity: float = 4.5
    """How many times its usual wandering a region must move."""
    least_px: float = 0.07
    """And at least so much: a quarter of a pixel where the face is 400 pixels high."""
    head_share: float = 0.07
    """Share of the head's movement meanwhile that is added to that."""
    usual_px: float = 0.02
    """Wandering to begin with."""


@dataclass(frozen=True)
class Spot:
    """An expression that was found."""

    onset_s: float
    apex_s: float
    offset_s: float
    regions: tuple[FaceRegion, ...]
    """Those that moved, the strongest first."""
    strength: float
    """How far the strongest region was beyond its threshold; 1 is just enough."""
    movement_px: float
    """How far the strongest region moved, in pixels of the crop."""
    decided_s: float
    """Time of the frame that settled it."""
    rejected: Rejection | None = None
    """Why it is no expression; such spots are told for the state of the readout alone."""
