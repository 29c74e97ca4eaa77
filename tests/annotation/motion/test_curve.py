"""Motion curves: a movement that is known stands out where it is, and nothing else does."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from annotation.motion.curve import MotionCurve, measure
from annotation.motion.worker import MotionWorker
from capture.recording.frame_pictures import FramePictures
from expression.face.detect import Box, Face
from expression.face.reference import Scheme

RATE_FPS = 200.0
FRAMES = 300
APEX = 160
EYES = np.array([(70, 90), (130, 90)], np.float32)


class Told:
    """A face finder that was told where the eyes are, in the frames where there is a face."""

    scheme = Scheme.EYES
    reason = "told"

    def __init__(self, sees: bool = True) -> None:
        self._sees = sees

    def find(self, image):
        return (Face(Box(40, 50, 120, 140), EYES, Scheme.EYES),) if self._sees else ()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A textured picture in which the left mouth corner rises by two pixels around frame 160."""
    folder = tmp_path_factory.mktemp("clip") / "P01_01"
    folder.mkdir()
    generator = np.random.default_rng(3)
    texture = cv2.GaussianBlur(generator.normal(128, 120, (220, 200)).astype(np.float32), (0, 0), 2.5) * 2.2 - 150
    rows, columns = np.mgrid[0:220, 0:200].astype(np.float32)
    bump = np.exp(-(((columns - 120) / 12) ** 2) - ((rows - 140) / 12) ** 2)
    for frame in range(FRAMES):
        rise = 2.0 * np.exp(-(((frame - APEX) / 12) ** 2))
        moved = cv2.remap(
            texture, columns, (rows + rise * bump).astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        noisy = moved + generator.normal(0, 1, moved.shape)
        cv2.imwrite(str(folder / f"{frame:05d}.png"), noisy.clip(0, 255).astype(np.uint8))
    return folder


def test_the_movement_stands_out_at_its_apex(clip, tmp_path):
    told: list[tuple[int, int]] = []

    curve = measure(FramePictures(clip), RATE_FPS, Told(), lambda done, total: told.append((done, total)))

    assert curve.frames[:3].tolist() == [0, 2, 4]
    assert told[-1][1] == FRAMES
    peak = int(curve.frames[curve.motion_px.argmax()])
    assert abs(peak - APEX) <= 4
    quiet = np.abs(curve.frames - APEX) > 50
    assert curve.motion_px.max() > 4 * curve.motion_px[quiet].max()
    assert curve.face_at(0) is not None
    curve.write(tmp_path / "curve.npz")
    again = MotionCurve.read(tmp_path / "curve.npz")
    assert np.array_equal(again.motion_px, curve.motion_px)


def test_without_a_face_there_is_no_curve(clip):
    curve = measure(FramePictures(clip), RATE_FPS, Told(sees=False), lambda *_: None)

    assert np.isnan(curve.motion_px).all()
    assert curve.face_at(100) is None


def test_a_damaged_file_is_computed_anew(tmp_path):
    (tmp_path / "curve.npz").write_bytes(b"PK\x03\x04 nonsense")
    assert MotionCurve.read(tmp_path / "curve.npz") is None
    assert MotionCurve.read(tmp_path / "nothing.npz") is None


def test_curves_are_computed_beside_the_server_and_kept(clip, tmp_path):
    worker = MotionWorker(tmp_path / "motion")
    try:
        assert worker.curve(7, clip, RATE_FPS).state == "computing"
        while (state := worker.curve(7, clip, RATE_FPS)).state == "computing":
            assert 0 <= state.progress <= 1
            threading.Event().wait(0.05)
        assert state.state == "ready"
        assert state.curve.frames[-1] == FRAMES - 2
        assert worker.curve(8, tmp_path / "nothing", RATE_FPS).state == "none"
    finally:
        worker.close()
    kept = MotionWorker(tmp_path / "motion")
    assert kept.curve(7, clip, RATE_FPS).state == "ready"
    kept.forget(7)
    assert list((tmp_path / "motion").iterdir()) == []
    kept.close()
