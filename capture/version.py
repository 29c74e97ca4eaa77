"""The name and version that recordings and messages carry."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def software() -> str:
    """`dfme X.Y.Z`, or `dfme (not installed)` when run from a bare checkout."""
    try:
        return f"dfme {version('dfme')}"
    except PackageNotFoundError:
        return "dfme (not installed)"
