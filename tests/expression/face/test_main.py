"""`python -m expression.face`: one picture to look at, one line per problem."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from expression.errors import BadInput
from expression.face import Face, Scheme, align, reference_px
from expression.face.__main__ import read_frame
from expression.face.detect import Box
from expression.face.overlay import overlay


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "expression.face", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[3],
    )


@pytest.fixture
def blank(tmp_path) -> Path:
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), np.full((200, 300), 120, np.uint8))
    return path


def test_a_picture_with_a_face_is_drawn(portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), portrait[0])
    done = command(tmp_path / "face.png", "--out", tmp_path / "o.png", "--json", "--finder", "cascades")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "face: OpenCV cascades, eye centres only, as asked for\n"
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["faces"] == 1
    assert told["problem"] is None
    assert cv2.imread(str(tmp_path / "o.png")).shape == (360, 640 + 360, 3)


def test_a_picture_without_a_face_is_an_error_of_one_line(blank):
    done = command(blank, "--finder", "cascades")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "error: no face in the frame; check that it is complete, bright and turned to the camera"
    ]


def test_bad_usage_ends_with_2():
    done = command("absent.png")
    assert (done.returncode, done.stderr) == (2, "error: there is no file absent.png\n")


def test_help_says_what_is_drawn():
    done = command("--help")
    assert done.returncode == 0
    assert "green: stable ones" in done.stdout


def test_any_frame_of_a_video_can_be_read(tmp_path):
    import av

    path = tmp_path / "grey.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for value in (10, 20, 30):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64), value, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert [int(read_frame(path, number)[0, 0]) for number in (0, 1, 2)] == [10, 20, 30]
    with pytest.raises(BadInput, match="3 frames, so there is no frame 3"):
        read_frame(path, 3)


def test_what_cannot_be_read_is_refused(tmp_path, blank):
    (tmp_path / "text.txt").write_text("hello " * 100)
    with pytest.raises(BadInput, match=r"text\.txt"):
        read_frame(tmp_path / "text.txt", 0)
    with pytest.raises(BadInput, match="1 frames, so there is no frame 1"):
        read_frame(blank, 1)


def test_the_drawing_shows_stable_landmarks_in_green():
    marks = reference_px(300) + np.float32((50, 20))
    image = np.full((340, 400), 60, np.uint8)
    face = Face(Box.around(marks), marks, Scheme.MEDIAPIPE)
    drawn = overlay(image, face, align(face, image))
    assert drawn.shape == (340, 740, 3)
    x, y = marks[10].round().astype(int)
    blue, green, red = (int(value) for value in drawn[y, x])
    assert green > 1.5 * max(blue, red)
    np.testing.assert_array_equal(image, 60)
