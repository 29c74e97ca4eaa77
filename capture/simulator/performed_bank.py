"""Long synthetic recordings as frame banks: what a simulated participant does, for the simulated camera to show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from capture.simulator.bank_file import BankGeometry, FrameBankError, FrameBankWriter
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.long_recordings import Render
from expression.synthetic.state import FaceTrack


def write_bank(
    path: Path,
    track: FaceTrack,
    render: Render,
    attributes: dict[str, Any],
    after_frame: Callable[[int], None],
) -> None:
    """Renders a track into the bank at `path`; goes on where it was stopped. In place of `write_recording`.

    Args:
        path: The file, `….bank`.
        track: What the face does.
        render: Draws one frame.
        attributes: `rate_fps` is the bank's rate.
        after_frame: Told the frames that are there; may raise to stop.

    Raises:
        CaptureError: The bank cannot be written.
    """
    frames = len(track)
    picture = np.empty((HEIGHT_PX, WIDTH_PX), np.uint8)
    with _writer(path, float(attributes["rate_fps"]), frames) as writer:
        after_frame(writer.frames_ready)
        for number in range(writer.frames_ready, frames):
            render(track, number, picture)
            writer.append(picture)
            after_frame(number + 1)


def _writer(path: Path, rate_fps: float, frames: int) -> FrameBankWriter:
    with suppress(FrameBankError):
        writer = FrameBankWriter.reopen(path)
        if writer.geometry == BankGeometry.planned(WIDTH_PX, HEIGHT_PX, rate_fps, frames):
            return writer
        writer.close()
    return FrameBankWriter.create(path, WIDTH_PX, HEIGHT_PX, rate_fps, frames)
