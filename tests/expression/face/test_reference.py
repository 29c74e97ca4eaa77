"""The reference face: numbers that agree with the model file, landmarks that mirror, regions that lie where they are
named."""

from __future__ import annotations

import struct
import zipfile

import numpy as np
import pytest

from expression.face import (
    REGIONS,
    FaceRegion,
    Scheme,
    landmarks_as,
    reference_landmarks,
    reference_px,
    stable_landmarks,
)
from expression.face.reference import canonical_face_cm, mirrored


@pytest.mark.parametrize("scheme", Scheme)
def test_every_scheme_has_its_landmarks_inside_the_crop(scheme):
    landmarks = reference_landmarks(scheme)
    assert landmarks.shape == (scheme.size, 2)
    assert landmarks.dtype == np.float32
    assert landmarks.min() > 0.05
    assert landmarks.max() < 0.95


@pytest.mark.parametrize("scheme", Scheme)
def test_the_reference_face_is_frontal_so_its_halves_mirror(scheme):
    landmarks = reference_landmarks(scheme)
    flipped = landmarks * [-1, 1] + [1, 0]
    distances = np.linalg.norm(landmarks[:, None] - flipped[None], axis=2)
    assert distances.min(1).max() < 1e-5


def test_pixels_of_a_crop_count_from_pixel_centres():
    np.testing.assert_allclose(reference_px(224), reference_landmarks() * 224 - 0.5, atol=1e-4)
    # The middle of a crop of even size lies between its two middle pixels.
    assert reference_px(224)[10, 0] == pytest.approx(111.5, abs=1e-3)


def test_reference_arrays_are_shared_and_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        reference_landmarks()[0] = 0


def test_eye_centres_agree_between_schemes():
    eyes = reference_landmarks(Scheme.EYES)
    np.testing.assert_allclose(
        landmarks_as(reference_landmarks(Scheme.DLIB), Scheme.DLIB, Scheme.EYES), eyes, atol=1e-6
    )
    assert eyes[0, 0] < eyes[1, 0], "the right eye is on the left of the picture"


def test_a_scheme_cannot_be_turned_into_one_that_knows_more():
    with pytest.raises(ValueError, match="eyes cannot be turned into dlib68"):
        landmarks_as(reference_landmarks(Scheme.EYES), Scheme.EYES, Scheme.DLIB)


def test_every_region_has_landmarks_and_no_landmark_is_in_two():
    assert set(REGIONS) == set(FaceRegion)
    indices = [index for group in REGIONS.values() for index in group]
    assert len(indices) == len(set(indices))


def _centre(region: FaceRegion) -> np.ndarray:
    return reference_landmarks()[list(REGIONS[region])].mean(0)


def test_regions_lie_where_a_face_has_them():
    rows = [
        FaceRegion.FOREHEAD,
        FaceRegion.RIGHT_INNER_BROW,
        FaceRegion.RIGHT_UPPER_LID,
        FaceRegion.RIGHT_LOWER_LID,
        FaceRegion.NOSE_BRIDGE,
        FaceRegion.RIGHT_CHEEK,
        FaceRegion.RIGHT_NOSE_WING,
        FaceRegion.UPPER_LIP,
        FaceRegion.LOWER_LIP,
        FaceRegion.CHIN,
    ]
    heights = [_centre(region)[1] for region in rows]
    assert heights == sorted(heights)
    columns = [
        FaceRegion.RIGHT_OUTER_BROW,
        FaceRegion.RIGHT_INNER_BROW,
        FaceRegion.GLABELLA,
        FaceRegion.LEFT_INNER_BROW,
        FaceRegion.LEFT_OUTER_BROW,
    ]
    sides = [_centre(region)[0] for region in columns]
    assert sides == sorted(sides)


@pytest.mark.parametrize("region", [region for region in FaceRegion if region.value.startswith("right")])
def test_left_regions_mirror_right_ones(region):
    left = FaceRegion(region.value.replace("right", "left"))
    np.testing.assert_allclose(_centre(left), _centre(region) * [-1, 1] + [1, 0], atol=1e-5)


def test_no_landmark_of_a_moving_region_counts_as_stable():
    moving = {i for region, group in REGIONS.items() if region is not FaceRegion.NOSE_BRIDGE for i in group}
    stable = set(stable_landmarks(Scheme.MEDIAPIPE))
    assert not stable & moving
    assert stable == {mirrored(index) for index in stable}


@pytest.mark.parametrize("scheme", Scheme)
def test_stable_landmarks_exist_in_their_scheme(scheme):
    assert all(0 <= index < scheme.size for index in stable_landmarks(scheme))


def _fields(data: bytes):
    """Field numbers and values of a protobuf message, as far as the geometry file needs them."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        key = varint()
        length = {0: None, 2: -1, 5: 4}[key & 7]
        if length is None:
            yield key >> 3, varint()
            continue
        length = varint() if length < 0 else length
        yield key >> 3, data[position : position + length]
        position += length


def test_the_shipped_canonical_face_is_that_of_the_model_file(model_path):
    """The mesh in the model's geometry file: five floats (x, y, z, u, v) per vertex."""
    with zipfile.ZipFile(model_path) as bundle:
        geometry = bundle.read("geometry_pipeline_metadata_landmarks.binarypb")
    mesh = next(value for number, value in _fields(geometry) if number == 1)
    floats = [struct.unpack("<f", value)[0] for number, value in _fields(mesh) if number == 3]
    np.testing.assert_allclose(canonical_face_cm(), np.reshape(floats, (-1, 5))[:, :3], rtol=1e-5, atol=1e-5)
