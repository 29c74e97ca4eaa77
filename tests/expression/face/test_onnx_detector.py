"""ONNX plug-ins: any detector and landmark network that keep to the contract, under either runtime."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression.errors import BadInput
from expression.face import Scheme, best_finder, reference_landmarks
from expression.face.onnx_detector import DetectorFile, LandmarkFile, OnnxFinder, OnnxSettings, anchors, peaks

DETECTOR = {"width_px": 64, "height_px": 64, "strides_px": (8,), "anchors_px": ((16, 24),), "mean": (0.0,)}
needs_onnxruntime = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="ONNX Runtime is not installed"
)
runtimes = pytest.mark.parametrize("runtime", ["opencv", pytest.param("onnxruntime", marks=needs_onnxruntime)])


def picture(*centres: tuple[int, int], height: int = 128, width: int = 128, side: int = 16) -> np.ndarray:
    """Dark, with bright squares: one of 16 pixels is one cell of the detector's at half resolution."""
    image = np.full((height, width), 20, np.uint8)
    for x, y in centres:
        image[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = 250
    return image


@pytest.fixture
def settings(tmp_path, tiny_onnx):
    """Makes the settings of a plug-in with a detector of bright squares."""

    def make(runtime: str = "opencv", **changes: object) -> OnnxSettings:
        file = tiny_onnx.bright_square_detector(tmp_path / "detector.onnx")
        return OnnxSettings(detector=DetectorFile(file=file, **(DETECTOR | changes)), runtime=runtime)

    return make


@runtimes
def test_a_face_is_found_where_the_network_says(runtime, settings):
    with OnnxFinder(settings(runtime)) as finder:
        (face,) = finder.find(picture((72, 40)))
    # The anchor of 24 pixels in a picture of twice the network's size.
    assert (face.box.width, face.box.height) == pytest.approx((48, 48))
    assert face.box.centre == pytest.approx((71.5, 39.5))
    np.testing.assert_allclose(face.landmarks, [(59.5, 39.5), (83.5, 39.5)], atol=1e-3)
    assert face.scheme is finder.scheme is Scheme.EYES
    assert face.score is not None
    assert 0.99 < face.score <= 1


@runtimes
def test_a_picture_of_another_shape_is_fitted_in_without_stretching(runtime, settings):
    with OnnxFinder(settings(runtime)) as finder:
        (face,) = finder.find(picture((208, 48), height=128, width=256, side=32))
    assert face.box.width == face.box.height == pytest.approx(96)
    assert face.box.centre == pytest.approx((207.5, 47.5))


def test_the_part_of_the_input_without_picture_is_filled_with_the_mean(settings):
    """Otherwise its edge would be found as a face, or a bright mean as many of them."""
    with OnnxFinder(settings(mean=(-150.0,))) as finder:
        assert len(finder.find(np.zeros((64, 128), np.uint8))) > 0
        assert all(face.box.y < 64 for face in finder.find(np.zeros((64, 128), np.uint8)))


@runtimes
def test_several_faces_are_told_apart_and_the_middle_one_comes_first(runtime, settings):
    with OnnxFinder(settings(runtime)) as finder:
        faces = finder.find(picture((24, 24), (72, 72), (24, 104)))
    assert len(faces) == 3
    assert faces[0].box.centre == pytest.approx((71.5, 71.5))


def test_boxes_that_overlap_are_one_face(settings):
    with OnnxFinder(settings()) as finder:
        two = len(finder.find(picture((40, 40), (56, 40))))
    with OnnxFinder(settings(most_overlap=0.9)) as finder:
        assert (two, len(finder.find(picture((40, 40), (56, 40))))) == (1, 2)


def test_nothing_is_found_in_the_dark(settings):
    with OnnxFinder(settings()) as finder:
        assert finder.find(picture()) == ()


def test_anchors_run_row_by_row_with_all_sizes_in_a_cell():
    described = DetectorFile(
        file=Path("x"), width_px=32, height_px=16, strides_px=(8, 16), anchors_px=((16, 32), (64,))
    )
    rows = anchors(described)
    assert rows.shape == (2 * 4 * 2 + 2, 4)
    np.testing.assert_array_equal(rows[:3], [(4, 4, 16, 16), (4, 4, 32, 32), (12, 4, 16, 16)])
    np.testing.assert_array_equal(rows[-1], (24, 8, 64, 64))


@runtimes
def test_heat_maps_become_landmarks_in_the_picture(tmp_path, runtime, settings, tiny_onnx):
    marks = LandmarkFile(
        file=tiny_onnx.brightness_heatmaps(tmp_path / "marks.onnx"), channels=1, size_px=32, margin=0.2
    )
    image = picture((72, 40))
    image[44, 77] = 255
    described = settings(runtime).model_copy(update={"landmarks": marks})
    with OnnxFinder(described) as finder:
        (face,) = finder.find(image)
    assert face.scheme is Scheme.DLIB
    np.testing.assert_allclose(face.landmarks, np.tile(face.landmarks[0], (68, 1)))
    assert np.abs(face.landmarks[0] - (72, 40)).max() < 12


@given(st.floats(3, 28), st.floats(3, 12))
def test_a_peak_between_cells_is_found_between_cells(x, y):
    rows, columns = np.mgrid[:16, :32] + 0.5
    heat = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)[None].astype(np.float32)
    np.testing.assert_allclose(peaks(heat) * (32, 16), [(x, y)], atol=0.35)


@runtimes
def test_coordinates_become_landmarks_in_the_picture(tmp_path, runtime, settings, tiny_onnx):
    wanted = reference_landmarks(Scheme.DLIB)
    marks = LandmarkFile(
        file=tiny_onnx.fixed_coordinates(tmp_path / "marks.onnx", wanted), kind="coordinates", size_px=32, margin=0.0
    )
    described = settings(runtime).model_copy(update={"landmarks": marks})
    with OnnxFinder(described) as finder:
        (face,) = finder.find(picture((72, 40)))
    corner = np.array([face.box.x, face.box.y]) + 0.5
    np.testing.assert_allclose(face.landmarks + 0.5, corner + wanted * 48, atol=1e-2)


def test_a_plug_in_is_described_by_a_file_beside_it(tmp_path, tiny_onnx):
    tiny_onnx.bright_square_detector(tmp_path / "lab.onnx")
    (tmp_path / "lab.toml").write_text(
        'runtime = "opencv"\n[detector]\nfile = "lab.onnx"\nwidth_px = 64\nheight_px = 64\nstrides_px = [8]\n'
        "anchors_px = [[16, 24]]\nmean = [0]\n"
    )
    for name in ("lab.toml", "lab.onnx"):
        with best_finder(str(tmp_path / name)) as finder:
            assert len(finder.find(picture((72, 40)))) == 1
            assert finder.reason == "face: lab.onnx, eyes (OpenCV)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "detector: Field required"),
        ('[detector]\nfile = "a.onnx"\nwidht_px = 3\n', "detector.widht_px"),
        ('[detector]\nfile = "absent.onnx"\n', "there is no file"),
        ("[detector\n", "cannot be read"),
        ('[detector]\nfile = "a.onnx"\nmean = [1, 2]\n', "one value, or one for each"),
    ],
)
def test_a_description_that_is_wrong_is_refused_with_the_key(tmp_path, text, said):
    (tmp_path / "lab.toml").write_text(text)
    with pytest.raises(BadInput, match=said):
        OnnxFinder.from_file(tmp_path / "lab.toml")


@runtimes
def test_a_file_that_is_no_onnx_file_is_refused_by_name(tmp_path, runtime):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08not onnx at all")
    with pytest.raises(BadInput, match=r"cannot run .*broken\.onnx"):
        OnnxFinder(OnnxSettings(detector=DetectorFile(file=path), runtime=runtime))


def test_a_network_with_other_outputs_is_refused_with_both_shapes(settings):
    with (
        OnnxFinder(settings(anchors_px=((16, 24, 32),))) as finder,
        pytest.raises(BadInput, match=r"\(1, 128, 4\).*where \(1, 192, 4\)"),
    ):
        finder.find(picture())


def test_a_landmark_network_of_another_kind_is_refused(tmp_path, settings, tiny_onnx):
    marks = LandmarkFile(file=tiny_onnx.brightness_heatmaps(tmp_path / "m.onnx", count=5), channels=1, size_px=32)
    described = settings().model_copy(update={"landmarks": marks})
    with (
        OnnxFinder(described) as finder,
        pytest.raises(BadInput, match=r"\(1, 5, 32, 32\), which are no heatmaps of 68"),
    ):
        finder.find(picture((72, 40)))


def test_a_closed_finder_says_so(settings):
    finder = OnnxFinder(settings())
    finder.close()
    finder.close()
    with pytest.raises(RuntimeError, match="closed"):
        finder.find(picture())
