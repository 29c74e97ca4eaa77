"""Pictures of simulated participants for the documentation: `python -m expression.synthetic.plates identities`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.synthetic.appearance import render_neutral
from expression.synthetic.head import build_head
from expression.synthetic.identity import sample_identity

_THUMBNAIL: Final = (200, 150)
_LARGEST_BYTES: Final = 600_000


def portrait(seed: int) -> npt.NDArray[np.uint8]:
    """The neutral face of participant `seed`, (768, 1024) uint8."""
    picture = render_neutral(build_head(sample_identity(seed))).picture()
    return np.round(picture).astype(np.uint8)


def identities(count: int, columns: int) -> npt.NDArray[np.uint8]:
    """A plate of the first `count` participants, `columns` in a row, uint8."""
    small = [cv2.resize(portrait(seed), _THUMBNAIL, interpolation=cv2.INTER_AREA) for seed in range(count)]
    blank = np.full((_THUMBNAIL[1], _THUMBNAIL[0]), 255, np.uint8)
    small += [blank] * (-count % columns)
    rows = [np.hstack(small[start : start + columns]) for start in range(0, len(small), columns)]
    return np.vstack(rows).astype(np.uint8)


def main() -> None:
    """Writes the plate that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plate", choices=["identities"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--columns", type=int, default=10)
    arguments = parser.parse_args()
    plate = identities(arguments.count, arguments.columns)
    for quality in (90, 85, 80, 70, 60):
        _, data = cv2.imencode(".jpg", plate, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) < _LARGEST_BYTES:
            break
    arguments.out.write_bytes(data.tobytes())
    sys.stdout.write(f"{arguments.out}: {plate.shape[1]}x{plate.shape[0]}, {len(data) / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
