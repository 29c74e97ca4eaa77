"""Contact sheets of the simulated action units and emotions: `python -m expression.synthetic.sheets --out FOLDER`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from expression.action_units import ActionUnit, CodedUnit, Side
from expression.synthetic.appearance import Appearance, render_neutral
from expression.synthetic.head import build_head
from expression.synthetic.identity import sample_identity
from expression.synthetic.renderer import Renderer
from expression.synthetic.state import UNITS, FaceTrack

Picture = npt.NDArray[np.uint8]

AMPLIFICATION: Final = 3
"""The difference to the neutral face is shown this many times, about mid-grey."""
_SEEDS: Final = (5, 7, 8, 2)
"""Participants who sit for the sheets, in the order of `GROUPS`."""
_INTENSITY: Final = 0.7
_TILE: Final = (212, 270)
_GAP: Final = 4
_QUALITY: Final = 82


@dataclass(frozen=True)
class Group:
    """Action units that share a sheet."""

    name: str
    title: str
    units: tuple[ActionUnit, ...]


GROUPS: Final = (
    Group("au_brows_and_eyes", "Brows and eyes", tuple(UNITS[:6])),
    Group("au_nose_and_upper_lip", "Nose, cheeks and lip corners", tuple(UNITS[6:11])),
    Group("au_lips_and_chin", "Lips and chin", tuple(UNITS[11:19])),
    Group("au_jaw_nostrils_head", "Jaw, nostrils, head", tuple(UNITS[19:])),
)

EMOTIONS: Final[dict[str, tuple[tuple[CodedUnit, ...], ...]]] = {
    "happiness": ((CodedUnit(ActionUnit(6)), CodedUnit(ActionUnit(12))), (CodedUnit(ActionUnit(12)),)),
    "surprise": (
        (CodedUnit(ActionUnit(1)), CodedUnit(ActionUnit(2)), CodedUnit(ActionUnit(5))),
        (CodedUnit(ActionUnit(1)), CodedUnit(ActionUnit(2))),
        (CodedUnit(ActionUnit(5)),),
    ),
    "anger": ((CodedUnit(ActionUnit(4)), CodedUnit(ActionUnit(5))), (CodedUnit(ActionUnit(23)),)),
    "contempt": (
        (CodedUnit(ActionUnit(12), Side.LEFT),),
        (CodedUnit(ActionUnit(6)), CodedUnit(ActionUnit(12), Side.RIGHT)),
    ),
    "disgust": (
        (CodedUnit(ActionUnit(4)), CodedUnit(ActionUnit(7)), CodedUnit(ActionUnit(10))),
        (CodedUnit(ActionUnit(14)),),
    ),
    "fear": (
        (CodedUnit(ActionUnit(14)), CodedUnit(ActionUnit(24))),
        (CodedUnit(ActionUnit(1)), CodedUnit(ActionUnit(4))),
        (CodedUnit(ActionUnit(4)), CodedUnit(ActionUnit(5))),
    ),
    "sadness": (
        (CodedUnit(ActionUnit(15)), CodedUnit(ActionUnit(17))),
        (CodedUnit(ActionUnit(14)), CodedUnit(ActionUnit(24))),
    ),
}
"""Combinations of action units that the DFME paper lists for each emotion."""


class Studio:
    """One participant, photographed with and without movement."""

    def __init__(self, appearance: Appearance) -> None:
        self._renderer = Renderer(appearance)
        camera, head = appearance.head.camera, appearance.head
        eyes = camera.project(np.stack([eye.centre for eye in head.eyes]))
        x, y = eyes[:, :2].mean(0)
        unit = float(np.hypot(*(eyes[0, :2] - eyes[1, :2])))
        self._crop = (
            slice(max(int(y - 0.95 * unit), 0), int(y + 2.2 * unit)),
            slice(max(int(x - 1.23 * unit), 0), int(x + 1.23 * unit)),
        )
        self.neutral = self.take(())

    def take(self, units: Sequence[CodedUnit], intensity: float = _INTENSITY) -> Picture:
        """The face, (h, w) uint8, with these units at this intensity."""
        track = FaceTrack.neutral(1)
        for coded in units:
            number = UNITS.index(coded.unit)
            if coded.side is not Side.RIGHT:
                track.left[0, number] = intensity
            if coded.side is not Side.LEFT:
                track.right[0, number] = intensity
        picture = np.empty((768, 1024), np.uint8)
        self._renderer.render(track, 0, picture)
        face: Picture = picture[self._crop]
        return face

    def difference(self, picture: Picture) -> Picture:
        """What changed against the neutral face, amplified about mid-grey."""
        # The noise of one frame is the same in both, so that only the movement is left.
        change = picture.astype(np.int16) - self.neutral
        amplified: Picture = np.clip(128 + AMPLIFICATION * change, 0, 255).astype(np.uint8)
        return amplified


def unit_sheet(studio: Studio, group: Group) -> Picture:
    """A row per unit: neutral, apex, difference; left side and right side alone where the unit has sides."""
    rows = []
    for unit in group.units:
        whole = studio.take((CodedUnit(unit),))
        tiles = [
            (studio.neutral, "neutral"),
            (whole, f"{'M' if unit >= ActionUnit.HEAD_FORWARD else 'AU'}{int(unit)}"),
            (studio.difference(whole), f"difference x{AMPLIFICATION}"),
        ]
        if unit < ActionUnit.HEAD_FORWARD:
            for side in (Side.LEFT, Side.RIGHT):
                half = studio.take((CodedUnit(unit, side),))
                tiles += [(half, f"{side.value}-AU{int(unit)}"), (studio.difference(half), "difference")]
        rows.append(_row(tiles, 7))
    return np.concatenate(rows)


def emotion_sheet(studios: Sequence[Studio]) -> Picture:
    """A row per emotion: the neutral face, then each of the paper's combinations with what it changed."""
    rows = []
    for number, (emotion, combinations) in enumerate(EMOTIONS.items()):
        studio = studios[number % len(studios)]
        tiles = [(studio.neutral, emotion)]
        for units in combinations:
            face = studio.take(units)
            name = " + ".join(f"{coded.side.value}{'-' if coded.side.value else ''}AU{coded.unit:d}" for coded in units)
            tiles += [(face, name), (studio.difference(face), "difference")]
        rows.append(_row(tiles, 7))
    return np.concatenate(rows)


def _row(tiles: Sequence[tuple[Picture, str]], columns: int) -> Picture:
    width, height = _TILE
    row = np.full((height + _GAP, columns * (width + _GAP)), 255, np.uint8)
    for number, (picture, caption) in enumerate(tiles):
        tile = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8).copy()
        cv2.rectangle(tile, (0, height - 20), (width, height), 0, -1)
        cv2.putText(tile, caption, (5, height - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
        left = number * (width + _GAP)
        row[:height, left : left + width] = tile
    return row


def draw_all(out: Path) -> list[Path]:
    """Writes all sheets as JPEG into a folder; the names of the files."""
    studios = [Studio(render_neutral(build_head(sample_identity(seed)))) for seed in _SEEDS]
    sheets = {group.name: unit_sheet(studio, group) for group, studio in zip(GROUPS, studios, strict=True)}
    sheets["emotion_combinations"] = emotion_sheet(studios)
    written = []
    for name, sheet in sheets.items():
        path = out / f"{name}.jpg"
        cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        written.append(path)
    return written


def main() -> None:
    """Draws the sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the JPEG files to")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    draw_all(folder)


if __name__ == "__main__":
    main()
