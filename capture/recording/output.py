"""Outputs that are there whole or not at all: made under a `.partial` name and renamed when done."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capture.errors import BadInput, CaptureError, FolderUnusable, NoSpace


@contextmanager
def new_output(out: Path, suffix: str) -> Iterator[Path]:
    """The name to write under; becomes `out` when the block ends well, and is removed when it does not.

    Args:
        out: What is to be made, a file or a folder.
        suffix: How its name must end; empty for any.

    Raises:
        BadInput: `out` exists already, or does not end in `suffix`.
        FolderUnusable: Its folder cannot be written.
        NoSpace: The disk is full.
    """
    if suffix and out.suffix != suffix:
        raise BadInput(f"{out}: give a name that ends in {suffix}")
    if os.path.lexists(out):
        raise BadInput(f"{out} exists already: choose another name, nothing is written over")
    partial = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)
        yield partial
        partial.rename(out)
        sync_folder(out.parent)
    except BaseException as error:
        _remove(partial)
        if isinstance(error, OSError) and not isinstance(error, CaptureError):
            raise disk_error(error, out) from error
        raise


def disk_error(error: OSError, path: Path) -> CaptureError:
    """An error of the file system while `path` was written, as one line with a remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"no space left for {path}: make room or choose another disk")
    return FolderUnusable(f"cannot write {path} ({error.strerror or error}): choose another folder")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
