"""Reads the small text files that a lab edits by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from capture.errors import BadInput
from capture.recording.files import read_document

_MOST_BYTES: Final = 4 << 20


def read_text(path: Path, refused: type[BadInput]) -> str:
    """The whole text of a file in UTF-8, with or without a byte order mark.

    Args:
        path: A regular file.
        refused: The error to raise.

    Raises:
        BadInput: Of the type `refused`: unreadable, too large for a file written by hand, or not UTF-8.
    """
    try:
        return read_document(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise refused(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise refused(f"{path} is not a text in UTF-8: save it as UTF-8") from None
