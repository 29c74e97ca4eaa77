"""The process that renders the simulated camera's person, frame by frame into a bank that is played meanwhile."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from capture.errors import CaptureError
from capture.processes.common import die_with_parent
from capture.simulator.bank_file import FrameBankError, FrameBankWriter
from capture.simulator.frame_bank import prune_cache
from capture.simulator.person import FRAMES_TO_BEGIN, HEIGHT_PX, IDENTITY, PERFORMANCE, RATE_FPS, WIDTH_PX, give_way
from expression.errors import ExpressionError
from expression.synthetic.participant import Participant
from expression.synthetic.performance import Performance

_FLUSH_EVERY: Final = 50
_MICRO: Final = 3


def render(path: Path, seconds: float) -> None:
    """Render what is missing of the person's bank at `path`; another process that does so is waited for.

    Raises:
        CaptureError: The bank cannot be written.
        ExpressionError: The person cannot be rendered.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = round(seconds * RATE_FPS)
    with _only_one(path.with_suffix(".lock")), _writer(path, frames) as writer:
        if writer.frames_ready == frames:
            return
        polite = writer.frames_ready >= FRAMES_TO_BEGIN
        if polite:
            _give_way()
        track = Performance.loop(PERFORMANCE, seconds=seconds, micro=_micro(seconds)).track(RATE_FPS)
        participant = Participant.of(IDENTITY)
        frame = np.empty((HEIGHT_PX, WIDTH_PX), np.uint8)
        for number in range(writer.frames_ready, frames):
            participant.render(track, number, frame)
            if number % _FLUSH_EVERY == 0 or number == frames - 1:
                # Little by little: a gigabyte that the system writes at once would stand in a recording's way.
                writer.flush()
            writer.append(frame)
            if not polite and writer.frames_ready >= FRAMES_TO_BEGIN:
                # Until now somebody waited; from now on a recording may run.
                polite = True
                _give_way()
        writer.flush()
    prune_cache(path.parent, keep=path)


def _give_way() -> None:
    cv2.setNumThreads(1)
    give_way(os.getpid())


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _writer(path: Path, frames: int) -> FrameBankWriter:
    with suppress(FrameBankError):
        writer = FrameBankWriter.reopen(path)
        if writer.geometry.frames == frames:
            return writer
        writer.close()
    return FrameBankWriter.create(path, WIDTH_PX, HEIGHT_PX, RATE_FPS, frames)


def _micro(seconds: float) -> int:
    """Micro-expressions that a loop has room for."""
    return max(0, min(_MICRO, int((seconds - 1) / 2)))


def main() -> int:
    """Entry point: the bank's path and the loop's length in seconds are the arguments."""
    die_with_parent()
    try:
        render(Path(sys.argv[1]), float(sys.argv[2]))
    except (CaptureError, ExpressionError, OSError, MemoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
