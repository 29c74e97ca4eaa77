"""What the readout says of an expression: one line of `live.jsonl`, and the same as a message."""

from __future__ import annotations

from typing import Literal

import msgspec

from expression.bundle import Reading
from realtime.analysis import Found

NO_MODEL = ""
"""Emotion where nothing was there to recognise it."""


class LiveExpression(msgspec.Struct, frozen=True, kw_only=True, tag="expression", tag_field="type"):
    """An expression that was spotted and, where a model is at hand, named."""

    onset: int
    """Frame numbers in the recording, from 0, all three inclusive."""
    apex: int
    offset: int
    kind: Literal["micro", "macro"]
    emotion: str
    """An emotion, `not sure`, or empty where there is no model."""
    probabilities: dict[str, float]
    latency_ms: float
    """From the moment of the offset frame to this readout; over a recording, the time that it took to decide and to
    recognise."""
    host_ns: int = 0
    """CLOCK_MONOTONIC of the readout; 0 over a recording."""
    trial: str = ""
    regions: tuple[str, ...] = ()
    """Regions of the face that moved, the strongest first."""
    movement_px: float = 0.0
    """How far the strongest moved, in pixels of an aligned crop of 128."""
    strength: float = 0.0
    """The same against what was needed; 1 is just enough."""
    model: str = ""
    recognised_ms: float = 0.0
    """Of that, what recognition took."""


def described(
    found: Found,
    reading: Reading | None,
    *,
    latency_ms: float,
    recognised_ms: float,
    model: str,
    host_ns: int = 0,
    trial: str = "",
) -> LiveExpression:
    """The line for one expression."""
    return LiveExpression(
        onset=found.key_frames.onset,
        apex=found.key_frames.peak,
        offset=found.key_frames.offset,
        kind=found.kind,
        emotion=NO_MODEL if reading is None else reading.name,
        probabilities={} if reading is None else {e.value: round(p, 4) for e, p in reading.probabilities.items()},
        latency_ms=round(latency_ms, 1),
        host_ns=host_ns,
        trial=trial,
        regions=tuple(region.value for region in found.spot.regions),
        movement_px=round(found.spot.movement_px, 3),
        strength=round(found.spot.strength, 2),
        model=model,
        recognised_ms=round(recognised_ms, 1),
    )


def line(expression: LiveExpression) -> bytes:
    """The expression as a line of JSON."""
    return msgspec.json.encode(expression) + b"\n"
