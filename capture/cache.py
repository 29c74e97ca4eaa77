"""Where things are kept that can be made again: rendered banks, aligned crops, engines built for one card."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "DFME_CACHE"


def user_cache(name: str) -> Path:
    """The user's folder for one kind of thing; it need not be there yet.

    `$DFME_CACHE/NAME`, else `$XDG_CACHE_HOME/dfme/NAME`, else below `~/.cache`. XDG's own rule is kept: a relative path
    does not count.
    """
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own) / name
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "dfme" / name


def crops_of(subject: str) -> str:
    """Name of the folder, within the cache `crops`, with everything that is cut out of one subject's pictures.

    Subjects of the same name in two studies share it: what is removed too much is made again.
    """
    return hashlib.sha256(subject.casefold().encode()).hexdigest()[:20]
