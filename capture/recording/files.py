"""Opens and writes files in folders that somebody else may have made: regular, of bounded size, and never elsewhere."""

from __future__ import annotations

import errno
import math
import os
import stat
from pathlib import Path
from typing import Any

MAX_DOCUMENT_BYTES = 64 << 20
"""Far more than any `zarr.json`, `session.json` or hardware file of ours, and little enough to be read at once."""


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at `path`; whoever opens it closes it.

    A pipe would keep its reader waiting for a writer, and a device has no end; neither belongs into a recording.

    Raises:
        OSError: It cannot be opened, or is something else than a regular file.
    """
    # Without waiting: opening a pipe blocks until somebody opens its other end.
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def read_document(path: Path, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """The whole content of a small file.

    Raises:
        OSError: It cannot be read, is no regular file, or is longer than `limit` bytes.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"longer than {limit / 1e6:.0f} MB, which none of ours is", str(path))
    return content


def write_whole(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a file so that readers find the old content or the new, never a part.

    What lies at the temporary name is removed first: a link there would have the content written elsewhere.

    Raises:
        OSError: It cannot be written; the old content stays.
    """
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a file written at `path` would land in `folder`, wherever links on the way lead."""
    return not path.is_symlink() and path.parent.resolve().is_relative_to(folder.resolve())


def finite(content: Any) -> Any:
    """`content` with None in place of numbers that JSON does not have: infinities, and what is not a number."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return content


def nested_deeper(content: Any, levels: int) -> bool:
    """Whether lists and tables in `content` lie deeper than `levels` in one another."""
    layer = [content]
    for _ in range(levels + 1):
        layer = [
            child
            for container in layer
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not layer:
            return False
    return True
