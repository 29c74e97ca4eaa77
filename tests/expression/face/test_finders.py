"""Which finder is chosen, and that it says why."""

from __future__ import annotations

import numpy as np
import pytest

from expression.errors import BadInput, ModelUnavailable
from expression.face import Scheme, best_finder


@pytest.fixture
def no_model(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("DFME_MODELS", str(tmp_path / "offline"))


@pytest.mark.usefixtures("no_model")
def test_without_the_model_the_cascades_are_used_and_the_remedy_told():
    with best_finder(download=False) as finder:
        assert finder.scheme is Scheme.EYES
        assert finder.find(np.zeros((100, 100), np.uint8)) == ()
    assert finder.reason.startswith("face: OpenCV cascades")
    assert "face_landmarker.task" in finder.reason
    assert "DFME_MODELS" in finder.reason
    assert "\n" not in finder.reason


@pytest.mark.usefixtures("no_model")
def test_who_insists_on_mediapipe_gets_an_error_and_no_substitute():
    with pytest.raises(ModelUnavailable, match="DFME_MODELS"):
        best_finder("mediapipe", download=False)


def test_with_the_model_mediapipe_is_used(model_path):
    with best_finder(download=False) as finder:
        assert finder.scheme is Scheme.MEDIAPIPE
    assert finder.reason.startswith("face: MediaPipe, 478 landmarks")
    assert str(model_path.parent) in finder.reason


def test_the_cascades_can_be_asked_for():
    with best_finder("cascades") as finder:
        assert "as asked for" in finder.reason


@pytest.mark.parametrize("name", ["dlib", "", "MediaPipe"])
def test_unknown_finders_are_refused_with_the_known_ones(name):
    with pytest.raises(BadInput, match="auto, mediapipe, cascades"):
        best_finder(name)


def test_a_plug_in_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"no file .*lab\.onnx"):
        best_finder(str(tmp_path / "lab.onnx"))
