"""Says to other processes that a session is running: a lock on its folder that ends with the process."""

from __future__ import annotations

import errno
import fcntl
import os
import weakref
from pathlib import Path

from capture.errors import CaptureError

_HELD = (errno.EAGAIN, errno.EACCES)


class FolderClaim:
    """Holds a folder until `close`, the end of this object, or the death of the process."""

    def __init__(self, fd: int) -> None:
        self._close = weakref.finalize(self, os.close, fd)

    def close(self) -> None:
        """Let go of it."""
        self._close()


def claim_folder(folder: Path) -> FolderClaim | None:
    """Claim a folder; None where another process holds it, or this one already does.

    On file systems that have no locks for folders everybody gets a claim.

    Raises:
        OSError: There is no such folder.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            os.close(fd)
            return None
    return FolderClaim(fd)


def claim_session(session: Path) -> FolderClaim:
    """Claim the folder of a session that begins or goes on.

    Raises:
        CaptureError: It is running already, or is just being removed.
    """
    claim = claim_folder(session)
    if claim is None:
        raise CaptureError(f"{session} is in use: the session runs, or is being removed; end that first")
    return claim


def is_claimed(session: Path) -> bool:
    """Whether a process holds the folder of a session."""
    try:
        claim = claim_folder(session)
    except OSError:
        return False
    if claim is None:
        return True
    claim.close()
    return False
