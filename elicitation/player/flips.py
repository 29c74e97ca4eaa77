"""When each frame of a stimulus was on the screen: a line per frame while it plays, a Parquet file afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import msgspec

COLUMNS = ("trial", "stimulus", "frame", "media_s", "planned_ns", "host_ns", "late", "dropped", "source")


class Flip(msgspec.Struct, frozen=True, array_like=True):
    """One frame of a stimulus."""

    frame: int
    """From 0, in the order of presentation."""
    media_s: float
    """Its presentation time in the stimulus."""
    planned_ns: int
    """When it should have appeared by the sound, CLOCK_MONOTONIC."""
    host_ns: int
    """When it was swapped in; 0 for a dropped frame."""
    late: bool
    """It appeared more than half a frame behind its time."""
    dropped: bool
    """It was not shown, because the picture was too far behind the sound."""


class FlipWriter:
    """Appends flips to a file, one JSON array a line; what was written survives the player."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab", buffering=0)

    def add(self, flips: list[Flip]) -> None:
        """Append; one system call whatever their number."""
        if flips:
            self._file.write(b"".join(msgspec.json.encode(flip) + b"\n" for flip in flips))

    def close(self) -> None:
        """Make everything durable and close."""
        os.fsync(self._file.fileno())
        self._file.close()


def read_flips(path: Path) -> list[Flip]:
    """The flips in a file; a last line torn by a crash is left out."""
    decoder = msgspec.json.Decoder(Flip)
    return [decoder.decode(line) for line in path.read_bytes().split(b"\n")[:-1]]
