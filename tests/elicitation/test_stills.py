"""Still pictures out of a stimulus: the picture of each number, whatever the order in which they are asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.recording.frame_pictures import NoSuchFrame
from elicitation.errors import ElicitationError
from elicitation.placeholder import make_placeholder, read_counter
from elicitation.stills import VideoStills


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return make_placeholder(path, title="a", duration_s=4, rate_fps=Fraction(30), width_px=320, height_px=180)


def number_in(picture: bytes) -> int:
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return read_counter(np.asarray(image, np.uint8))


def test_every_picture_is_the_one_of_its_number(film: Path) -> None:
    stills = VideoStills(film, cache_bytes=100_000)

    assert stills.count == 120
    assert stills.times_s[[0, 1, 119]] == pytest.approx([0, 1 / 30, 119 / 30], abs=1e-3)
    order = [0, 1, 2, 60, 59, 58, 119, 0, 90, 30, 31, 118, 119, 5]
    assert [number_in(stills.jpeg(index)) for index in order] == order
    assert number_in(stills.png(77)) == 77
    stills.close()


def test_pictures_are_made_smaller_on_demand(film: Path) -> None:
    stills = VideoStills(film)

    image = cv2.imdecode(np.frombuffer(stills.jpeg(8, max_side_px=160), np.uint8), cv2.IMREAD_COLOR)

    assert image is not None
    assert image.shape == (90, 160, 3)
    stills.close()


def test_what_is_not_there_is_named(film: Path, tmp_path: Path) -> None:
    stills = VideoStills(film)
    with pytest.raises(NoSuchFrame, match=r"a\.mp4 has no picture 120: its pictures are 0 to 119"):
        stills.jpeg(120)
    stills.close()

    (tmp_path / "text.mp4").write_text("not a video")
    for name in ("text.mp4", "absent.mp4"):
        with pytest.raises(ElicitationError, match=name):
            VideoStills(tmp_path / name)
