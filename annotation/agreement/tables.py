"""Small steps that all reports share: figures from numbers, and numbers that tables can hold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from annotation.agreement.measures import Interval, reading
from annotation.lead_models import Cell, Figure


def number(value: float, digits: int = 3) -> float | None:
    """Rounded; None where it is not defined."""
    return round(float(value), digits) if np.isfinite(value) else None


def figure(
    key: str, name: str, value: float | Interval, *, unit: str = "", about: str = "", words: bool = False
) -> Figure:
    """One figure; `words` adds what a kappa of this size is called."""
    interval = value if isinstance(value, Interval) else Interval(float(value), float("nan"), float("nan"))
    return Figure(
        key=key,
        name=name,
        value=number(interval.value, 4),
        low=number(interval.low, 4),
        high=number(interval.high, 4),
        unit=unit,
        reading=reading(interval.value) if words else "",
        about=about,
    )


def share(part: int, whole: int) -> float:
    """Part of a whole; nan of nothing."""
    return part / whole if whole else float("nan")


def median(values: Iterable[float] | npt.NDArray[np.float64]) -> float:
    """The median; nan of nothing."""
    found = np.asarray(list(values), np.float64)
    found = found[~np.isnan(found)]
    return float(np.median(found)) if len(found) else float("nan")


def cells(*values: str | float | None) -> list[Cell]:
    """A row: floats rounded, what is not defined as None."""
    return [number(value) if isinstance(value, float) else value for value in values]
