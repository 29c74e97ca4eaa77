"""`python -m annotation.motion RECORDING RATE OUT`: measures one recording at low priority, and says how far it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2

from annotation.motion.curve import measure
from capture.errors import CaptureError
from capture.recording.frame_pictures import FramePictures
from expression import ExpressionError
from expression.face import best_finder

_NICE = 15


def main(arguments: list[str]) -> None:
    """Lines on standard output: `done total` in frames, or why it cannot be done, with status 1."""
    recording, rate, out = arguments
    os.nice(_NICE)
    cv2.setNumThreads(1)
    try:
        with best_finder(download=False) as finder:
            curve = measure(FramePictures(Path(recording), cache_bytes=0), float(rate), finder, _say)
        curve.write(Path(out))
    except (CaptureError, ExpressionError, OSError) as error:
        sys.stdout.write(f"{' '.join(str(error).split())}\n")
        raise SystemExit(1) from None


def _say(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
