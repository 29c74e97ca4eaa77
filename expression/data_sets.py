"""Published data sets of micro-expressions: their rates, and what their names say where a sheet does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from expression.paper import PARTS

RATES_FPS: Final[Mapping[str, float]] = MappingProxyType(
    {"casme2": 200.0, "samm": 200.0, "smic": 100.0, "mmew": 90.0, "casme3": 30.0, "4dme": 60.0, "casme^2": 30.0}
)
"""Frames a second, of those with one rate, by the names that commands take. CAS(ME)^3's is that of its frames."""
_LABELS_IN_NAMES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"smic": {"_ne_": "negative", "_po_": "positive", "_sur_": "surprise", "_su_": "surprise"}}
)
_PART: Final = re.compile(r"part[-_ ]?([abc])(?![a-z])(?:@(\d+))?", re.IGNORECASE)
_PART_RATES_FPS: Final = {part.name: float(part.rate_fps) for part in PARTS}


def label_in_name(dataset: str, clip: str) -> str:
    """The emotion that a clip's name stands for, as it is written; empty where names of the data set have none."""
    known = _LABELS_IN_NAMES.get(dataset, {})
    return next((label for piece, label in known.items() if piece in clip.casefold()), "")


def part_in(text: str) -> str:
    """The part of DFME that a path or a name tells: `A`, `B`, `C`, or empty."""
    match = _PART.search(text)
    return match[1].upper() if match else ""


def part_rate_fps(text: str) -> float | None:
    """The rate of the part in a path or a name (`partA`, `part_b`), or what stands behind it (`partC@100`)."""
    match = _PART.search(text)
    if match is None:
        return None
    return float(match[2]) if match[2] else _PART_RATES_FPS[match[1].upper()]
