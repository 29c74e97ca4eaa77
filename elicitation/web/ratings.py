"""Keeps volunteers' ratings of stimuli in the table that `dfme-elicit select` reads, a line each as they are given."""

from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from capture.errors import BadInput
from capture.recording.files import open_regular
from elicitation.errors import RatingsInvalid
from elicitation.selection import Rating, read_ratings
from elicitation.text_file import read_table

_COLUMNS: Final = ("volunteer", "stimulus", "emotion", "intensity", "rated_at")
_MISSING: Final = "n/a"


class RatedBefore(ValueError):
    """A volunteer has rated the stimulus already."""


class RatingsFile:
    """`ratings.tsv`, appended to by one process at a time; for many threads."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, and read what is in it.

        Raises:
            RatingsInvalid: It is there and is no table of ratings, or its last line is torn.
            BadInput: Another process writes it, or it cannot be written.
        """
        self.path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise BadInput(f"cannot write {path}: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._columns, self._ratings = self._read()
        except BlockingIOError:
            os.close(self._fd)
            raise BadInput(f"{path} is being written by another `dfme-elicit rate`: end it first") from None
        except BadInput:
            os.close(self._fd)
            raise

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """Everything that was rated, in this run and before."""
        with self._lock:
            return tuple(self._ratings)

    def rated_by(self, volunteer: str) -> frozenset[str]:
        """The stimuli that a volunteer has rated."""
        return frozenset(one.stimulus for one in self.ratings if one.volunteer == volunteer)

    def add(self, rating: Rating, now: datetime | None = None) -> None:
        """Append a rating; it is on the disk when this comes back.

        Raises:
            RatedBefore: The volunteer has rated the stimulus.
            OSError: It cannot be written, and does not count.
        """
        with self._lock:
            if any((one.volunteer, one.stimulus) == (rating.volunteer, rating.stimulus) for one in self._ratings):
                raise RatedBefore(f"{rating.volunteer} has rated {rating.stimulus}")
            values = {
                "volunteer": rating.volunteer,
                "stimulus": rating.stimulus,
                "emotion": rating.emotion.value,
                "intensity": str(rating.intensity),
                "rated_at": (now or datetime.now().astimezone()).isoformat(timespec="seconds"),
            }
            self._append("\t".join(values.get(name, _MISSING) for name in self._columns) + "\n")
            self._ratings.append(rating)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _read(self) -> tuple[list[str], list[Rating]]:
        size = os.fstat(self._fd).st_size
        if not size:
            self._append("\t".join(_COLUMNS) + "\n")
            return list(_COLUMNS), []
        if os.pread(self._fd, 1, size - 1) != b"\n":
            raise RatingsInvalid(f"{self.path}: the last line is not complete; complete or remove it")
        ratings = list(read_ratings(self.path))
        _, columns = read_table(self.path, RatingsInvalid)
        return columns, ratings

    def _append(self, line: str) -> None:
        size = os.fstat(self._fd).st_size
        content = line.encode()
        try:
            written = os.write(self._fd, content)
            if written < len(content):
                raise OSError(28, os.strerror(28), str(self.path))
            os.fsync(self._fd)
        except OSError:
            # A full disk takes a part of a line; the table must not keep it.
            os.ftruncate(self._fd, size)
            raise


def order_of(volunteer: str, stimuli: Sequence[str]) -> list[str]:
    """The stimuli in a volunteer's own order: another one for each volunteer, the same each time."""
    shuffled = sorted(stimuli)
    # Not for secrets: the order only has to differ and to come back.
    random.Random(f"dfme {volunteer}").shuffle(shuffled)  # noqa: S311
    return shuffled
