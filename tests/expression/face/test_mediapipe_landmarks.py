"""MediaPipe as a face finder: quiet, repeatable, and gone when closed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from expression.errors import ModelUnavailable, PictureUnusable
from expression.face import Scheme
from expression.face.mediapipe_landmarks import MediaPipeFinder, pose_of, quiet_stderr

NOISE = np.random.default_rng(0).integers(0, 255, (240, 320), np.uint8)


@pytest.fixture(scope="module")
def finder(model_path):
    with MediaPipeFinder(model_path) as made:
        yield made


def rotation(axis: str, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        "x": np.array([(1, 0, 0), (0, c, -s), (0, s, c)]),
        "y": np.array([(c, 0, s), (0, 1, 0), (-s, 0, c)]),
        "z": np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)]),
    }[axis]


@pytest.mark.parametrize(
    ("axis", "degrees", "name", "told"),
    [
        ("y", 20, "yaw_deg", 20),  # the nose to the right of the picture, which is the participant's left
        ("x", -15, "pitch_deg", 15),  # the nose up
        ("z", -10, "roll_deg", 10),  # the top of the head to the right of the picture
    ],
)
def test_each_turn_of_the_head_is_one_angle(axis, degrees, name, told):
    pose = pose_of(3.0 * rotation(axis, degrees))
    angles = {"yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0} | {name: told}
    assert {key: getattr(pose, key) for key in angles} == pytest.approx(angles, abs=1e-6)


def test_a_picture_of_nothing_has_no_face(finder):
    assert finder.find(NOISE) == ()
    assert finder.scheme is Scheme.MEDIAPIPE


def test_colour_pictures_are_refused(finder):
    with pytest.raises(PictureUnusable):
        finder.find(np.zeros((10, 10, 3), np.uint8))


def test_a_closed_finder_says_so_and_leaves_no_threads(model_path):
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    with MediaPipeFinder(model_path) as first:
        first.find(NOISE)
    before = threads()
    for _ in range(4):
        with MediaPipeFinder(model_path) as made:
            made.find(NOISE)
    # The system takes threads off its list a little after they were joined.
    deadline = time.monotonic() + 10
    while threads() > before and time.monotonic() < deadline:
        os.sched_yield()
    assert threads() <= before
    made.close()
    with pytest.raises(RuntimeError, match="closed"):
        made.find(NOISE)


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path):
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelUnavailable, match=f"cannot load {path}"):
        MediaPipeFinder(path)
    with pytest.raises(ModelUnavailable, match="No such file"):
        MediaPipeFinder(tmp_path / "absent.task")


PROGRAM = """
import sys, numpy
from pathlib import Path
from expression.face.mediapipe_landmarks import MediaPipeFinder
finder = MediaPipeFinder(Path(sys.argv[1]))
finder.find(numpy.zeros((100, 100), numpy.uint8))
if sys.argv[2] == "close":
    finder.close()
print("done")
"""


@pytest.mark.parametrize("end", ["close", "forget"])
def test_a_program_stays_quiet_from_start_to_end(model_path, end):
    """Also where nobody closes the finder: MediaPipe's own destructor would end in a traceback."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(model_path), end], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_errors_are_not_silenced_with_the_chatter(capfd):
    with quiet_stderr():
        os.write(2, b"W0000 00:00:1 1 x.cc:1] chatter\nINFO: more of it\nE0000 00:00:1 1 x.cc:2] a true error\n")
    assert capfd.readouterr().err == "E0000 00:00:1 1 x.cc:2] a true error\n"
    os.write(2, b"as before\n")
    assert capfd.readouterr().err == "as before\n"
