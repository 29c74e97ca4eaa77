"""Placeholder videos: what a test reads off the picture is the frame's number."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from elicitation.errors import ElicitationError
from elicitation.placeholder import make_placeholder, read_counter


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("placeholder") / "x.mp4"
    return make_placeholder(path, title="08su", duration_s=2, rate_fps=Fraction(25), width_px=640, height_px=360)


def test_every_frame_carries_its_number_at_any_size(video):
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            luma = frame.to_ndarray(format="gray")
            assert read_counter(luma) == number
            assert read_counter(cv2.resize(luma, (480, 270), interpolation=cv2.INTER_AREA)) == number
    assert number == 49
    assert read_counter(np.zeros((360, 640), np.uint8)) == -1


def test_it_beeps_at_every_full_second(video):
    with av.open(str(video)) as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    loud = [float(np.abs(sound[int(t * rate) : int((t + 0.05) * rate)]).max()) for t in (0.01, 0.5, 1.01, 1.5)]
    assert min(loud[0], loud[2]) > 0.1
    assert max(loud[1], loud[3]) < 0.05


def test_an_interrupted_one_leaves_nothing_behind(tmp_path):
    def interrupt(done: int, planned: int, title: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_placeholder(tmp_path / "x.mp4", title="x", duration_s=1, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ElicitationError, match="file"):
        make_placeholder(tmp_path / "file" / "x.mp4", title="x", duration_s=1)
